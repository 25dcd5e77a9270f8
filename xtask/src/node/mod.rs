//! Real machines for tests: Debian 13 with systemd, in systemd-nspawn, on one bridge.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! let bench = xtask::node::Bench::open()?;
//! let a = bench.fresh("demo-a", Default::default())?; // destroyed when dropped
//! a.exec_ok(&["podman", "--version"])?;
//! # Ok(())
//! # }
//! ```

mod base;
mod bench;
mod cgroup;
pub mod cli;
mod exec;
mod files;
mod guard;
mod net;
mod power;

pub use bench::{Bench, CreateOptions, Node, NodeInfo};
pub use cgroup::Process;
pub use guard::NodeGuard;
