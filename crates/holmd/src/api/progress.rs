//! Where an operation stands: over by the state's word, or under way by the loop's.

use holm_core::wire::{Operation, Progress};

use crate::{
    db::{OperationRow, OperationState},
    view::{Owner, View},
};

/// The operation as it is told.
pub(super) fn told(row: OperationRow, view: &View) -> Operation {
    let progress = match row.state {
        OperationState::Done => Progress::Done,
        OperationState::Superseded => Progress::Superseded,
        OperationState::Running => running(&row, view),
    };
    row.wire(progress)
}

/// What the loop says, unless its last look is older than the wish.
fn running(row: &OperationRow, view: &View) -> Progress {
    if view.seen_at.is_none() || view.revision < row.revision {
        return Progress::Running { doing: Vec::new() };
    }
    let own = row.service.as_ref().and_then(|id| view.services.get(id));
    match own.map(|service| &service.owner) {
        Some(owner) if !owner.settled() => of(owner),
        // Its own part is done, or it has none: then it is the core that it waits for.
        _ => of(&view.core),
    }
}

fn of(owner: &Owner) -> Progress {
    match &owner.failing {
        Some(failing) => Progress::Waiting {
            reason: failing.reason.clone(),
            retry_at: failing.retry_at,
        },
        None => Progress::Running {
            doing: owner.doing.clone(),
        },
    }
}
