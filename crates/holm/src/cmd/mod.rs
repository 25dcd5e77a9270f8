//! One file a verb: its request, and its answer in words.

mod ca;
mod init;
mod install;
mod logs;
mod purge;
mod reconfigure;
mod remove;
mod restart;
mod secret;
mod start;
mod status;
mod stop;
mod store;

use std::collections::BTreeMap;

use holm_core::{
    name::{ServiceId, SettingKey},
    wire::Value,
    wire::{Operation, ServiceStatus},
};

use crate::{
    Failure, Run,
    args::{Command, Secret},
    print,
    wait::{self, look, what},
};

/// Runs a command.
pub(crate) async fn run(command: Command, run: &mut Run<'_, '_>) -> Result<(), Failure> {
    match command {
        Command::Init(words) => init::init(run, words).await,
        Command::Install { id, set } => install::install(run, &id, set).await,
        Command::Status { id } => status::status(run, id.as_ref()).await,
        Command::Start { id } => start::start(run, &id).await,
        Command::Stop { id } => stop::stop(run, &id).await,
        Command::Restart { id } => restart::restart(run, &id).await,
        Command::Logs {
            id,
            follow,
            tail,
            container,
        } => logs::logs(run, &id, follow, tail, container.as_ref()).await,
        Command::Reconfigure { id, set } => reconfigure::reconfigure(run, &id, set).await,
        Command::Remove { id } => remove::remove(run, &id).await,
        Command::Purge { id, confirm } => purge::purge(run, &id, &confirm).await,
        Command::Ca => ca::ca(run).await,
        Command::Secret(Secret::Show { id, name }) => secret::show(run, &id, &name).await,
        Command::Store => store::store(run).await,
    }
}

/// Path of a service in the API; its name needs no escaping.
fn path(id: &ServiceId) -> String {
    format!("/api/services/catalog/{id}")
}

/// Settings as they were typed: the daemon has the schema, and makes them what they are to be.
fn settings(set: Vec<(SettingKey, String)>) -> BTreeMap<SettingKey, Value> {
    set.into_iter()
        .map(|(key, text)| (key, Value::String(text)))
        .collect()
}

/// Waits for a change and prints its end: `--json` the operation, else what `told` makes of it.
async fn finish(
    run: &mut Run<'_, '_>,
    operation: Operation,
    told: impl AsyncFnOnce(&mut Run<'_, '_>, &Operation) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let operation = wait::wait(run, operation).await?;
    if run.json {
        return print::json(run, &operation);
    }
    if !run.wait {
        let (what, look) = (what(&operation), look(&operation));
        return Ok(writeln!(
            run.terminal.out,
            "{what} is accepted as operation {}; `{look}` shows how far it is",
            operation.id
        )?);
    }
    told(run, &operation).await
}

/// Says that a service is as asked, and where it is reached.
async fn running(run: &mut Run<'_, '_>, id: &ServiceId, how: &str) -> Result<(), Failure> {
    let service: ServiceStatus = run.client.get(&format!("{}/status", path(id))).await?;
    let out = &mut *run.terminal.out;
    writeln!(out, "{id} {} {how}", service.version)?;
    for url in &service.urls {
        writeln!(out, "{url}")?;
    }
    Ok(())
}

/// One of two words.
fn either<'a>(operation: &Operation, changed: &'a str, unchanged: &'a str) -> &'a str {
    if operation.unchanged { unchanged } else { changed }
}
