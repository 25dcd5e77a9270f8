//! HTTP/1.1 on a unix socket: what router and control API have in common.

use std::{
    convert::Infallible, fs, future::Future, io, os::unix::fs::PermissionsExt, path::Path, time::Duration,
};

use hyper::{
    Request, Response,
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::UnixListener, time::sleep};

/// Binds `path`, readable and writable by its owner only, in place of what an earlier run left there.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // Bound under another name and moved: nobody can connect before the mode is set, and the name is never
    // missing while a new process takes over.
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&fresh)?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600))?;
    fs::rename(&fresh, path)?;
    Ok(listener)
}

/// Answers every connection of `listener` by `answer`, for ever. Upgraded connections are passed on.
pub async fn serve<A, F, B>(listener: UnixListener, answer: A)
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
    B::Data: Send,
{
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, most likely: those in use end, so trying again is the cure.
                tracing::warn!(%error, "connection not taken");
                sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let answer = answer.clone();
        let service = service_fn(move |request| {
            let response = answer(request);
            async { Ok::<_, Infallible>(response.await) }
        });
        tokio::spawn(async move {
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades()
                .await;
            if let Err(error) = served {
                tracing::debug!(%error, "connection ended");
            }
        });
    }
}
