//! A service's life as a person types it.

use holm_core::{
    target::Wanted,
    wire::{Operation, ServiceState},
};

use crate::cell::{Cell, Wish, id};

impl Cell {
    /// Asks, waits, and says whether nothing had to change.
    async fn asks(&self, wish: Wish) -> bool {
        let operation: Operation = self.ask(wish).unwrap();
        self.done(&operation).await;
        operation.unchanged
    }

    fn state(&self, service: &str) -> Option<ServiceState> {
        self.view().services.get(&id(service)).map(|seen| seen.state)
    }

    fn wanted(&self, service: &str) -> Option<Wanted> {
        let intent = self.db().intent().unwrap().intent.unwrap();
        intent.services.get(&id(service)).map(|service| service.wanted)
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_is_installed_stopped_started_restarted_removed_installed_again_and_purged() {
    let cell = Cell::new();
    assert!(!cell.asks(Wish::Init).await);
    assert!(cell.asks(Wish::Init).await, "the second time is quiet");
    let runs = |name: &str| cell.machine.look().containers.contains_key(name);
    assert!(runs("holm-anchor") && runs("holm-gateway") && runs("holm-caddy"));

    for (wish, state) in [
        (Wish::Install("notes"), ServiceState::Serving),
        (Wish::Stop("notes"), ServiceState::Stopped),
        (Wish::Start("notes"), ServiceState::Serving),
        (Wish::Retitle("notes", "Ours"), ServiceState::Serving),
        (Wish::Remove("notes"), ServiceState::Removed),
        (Wish::Install("notes"), ServiceState::Serving),
    ] {
        assert!(!cell.asks(wish).await, "{wish:?}");
        let told = cell.view();
        assert_eq!(told.services[&id("notes")].state, state, "{wish:?}");
        assert!(told.settled && told.core.settled(), "{wish:?}: {told:#?}");
        assert_eq!(told.seen_at, Some(cell.now()));
        let up = state == ServiceState::Serving;
        for container in ["holm-notes.cell-notes", "holm-notes.db"] {
            assert_eq!(runs(container), up, "{wish:?} {container}");
        }
        let seen = cell.machine.look();
        assert_eq!(seen.legs.contains("holm-notes"), state != ServiceState::Removed);
        assert!(
            seen.volumes.contains("holm-notes.notes-data"),
            "data stays: {wish:?}"
        );
        let steps = cell.machine.history().len();
        assert!(cell.asks(wish).await, "the second time is quiet: {wish:?}");
        assert_eq!(cell.machine.history().len(), steps, "quiet is no step: {wish:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_starts_every_container_anew_and_nobody_elses() {
    let cell = Cell::after(&[Wish::Init, Wish::Install("notes"), Wish::Install("wiki")]).await;
    let before = cell.machine.look().containers;
    for _ in 0..2 {
        let steps = cell.machine.history().len();
        assert!(!cell.asks(Wish::Restart("notes")).await, "two restarts are two");
        let restarts: Vec<String> = cell.machine.history()[steps..]
            .iter()
            .filter(|step| step.starts_with("restart "))
            .cloned()
            .collect();
        assert_eq!(
            restarts,
            ["restart holm-notes.db.service holm-notes.cell-notes.service"]
        );
    }
    let after = cell.machine.look().containers;
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    let changed = after.iter().filter(|(name, now)| before[*name] != **now);
    assert_eq!(changed.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_purge_leaves_nothing_and_the_next_install_may_follow_at_once() {
    let cell = Cell::after(&[Wish::Init]).await;
    let mut empty = cell.machine.look();
    cell.asks(Wish::Install("notes")).await;
    let password = |cell: &Cell| {
        let name = "DB_PASSWORD".parse().unwrap();
        let (machine, notes) = (std::sync::Arc::clone(&cell.machine), id("notes"));
        async move {
            let secret = holm_host::Host::reveal(&*machine, &notes, &name).await;
            secret.unwrap().expose().to_owned()
        }
    };
    let first = password(&cell).await;
    assert!(!cell.asks(Wish::Purge("notes")).await);
    // Whoever hears that the purge is done may install again without waiting for anything.
    assert_eq!(cell.wanted("notes"), None);
    cell.settle().await;
    assert_eq!(cell.state("notes"), None);
    let mut left = cell.machine.look();
    for seen in [&mut empty, &mut left] {
        // Images are nobody's data, and the gateway's document counts on.
        seen.images.clear();
        seen.gateway_stored = None;
        seen.gateway.as_mut().unwrap().generation = 0;
    }
    assert_eq!(left, empty);
    assert_eq!(
        cell.ask(Wish::Purge("notes")).unwrap_err().code,
        "not-installed",
        "there is nothing left to purge"
    );
    cell.asks(Wish::Install("notes")).await;
    assert_ne!(password(&cell).await, first, "a purge forgets secrets");
}

#[tokio::test(start_paused = true)]
async fn an_hour_after_a_purge_its_addresses_are_given_to_others() {
    let cell = Cell::after(&[Wish::Init, Wish::Install("notes"), Wish::Purge("notes")]).await;
    let subnet = |name: &str| cell.machine.subnets()[name].clone();
    cell.asks(Wish::Install("wiki")).await;
    assert_eq!(subnet("holm-wiki"), "172.20.0.32/28", "the block of notes rests");
    tokio::time::sleep(std::time::Duration::from_secs(3601)).await;
    cell.asks(Wish::Install("homepage")).await;
    assert_eq!(subnet("holm-homepage"), "172.20.0.16/28");
}

#[tokio::test(start_paused = true)]
async fn a_settled_machine_is_looked_at_now_and_then_and_left_alone() {
    let cell = Cell::after(&[Wish::Init, Wish::Install("wiki")]).await;
    let (looks, steps) = (cell.machine.looks(), cell.machine.history().len());
    tokio::time::sleep(std::time::Duration::from_secs(600)).await;
    let looks = cell.machine.looks() - looks;
    assert!((15..=25).contains(&looks), "{looks} looks in ten minutes");
    assert_eq!(cell.machine.history().len(), steps);
}
