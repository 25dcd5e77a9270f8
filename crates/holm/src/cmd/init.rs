//! `holm init`

use std::time::Duration;

use holm_core::wire::{self, CellInfo};
use hyper::Method;

use super::{either, finish};
use crate::{Failure, Run, args::Init};

/// Between two looks for the certificate.
const AGAIN: Duration = Duration::from_millis(500);

/// Makes the cell, and prints what devices are to compare.
pub(super) async fn init(run: &mut Run<'_, '_>, words: Init) -> Result<(), Failure> {
    let store = match words.store {
        // The daemon stands somewhere else than the one who types.
        Some(path) => Some(std::path::absolute(&path).map_err(|error| Failure::no_path(&path, &error))?),
        None => None,
    };
    let wish = wire::Init {
        domain: words.domain,
        name: words.name,
        pool: words.pool,
        store: store.map(|path| path.to_string_lossy().into_owned()),
    };
    let operation = run.client.change(Method::POST, "/api/cell", &wish).await?;
    finish(run, operation, async |run, operation| {
        let limit = Duration::from_secs(run.timeout);
        let found = tokio::time::timeout(limit, with_certificate(run)).await;
        let (cell, sha256) = found.unwrap_or_else(|_| {
            let last = "the certificate is not made yet";
            Err(Failure::still_waiting("init", run.timeout, last, "holm status"))
        })?;
        let out = &mut *run.terminal.out;
        let made = either(operation, "is ready", "was ready already");
        writeln!(out, "the cell {} at {} {made}", cell.name, cell.domain)?;
        writeln!(out, "its certificate, printed by `holm ca`, has the SHA-256")?;
        Ok(writeln!(out, "{sha256}")?)
    })
    .await
}

/// The cell, once its certificate is made.
async fn with_certificate(run: &Run<'_, '_>) -> Result<(CellInfo, String), Failure> {
    loop {
        let mut cell: CellInfo = run.client.get("/api/cell").await?;
        if let Some(sha256) = cell.ca_sha256.take() {
            return Ok((cell, sha256));
        }
        tokio::time::sleep(AGAIN).await;
    }
}
