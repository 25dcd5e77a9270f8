//! One service fails, or the machine cannot be seen: nobody else waits for it, and a person is told why.

use std::time::Duration;

use holm_core::wire::ServiceState;
use holmd::db::OperationState;
use tokio::time::sleep;

use crate::cell::{Cell, Wish, id};

impl Cell {
    /// Another service is installed and serves within seconds, while notes fails with this reason.
    async fn installs_beside_failing_notes(&self, reason: &str) {
        let since = self.now();
        let wiki = self.ask(Wish::Install("wiki")).unwrap();
        self.done(&wiki).await;
        assert!(self.now() - since < 20, "wiki waited {} s", self.now() - since);
        let view = self.view();
        assert_eq!(view.services[&id("wiki")].state, ServiceState::Serving);
        let notes = &view.services[&id("notes")];
        assert_eq!(notes.state, ServiceState::Failing);
        let failing = notes.owner.failing.iter().map(|failing| &failing.reason);
        let told: Vec<&String> = failing.chain(&notes.owner.doing).collect();
        assert!(told.iter().any(|told| told.contains(reason)), "{told:?}");
        assert!(view.core.settled(), "{:?}", view.core);
        assert!(!view.settled);
    }
}

/// A cell in which somebody asked for notes, and `trouble` was there before; the operation.
async fn notes_in_trouble(trouble: impl Fn(&Cell)) -> (Cell, u64) {
    let cell = Cell::after(&[Wish::Init]).await;
    trouble(&cell);
    let notes = cell.ask(Wish::Install("notes")).unwrap();
    sleep(Duration::from_secs(10)).await;
    assert_eq!(cell.operation(notes.id), OperationState::Running);
    (cell, notes.id)
}

#[tokio::test(start_paused = true)]
async fn an_image_that_cannot_be_pulled_holds_up_nobody_else() {
    let (cell, notes) = notes_in_trouble(|cell| cell.machine.refuse_pulls("images.holm.example/notes")).await;
    cell.installs_beside_failing_notes("the registry refuses").await;
    cell.machine.refuse_pulls("");
    cell.settle().await;
    assert_eq!(cell.operation(notes), OperationState::Done);
    assert_eq!(cell.view().services[&id("notes")].state, ServiceState::Serving);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_ends_at_once_holds_up_nobody_else() {
    let (cell, notes) = notes_in_trouble(|cell| cell.machine.broken("holm-notes.db", true)).await;
    cell.installs_beside_failing_notes("failed and is started again")
        .await;
    cell.machine.broken("holm-notes.db", false);
    cell.settle().await;
    assert_eq!(cell.operation(notes), OperationState::Done);
}

#[tokio::test(start_paused = true)]
async fn a_program_that_does_not_answer_holds_up_nobody_else() {
    let (cell, notes) = notes_in_trouble(|cell| cell.machine.deaf(&id("notes"), true)).await;
    let wiki = cell.ask(Wish::Install("wiki")).unwrap();
    cell.done(&wiki).await;
    let waits = cell.view().services[&id("notes")].owner.doing.clone();
    assert_eq!(waits, ["notes answers on 172.20.0.19:8080"]);
    cell.machine.deaf(&id("notes"), false);
    cell.settle().await;
    assert_eq!(cell.operation(notes), OperationState::Done);
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_refused_for_long_holds_up_nobody_else() {
    for step in [
        "create network holm-notes",
        "create volume holm-notes.",
        "seal secret DB_PASSWORD",
        "write env/holm-notes.",
        "write .config/containers/systemd/holm-notes.",
        "connect the gateway to holm-notes",
        "start holm-notes.",
    ] {
        let (cell, notes) = notes_in_trouble(|cell| cell.port().refuse(Some(step))).await;
        cell.installs_beside_failing_notes("it is refused for long").await;
        sleep(Duration::from_secs(200)).await;
        let (looks, steps) = (cell.machine.looks(), cell.machine.history().len());
        sleep(Duration::from_secs(300)).await;
        let (looks, steps) = (cell.machine.looks() - looks, cell.machine.history().len() - steps);
        assert!(looks < 200, "{step}: {looks} looks in five minutes");
        assert!(
            steps == 0,
            "{step}: {:?}",
            cell.machine
                .history()
                .iter()
                .rev()
                .take(steps)
                .collect::<Vec<_>>()
        );
        cell.port().refuse(None);
        cell.settle().await;
        assert_eq!(cell.operation(notes), OperationState::Done, "{step}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_of_the_core_keeps_no_service_from_starting_and_is_what_is_waited_for() {
    let cell = Cell::after(&[Wish::Init, Wish::Install("wiki")]).await;
    cell.port()
        .refuse(Some("write .config/containers/systemd/holm-anchor"));
    let notes = cell.ask(Wish::Install("notes")).unwrap();
    sleep(Duration::from_secs(60)).await;
    let view = cell.view();
    assert_eq!(view.services[&id("notes")].state, ServiceState::Serving);
    assert!(view.core.failing.unwrap().reason.contains("holm-anchor"));
    assert_eq!(
        cell.operation(notes.id),
        OperationState::Running,
        "its leg would not outlive a reboot"
    );
    cell.port().refuse(None);
    cell.done(&notes).await;
}

#[tokio::test(start_paused = true)]
async fn who_shares_an_image_with_a_failing_service_fails_by_himself() {
    let cell = Cell::after(&[Wish::Init]).await;
    cell.machine.refuse_pulls("images.holm.example/wiki");
    for service in ["chat", "wiki"] {
        cell.ask(Wish::Install(service)).unwrap();
    }
    sleep(Duration::from_secs(10)).await;
    for service in ["chat", "wiki"] {
        assert_eq!(cell.view().services[&id(service)].state, ServiceState::Failing);
    }
    cell.machine.refuse_pulls("");
    cell.settle().await;
}

#[tokio::test(start_paused = true)]
async fn another_wish_does_not_wait_for_the_next_try_of_the_last_one() {
    for (wish, refuse) in [
        (Wish::Remove("notes"), false),
        (Wish::Purge("notes"), false),
        (Wish::Stop("notes"), true),
    ] {
        let (cell, notes) = notes_in_trouble(|cell| {
            if refuse {
                cell.port().refuse(Some("start holm-notes."));
            } else {
                cell.machine.refuse_pulls("images.holm.example/notes");
            }
        })
        .await;
        sleep(Duration::from_secs(301)).await;
        let since = cell.now();
        let operation = cell.ask(wish).unwrap();
        assert_eq!(cell.operation(notes), OperationState::Superseded);
        cell.done(&operation).await;
        assert!(cell.now() - since < 5, "{wish:?} took {} s", cell.now() - since);
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_without_its_image_leaves_the_old_container_running() {
    let cell = Cell::after(&[Wish::Init, Wish::Install("wiki")]).await;
    let image = cell.machine.look().images;
    let wiki = image.iter().find(|image| image.pinned().contains("/wiki"));
    cell.machine.refuse_pulls("images.holm.example/wiki");
    cell.machine.lose(&wiki.unwrap().pinned());
    let restart = cell.ask(Wish::Restart("wiki")).unwrap();
    sleep(Duration::from_secs(100)).await;
    assert_eq!(cell.operation(restart.id), OperationState::Running);
    assert!(
        cell.machine.look().containers.contains_key("holm-wiki.main"),
        "{:?}",
        cell.machine.look().containers.keys()
    );
    cell.machine.refuse_pulls("");
    cell.done(&restart).await;
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_cannot_be_seen_is_shown_as_it_was_and_not_touched() {
    let cell = Cell::after(&[Wish::Init, Wish::Install("notes")]).await;
    let (before, steps) = (cell.view(), cell.machine.history().len());
    cell.machine.blind(4);
    let stop = cell.ask(Wish::Stop("notes")).unwrap();
    sleep(Duration::from_millis(2500)).await;
    let blind = cell.view();
    assert_eq!(blind.seen_at, before.seen_at, "the age of what is shown");
    assert_eq!(blind.services, before.services);
    assert!(!blind.settled);
    let failing = blind.core.failing.unwrap();
    assert!(
        failing.reason.contains("blind") && failing.retry_at > cell.now(),
        "{failing:?}"
    );
    assert_eq!(cell.machine.history().len(), steps, "nothing is changed unseen");
    assert_eq!(cell.operation(stop.id), OperationState::Running);

    cell.done(&stop).await;
    let after = cell.view();
    assert!(after.seen_at > before.seen_at && after.core.failing.is_none());
    assert_eq!(after.services[&id("notes")].state, ServiceState::Stopped);
}
