//! What a person sees, word for word, from a real API.

mod stage;

use std::rc::Rc;

use holm_core::{target::Wanted, wire::ServiceState};

use stage::{Stage, Step, service_view};

/// A whole life, with everything done at once.
#[tokio::test]
async fn a_life() {
    let stage = Stage::new();
    stage.serve();
    let mut seen = stage.holm("status").await;
    seen += &stage.holm("install notes").await;
    stage.cell().await;
    for words in [
        "init --domain alice.test",
        "store",
        "install notes --set limit=7",
        "install notes",
        "status",
        "status notes",
        "stop notes",
        "stop notes",
        "start notes",
        "restart notes",
        "reconfigure notes --set limit=9",
        "reconfigure notes --set limit=9",
        "logs notes --tail 3",
        "ca",
        "remove notes",
        "remove notes",
        "status",
        "purge notes --confirm notes",
        "status",
    ] {
        seen += &stage.holm(words).await;
    }
    insta::assert_snapshot!(seen);
}

/// Every kind of refusal, with its exit code.
#[tokio::test]
async fn refusals() {
    let stage = Stage::new();
    let mut seen = stage.holm("status").await;
    stage.serve();
    seen += &stage.holm("ca nonsense").await;
    seen += &stage
        .holm("init --domain alice.test --store /does/not/exist")
        .await;
    stage.cell().await;
    stage.holm("install notes").await;
    for words in [
        "init --domain bob.test",
        "install files",
        "install mail",
        "install memo",
        "install notes --set limit=99 --set colour=red",
        "install Notes",
        "reconfigure notes --set limit",
        "start files",
        "purge notes --confirm note",
        "purge notes --confirm ../etc",
        "secret show notes PASSWORD",
        "logs notes --container sh",
        "remove notes",
        "start notes",
    ] {
        seen += &stage.holm(words).await;
    }
    insta::assert_snapshot!(seen);
}

/// One document on standard output, whatever happens.
#[tokio::test]
async fn json() {
    let stage = Stage::new();
    let mut seen = stage.holm("--json status").await;
    stage.serve();
    stage.cell().await;
    for words in [
        "--json install notes",
        "--json --no-wait stop notes",
        "--json start files",
        "--json status",
        "--json store",
        "--json ca",
    ] {
        let text = stage.holm(words).await;
        for line in text
            .lines()
            .filter(|line| !line.starts_with(['$', '!']))
            .rev()
            .skip(1)
        {
            serde_json::from_str::<serde_json::Value>(line).unwrap();
        }
        seen += &text;
    }
    insta::assert_snapshot!(seen);
}

/// Waiting says what it waits for, and ends with the operation or in time.
#[tokio::test]
async fn waiting() {
    let stage = Stage::slow().await;
    let notes: holm_core::name::ServiceId = "notes".parse().unwrap();
    let set = |doing: &'static [&str], failing: Option<&'static str>| -> Step {
        let (view, notes) = (stage.view.clone(), notes.clone());
        Box::new(move || {
            view.send_modify(|view| {
                view.revision = u64::MAX;
                let service = service_view(ServiceState::Changing, doing, failing, Vec::new());
                view.services.insert(notes, service);
            });
        })
    };
    let done: Step = {
        let db = stage.db.clone();
        Box::new(move || db.finish_operations(u64::MAX, |_| true).unwrap())
    };
    set(&["stop holm-notes.main.service", "disconnect the gateway"], None)();
    let failing = "Could not stop holm-notes.main.service: timeout. Look at its log.";
    let steps = vec![
        set(&[], Some(failing)),
        set(&["remove network holm-notes"], None),
        done,
    ];
    let mut seen = stage.scripted("stop notes", steps).await;

    set(&["start holm-notes.main.service"], None)();
    // From the first line on, time passes as soon as nothing else happens.
    let hurry: Step = Box::new(tokio::time::pause);
    seen += &stage.scripted("--timeout 60 start notes", vec![hurry]).await;
    tokio::time::resume();
    seen += &stage.holm("--no-wait start notes").await;
    seen += &stage.holm("status").await;

    let db = stage.db.clone();
    let purge: Step = Box::new(move || {
        db.change::<holmd::db::DbError>(0, |change| {
            let mut notes = change.service(&"notes".parse().unwrap())?.unwrap();
            notes.wanted = Wanted::Purged;
            change.put_service(&notes)?;
            Ok(holmd::db::NewOperation {
                verb: holm_core::wire::Verb::Purge,
                service: Some("notes".parse().unwrap()),
                unchanged: false,
                warnings: Vec::new(),
            })
        })
        .unwrap();
    });
    seen += &stage.scripted("restart notes", vec![purge]).await;
    insta::assert_snapshot!(seen);
}

/// What was acknowledged goes on, so the one who waits does too.
#[tokio::test]
async fn a_daemon_that_is_away_is_waited_for() {
    let stage = Rc::new(Stage::slow().await);
    let accepted = stage.holm("--json --no-wait stop notes").await;
    let operation = serde_json::from_str(accepted.lines().nth(1).unwrap()).unwrap();
    stage.close();
    let back: Step = {
        let stage = Rc::clone(&stage);
        Box::new(move || {
            stage.db.finish_operations(u64::MAX, |_| true).unwrap();
            stage.serve();
        })
    };
    let seen = stage.wait(operation, vec![back]).await;
    assert_eq!(seen, "! stop notes: holmd is away; waiting for it\nexit 0\n");
}
