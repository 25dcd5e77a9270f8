//! Follows an operation to its end, and says on standard error what it is at.

use std::time::Duration;

use holm_core::wire::{Operation, Progress};
use sse_stream::SseStream;
use tokio_stream::StreamExt as _;

use crate::{Failure, Run, findings, print};

/// Between two tries to reach a daemon that went away, e.g. for its own update.
const AGAIN: Duration = Duration::from_millis(500);

/// Waits for the operation's end, unless nobody wants to wait; returns it as it stands then.
///
/// A daemon that goes away is waited for too: what it acknowledged, it goes on with.
pub(crate) async fn wait(run: &mut Run<'_, '_>, operation: Operation) -> Result<Operation, Failure> {
    if !run.json {
        findings::print(run.terminal.err, &operation.warnings)?;
    }
    if !run.wait {
        return Ok(operation);
    }
    let (what, look) = (what(&operation), look(&operation));
    let limit = Duration::from_secs(run.timeout);
    let mut told = Told::default();
    let followed = tokio::time::timeout(limit, follow(run, operation.id, &what, &mut told)).await;
    match followed {
        Err(_) => Err(Failure::still_waiting(&what, run.timeout, &told.last, &look)),
        Ok(Err(failure)) => Err(failure),
        Ok(Ok(operation)) if operation.progress == Progress::Superseded => {
            Err(Failure::superseded(&what, &look))
        }
        Ok(Ok(operation)) => Ok(operation),
    }
}

/// The operation in words, e.g. `install notes`.
pub(crate) fn what(operation: &Operation) -> String {
    let verb = print::word(&operation.verb);
    match &operation.service {
        Some(id) => format!("{verb} {id}"),
        None => verb,
    }
}

/// The command that shows how far it is.
pub(crate) fn look(operation: &Operation) -> String {
    match &operation.service {
        Some(id) => format!("holm status {id}"),
        None => "holm status".to_owned(),
    }
}

/// What was printed last, so that nothing is printed twice.
#[derive(Default)]
struct Told {
    last: String,
}

async fn follow(run: &mut Run<'_, '_>, id: u64, what: &str, told: &mut Told) -> Result<Operation, Failure> {
    let path = format!("/api/operations/{id}/events");
    loop {
        match run.client.stream(&path).await {
            Ok(body) => {
                let mut events = SseStream::new(body);
                while let Some(Ok(event)) = events.next().await {
                    let Some(data) = event.data else { continue };
                    let now: Operation =
                        serde_json::from_str(&data).map_err(|error| Failure::garbled(&error))?;
                    if matches!(now.progress, Progress::Done | Progress::Superseded) {
                        return Ok(now);
                    }
                    tell(run, &now, what, told)?;
                }
            }
            Err(failure) if failure.is_away() => {}
            Err(failure) => return Err(failure),
        }
        say(run, what, "holmd is away; waiting for it", told)?;
        tokio::time::sleep(AGAIN).await;
    }
}

fn tell(run: &mut Run<'_, '_>, now: &Operation, what: &str, told: &mut Told) -> Result<(), Failure> {
    let line = match &now.progress {
        Progress::Waiting { reason, retry_at } => {
            let seconds = (retry_at - (run.terminal.clock)()).max(0);
            format!("{reason} (next try in {seconds} s)")
        }
        Progress::Running { doing } => match doing.as_slice() {
            [] => return Ok(()),
            [one] => one.clone(),
            [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
        },
        Progress::Done | Progress::Superseded => return Ok(()),
    };
    if run.json {
        let text = serde_json::to_string(now).map_err(|error| Failure::garbled(&error))?;
        return Ok(writeln!(run.terminal.err, "{text}")?);
    }
    say(run, what, &line, told)
}

fn say(run: &mut Run<'_, '_>, what: &str, line: &str, told: &mut Told) -> Result<(), Failure> {
    if told.last != line {
        line.clone_into(&mut told.last);
        if !run.json {
            writeln!(run.terminal.err, "{what}: {line}")?;
        }
    }
    Ok(())
}
