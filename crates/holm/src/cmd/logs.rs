//! `holm logs`

use std::io;

use holm_core::name::{Alias, ServiceId};
use http_body_util::BodyExt as _;

use super::path;
use crate::{Failure, Run};

/// Shows what a service wrote, and with `follow` what it writes.
pub(super) async fn logs(
    run: &mut Run<'_, '_>,
    id: &ServiceId,
    follow: bool,
    tail: u32,
    container: Option<&Alias>,
) -> Result<(), Failure> {
    // A container's name needs no escaping in a query.
    let container = container.map_or(String::new(), |name| format!("&container={name}"));
    let path = format!("{}/logs?follow={follow}&tail={tail}{container}", path(id));
    let mut body = run.client.stream(&path).await?;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::broken(&error))?;
        let Ok(bytes) = frame.into_data() else { continue };
        match show(run, &bytes) {
            // `holm logs notes | head` has read enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            result => result?,
        }
    }
    Ok(())
}

fn show(run: &mut Run<'_, '_>, bytes: &[u8]) -> io::Result<()> {
    let out = &mut *run.terminal.out;
    if run.terminal.shown {
        // A service must not be able to steer the admin's terminal. Frames may cut a character in two,
        // which costs one replacement sign on a screen and nothing in a file.
        let plain = |c: char| {
            if c.is_control() && !matches!(c, '\n' | '\t') {
                '\u{fffd}'
            } else {
                c
            }
        };
        let text: String = String::from_utf8_lossy(bytes).chars().map(plain).collect();
        out.write_all(text.as_bytes())?;
    } else {
        out.write_all(bytes)?;
    }
    out.flush()
}
