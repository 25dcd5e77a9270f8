//! `cargo xtask <command>`: wiring only; each command lives in the file of its name.

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The project's own tools")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Node(xtask::node::cli::NodeArgs),
}

fn main() -> Result<ExitCode> {
    match Cli::parse().command {
        Command::Node(args) => xtask::node::cli::run(args),
    }
}
