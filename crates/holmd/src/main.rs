//! The daemon: wiring only. Without a word it serves; `unseal <container>` is a step of a unit.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use holm_core::intent::CoreImages;
use holm_host::{LinuxHost, Paths};
use holmd::{
    Clock,
    api::{self, Admins, App},
    db::Db,
    outside::OverHost,
    reconcile::Reconciler,
    unseal::unseal,
    view::View,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{Notify, watch},
};

/// Digests of the core's images, put there by the package.
const IMAGES: &str = "/usr/share/holm/images.json";
/// Where the API listens; the folder is made by the package.
const SOCKET: &str = "/run/holm/api.sock";

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime.map_err(Failure::from).and_then(|runtime| {
        let result = runtime.block_on(run());
        // A file that is followed has a thread that may be waiting; it ends with the process.
        runtime.shutdown_background();
        result
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "holmd: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failure> {
    tracing_subscriber::fmt()
        .with_ansi(false)
        .without_time()
        .with_writer(std::io::stderr)
        .init();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let paths = paths()?;
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => serve(paths).await,
        ["unseal", container] => {
            let host = LinuxHost::connect(paths.clone()).await?;
            Ok(unseal(&host, &paths.state, &paths.runtime, container).await?)
        }
        _ => Err("usage: holmd [unseal <container>]; people use the command `holm`".into()),
    }
}

async fn serve(paths: Paths) -> Result<(), Failure> {
    let _lock = lock(&paths.state)?;
    let images = images(Path::new(IMAGES))?;
    let db = Db::open(&paths.state.join("state.db"))?;
    let host = Arc::new(LinuxHost::connect(paths).await?);
    let (view, seen) = watch::channel(View::default());
    let (wake, stop) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let app = App {
        db: db.clone(),
        view: seen,
        wake: Arc::clone(&wake),
        outside: Arc::new(OverHost(Arc::clone(&host))),
        clock: clock(),
        admins: Admins::of_this_process(),
    };
    let reconciler = Reconciler {
        host,
        db,
        images,
        view,
        wake,
        clock: clock(),
    };
    let looping = tokio::spawn(reconciler.run(Arc::clone(&stop)));
    let listener = api::bind(Path::new(SOCKET)).map_err(|error| format!("listen at {SOCKET}: {error}"))?;
    sd_notify::notify(&[sd_notify::NotifyState::Ready])?;
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let end = async move {
        tokio::select! { _ = term.recv() => {} _ = int.recv() => {} }
    };
    api::serve(listener, app, end).await?;
    stop.notify_one();
    looping.await?;
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the environment is read"
)]
fn paths() -> Result<Paths, Failure> {
    let of = |name: &str| {
        std::env::var_os(name).map(PathBuf::from).ok_or(format!(
            "{name} is not set: holmd is a unit of the user holm's systemd"
        ))
    };
    Ok(Paths {
        state: of("HOME")?,
        runtime: of("XDG_RUNTIME_DIR")?,
    })
}

#[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
fn clock() -> Clock {
    Arc::new(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    })
}

/// One daemon for one state: a second one must not act on it (fault 61).
fn lock(state: &Path) -> Result<File, Failure> {
    let path = state.join("holmd.lock");
    let file = File::options()
        .create(true)
        .write(true)
        .truncate(false)
        .open(&path)?;
    file.try_lock()
        .map_err(|_| format!("another holmd holds {}", path.display()))?;
    Ok(file)
}

fn images(path: &Path) -> Result<CoreImages, Failure> {
    let text = std::fs::read(path)
        .map_err(|error| format!("read {}: {error}; install the package again", path.display()))?;
    Ok(serde_json::from_slice(&text)
        .map_err(|error| format!("{}: {error}; install the package again", path.display()))?)
}
