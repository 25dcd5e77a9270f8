//! `cargo xtask node ...`: real machines by hand.

use super::bench::{Bench, CreateOptions};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

/// Real Debian machines on this host, for tests and demos.
#[derive(Debug, Args)]
pub struct NodeArgs {
    #[command(subcommand)]
    command: NodeCommand,
}

#[derive(Debug, Subcommand)]
enum NodeCommand {
    /// Make the base system and the network (done by the others when needed)
    Up,
    /// Make a node, powered off
    Create {
        name: String,
        /// Put /home and /var/lib/holm on a disk image of this size; `cut` then loses what was not synced
        #[arg(long, value_name = "SIZE")]
        disk: Option<String>,
    },
    /// Boot a node and wait until it is up
    Boot { name: String },
    /// Run a command in a node; a single word is given to its shell
    Exec {
        /// Run as this user, in the user's own session
        #[arg(long)]
        user: Option<String>,
        name: String,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        words: Vec<String>,
    },
    /// Copy a file, or the contents of a folder, into a node
    Push {
        name: String,
        src: PathBuf,
        dst: String,
        user: Option<String>,
    },
    /// Give a node's address another name in NAME's /etc/hosts
    Alias {
        name: String,
        #[arg(value_name = "HOST=TARGET")]
        meaning: String,
    },
    /// Reboot from inside and wait until it is up again
    Reboot { name: String },
    /// Shut down cleanly
    Poweroff { name: String },
    /// Cut the power
    Cut { name: String },
    /// Remove a node
    Destroy { names: Vec<String> },
    /// List all nodes
    List,
    /// Print a node's address
    Ip { name: String },
    /// List a node's processes as the host sees them
    Ps { name: String },
    /// Run a command in the router's network
    Router {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        words: Vec<String>,
    },
    /// Remove all nodes and the network; the cached base system stays
    Down,
}

/// Runs the subcommand; `exec` passes its command's exit code on.
pub fn run(args: NodeArgs) -> Result<ExitCode> {
    let bench = Bench::open()?;
    match args.command {
        NodeCommand::Up => bench.up()?,
        NodeCommand::Create { name, disk } => {
            bench.node(&name).create(&CreateOptions { disk, keep: true })?
        }
        NodeCommand::Boot { name } => bench.node(&name).boot()?,
        NodeCommand::Exec { user, name, words } => return exec(&bench, &name, user.as_deref(), &words),
        NodeCommand::Push { name, src, dst, user } => bench.node(&name).push(&src, &dst, user.as_deref())?,
        NodeCommand::Alias { name, meaning } => {
            let (host, target) = meaning
                .split_once('=')
                .context("an alias is written HOST=TARGETNODE")?;
            bench.node(&name).alias(host, target)?;
        }
        NodeCommand::Reboot { name } => bench.node(&name).reboot()?,
        NodeCommand::Poweroff { name } => bench.node(&name).poweroff()?,
        NodeCommand::Cut { name } => bench.node(&name).cut()?,
        NodeCommand::Destroy { names } => names.iter().try_for_each(|name| bench.node(name).destroy())?,
        NodeCommand::List => list(&bench)?,
        NodeCommand::Ip { name } => println!("{}", bench.node(&name).ip()?),
        NodeCommand::Ps { name } => {
            for process in bench.node(&name).processes() {
                println!("{:>8} {:>8} {}", process.pid, process.uid, process.cmdline);
            }
        }
        NodeCommand::Router { words } => {
            let out = bench.router_exec(&words)?;
            print!("{}", String::from_utf8_lossy(&out.stdout));
            eprint!("{}", String::from_utf8_lossy(&out.stderr));
            return Ok(code(out.status));
        }
        NodeCommand::Down => bench.down()?,
    }
    Ok(ExitCode::SUCCESS)
}

fn exec(bench: &Bench, name: &str, user: Option<&str>, words: &[String]) -> Result<ExitCode> {
    let shell = |line: &String| vec!["sh".to_owned(), "-c".to_owned(), line.clone()];
    let words = if let [line] = words {
        shell(line)
    } else {
        words.to_vec()
    };
    let mut command = bench.node(name).command(user, &words)?;
    let status = command
        .stdin(Stdio::inherit())
        .status()
        .context("cannot start the command")?;
    Ok(code(status))
}

fn code(status: std::process::ExitStatus) -> ExitCode {
    ExitCode::from(
        status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
    )
}

fn list(bench: &Bench) -> Result<()> {
    println!("{:<20} {:<15} LEADER", "NAME", "IP");
    for node in bench.list()? {
        let leader = node.leader.map_or("-".to_owned(), |pid| pid.to_string());
        println!("{:<20} {:<15} {leader}", node.name, node.ip);
    }
    Ok(())
}
