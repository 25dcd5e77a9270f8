//! The socket: made, taken over from a daemon that was killed, and served until the end is asked for.

use std::{
    future::Future,
    io,
    os::unix::{
        fs::{FileTypeExt as _, PermissionsExt as _},
        net::UnixStream,
    },
    path::Path,
    time::Duration,
};

use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use tokio::net::UnixListener;

use super::{App, authorise::Peer, router};

/// Streams of logs and events never end by themselves, so the end waits no longer than this for them.
const GRACE: Duration = Duration::from_secs(1);

/// Listens at `path`. A socket that nobody answers at is what a killed daemon left, and is replaced.
///
/// # Errors
/// Another daemon answers there, or the path cannot be made.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    match UnixStream::connect(path) {
        Ok(_) => {
            let text = format!("another holmd answers at {}", path.display());
            return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
        }
        // A plain file refuses too, and is nobody's to remove.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && is_socket(path)? => {
            std::fs::remove_file(path)?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(path)?;
    // The directory is setgid, so the group is that of the admins; who may ask is checked again by peer.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

fn is_socket(path: &Path) -> io::Result<bool> {
    Ok(std::fs::symlink_metadata(path)?.file_type().is_socket())
}

/// Serves until `end`, then lets requests under way finish, for a second.
///
/// # Errors
/// The listener failed.
pub async fn serve(
    listener: UnixListener,
    app: App,
    end: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service: IntoMakeServiceWithConnectInfo<_, Peer> = router(app).into_make_service_with_connect_info();
    let (ending, mut ended) = tokio::sync::watch::channel(());
    let end = async move {
        end.await;
        drop(ending);
    };
    let served = axum::serve(listener, service).with_graceful_shutdown(end);
    tokio::select! {
        result = served => result,
        () = async {
            // Closed means that the end was asked for.
            while ended.changed().await.is_ok() {}
            tokio::time::sleep(GRACE).await;
        } => Ok(()),
    }
}
