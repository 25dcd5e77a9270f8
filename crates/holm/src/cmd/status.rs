//! `holm status`

use std::io::{self, Write};

use holm_core::{
    name::ServiceId,
    wire::{ServiceStatus, Status},
};

use super::path;
use crate::{Failure, Run, print};

/// Shows the cell, or one service: exactly what the daemon knows, with its age.
pub(super) async fn status(run: &mut Run<'_, '_>, id: Option<&ServiceId>) -> Result<(), Failure> {
    if let Some(id) = id {
        let service: ServiceStatus = run.client.get(&format!("{}/status", path(id))).await?;
        if run.json {
            return print::json(run, &service);
        }
        return Ok(one(run.terminal.out, &service)?);
    }
    let status: Status = run.client.get("/api/status").await?;
    if run.json {
        return print::json(run, &status);
    }
    let now = (run.terminal.clock)();
    Ok(all(run.terminal.out, &status, now)?)
}

fn all(out: &mut dyn Write, status: &Status, now: i64) -> io::Result<()> {
    match &status.cell {
        Some(cell) => writeln!(out, "the cell {} at {}", cell.name, cell.domain)?,
        None => writeln!(
            out,
            "there is no cell yet: type `holm init --domain alice.test --store DIRECTORY`"
        )?,
    }
    match status.seen_at {
        Some(at) => {
            let settled = if status.settled { "settled" } else { "not settled" };
            let age = (now - at).max(0);
            writeln!(
                out,
                "{settled}, generation {}, seen {age} s ago",
                status.generation
            )?;
        }
        None => writeln!(out, "holmd has not looked at the machine yet")?,
    }
    for line in &status.core {
        writeln!(out, "core: {line}")?;
    }
    if status.services.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let row = |service: &ServiceStatus| {
        let url = service.urls.first().cloned().unwrap_or_default();
        [
            service.id.to_string(),
            service.version.clone(),
            print::word(&service.state),
            url,
        ]
    };
    let rows: Vec<_> = status.services.iter().map(row).collect();
    print::table(out, ["SERVICE", "VERSION", "STATE", "ADDRESS"], &rows)?;
    for service in &status.services {
        for line in &service.detail {
            writeln!(out, "{}: {line}", service.id)?;
        }
    }
    Ok(())
}

fn one(out: &mut dyn Write, service: &ServiceStatus) -> io::Result<()> {
    let (state, wanted) = (print::word(&service.state), print::word(&service.wanted));
    writeln!(
        out,
        "{} {} ({}) is {state}, wanted {wanted}",
        service.id, service.version, service.name
    )?;
    for url in &service.urls {
        writeln!(out, "{url}")?;
    }
    for line in &service.detail {
        writeln!(out, "{line}")?;
    }
    if service.containers.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let containers = service.containers.iter();
    let rows: Vec<_> = containers
        .map(|container| {
            [
                container.name.clone(),
                container.address.clone(),
                container.state.clone(),
            ]
        })
        .collect();
    print::table(out, ["CONTAINER", "ADDRESS", "STATE"], &rows)
}
