//! Starting without holmd: the document it left is live before anything is called ready.

use std::{fs, path::Path, time::Duration};

use tokio::time::timeout;

use crate::world::{PATIENCE, World, document};

fn leave(folder: &Path, text: &[u8]) {
    fs::write(folder.join("config/7.json"), text).unwrap();
    std::os::unix::fs::symlink("7.json", folder.join("config/current")).unwrap();
    fs::create_dir_all(folder.join("run/live")).unwrap();
    fs::write(folder.join("run/live/stale.0000000000000000"), "").unwrap();
}

#[tokio::test]
async fn the_document_of_before_is_live() {
    let config = serde_json::to_vec(&document(7, &[("notes", 41, 80, false)])).unwrap();
    let mut world = World::with(Duration::from_secs(1), |folder| leave(folder, &config)).await;
    timeout(PATIENCE, world.ready.take().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(Vec::from_iter(world.markers()), ["notes.0000000000000050"]);
    assert_eq!(world.get("notes.alice.test", "/").await.0, 503);
    let loads = world.recorder.loads.lock().unwrap().clone();
    assert_eq!(loads.len(), 1);
    assert!(
        loads[0].1.is_empty(),
        "stale markers go before the policy: {:?}",
        loads[0].1
    );
}

#[tokio::test]
async fn nothing_left_is_ready_and_closed() {
    let mut world = World::new().await;
    timeout(PATIENCE, world.ready.take().unwrap())
        .await
        .unwrap()
        .unwrap();
    let loads = world.recorder.loads.lock().unwrap().clone();
    assert_eq!(loads.len(), 1);
    assert!(!loads[0].0.contains("elements"));
}

#[tokio::test]
async fn a_broken_document_is_not_ready_until_another_is_live() {
    let mut world = World::with(Duration::from_secs(1), |folder| leave(folder, b"{ broken")).await;
    // The answer shows that booting is over.
    assert_eq!(world.control("GET", "/live", vec![]).await.0, 200);
    let mut ready = world.ready.take().unwrap();
    assert!(ready.try_recv().is_err(), "must not be ready");
    assert!(world.markers().is_empty());
    assert!(!world.recorder.loads.lock().unwrap()[0].0.contains("elements"));
    world.apply(&document(8, &[])).await;
    timeout(PATIENCE, ready).await.unwrap().unwrap();
}
