//! What is stored, what is sent, and what happens when the gateway is not there or says no.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::*;
use crate::linux::stage::{Play, Stage};

fn config(generation: u64) -> GatewayConfig {
    GatewayConfig {
        generation,
        domain: "alice.test".parse().unwrap(),
        legs: Vec::new(),
        routes: Vec::new(),
    }
}

fn gateway(stage: &Stage) -> (Gateway, Files) {
    let files = Files::new(stage.directory().to_owned());
    (Gateway::new(stage.socket(), files.clone()), files)
}

fn says(status: u16, body: &str) -> Play {
    Play::Says(status, body.into())
}

#[tokio::test]
async fn a_gateway_that_is_not_up_finds_the_document_when_it_starts() {
    let root = tempfile::tempdir().unwrap();
    let files = Files::new(root.path().to_owned());
    let gateway = Gateway::new(root.path().join("nobody.sock"), files.clone());
    assert_eq!(stored(&files).unwrap(), None);
    assert_eq!(gateway.live().await, None);
    for generation in 1..=6 {
        gateway.configure(&config(generation)).await.unwrap();
        assert_eq!(stored(&files).unwrap(), Some(generation));
    }
    gateway.configure(&config(6)).await.unwrap();
    assert_eq!(
        files.names("gateway").unwrap(),
        ["4.json", "5.json", "6.json", "current"]
    );
    let text = std::fs::read_to_string(root.path().join("gateway/current")).unwrap();
    assert_eq!(serde_json::from_str::<GatewayConfig>(&text).unwrap(), config(6));
}

#[tokio::test]
async fn a_document_that_cannot_be_read_is_none() {
    let stage = Stage::new([]);
    let (_, files) = gateway(&stage);
    files.link(CURRENT, "3.json").unwrap();
    assert_eq!(stored(&files).unwrap(), None);
    files.write("gateway/3.json", b"{}").unwrap();
    assert_eq!(stored(&files).unwrap(), None);
    files
        .write(
            "gateway/3.json",
            serde_json::to_string(&config(2)).unwrap().as_bytes(),
        )
        .unwrap();
    assert_eq!(stored(&files).unwrap(), None);
    files.link(CURRENT, "/etc/passwd").unwrap();
    assert_eq!(stored(&files).unwrap(), None);
    files.remove(CURRENT).unwrap();
    files.write(CURRENT, b"{}").unwrap();
    assert_eq!(stored(&files).unwrap(), None);
}

#[tokio::test]
async fn what_the_gateway_refuses_is_not_what_it_starts_from() {
    let problem = r#"{"title":"x","status":422,"detail":"host is routed twice"}"#;
    let stage = Stage::new([
        says(200, "{}"),
        says(422, problem),
        says(409, problem),
        says(500, problem),
    ]);
    let (gateway, files) = gateway(&stage);
    gateway.configure(&config(1)).await.unwrap();
    let error = gateway.configure(&config(2)).await.unwrap_err();
    assert!(error.why.contains("routed twice"), "{error}");
    assert_eq!(stored(&files).unwrap(), Some(1));
    for _ in 0..2 {
        gateway.configure(&config(3)).await.unwrap_err();
        assert_eq!(stored(&files).unwrap(), Some(3));
    }
    let sent = stage.asked()[0].strip_prefix("PUT /config ").unwrap().to_owned();
    assert_eq!(serde_json::from_str::<GatewayConfig>(&sent).unwrap(), config(1));
}

#[tokio::test]
async fn live_is_what_it_says_and_none_when_it_talks_nonsense() {
    let stage = Stage::new([
        says(200, r#"{"generation":7,"backends":[]}"#),
        says(200, "{}"),
        says(500, "{}"),
    ]);
    let (gateway, _) = gateway(&stage);
    assert_eq!(gateway.live().await.unwrap().generation, 7);
    assert_eq!(gateway.live().await, None);
    assert_eq!(gateway.live().await, None);
}

#[tokio::test(start_paused = true)]
async fn events_are_heard_and_a_lost_connection_is_made_again_without_a_busy_loop() {
    let line = |text: &str| (format!("{text}\n"), Duration::from_secs(3600));
    let stage = Stage::new([
        Play::Drips(vec![(r#"{"generation":1}"#.to_owned() + "\n", Duration::ZERO)]),
        Play::Drips(vec![line(r#"{"generation":2}"#)]),
    ]);
    let (gateway, _) = gateway(&stage);
    let fired = Arc::new(AtomicU64::new(0));
    let heard = Arc::new(tokio::sync::Notify::new());
    let (count, tell) = (fired.clone(), heard.clone());
    let (_units, seen) = watch::channel(0);
    let watching = tokio::spawn(gateway.watch(seen, move || {
        count.fetch_add(1, Ordering::SeqCst);
        tell.notify_one();
    }));
    // Each connection fires once for what was missed and once for its event.
    while fired.load(Ordering::SeqCst) < 4 {
        heard.notified().await;
    }
    assert_eq!(stage.asked(), ["GET /events", "GET /events"]);
    watching.abort();
}
