//! The rules of each verb, on a real state and a real store.

use std::collections::BTreeMap;

use holm_core::{
    model::Value,
    name::{ServiceId, SettingKey},
    target::{Block, Wanted},
    wire::Reconfigure,
};

use super::*;
use crate::testing::{World, manifest};

type Settings = BTreeMap<SettingKey, Value>;

fn id(text: &str) -> ServiceId {
    text.parse().unwrap()
}

fn set(pairs: &[(&str, Value)]) -> Settings {
    pairs
        .iter()
        .map(|(key, value)| (key.parse().unwrap(), value.clone()))
        .collect()
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

impl World {
    fn asked(&self) -> Asked<'_> {
        Asked {
            db: &self.db,
            now: 100,
            wake: &self.wake,
        }
    }

    /// A cell without services.
    fn cell() -> Self {
        let world = Self::new();
        init(world.asked(), &world.init()).unwrap();
        world
    }

    /// A cell with `notes` installed.
    fn notes() -> Self {
        let world = Self::cell();
        world.install("notes", &[]).unwrap();
        world
    }

    fn install(&self, service: &str, settings: &[(&str, Value)]) -> Result<Operation, OpError> {
        let package = package(&self.db, &id(service))?;
        install(self.asked(), &package, &set(settings))
    }

    fn intent(&self, service: &str) -> ServiceIntent {
        let mut services = self.db.load().unwrap().intent.unwrap().services;
        services.remove(&id(service)).unwrap()
    }

    fn wanted(&self, service: &str) -> Wanted {
        self.intent(service).wanted
    }
}

/// Kind, code, and that there is something to do next.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, OpError>, kind: Kind, code: &str) -> OpError {
    let error = result.unwrap_err();
    assert_eq!((error.kind, error.code), (kind, code), "{error:?}");
    assert!(!error.hint.is_empty());
    error
}

#[test]
fn init_names_the_cell_after_its_domain_and_is_quiet_the_second_time() {
    let world = World::new();
    let first = init(world.asked(), &world.init()).unwrap();
    assert!(!first.unchanged);
    let cell = world.db.cell().unwrap().unwrap();
    assert_eq!(cell.intent.name.as_str(), "alice");
    assert_eq!(String::from(cell.intent.pool), "172.20.0.0/16");
    let mut again = world.init();
    assert!(init(world.asked(), &again).unwrap().unchanged);
    again.store = None;
    assert!(init(world.asked(), &again).unwrap().unchanged);
    assert_eq!(world.db.cell().unwrap().unwrap(), cell);
}

#[test]
fn init_takes_another_store_and_no_other_domain_name_or_pool() {
    let world = World::cell();
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("index.json"), "[]").unwrap();
    let mut wish = world.init();
    wish.store = Some(other.path().to_str().unwrap().to_owned());
    assert!(!init(world.asked(), &wish).unwrap().unchanged);
    assert_eq!(world.db.cell().unwrap().unwrap().store, wish.store);
    for change in [
        |wish: &mut holm_core::wire::Init| wish.domain = "bob.test".parse().unwrap(),
        |wish: &mut holm_core::wire::Init| wish.name = Some("bob".parse().unwrap()),
        |wish: &mut holm_core::wire::Init| wish.pool = Some("10.1.0.0/16".parse().unwrap()),
    ] {
        let mut wish = world.init();
        change(&mut wish);
        refused(init(world.asked(), &wish), Kind::Conflict, "cell-exists");
    }
}

#[test]
fn init_refuses_a_store_that_cannot_be_read() {
    let world = World::new();
    for path in ["store", "/does/not/exist", world.dir.path().to_str().unwrap()] {
        let mut wish = world.init();
        wish.store = Some(path.to_owned());
        refused(init(world.asked(), &wish), Kind::Refused, "store-unusable");
    }
    assert_eq!(world.db.cell().unwrap(), None);
}

#[test]
fn install_needs_a_cell_a_store_and_a_package() {
    let world = World::new();
    let error = refused(world.install("notes", &[]), Kind::Conflict, "no-cell");
    assert!(error.hint.contains("holm init --domain"));
    let mut wish = world.init();
    wish.store = None;
    init(world.asked(), &wish).unwrap();
    refused(world.install("notes", &[]), Kind::Conflict, "no-store");
    init(world.asked(), &world.init()).unwrap();
    refused(world.install("mail", &[]), Kind::Unknown, "not-in-store");
    assert_eq!(catalogue(&world.db).unwrap().get().len(), 2);
}

#[test]
fn install_wakes_the_loop_and_is_quiet_the_second_time() {
    let world = World::cell();
    let operation = world.install("notes", &[]).unwrap();
    assert!(!operation.unchanged);
    assert_eq!(operation.created_at, 100);
    let mut woken = is_woken(&world);
    assert!(woken());
    assert_eq!(world.wanted("notes"), Wanted::Running);
    let again = world.install("notes", &[]).unwrap();
    assert!(again.unchanged);
    assert!(again.id > operation.id);
}

/// Whether a permit lies in the notifier, without a runtime.
fn is_woken(world: &World) -> impl FnMut() -> bool {
    use std::{future::Future as _, task::Context, task::Waker};
    move || {
        let mut context = Context::from_waker(Waker::noop());
        std::pin::pin!(world.wake.notified())
            .poll(&mut context)
            .is_ready()
    }
}

#[test]
fn install_brings_back_what_was_stopped_or_removed_with_its_settings() {
    let world = World::cell();
    world.install("notes", &[("limit", text("7"))]).unwrap();
    for end in [stop, remove] {
        end(world.asked(), &id("notes")).unwrap();
        assert!(
            !world
                .install("notes", &[("shared", text("true"))])
                .unwrap()
                .unchanged
        );
        let intent = world.intent("notes");
        assert_eq!(intent.wanted, Wanted::Running);
        assert_eq!(
            intent.settings,
            set(&[("limit", Value::Integer(7)), ("shared", Value::Boolean(true))])
        );
    }
}

#[test]
fn install_takes_the_package_that_the_store_has_now() {
    let world = World::notes();
    world.pack("notes", &manifest("notes", "notes", "1.1.0"));
    assert!(!world.install("notes", &[]).unwrap().unchanged);
    assert_eq!(world.intent("notes").service.version, "1.1.0");
}

#[test]
fn install_shows_all_findings_and_changes_nothing() {
    let world = World::cell();
    let broken = manifest("mail", "api", "1.0.0").replace("@sha256:", "@sha1:");
    world.pack("mail", &broken);
    let revision = world.db.load().unwrap().revision;
    let error = refused(world.install("mail", &[]), Kind::Refused, "package-refused");
    assert_eq!(error.findings.len(), 2, "{:?}", error.findings);
    assert!(error.findings.iter().all(|finding| finding.line > 0));
    let error = refused(
        world.install(
            "notes",
            &[
                ("limit", text("99")),
                ("colour", text("red")),
                ("shared", text("maybe")),
            ],
        ),
        Kind::Refused,
        "settings-refused",
    );
    let mut fields: Vec<_> = error
        .findings
        .iter()
        .map(|finding| finding.field.as_str())
        .collect();
    fields.sort_unstable();
    assert_eq!(fields, ["colour", "limit", "shared"]);
    assert_eq!(world.db.load().unwrap().revision, revision);
}

#[test]
fn a_host_name_belongs_to_who_was_first_until_removed() {
    let world = World::notes();
    world.pack("memo", &manifest("memo", "notes", "1.0.0"));
    let error = refused(world.install("memo", &[]), Kind::Conflict, "subdomain-taken");
    assert!(error.title.contains("taken by notes"), "{error}");
    assert_eq!(error.findings.len(), 1);
    stop(world.asked(), &id("notes")).unwrap();
    refused(world.install("memo", &[]), Kind::Conflict, "subdomain-taken");
    remove(world.asked(), &id("notes")).unwrap();
    world.install("memo", &[]).unwrap();
    let error = refused(world.install("notes", &[]), Kind::Conflict, "subdomain-taken");
    assert!(error.title.contains("taken by memo"), "{error}");
}

#[test]
fn start_stop_and_remove_are_quiet_when_it_is_so_already() {
    let world = World::notes();
    let notes = id("notes");
    assert!(start(world.asked(), &notes).unwrap().unchanged);
    assert!(!stop(world.asked(), &notes).unwrap().unchanged);
    assert!(stop(world.asked(), &notes).unwrap().unchanged);
    assert_eq!(world.wanted("notes"), Wanted::Stopped);
    assert!(!start(world.asked(), &notes).unwrap().unchanged);
    assert_eq!(world.wanted("notes"), Wanted::Running);
    assert!(!remove(world.asked(), &notes).unwrap().unchanged);
    assert!(remove(world.asked(), &notes).unwrap().unchanged);
    assert_eq!(world.wanted("notes"), Wanted::Removed);
}

#[test]
fn two_restarts_are_two_and_a_stopped_service_starts() {
    let world = World::notes();
    stop(world.asked(), &id("notes")).unwrap();
    for count in 1..=2 {
        assert!(!restart(world.asked(), &id("notes")).unwrap().unchanged);
        let intent = world.intent("notes");
        assert_eq!((intent.wanted, intent.restarts), (Wanted::Running, count));
    }
    world.install("notes", &[]).unwrap();
    assert_eq!(world.intent("notes").restarts, 2);
}

#[test]
fn what_is_not_installed_is_unknown_and_says_what_to_type() {
    let world = World::notes();
    let files = id("files");
    let none = Reconfigure::default();
    for verb in [start, stop, restart, remove] {
        let error = refused(verb(world.asked(), &files), Kind::Unknown, "not-installed");
        assert!(error.hint.contains("holm store"));
    }
    refused(
        purge(world.asked(), &files, "files"),
        Kind::Unknown,
        "not-installed",
    );
    refused(
        reconfigure(world.asked(), &files, &none),
        Kind::Unknown,
        "not-installed",
    );
    let notes = id("notes");
    remove(world.asked(), &notes).unwrap();
    for verb in [start, stop, restart] {
        let error = refused(verb(world.asked(), &notes), Kind::Unknown, "removed");
        assert!(error.hint.contains("holm install notes"));
    }
    refused(
        reconfigure(world.asked(), &notes, &none),
        Kind::Unknown,
        "removed",
    );
}

#[test]
fn purge_wants_the_name_twice_and_nothing_starts_from_what_goes() {
    let world = World::notes();
    let notes = id("notes");
    for wrong in ["", "note", "notes\n", "yes"] {
        refused(purge(world.asked(), &notes, wrong), Kind::Usage, "not-confirmed");
    }
    assert_eq!(world.wanted("notes"), Wanted::Running);
    assert!(!purge(world.asked(), &notes, "notes").unwrap().unchanged);
    assert!(purge(world.asked(), &notes, "notes").unwrap().unchanged);
    for verb in [start, stop, restart, remove] {
        refused(verb(world.asked(), &notes), Kind::Conflict, "being-purged");
    }
    refused(world.install("notes", &[]), Kind::Conflict, "being-purged");
    world
        .db
        .forget(&notes, Block { first: 1, blocks: 1 }, 3700)
        .unwrap();
    world.install("notes", &[]).unwrap();
    remove(world.asked(), &notes).unwrap();
    purge(world.asked(), &notes, "notes").unwrap();
    assert_eq!(world.wanted("notes"), Wanted::Purged);
}

#[test]
fn reconfigure_merges_and_checks_by_the_schema() {
    let world = World::cell();
    world.install("notes", &[("limit", text("7"))]).unwrap();
    let notes = id("notes");
    let wish = |pairs: &[(&str, Value)]| Reconfigure {
        config: set(pairs),
        compose_template: None,
    };
    let shared = wish(&[("shared", text("true"))]);
    assert!(!reconfigure(world.asked(), &notes, &shared).unwrap().unchanged);
    assert!(reconfigure(world.asked(), &notes, &shared).unwrap().unchanged);
    let both = set(&[("limit", Value::Integer(7)), ("shared", Value::Boolean(true))]);
    assert_eq!(world.intent("notes").settings, both);
    for (key, value, told) in [
        ("limit", text("99"), "out of bounds"),
        ("limit", Value::Integer(0), "out of bounds"),
        ("limit", text("7 "), "an integer from 1 to 9"),
        ("limit", Value::Boolean(true), "wrong type"),
        ("shared", text("yes"), "true or false"),
        ("colour", text("red"), "no such setting"),
    ] {
        let result = reconfigure(world.asked(), &notes, &wish(&[(key, value)]));
        let error = refused(result, Kind::Refused, "settings-refused");
        let [finding] = error.findings.as_slice() else {
            panic!("{:?}", error.findings)
        };
        assert!(finding.message.contains(told), "{finding:?}");
    }
    assert_eq!(world.intent("notes").settings, both);
}

#[test]
fn reconfigure_takes_no_template() {
    let world = World::notes();
    let wish = Reconfigure {
        config: BTreeMap::new(),
        compose_template: Some("services: {}".to_owned()),
    };
    let error = refused(
        reconfigure(world.asked(), &id("notes"), &wish),
        Kind::Refused,
        "settings-refused",
    );
    assert_eq!(error.findings[0].rule, "reconfigure-template");
}
