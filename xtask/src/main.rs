//! `cargo xtask <command>`: wiring only; each command lives in the file of its name.

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;
use xtask::workspace::Profile;
use xtask::{bench, deb, demo, images, registry, store, test, tidy};

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
    /// Make a store folder of the services, with their images pinned
    Store {
        /// Where to
        #[arg(long)]
        out: Option<PathBuf>,
        /// With the test services
        #[arg(long)]
        tests: bool,
    },
    /// Make the Debian package, with the images that it names
    Deb(Build),
    /// Make all that a test machine is installed from: images, registry, store with test services, package
    Artifacts(Build),
    /// From nothing to a cell that another machine opens; stays up unless it is only to check
    Demo {
        /// Take the machines down again, and end with 0 when every check passed
        #[arg(long)]
        check: bool,
        #[command(flatten)]
        build: Build,
    },
    /// Measure against bare Podman in the same run
    Bench {
        #[command(subcommand)]
        what: Bench,
    },
    /// Run every check and test, cheapest first
    Test {
        /// With the long ones
        #[arg(long)]
        all: bool,
    },
    /// Hold the rules that neither the compiler nor clippy holds
    Tidy,
    /// Make the storage folder of a test registry from the images
    Registry,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// `holm install` to the first 200, against network create, run and curl; and the idle daemon
    Install(Build),
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

fn main() -> ExitCode {
    run(Cli::parse().command).unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Node(args) => return xtask::node::cli::run(args),
        Command::Images(build) => images::run(build.profile())?,
        Command::Store { out, tests } => {
            let out = out.unwrap_or_else(store::folder);
            store::build(&out, tests)?;
            println!("{}", out.display());
        }
        Command::Deb(build) => println!("{}", deb::build(build.profile())?.display()),
        Command::Artifacts(build) => drop(xtask::cell::Artifacts::build(build.profile())?),
        Command::Demo { check, build } => demo::run(check, build.profile())?,
        Command::Bench {
            what: Bench::Install(build),
        } => bench::install(build.profile())?,
        Command::Test { all } => test::run(all)?,
        Command::Tidy => tidy::run()?,
        Command::Registry => println!("{}", registry::prepare()?.display()),
    }
    Ok(ExitCode::SUCCESS)
}
