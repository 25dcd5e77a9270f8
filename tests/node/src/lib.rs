//! Tests on real machines live in `tests/`; what they share is here.

use anyhow::Result;
use xtask::cell::{Artifacts, Cell};
use xtask::node::{Bench, CreateOptions, NodeGuard};

/// A cell and a second machine that knows its names and trusts its authority.
pub struct House {
    /// The cell's machine, initialised.
    pub cell: Cell,
    /// The second machine.
    pub client: NodeGuard,
    /// Where both are.
    pub bench: Bench,
}

impl House {
    /// New machines; the client knows these host names below the cell's domain.
    pub fn new(hosts: &[&str]) -> Result<Self> {
        Self::with(CreateOptions::default(), hosts)
    }

    /// The same, with the cell's machine made in a way of its own.
    pub fn with(options: CreateOptions, hosts: &[&str]) -> Result<Self> {
        let bench = Bench::open()?;
        let cell = Cell::start(&bench, &Bench::unique("a"), options, &Artifacts::built()?)?;
        let client = bench.fresh(&Bench::unique("b"), CreateOptions::default())?;
        cell.introduce(&client, hosts)?;
        Ok(Self { cell, client, bench })
    }
}
