//! What containers wrote: read from the files that conmon writes, followed by inotify.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use inotify::{Inotify, WatchMask};
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tracing::warn;

use super::blocking;
use crate::HostError;

mod lines;

use lines::Lines;

/// At most so much is read before it is handed on.
const CHUNK: u64 = 1 << 20;

/// Opens a log; the receiver ends after the last line, or never with `follow`.
pub(super) fn open(
    directory: &Path,
    container: &str,
    follow: bool,
    tail: u32,
) -> Result<mpsc::Receiver<Vec<u8>>, HostError> {
    let tried = format!("read the log of {container:?}");
    let plain = container
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if !plain || !container.starts_with("holm-") {
        let why = "no container of Holm's has this name";
        return Err(HostError::new(tried, why, "`holm status` lists the names"));
    }
    let path = directory.join(format!("{container}.log"));
    // Before the first look, so that nothing is written between the look and the watch.
    let events = if follow {
        let failed = |error| HostError::new(&tried, error, "See fs.inotify in sysctl(8); try again");
        Some(watch(directory).map_err(failed)?)
    } else {
        None
    };
    let (sender, receiver) = mpsc::channel(256);
    tokio::spawn(async move {
        if let Err(error) = run(path, events, tail, &sender).await {
            warn!(%error, "a log ended early");
        }
    });
    Ok(receiver)
}

fn watch(directory: &Path) -> io::Result<inotify::EventStream<Vec<u8>>> {
    let inotify = Inotify::init()?;
    inotify.watches().add(
        directory,
        WatchMask::MODIFY | WatchMask::CREATE | WatchMask::MOVED_TO,
    )?;
    inotify.into_event_stream(vec![0; 4096])
}

async fn run(
    path: PathBuf,
    events: Option<inotify::EventStream<Vec<u8>>>,
    tail: u32,
    sender: &mpsc::Sender<Vec<u8>>,
) -> io::Result<()> {
    let name = path.file_name().map(OsStr::to_owned);
    let mut log = Log {
        path,
        file: None,
        lines: Lines::default(),
    };
    let first;
    (log, first) = blocking(move || {
        let first = log.tail(tail)?;
        Ok((log, first))
    })
    .await?;
    if !send(first, sender).await {
        return Ok(());
    }
    let Some(mut events) = events else { return Ok(()) };
    loop {
        // Read until there is nothing more, and only then wait.
        loop {
            let new;
            (log, new) = blocking(move || {
                let new = log.advance()?;
                Ok((log, new))
            })
            .await?;
            match new {
                None => break,
                Some(lines) => {
                    if !send(lines, sender).await {
                        return Ok(());
                    }
                }
            }
        }
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                () = sender.closed() => return Ok(()),
            };
            match event {
                None => return Ok(()),
                // An overflow has no name: anything may have happened.
                Some(event) if event.as_ref().is_ok_and(|e| e.name.is_some() && e.name != name) => {}
                Some(event) => {
                    event?;
                    break;
                }
            }
        }
    }
}

async fn send(lines: Vec<Vec<u8>>, sender: &mpsc::Sender<Vec<u8>>) -> bool {
    for line in lines {
        if sender.send(line).await.is_err() {
            return false;
        }
    }
    true
}

/// A log that may be truncated, replaced or not there yet.
struct Log {
    path: PathBuf,
    file: Option<File>,
    lines: Lines,
}

impl Log {
    /// The last `count` lines; what follows is read by [`Log::advance`].
    fn tail(&mut self, count: u32) -> io::Result<Vec<Vec<u8>>> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if !self.reopen()? {
            return Ok(Vec::new());
        }
        let Some(file) = self.file.as_mut() else {
            return Ok(Vec::new());
        };
        let length = file.metadata()?.len();
        let mut window = 64 << 10;
        loop {
            let start = length.saturating_sub(window);
            file.seek(SeekFrom::Start(start))?;
            let mut bytes = Vec::new();
            file.take(length - start).read_to_end(&mut bytes)?;
            let mut lines = Lines::default();
            if start > 0 {
                lines.skip_first();
            }
            let mut found = lines.feed(&bytes);
            // One more than asked for: the first may have lost its beginning.
            if start == 0 || found.len() > count {
                found.drain(..found.len().saturating_sub(count));
                self.lines = lines;
                return Ok(found);
            }
            window = window.saturating_mul(4);
        }
    }

    /// What was written since; `None` when there is nothing more for now.
    fn advance(&mut self) -> io::Result<Option<Vec<Vec<u8>>>> {
        loop {
            if let Some(file) = self.file.as_mut() {
                if file.metadata()?.len() < file.stream_position()? {
                    file.rewind()?;
                    self.lines = Lines::default();
                }
                let mut bytes = Vec::new();
                if file.take(CHUNK).read_to_end(&mut bytes)? > 0 {
                    return Ok(Some(self.lines.feed(&bytes)));
                }
            }
            // The old file is read to its end; perhaps there is a new one.
            if !self.reopen()? {
                return Ok(None);
            }
        }
    }

    /// Opens what has the name now; true when that is another file than before.
    fn reopen(&mut self) -> io::Result<bool> {
        let seen = match fs::symlink_metadata(&self.path) {
            Ok(seen) if seen.is_file() => seen,
            Ok(_) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        if let Some(file) = &self.file
            && file.metadata()?.ino() == seen.ino()
        {
            return Ok(false);
        }
        self.file = Some(match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        });
        self.lines = Lines::default();
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
