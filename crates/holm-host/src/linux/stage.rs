//! A server on a unix socket that plays recorded answers: for tests of the clients.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(super) enum Play {
    /// Status and body.
    Says(u16, String),
    /// Status 200, then these pieces with a pause after each, and then an end as it should be.
    Drips(Vec<(String, Duration)>),
    /// Status 200 with this much of a longer body, then the connection ends.
    Breaks(String),
    /// Never answers.
    Hangs,
}

/// The server and what it was asked.
pub(super) struct Stage {
    directory: tempfile::TempDir,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    /// Plays in order, one a request; after the last, it answers 500.
    pub fn new(plays: impl IntoIterator<Item = Play>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join("s")).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = asked.clone();
        let mut plays: VecDeque<Play> = plays.into_iter().collect();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let play = plays.pop_front().unwrap_or(Play::Says(500, "{}".into()));
                tokio::spawn(serve(stream, play, heard.clone()));
            }
        });
        Self { directory, asked }
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("s")
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Each request as `METHOD path body`.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut stream: UnixStream, play: Play, asked: Arc<Mutex<Vec<String>>>) {
    let request = read_request(&mut stream).await;
    asked.lock().unwrap().push(request);
    match play {
        Play::Says(status, body) => {
            let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n", body.len());
            // 204 has no body, whatever its length says.
            let head = if status == 204 {
                "HTTP/1.1 204 x\r\n\r\n".into()
            } else {
                head
            };
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
        Play::Drips(pieces) => {
            let _ = stream
                .write_all(b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n")
                .await;
            for (piece, pause) in pieces {
                let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
                if stream.write_all(chunk.as_bytes()).await.is_err() {
                    return;
                }
                tokio::time::sleep(pause).await;
            }
            let _ = stream.write_all(b"0\r\n\r\n").await;
        }
        Play::Breaks(body) => {
            let head = format!(
                "HTTP/1.1 200 x\r\nContent-Length: {}\r\n\r\n{body}",
                body.len() + 10
            );
            let _ = stream.write_all(head.as_bytes()).await;
        }
        Play::Hangs => std::future::pending().await,
    }
}

async fn read_request(stream: &mut UnixStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if count == 0 || body.len() >= length.unwrap_or(0) {
                let first = head.lines().next().unwrap_or("").trim_end_matches(" HTTP/1.1");
                return format!("{first} {body}").trim_end().to_owned();
            }
        } else if count == 0 {
            return String::new();
        }
    }
}
