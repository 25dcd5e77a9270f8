//! What a program is shown: operations, events, status, and what comes from the machine.

use super::*;

#[tokio::test]
async fn before_init_everything_says_so() {
    let served = Served::new().await;
    let (status, problem) = served.get("/api/cell").await;
    assert_eq!((status, &problem["type"]), (404, &json!("about:blank#no-cell")));
    let (_, status) = served.get("/api/status").await;
    assert_eq!(
        status,
        json!({"cell": null, "generation": 0, "seen_at": null, "settled": false, "core": [], "services": []})
    );
    assert_eq!(served.get("/api/services").await, (200, json!([])));
    let (status, problem) = served.get("/api/store").await;
    assert_eq!((status, &problem["type"]), (409, &json!("about:blank#no-cell")));
    let (status, problem) = served.call("POST", &path("notes/install"), Value::Null).await;
    assert_eq!((status, &problem["type"]), (409, &json!("about:blank#no-cell")));
    assert!(problem["detail"].as_str().unwrap().contains("holm init"));
}

#[tokio::test]
async fn a_change_is_answered_with_its_operation_and_where_it_is() {
    let (served, id) = Served::notes().await;
    let response = served.send("POST", &path("notes/stop"), Value::Null).await;
    assert_eq!(response.status(), 202);
    assert_eq!(
        response.headers()["location"],
        format!("/api/operations/{}", id + 1)
    );
    let (_, operation) = answer(response).await;
    let expected = json!({
        "id": id + 1, "verb": "stop", "service": "notes", "created_at": 100, "unchanged": false,
        "progress": {"state": "running", "doing": []}
    });
    assert_eq!(operation, expected);
    let (_, superseded) = served.get(&format!("/api/operations/{id}")).await;
    assert_eq!(superseded["progress"], json!({"state": "superseded"}));
    assert_eq!(served.get("/api/operations/99").await.0, 404);
    assert_eq!(served.get("/api/operations/x").await.0, 404);
}

#[tokio::test]
async fn events_tell_each_change_until_the_end() {
    let (served, id) = Served::notes().await;
    let response = served
        .send("GET", &format!("/api/operations/{id}/events"), Value::Null)
        .await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    let notes: ServiceId = "notes".parse().unwrap();
    let set = |served: &Served, service: ServiceView, core: Owner| {
        served.look(|view| {
            view.core = core;
            view.services.insert(notes.clone(), service);
        });
    };
    let busy = Owner {
        doing: vec!["configure the gateway".to_owned()],
        failing: None,
    };
    let serving = || seen(ServiceState::Serving, &[], None);
    let mut told = vec![next(&mut body).await];
    set(
        &served,
        seen(ServiceState::Changing, &["pull"], None),
        busy.clone(),
    );
    told.push(next(&mut body).await);
    set(
        &served,
        seen(ServiceState::Failing, &[], Some("no pull")),
        busy.clone(),
    );
    told.push(next(&mut body).await);
    set(&served, serving(), busy);
    told.push(next(&mut body).await);
    served.world.db.finish_operations(u64::MAX, |_| true).unwrap();
    told.push(next(&mut body).await);
    let expected = [
        json!({"state": "running", "doing": []}),
        json!({"state": "running", "doing": ["pull"]}),
        json!({"state": "waiting", "reason": "no pull", "retry_at": 130}),
        json!({"state": "running", "doing": ["configure the gateway"]}),
        json!({"state": "done"}),
    ];
    assert_eq!(told, expected);
    assert!(body.frame().await.is_none(), "the stream ends with the operation");
}

#[tokio::test]
async fn status_never_shows_a_wish_as_fact() {
    let (served, _) = Served::notes().await;
    let (_, notes) = served.get(&path("notes/status")).await;
    assert_eq!(notes["state"], "changing");
    assert_eq!(notes["detail"], json!(["holmd has not looked at it yet"]));
    assert_eq!(notes["urls"], json!(["https://notes.alice.test/"]));
    let id: ServiceId = "notes".parse().unwrap();
    served.look(|view| {
        view.settled = true;
        view.services.insert(id, seen(ServiceState::Serving, &[], None));
    });
    let (_, status) = served.get("/api/status").await;
    assert_eq!(status["settled"], true);
    assert_eq!(status["seen_at"], 99);
    assert_eq!(status["services"][0]["state"], "serving");
    assert_eq!(status["cell"]["domain"], "alice.test");
    // The wish is newer than the look: neither settled nor serving, nor stopped yet.
    served.call("POST", &path("notes/stop"), Value::Null).await;
    let (_, status) = served.get("/api/status").await;
    assert_eq!(status["settled"], false);
    assert_eq!(status["services"][0]["wanted"], "stopped");
    assert_eq!(status["services"][0]["state"], "changing");
    let (_, services) = served.get("/api/services").await;
    assert_eq!(services, status["services"]);
}

#[tokio::test]
async fn removing_keeps_data_and_purging_wants_the_name() {
    let (served, _) = Served::notes().await;
    let notes = path("notes");
    let (status, operation) = served.call("DELETE", &notes, Value::Null).await;
    assert_eq!((status, &operation["verb"]), (202, &json!("remove")));
    let (_, service) = served.get(&path("notes/status")).await;
    assert_eq!(
        (&service["wanted"], &service["urls"]),
        (&json!("removed"), &json!([]))
    );
    for wrong in ["purge=", "purge=files", "purge=notes%0a"] {
        let (status, problem) = served
            .call("DELETE", &format!("{notes}?{wrong}"), Value::Null)
            .await;
        assert_eq!(
            (status, &problem["type"]),
            (400, &json!("about:blank#not-confirmed"))
        );
    }
    let (status, _) = served
        .call("DELETE", &format!("{notes}?force=1"), Value::Null)
        .await;
    assert_eq!(status, 400);
    let (status, operation) = served
        .call("DELETE", &format!("{notes}?purge=notes"), Value::Null)
        .await;
    assert_eq!((status, &operation["verb"]), (202, &json!("purge")));
    let id = "notes".parse().unwrap();
    served
        .world
        .db
        .forget(&id, Block { first: 1, blocks: 1 }, 0)
        .unwrap();
    assert_eq!(served.get(&path("notes/status")).await.0, 404);
}

#[tokio::test]
async fn logs_secrets_and_the_certificate_come_from_the_machine() {
    let (served, _) = Served::notes().await;
    let (_, lines) = served.get(&path("notes/logs")).await;
    assert_eq!(lines, "notes main false 100\n");
    let (_, lines) = served
        .get(&path("notes/logs?follow=true&tail=5&container=cell-notes"))
        .await;
    assert_eq!(lines, "notes main true 5\n");
    served
        .world
        .db
        .change::<crate::db::DbError>(100, |change| {
            let mut notes = change.service(&"notes".parse().unwrap())?.unwrap();
            notes.service.secrets.insert("PASSWORD".parse().unwrap());
            change.put_service(&notes)?;
            Ok(crate::db::NewOperation {
                verb: holm_core::wire::Verb::Install,
                service: None,
                unchanged: true,
                warnings: Vec::new(),
            })
        })
        .unwrap();
    let response = served
        .send("GET", &path("notes/secrets/PASSWORD"), Value::Null)
        .await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    let (_, secret) = answer(response).await;
    assert_eq!(secret, json!({"name": "PASSWORD", "value": "notes/PASSWORD"}));
    assert_eq!(served.get("/api/ca").await, (200, json!(PEM)));
    let (_, cell) = served.get("/api/cell").await;
    assert_eq!(cell["ca_sha256"].as_str().unwrap().len(), 95);
}
