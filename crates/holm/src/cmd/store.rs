//! `holm store`

use holm_core::wire::StoreEntry;

use crate::{Failure, Run, print};

/// Shows what can be installed.
pub(super) async fn store(run: &mut Run<'_, '_>) -> Result<(), Failure> {
    let entries: Vec<StoreEntry> = run.client.get("/api/store").await?;
    if run.json {
        return print::json(run, &entries);
    }
    let row = |entry: &StoreEntry| {
        [
            String::from(entry.id.clone()),
            entry.version.clone(),
            entry.description.clone(),
        ]
    };
    let rows: Vec<_> = entries.iter().map(row).collect();
    Ok(print::table(
        run.terminal.out,
        ["SERVICE", "VERSION", "WHAT IT IS"],
        &rows,
    )?)
}
