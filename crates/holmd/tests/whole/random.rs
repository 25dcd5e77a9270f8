//! Months of a household in a second: wishes, faults, crashes and reboots in a random order that can be replayed.

use std::{collections::BTreeMap, time::Duration};

use holm_core::{observed::Observed, target::Wanted};
use holm_host::Fails;
use holmd::{db::OperationState, ops::Kind};
use tokio::time::sleep;

use crate::{
    cell::{Cell, Wish, id},
    packages::SERVICES,
};

/// Numbers that look random and are the same for the same seed (splitmix64).
struct Dice(u64);

impl Dice {
    /// Below `sides`.
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn service(&mut self) -> &'static str {
        let index = self.roll(SERVICES.len() as u64);
        SERVICES[usize::try_from(index).unwrap()]
    }

    fn wish(&mut self) -> Wish {
        let service = self.service();
        match self.roll(12) {
            0..=4 => Wish::Install(service),
            5 => Wish::Stop(service),
            6 => Wish::Start(service),
            7 => Wish::Restart(service),
            8..=9 => Wish::Remove(service),
            10 => Wish::Retitle(
                "notes",
                ["Ours", "Mine", "Notes"][usize::try_from(self.roll(3)).unwrap()],
            ),
            _ => Wish::Purge(service),
        }
    }
}

/// What was answered: by service what is to be the case, and the operations.
#[derive(Default)]
struct Answered {
    wanted: BTreeMap<&'static str, Wanted>,
    operations: Vec<u64>,
}

impl Answered {
    fn ask(&mut self, cell: &Cell, wish: Wish) {
        let operation = match cell.ask(wish) {
            Ok(operation) => operation,
            Err(refused) => {
                let sound = matches!(refused.kind, Kind::Conflict | Kind::Unknown);
                assert!(sound, "{wish:?}: {refused:?}");
                return;
            }
        };
        self.operations.push(operation.id);
        match wish {
            Wish::Install(service) | Wish::Start(service) | Wish::Restart(service) => {
                self.wanted.insert(service, Wanted::Running);
            }
            Wish::Stop(service) => drop(self.wanted.insert(service, Wanted::Stopped)),
            Wish::Remove(service) => drop(self.wanted.insert(service, Wanted::Removed)),
            Wish::Purge(service) => drop(self.wanted.insert(service, Wanted::Purged)),
            Wish::Init | Wish::Retitle(..) => {}
        }
    }
}

/// One thing goes wrong, or time goes by.
async fn mishap(cell: &mut Cell, dice: &mut Dice) {
    let service = dice.service();
    let container = match service {
        "notes" => "holm-notes.db".to_owned(),
        "chat" => "holm-chat.worker".to_owned(),
        single => format!("holm-{single}.main"),
    };
    match dice.roll(14) {
        0 => cell.machine.fail_at(1 + dice.roll(12), Fails::Before),
        1 => cell.machine.fail_at(1 + dice.roll(12), Fails::After),
        2 | 3 => {
            cell.port().die_after(dice.roll(12));
            let limit = Duration::from_secs(dice.roll(60));
            let _ = tokio::time::timeout(limit, cell.over()).await;
            cell.end().await;
            if dice.roll(2) == 0 {
                cell.machine.reboot();
            }
            cell.begin();
        }
        4 => cell.machine.reboot(),
        5 => cell.machine.blind(1 + dice.roll(4)),
        6 => cell
            .machine
            .refuse_pulls(&format!("images.holm.example/{service}")),
        7 => cell.machine.broken(&container, true),
        8 => cell.machine.deaf(&id(service), true),
        9 => {
            let core = ["holm-anchor", "holm-gateway", "holm-caddy"];
            let any = usize::try_from(dice.roll(4)).unwrap();
            cell.machine.kill(core.get(any).unwrap_or(&container.as_str()));
        }
        // Addresses of the purged are given out again.
        10 if cell.settled() => sleep(Duration::from_secs(3700)).await,
        11 => forgive(cell),
        12 => cell.port().refuse(Some(
            ["write ", "remove ", "start ", "reload", "configure"][usize::try_from(dice.roll(5)).unwrap()],
        )),
        _ => cell.settle_if_it_can().await,
    }
}

fn forgive(cell: &Cell) {
    cell.machine.refuse_pulls("");
    cell.port().refuse(None);
    cell.machine.blind(0);
    for service in SERVICES {
        cell.machine.deaf(&id(service), false);
        let containers = ["main", "db", "worker", "cell-notes", "cell-chat"];
        for container in containers {
            cell.machine.broken(&format!("holm-{service}.{container}"), false);
        }
    }
}

impl Cell {
    async fn settle_if_it_can(&self) {
        for _ in 0..40 {
            if self.settled() {
                return;
            }
            sleep(Duration::from_secs(1)).await;
        }
    }
}

/// What a fresh machine can have too: not the data of the removed, nor images of those who went.
fn comparable(mut seen: Observed, answered: &Answered) -> Observed {
    seen.images.clear();
    for (service, wanted) in &answered.wanted {
        if *wanted == Wanted::Removed {
            let own = format!("holm-{service}.");
            seen.volumes.retain(|volume| !volume.starts_with(&own));
            seen.secrets.remove(&id(service));
        }
    }
    seen
}

async fn a_household(seed: u64) {
    let mut dice = Dice(seed);
    let mut cell = Cell::new();
    cell.machine.stranger("paperless");
    let strangers = cell.machine.strangers();
    let mut answered = Answered::default();
    answered.ask(&cell, Wish::Init);
    for _ in 0..6 + dice.roll(10) {
        answered.ask(&cell, dice.wish());
        if dice.roll(3) > 0 {
            sleep(Duration::from_secs(dice.roll(20))).await;
        }
        if dice.roll(2) == 0 {
            mishap(&mut cell, &mut dice).await;
        }
    }
    cell.machine.fail_at(u64::MAX, Fails::Before);
    forgive(&cell);
    cell.settle().await;

    for operation in &answered.operations {
        assert_ne!(cell.operation(*operation), OperationState::Running);
    }
    answered.wanted.retain(|_, wanted| *wanted != Wanted::Purged);
    let intent = cell.db().intent().unwrap().intent.unwrap();
    let kept = intent
        .services
        .iter()
        .map(|(id, service)| (id.as_str(), service.wanted));
    assert_eq!(
        kept.collect::<BTreeMap<_, _>>(),
        answered.wanted,
        "what was answered is what is wanted"
    );
    assert_eq!(cell.machine.strangers(), strangers);

    let mut fresh = cell.reborn().await;
    fresh.settle().await;
    cell.settle().await;
    let (old, new) = (cell.machine.look(), fresh.machine.look());
    assert!(new.images.is_subset(&old.images));
    assert_eq!(comparable(old, &answered), comparable(new, &answered));
    cell.end().await;
    fresh.end().await;
}

/// Says which seed it was, however the test ends.
struct Tells(u64);

impl Drop for Tells {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}: run it alone with `a_household({0})`", self.0);
        }
    }
}

async fn households(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let tells = Tells(seed);
        a_household(seed).await;
        drop(tells);
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_the_end_is_as_on_a_fresh_machine() {
    households(0..50).await;
}

#[tokio::test(start_paused = true)]
async fn long_whatever_happens_the_end_is_as_on_a_fresh_machine() {
    households(50..1000).await;
}
