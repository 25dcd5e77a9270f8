//! The words that can be typed.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use holm_core::{
    name::{Alias, CellName, Domain, SecretName, ServiceId, SettingKey},
    wire::Pool,
};

/// Your own cloud, on your own machine.
#[derive(Parser)]
#[command(name = "holm", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub command: Command,
    /// One JSON document on standard output, progress as JSON lines on standard error.
    #[arg(long, global = true)]
    pub json: bool,
    /// Return when the wish is kept, without waiting until it is fulfilled.
    #[arg(long, global = true)]
    pub no_wait: bool,
    /// Seconds to wait for at most; the work itself goes on after that.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 600)]
    pub timeout: u64,
    /// Where holmd listens.
    #[arg(
        long,
        global = true,
        hide = true,
        env = "HOLM_SOCKET",
        default_value = "/run/holm/api.sock"
    )]
    pub socket: PathBuf,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make the cell, or name another store.
    Init(Init),
    /// Install a service from the store, or bring a removed one back with its data.
    Install {
        /// Its id in the store.
        id: ServiceId,
        /// A setting that differs from its default.
        #[arg(long, value_name = "KEY=VALUE", value_parser = setting)]
        set: Vec<(SettingKey, String)>,
    },
    /// Show the cell, or one service.
    Status {
        /// Only this one.
        id: Option<ServiceId>,
    },
    /// Start a stopped service.
    Start {
        /// Which.
        id: ServiceId,
    },
    /// Stop a service; it stays installed.
    Stop {
        /// Which.
        id: ServiceId,
    },
    /// Start every container of a service anew.
    Restart {
        /// Which.
        id: ServiceId,
    },
    /// Show what a service wrote.
    Logs {
        /// Which.
        id: ServiceId,
        /// Go on with what it writes from now on.
        #[arg(short, long)]
        follow: bool,
        /// Begin with the last N lines.
        #[arg(long, value_name = "N", default_value_t = 100)]
        tail: u32,
        /// Of another container than the main one.
        #[arg(long, value_name = "NAME")]
        container: Option<Alias>,
    },
    /// Change settings of a service.
    Reconfigure {
        /// Which.
        id: ServiceId,
        /// A setting and its new value.
        #[arg(long, value_name = "KEY=VALUE", required = true, value_parser = setting)]
        set: Vec<(SettingKey, String)>,
    },
    /// Remove a service; its data is kept.
    Remove {
        /// Which.
        id: ServiceId,
    },
    /// Remove a service and all its data.
    Purge {
        /// Which.
        id: ServiceId,
        /// The same id once more: its data cannot be brought back.
        #[arg(long, value_name = "ID")]
        confirm: String,
    },
    /// Print the certificate that devices are to trust.
    Ca,
    /// Secrets that Holm made for services.
    #[command(subcommand)]
    Secret(Secret),
    /// Show what can be installed.
    Store,
}

#[derive(clap::Args)]
pub(crate) struct Init {
    /// Its domain, such as alice.test.
    #[arg(long)]
    pub domain: Domain,
    /// Its name; the first part of the domain unless given.
    #[arg(long)]
    pub name: Option<CellName>,
    /// Where services' addresses are taken from; 172.20.0.0/16 unless given.
    #[arg(long, value_name = "NETWORK")]
    pub pool: Option<Pool>,
    /// Folder of the store, readable for the user holm.
    #[arg(long, value_name = "DIRECTORY")]
    pub store: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Secret {
    /// Print a secret in clear.
    Show {
        /// Whose.
        id: ServiceId,
        /// Which.
        name: SecretName,
    },
}

fn setting(text: &str) -> Result<(SettingKey, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("write KEY=VALUE, such as --set limit=5")?;
    let key: SettingKey = key.parse().map_err(|error| format!("{error}"))?;
    Ok((key, value.to_owned()))
}
