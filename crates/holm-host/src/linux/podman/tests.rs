//! Podman's client against recorded answers, above all the misleading ones.

use holm_core::plan::{Leg, Network};

use super::*;
use crate::linux::stage::{Play, Stage};

const SHORT: Duration = Duration::from_millis(200);

fn podman(stage: &Stage) -> Podman {
    let mut podman = Podman::new(stage.socket());
    podman.client.deadline = SHORT;
    podman.limits = Limits {
        whole_pull: SHORT * 4,
        quiet_pull: SHORT,
    };
    podman
}

fn says(status: u16, body: &str) -> Play {
    Play::Says(status, body.into())
}

fn pinned() -> String {
    format!(
        "images.holm.example/notes@sha256:{}",
        "0123456789abcdef".repeat(4)
    )
}

fn network() -> Network {
    Network {
        name: "holm-notes".into(),
        service: "notes".into(),
        bridge: "hs1".into(),
        subnet: "172.20.0.16/28".into(),
        bridge_address: [172, 20, 0, 17].into(),
        route_via: Some([172, 20, 0, 18].into()),
    }
}

const CREATED: &str = r#"{"name":"holm-notes","id":"aa","driver":"bridge","network_interface":"hs1",
 "created":"2026-11-21T12:00:00Z","subnets":[{"subnet":"172.20.0.16/28","gateway":"172.20.0.17"}],
 "routes":[{"destination":"0.0.0.0/0","gateway":"172.20.0.18","metric":500}],"ipv6_enabled":false,
 "internal":true,"dns_enabled":false,"labels":{"io.holm.cell":"1","io.holm.service":"notes"},
 "ipam_options":{"driver":"host-local"},"containers":{}}"#;
const ANCHOR: &str = r#"{"State":{"Running":true},"NetworkSettings":{"Networks":
 {"holm-up":{"IPAddress":"172.20.0.2"},"holm-notes":{"IPAddress":"172.20.0.18"}}}}"#;

#[tokio::test]
async fn a_socket_without_a_server_a_hang_and_a_broken_answer_are_errors_not_empty_lists() {
    let nowhere = Podman::new("/nonexistent/podman.sock".into());
    assert!(
        nowhere
            .containers()
            .await
            .unwrap_err()
            .why
            .contains("does not answer")
    );
    for (play, word) in [
        (Play::Hangs, "no answer within"),
        (Play::Breaks("[".into()), "broke"),
        (says(200, "[{]"), "makes no sense"),
        (
            says(
                500,
                r#"{"cause":"c","message":"database is locked","response":500}"#,
            ),
            "database is locked",
        ),
        (says(503, "gone fishing"), "503"),
    ] {
        let stage = Stage::new([play.clone()]);
        let error = podman(&stage).volumes().await.unwrap_err();
        assert!(error.to_string().contains(word), "{play:?}: {error}");
    }
}

#[tokio::test]
async fn lists_hold_what_is_ours() {
    let containers = r#"[
      {"Names":["holm-notes.main"],"State":"running","Labels":{"io.holm.cell":"alice","io.holm.service":"notes","io.holm.spec":"ff"}},
      {"Names":["holm-anchor"],"State":"running","Labels":{"io.holm.cell":"alice"}},
      {"Names":["holm-old"],"State":"exited","Labels":{"io.holm.cell":"alice"}},
      {"Names":["postgres"],"State":"running","Labels":{"io.holm.cell":"alice"}},
      {"Names":["holm-fake"],"State":"running","Labels":null}]"#;
    let images = format!(
        r#"[{{"RepoDigests":["{}","localhost/own@sha256:00"]}},{{"RepoDigests":null}}]"#,
        pinned()
    );
    let volumes = r#"[{"Name":"holm-notes.data"},{"Name":"private"}]"#;
    let stage = Stage::new([
        says(200, containers),
        says(200, &images),
        says(200, volumes),
        says(200, "null"),
    ]);
    let podman = podman(&stage);
    let seen = podman.containers().await.unwrap();
    assert_eq!(
        seen.keys().collect::<Vec<_>>(),
        ["holm-anchor", "holm-notes.main"]
    );
    assert_eq!(
        (
            seen["holm-notes.main"].service.as_str(),
            seen["holm-notes.main"].spec.as_str()
        ),
        ("notes", "ff")
    );
    assert_eq!(
        podman
            .images()
            .await
            .unwrap()
            .into_iter()
            .map(|i| i.to_string())
            .collect::<Vec<_>>(),
        [pinned()]
    );
    assert_eq!(
        podman.volumes().await.unwrap().into_iter().collect::<Vec<_>>(),
        ["holm-notes.data"]
    );
    assert!(podman.networks().await.unwrap().is_empty());
    let filter = "filters=%7B%22label%22%3A%5B%22io.holm.cell%22%5D%7D";
    assert_eq!(
        stage.asked()[0],
        format!("GET /v5.0.0/libpod/containers/json?{filter}")
    );
}

#[tokio::test]
async fn a_pull_succeeds_only_when_the_image_is_there() {
    let image = pinned().parse().unwrap();
    let drip = |text: &str| (format!("{text}\n"), Duration::ZERO);
    let progress = || {
        Play::Drips(vec![
            drip(r#"{"status":"Downloading","id":"x"}"#),
            drip(r#"{"id":"y"}"#),
        ])
    };
    let stage = Stage::new([progress(), says(204, "")]);
    podman(&stage).pull(&image).await.unwrap();
    assert!(stage.asked()[0].contains("policy=missing") && stage.asked()[0].contains("%40sha256%3A"));

    let denied = r#"{"errorDetail":{"message":"denied"},"error":"denied: no such manifest"}"#;
    let slow = |pause: Duration| Play::Drips((0..9).map(|_| ("{}\n".into(), pause)).collect());
    for (plays, word) in [
        (
            vec![Play::Drips(vec![drip("{}"), drip(denied)])],
            "no such manifest",
        ),
        (vec![says(500, denied)], "no such manifest"),
        (
            vec![says(400, r#"{"cause":"x","message":"bad reference"}"#)],
            "bad reference",
        ),
        (vec![progress(), says(404, "{}")], "is not there"),
        (vec![Play::Breaks("{}\n".into())], "broke"),
        (vec![Play::Hangs], "for 200ms"),
        (vec![slow(SHORT * 3)], "for 200ms"),
        (vec![slow(SHORT / 2)], "not done in 800ms"),
    ] {
        let stage = Stage::new(plays.clone());
        let error = podman(&stage).pull(&image).await.unwrap_err();
        assert!(error.to_string().contains(word), "{plays:?}: {error}");
        assert!(!error.why.contains('{'), "for people: {error}");
    }
}

#[tokio::test]
async fn a_network_is_made_kept_or_made_again() {
    let conflict = || {
        says(
            409,
            r#"{"cause":"network already exists","message":"network already exists"}"#,
        )
    };
    let stage = Stage::new([says(200, CREATED)]);
    podman(&stage).create_network(&network()).await.unwrap();
    let body: Value = serde_json::from_str(
        stage.asked()[0]
            .split_once(' ')
            .unwrap()
            .1
            .split_once(' ')
            .unwrap()
            .1,
    )
    .unwrap();
    let created: Value = serde_json::from_str(CREATED).unwrap();
    for (key, value) in body.as_object().unwrap() {
        assert_eq!(created[key], *value, "{key}");
    }

    let stage = Stage::new([conflict(), says(200, CREATED)]);
    podman(&stage).create_network(&network()).await.unwrap();
    assert_eq!(stage.asked().len(), 2);

    let other = CREATED.replace("172.20.0.18", "172.20.0.19");
    let stage = Stage::new([
        conflict(),
        says(200, &other),
        says(200, r#"[{"Name":"holm-notes","Err":null}]"#),
        says(200, CREATED),
    ]);
    podman(&stage).create_network(&network()).await.unwrap();
    assert_eq!(stage.asked().len(), 4);

    let stage = Stage::new([
        conflict(),
        says(200, &other),
        says(200, r#"[{"Name":"holm-notes","Err":{}}]"#),
        says(204, ""),
    ]);
    let error = podman(&stage).create_network(&network()).await.unwrap_err();
    assert!(error.why.contains("other parameters"), "{error}");

    let foreign = CREATED
        .replace("io.holm.cell", "com.example")
        .replace("172.20.0.18", "10.0.0.1");
    let stage = Stage::new([conflict(), says(200, &foreign)]);
    let error = podman(&stage).create_network(&network()).await.unwrap_err();
    assert!(error.why.contains("did not make"), "{error}");
    assert_eq!(stage.asked().len(), 2);
}

#[tokio::test]
async fn success_with_an_error_inside_is_an_error() {
    let inside = || says(200, r#"[{"Name":"holm-notes","Err":{}}]"#);
    let stage = Stage::new([inside(), says(204, "")]);
    podman(&stage).remove_network("holm-notes").await.unwrap_err();
    for plays in [
        vec![inside(), says(404, "{}")],
        vec![says(404, "{}")],
        vec![says(200, r#"[{"Name":"holm-notes"}]"#)],
    ] {
        let stage = Stage::new(plays);
        podman(&stage).remove_network("holm-notes").await.unwrap();
    }
    for name in ["podman", "holm-a/../b", "holm-a?force=true", "holm- a"] {
        let stage = Stage::new([]);
        podman(&stage).remove_network(name).await.unwrap_err();
        podman(&stage).remove_volume(name).await.unwrap_err();
        assert!(stage.asked().is_empty());
    }
}

#[tokio::test]
async fn a_volume_that_is_gone_takes_no_other_with_it() {
    let longer = r#"[{"Name":"holm-notes.data-archive"}]"#;
    let stage = Stage::new([says(200, longer)]);
    podman(&stage).remove_volume("holm-notes.data").await.unwrap();
    assert_eq!(stage.asked(), ["GET /v5.0.0/libpod/volumes/json"]);

    let there = r#"[{"Name":"holm-notes.data"}]"#;
    let stage = Stage::new([
        says(200, there),
        says(409, r#"{"cause":"x","message":"volume is being used"}"#),
    ]);
    assert!(
        podman(&stage)
            .remove_volume("holm-notes.data")
            .await
            .unwrap_err()
            .why
            .contains("being used")
    );

    let exists = says(500, r#"{"message":"volume already exists"}"#);
    let service = "notes".parse().unwrap();
    let stage = Stage::new([exists.clone(), says(200, there)]);
    podman(&stage)
        .create_volume("holm-notes.data", &service)
        .await
        .unwrap();
    let stage = Stage::new([exists, says(200, longer)]);
    podman(&stage)
        .create_volume("holm-notes.data", &service)
        .await
        .unwrap_err();
}

#[tokio::test]
async fn legs_are_those_of_an_anchor_that_runs() {
    let stage = Stage::new([
        says(200, ANCHOR),
        says(404, "{}"),
        says(200, &ANCHOR.replace("true", "false")),
    ]);
    let podman = podman(&stage);
    assert_eq!(
        podman.legs().await.unwrap().into_iter().collect::<Vec<_>>(),
        ["holm-notes", "holm-up"]
    );
    assert!(podman.legs().await.unwrap().is_empty());
    assert!(podman.legs().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_leg_is_connected_once_and_moved_when_its_address_is_another() {
    let leg = Leg {
        network: "holm-notes".into(),
        address: [172, 20, 0, 18].into(),
        mac: "02:00:ac:14:00:12".into(),
        interface: "s1".into(),
    };
    let none = r#"{"State":{"Running":true},"NetworkSettings":{"Networks":{}}}"#;
    let stage = Stage::new([says(200, ANCHOR)]);
    podman(&stage).connect(&leg).await.unwrap();

    let stage = Stage::new([says(200, none), says(200, r#""OK""#)]);
    podman(&stage).connect(&leg).await.unwrap();
    let asked = stage.asked();
    let (path, body) = asked[1].strip_prefix("POST ").unwrap().split_once(' ').unwrap();
    assert_eq!(path, "/v5.0.0/libpod/networks/holm-notes/connect");
    let expected = serde_json::json!({ "container": "holm-anchor", "static_ips": ["172.20.0.18"],
        "static_mac": "02:00:ac:14:00:12", "interface_name": "s1" });
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), expected);

    let elsewhere = ANCHOR.replace("172.20.0.18", "172.20.0.99");
    let plays = [
        says(200, &elsewhere),
        says(200, &elsewhere),
        says(200, r#""OK""#),
        says(200, r#""OK""#),
    ];
    let stage = Stage::new(plays);
    podman(&stage).connect(&leg).await.unwrap();
    assert!(stage.asked()[2].contains("/disconnect ") && stage.asked()[3].contains("/connect "));

    let stage = Stage::new([says(200, none)]);
    podman(&stage).disconnect("holm-notes").await.unwrap();
    let stage = Stage::new([says(200, ANCHOR), says(500, "{}"), says(200, none)]);
    podman(&stage).disconnect("holm-notes").await.unwrap();
}
