//! `cargo xtask <command>`: wiring only; each command lives in the file of its name.

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use xtask::images;
use xtask::workspace::Profile;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The project's own tools")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Node(xtask::node::cli::NodeArgs),
    /// Make every container image, from Debian packages and our binaries
    Images(Build),
}

#[derive(Debug, clap::Args)]
struct Build {
    /// Quickly built binaries instead of the optimised ones
    #[arg(long)]
    dev: bool,
}

impl Build {
    fn profile(&self) -> Profile {
        Profile::from_dev(self.dev)
    }
}

fn main() -> Result<ExitCode> {
    match Cli::parse().command {
        Command::Node(args) => return xtask::node::cli::run(args),
        Command::Images(build) => images::run(build.profile())?,
    }
    Ok(ExitCode::SUCCESS)
}
