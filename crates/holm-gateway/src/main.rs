//! The command line of the gateway's image: `pause` for the anchor, `run` for the gateway.

use std::{io, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use holm_gateway::{
    app::{App, Settings},
    ruleset::Nft,
};
use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
};

#[derive(Parser)]
#[command(
    version,
    about = "Holm's gateway: packet policy, router and resolver of one cell"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Hold a network namespace: do nothing until told to stop.
    Pause,
    /// Carry out the current document, and those that holmd sends.
    Run(Run),
}

#[derive(clap::Args)]
struct Run {
    /// Folder in which `current` names the document to load at boot
    #[arg(long, env = "HOLM_GATEWAY_CONFIG_DIR", default_value = "/holm/gateway")]
    config_dir: PathBuf,
    /// Folder shared with holmd: control.sock and live/
    #[arg(long, env = "HOLM_GATEWAY_RUN_DIR", default_value = "/run/holm-gateway")]
    run_dir: PathBuf,
    /// Socket on which the edge finds the router
    #[arg(
        long,
        env = "HOLM_GATEWAY_ROUTER_SOCKET",
        default_value = "/run/holm-router/router.sock"
    )]
    router_socket: PathBuf,
    /// Address of the resolver, UDP and TCP
    #[arg(long, env = "HOLM_GATEWAY_DNS", default_value = "0.0.0.0:53")]
    dns: SocketAddr,
    /// The program that loads packet policy
    #[arg(long, env = "HOLM_GATEWAY_NFT", default_value = "/usr/sbin/nft")]
    nft: PathBuf,
    /// Seconds that a request waits for a service which does not accept connections
    #[arg(long, env = "HOLM_GATEWAY_HOLD", default_value_t = 10)]
    hold: u64,
}

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Pause => pause(),
        Command::Run(run) => serve(run),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The log may not be set up (pause), or be what failed.
            eprintln!("holm-gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One thread, no log, no timer: as process 1 of the anchor it lives as long as the cell.
fn pause() -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async { told_to_stop()?.await })
}

fn serve(run: Run) -> io::Result<()> {
    tracing_subscriber::fmt().json().with_writer(io::stderr).init();
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async {
        let stop = told_to_stop()?;
        let settings = Settings {
            config_dir: run.config_dir,
            run_dir: run.run_dir,
            router_socket: run.router_socket,
            dns: run.dns,
            hold: Duration::from_secs(run.hold),
        };
        let app = App::bind(settings, Nft { program: run.nft }).await?;
        let stop = async { stop.await.unwrap_or_default() };
        app.run(tell_systemd, stop).await
    });
    close(runtime);
    ended
}

/// Connections are cut, not drained: whoever restarts the gateway wants it back, and the edge asks again.
fn close(runtime: Runtime) {
    tracing::info!("stopped; packet policy stays loaded");
    runtime.shutdown_background();
}

/// Both handlers stand when this returns: as process 1 an unhandled signal would be ignored.
fn told_to_stop() -> io::Result<impl Future<Output = io::Result<()>>> {
    // Made within the runtime, and before anything that takes time.
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        Ok(())
    })
}

fn tell_systemd() {
    tracing::info!("ready");
    if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Ready]) {
        tracing::error!(%error, "systemd was not told");
    }
}
