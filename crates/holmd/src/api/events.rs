//! `GET /api/operations/{id}/events`: the operation at each change, until it is over.

use std::convert::Infallible;

use axum::{
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use holm_core::wire::{Operation, Progress};
use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt as _, wrappers::ReceiverStream};

use super::{App, Fault, extract::Number, operation};

/// Streams the operation, each event a whole one as `GET /api/operations/{id}` answers it.
pub(super) async fn events(
    State(mut app): State<App>,
    Number(number): Number,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Fault> {
    // Both are marked as seen before the first look, so no change falls between look and wait.
    let mut written = app.db.changes();
    app.view.mark_unchanged();
    let first = operation::now(&app, number).await?;
    let (sender, receiver) = mpsc::channel(8);
    tokio::spawn(async move {
        let mut last = first;
        let mut told = send(&sender, &last).await;
        while told && !over(&last) {
            let more = tokio::select! {
                changed = written.changed() => changed.is_ok(),
                changed = app.view.changed() => changed.is_ok(),
                () = sender.closed() => false,
            };
            // A fault of the state ends the stream; who still listens asks again and is told then.
            let Ok(now) = operation::now(&app, number).await else {
                return;
            };
            if now != last {
                last = now;
                told = send(&sender, &last).await;
            }
            told &= more;
        }
    });
    Ok(Sse::new(ReceiverStream::new(receiver).map(Ok)).keep_alive(KeepAlive::default()))
}

fn over(operation: &Operation) -> bool {
    matches!(operation.progress, Progress::Done | Progress::Superseded)
}

async fn send(sender: &mpsc::Sender<Event>, operation: &Operation) -> bool {
    match Event::default().json_data(operation) {
        Ok(event) => sender.send(event).await.is_ok(),
        Err(_) => false,
    }
}
