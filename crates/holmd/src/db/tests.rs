//! What the state promises, on real files.

use std::{collections::BTreeMap, fs, path::PathBuf};

use holm_core::{
    intent::{CellIntent, ServiceIntent},
    target::{Cell, Wanted},
    wire::Verb,
};

use super::*;
use crate::testing;

struct State {
    dir: tempfile::TempDir,
    db: Db,
}

impl State {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("state.db")).unwrap();
        Self { dir, db }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("state.db")
    }

    /// Opens what a SIGKILL at this moment would leave: the files as they are, nobody closed them.
    fn as_after_a_kill(&self) -> (tempfile::TempDir, Db) {
        let copy = tempfile::tempdir().unwrap();
        for name in ["state.db", "state.db-wal"] {
            fs::copy(self.dir.path().join(name), copy.path().join(name)).unwrap();
        }
        let db = Db::open(&copy.path().join("state.db")).unwrap();
        (copy, db)
    }

    fn ask(&self, verb: Verb, service: Option<&str>, unchanged: bool) -> OperationRow {
        self.put(verb, service, unchanged, None)
    }

    fn put(
        &self,
        verb: Verb,
        service: Option<&str>,
        unchanged: bool,
        intent: Option<ServiceIntent>,
    ) -> OperationRow {
        self.db
            .change::<DbError>(100, |change| {
                if let Some(intent) = &intent {
                    change.put_service(intent)?;
                }
                Ok(NewOperation {
                    verb,
                    service: service.map(|id| id.parse().unwrap()),
                    unchanged,
                    warnings: Vec::new(),
                })
            })
            .unwrap()
    }

    fn state(&self, row: &OperationRow) -> OperationState {
        self.db.operation(row.id).unwrap().unwrap().state
    }
}

fn cell() -> CellRow {
    CellRow {
        intent: CellIntent {
            name: "alice".parse().unwrap(),
            domain: "alice.test".parse().unwrap(),
            pool: "172.20.0.0/16".parse().unwrap(),
        },
        store: Some("/srv/store".to_owned()),
    }
}

fn notes(wanted: Wanted) -> ServiceIntent {
    ServiceIntent {
        service: testing::service("notes", "notes"),
        wanted,
        settings: BTreeMap::new(),
        restarts: 0,
    }
}

fn target(generation: u64) -> Target {
    Target {
        generation,
        cell: Cell {
            name: "alice".parse().unwrap(),
            domain: "alice.test".parse().unwrap(),
            pool: "172.20.0.0/16".parse().unwrap(),
            gateway_image: testing::image("gateway"),
            caddy_image: testing::image("caddy"),
        },
        services: BTreeMap::new(),
    }
}

const BLOCK: Block = Block { first: 3, blocks: 1 };

#[test]
fn a_new_state_is_empty_and_durable() {
    let state = State::new();
    let empty = Loaded {
        revision: 0,
        intent: None,
        target: None,
        rests: vec![],
    };
    assert_eq!(state.db.load().unwrap(), empty);
    let connection = state.db.lock();
    let pragma = |name: &str| -> String {
        connection
            .query_row(&format!("PRAGMA {name}"), [], |row| {
                row.get::<_, rusqlite::types::Value>(0)
            })
            .map(|value| format!("{value:?}"))
            .unwrap()
    };
    assert_eq!(pragma("journal_mode"), "Text(\"wal\")");
    assert_eq!(pragma("synchronous"), "Integer(2)");
    assert_eq!(pragma("foreign_keys"), "Integer(1)");
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(state.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_was_acknowledged_is_there_after_a_kill() {
    let state = State::new();
    let put_cell = |change: &Change<'_>| {
        change.put_cell(&cell())?;
        change.put_service(&notes(Wanted::Running))?;
        Ok::<_, DbError>(NewOperation {
            verb: Verb::Install,
            service: Some("notes".parse().unwrap()),
            unchanged: false,
            warnings: Vec::new(),
        })
    };
    let row = state.db.change(100, put_cell).unwrap();
    state.db.save_target(&target(1), row.revision).unwrap();
    let (_copy, db) = state.as_after_a_kill();
    let loaded = db.load().unwrap();
    let intent = loaded.intent.unwrap();
    assert_eq!((loaded.revision, intent.cell), (1, cell().intent));
    assert_eq!(
        intent.services.into_values().collect::<Vec<_>>(),
        [notes(Wanted::Running)]
    );
    assert_eq!(loaded.target, Some(target(1)));
    assert_eq!(db.cell().unwrap(), Some(cell()));
    assert_eq!(db.operation(row.id).unwrap(), Some(row));
}

#[test]
fn a_refused_change_leaves_nothing() {
    let state = State::new();
    let refused = state.db.change::<DbError>(100, |change| {
        change.put_cell(&cell())?;
        Err(DbError::Damaged("refused".to_owned()))
    });
    assert!(refused.is_err());
    let loaded = state.db.load().unwrap();
    assert_eq!((loaded.revision, loaded.intent), (0, None));
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let State { dir, db } = State::new();
    let file = dir.path().join("state.db");
    drop(db);
    let raw = Connection::open(&file).unwrap();
    raw.pragma_update(None, "user_version", 99).unwrap();
    drop(raw);
    let error = Db::open(&file).err().unwrap().to_string();
    assert!(error.contains("format 99"), "{error}");
    let raw = Connection::open(&file).unwrap();
    let version: u32 = raw
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap();
    assert_eq!(version, 99);
}

#[test]
fn a_damaged_file_is_refused() {
    let State { dir, db } = State::new();
    let file = dir.path().join("state.db");
    drop(db);
    let mut bytes = fs::read(&file).unwrap();
    let half = bytes.len() / 2;
    bytes[4096..half].fill(0xaa);
    fs::write(&file, bytes).unwrap();
    assert!(Db::open(&file).is_err());
}

#[test]
fn a_row_that_cannot_be_read_is_an_error_and_not_skipped() {
    let state = State::new();
    state
        .db
        .lock()
        .execute("INSERT INTO services VALUES ('notes', '{}')", [])
        .unwrap();
    let error = state.db.load().unwrap_err().to_string();
    assert!(error.contains("service that cannot be read"), "{error}");
}

#[test]
fn ten_targets_stay_and_none_is_edited() {
    let state = State::new();
    for generation in 1..=25 {
        state.db.save_target(&target(generation), generation).unwrap();
    }
    assert_eq!(state.db.load().unwrap().target, Some(target(25)));
    let count: u32 = state
        .db
        .lock()
        .query_row("SELECT count(*) FROM targets", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 10);
    assert!(state.db.save_target(&target(25), 26).is_err());
}

#[test]
fn a_purged_service_is_forgotten_and_its_block_rests() {
    let state = State::new();
    let id: ServiceId = "notes".parse().unwrap();
    let put = |wanted| state.put(Verb::Purge, Some("notes"), false, Some(notes(wanted)));
    put(Wanted::Running);
    state.db.forget(&id, BLOCK, 3700).unwrap();
    assert_eq!(state.db.read(service::all).unwrap().len(), 1);
    assert_eq!(state.db.load().unwrap().rests, []);
    put(Wanted::Purged);
    let revision = state.db.load().unwrap().revision;
    state.db.forget(&id, BLOCK, 3700).unwrap();
    state.db.forget(&id, BLOCK, 9999).unwrap();
    let (_copy, db) = state.as_after_a_kill();
    let loaded = db.load().unwrap();
    assert_eq!(
        loaded.rests,
        [Rest {
            block: BLOCK,
            until: 3700
        }]
    );
    assert_eq!(loaded.revision, revision);
    let services = db.read(service::all).unwrap();
    assert!(services.is_empty());
}

#[test]
fn operations_end_with_a_look_that_came_after_them() {
    let state = State::new();
    let notes = state.ask(Verb::Install, Some("notes"), false);
    let files = state.ask(Verb::Install, Some("files"), false);
    let late = state.ask(Verb::Start, Some("notes"), true);
    let settled = |id: Option<&ServiceId>| id.is_some_and(|id| id.as_str() == "notes");
    state.db.finish_operations(files.revision, settled).unwrap();
    assert_eq!(state.state(&notes), OperationState::Done);
    assert_eq!(state.state(&files), OperationState::Running);
    assert_eq!(state.state(&late), OperationState::Running);
    state.db.finish_operations(late.revision, settled).unwrap();
    assert_eq!(state.state(&late), OperationState::Done);
}

#[test]
fn another_wish_supersedes_and_the_same_wish_does_not() {
    let state = State::new();
    let cell = state.ask(Verb::Init, None, false);
    let install = state.ask(Verb::Install, Some("notes"), false);
    let again = state.ask(Verb::Install, Some("notes"), true);
    let other = state.ask(Verb::Stop, Some("files"), false);
    assert_eq!(state.state(&install), OperationState::Running);
    let stop = state.ask(Verb::Stop, Some("notes"), false);
    for (row, expected) in [
        (&cell, OperationState::Running),
        (&install, OperationState::Superseded),
        (&again, OperationState::Superseded),
        (&other, OperationState::Running),
        (&stop, OperationState::Running),
    ] {
        assert_eq!(state.state(row), expected, "{row:?}");
    }
    state.db.finish_operations(u64::MAX, |_| true).unwrap();
    assert_eq!(state.state(&install), OperationState::Superseded);
    assert_eq!(state.state(&cell), OperationState::Done);
}

#[test]
fn writing_wakes_and_finishing_nothing_does_not() {
    let state = State::new();
    let mut changes = state.db.changes();
    state.db.finish_operations(9, |_| true).unwrap();
    assert!(!changes.has_changed().unwrap());
    state.ask(Verb::Install, Some("notes"), false);
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    state.db.finish_operations(9, |_| true).unwrap();
    assert!(changes.has_changed().unwrap());
}

#[test]
fn old_operations_are_dropped_and_running_ones_never() {
    let state = State::new();
    let first = state.ask(Verb::Install, Some("notes"), false);
    let second = state.ask(Verb::Install, Some("files"), false);
    state
        .db
        .finish_operations(u64::MAX, |id| id.is_some_and(|id| id.as_str() == "files"))
        .unwrap();
    state
        .db
        .lock()
        .execute("UPDATE sqlite_sequence SET seq = 5000", [])
        .unwrap();
    let last = state.ask(Verb::Start, Some("mail"), false);
    assert_eq!(last.id, 5001);
    assert!(state.db.operation(first.id).unwrap().is_some());
    assert!(state.db.operation(second.id).unwrap().is_none());
}
