//! The fake machine under the real core: a plan carried out ends where it should, whatever fails on the way.

use holm_core::{
    decide::decide,
    diff::diff,
    intent::{CoreImages, Intent},
    observed::{Observed, UnitState},
    plan::Step,
    target::{Target, Wanted},
};
use serde_json::{Value, json};

use super::{Fails, FakeHost};
use crate::Host;

fn image(name: &str) -> String {
    format!(
        "images.holm.example/{name}:1@sha256:{}",
        "0123456789abcdef".repeat(4)
    )
}

fn service(id: &str, secret: bool) -> Value {
    let password = if secret {
        json!([{ "text": "p:" }, { "secret": "PASSWORD" }])
    } else {
        json!([])
    };
    json!({
        "wanted": "running", "settings": {}, "restarts": 0,
        "service": {
            "id": id, "name": id, "description": "", "version": "1.0.0", "author": "test", "main": "main",
            "routes": [{ "subdomain": id, "container": "main", "port": 80 }],
            "peer_ports": [], "volumes": ["data"], "settings": {},
            "secrets": if secret { json!(["PASSWORD"]) } else { json!([]) },
            "containers": [{
                "name": "main", "aliases": [], "image": image(id), "entrypoint": null, "command": null,
                "user": null, "working_dir": null,
                "env": if secret { json!({ "PASSWORD": password }) } else { json!({}) },
                "mounts": [{ "volume": "data", "path": "/data", "read_only": false }],
                "capabilities": [], "read_only": true, "init": false, "stop_seconds": null,
            }],
        },
    })
}

fn intent() -> Intent {
    serde_json::from_value(json!({
        "cell": { "name": "alice", "domain": "alice.test", "pool": "172.20.0.0/16" },
        "services": { "files": service("files", true), "homepage": service("homepage", false) },
    }))
    .unwrap()
}

fn target(wish: &Intent, last: Option<&Target>) -> Target {
    let images = CoreImages {
        gateway: image("holm-gateway").parse().unwrap(),
        caddy: image("caddy").parse().unwrap(),
    };
    decide(wish, last, &[], &images).target
}

/// One pass of a loop; true when there was nothing to do.
async fn pass(host: &FakeHost, target: &Target) -> bool {
    let Ok(seen) = host.observe().await else {
        return false;
    };
    let plan = diff(target, &seen);
    let mut broken = Vec::new();
    for planned in &plan.steps {
        if broken.contains(&&planned.owner) {
            continue;
        }
        // A pull goes on beside the rest in the real loop: its end holds up nothing of this pass.
        if host.apply(&planned.step).await.is_err() && !matches!(planned.step, Step::Pull(_)) {
            broken.push(&planned.owner);
        }
    }
    plan.settled()
}

async fn converge(host: &FakeHost, target: &Target) {
    for _ in 0..100 {
        if pass(host, target).await {
            return;
        }
    }
    panic!(
        "never settles: {:#?}\n{:#?}",
        diff(target, &host.look()),
        host.look().units
    );
}

/// Installs both, then takes the one called `files` as far as `wanted`.
async fn story(host: &FakeHost, wanted: Wanted) -> Observed {
    let mut wish = intent();
    let mut decided = target(&wish, None);
    converge(host, &decided).await;
    wish.services.get_mut(&"files".parse().unwrap()).unwrap().wanted = wanted;
    decided = target(&wish, Some(&decided));
    converge(host, &decided).await;
    host.look()
}

#[tokio::test]
async fn an_install_ends_with_everything_up() {
    let host = FakeHost::new();
    let seen = story(&host, Wanted::Running).await;
    let running: Vec<&str> = seen.containers.keys().map(String::as_str).collect();
    assert_eq!(
        running,
        [
            "holm-anchor",
            "holm-caddy",
            "holm-files.main",
            "holm-gateway",
            "holm-homepage.main"
        ]
    );
    assert!(
        seen.units.values().all(|unit| unit.state == UnitState::Active),
        "{:?}",
        seen.units
    );
    assert!(seen.gateway.unwrap().backends.iter().all(|backend| backend.up));
    assert!(
        host.ca_certificate()
            .await
            .unwrap()
            .unwrap()
            .starts_with("-----BEGIN")
    );
    let secret = host
        .reveal(&"files".parse().unwrap(), &"PASSWORD".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(secret.expose(), "secret-1");
}

#[tokio::test]
async fn a_failure_at_any_step_ends_in_the_same_world() {
    for wanted in [Wanted::Stopped, Wanted::Removed, Wanted::Purged] {
        let smooth = FakeHost::new();
        let expected = story(&smooth, wanted).await;
        let steps = smooth.history().len() as u64;
        assert!(steps > 20, "{steps}");
        for nth in 1..=steps {
            for fails in [Fails::Before, Fails::After] {
                let host = FakeHost::new();
                host.fail_at(nth, fails);
                assert_eq!(
                    story(&host, wanted).await,
                    expected,
                    "{wanted:?} with {fails:?} at {nth}"
                );
                assert!(host.history().iter().any(|step| step.ends_with(" (failed)")));
            }
        }
    }
}

#[tokio::test]
async fn a_reboot_after_any_step_needs_nothing_new() {
    let smooth = FakeHost::new();
    let expected = story(&smooth, Wanted::Running).await;
    let steps = smooth.history().len();
    let decided = target(&intent(), None);
    for cut in 0..=steps {
        let host = FakeHost::new();
        let mut done = 0;
        'all: for _ in 0..100 {
            for planned in diff(&decided, &host.observe().await.unwrap()).steps {
                if done == cut {
                    break 'all;
                }
                host.apply(&planned.step).await.unwrap();
                done += 1;
            }
        }
        host.reboot();
        converge(&host, &decided).await;
        assert_eq!(host.look(), expected, "rebooted after step {cut}");
    }
}

#[tokio::test]
async fn all_come_back_by_themselves() {
    let host = FakeHost::new();
    let expected = story(&host, Wanted::Stopped).await;
    let tried = host.history().len();
    host.reboot();
    assert!(host.look().containers.is_empty() && host.look().gateway.is_none());
    host.settle();
    assert_eq!(host.look(), expected);
    for container in ["holm-anchor", "holm-gateway", "holm-homepage.main"] {
        host.kill(container);
        assert!(!host.look().containers.contains_key(container));
        host.settle();
        assert_eq!(host.look(), expected, "after the end of {container}");
    }
    assert_eq!(host.history().len(), tried);
}

#[tokio::test]
async fn a_service_waits_for_its_policy_and_is_then_started() {
    let host = FakeHost::new();
    let decided = target(&intent(), None);
    // Without the first document the gateway is not ready and no service may start.
    for _ in 0..5 {
        for planned in diff(&decided, &host.observe().await.unwrap()).steps {
            if !matches!(planned.step, Step::Configure(_)) {
                host.apply(&planned.step).await.unwrap();
            }
        }
    }
    host.settle();
    let state = |unit: &str| host.look().units[unit].state;
    assert_eq!(state("holm-gateway.service"), UnitState::Starting);
    assert!(!host.look().containers.contains_key("holm-homepage.main"));
    converge(&host, &decided).await;
    assert_eq!(state("holm-homepage.main.service"), UnitState::Active);
}

#[tokio::test]
async fn what_is_in_use_is_not_removed() {
    let host = FakeHost::new();
    story(&host, Wanted::Running).await;
    for step in [
        Step::RemoveNetwork("holm-files".into()),
        Step::RemoveVolume("holm-files.data".into()),
        Step::Start(vec!["holm-nobody.service".into()]),
        Step::WriteFile {
            path: "../elsewhere".into(),
            text: String::new(),
        },
    ] {
        host.apply(&step).await.unwrap_err();
    }
    host.apply(&Step::Stop(vec!["holm-nobody.service".into()]))
        .await
        .unwrap();
    host.apply(&Step::RemoveVolume("holm-nobody.data".into()))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_broken_program_a_refusing_registry_and_a_blind_moment() {
    let host = FakeHost::new();
    host.refuse_pulls("images.holm.example/files");
    host.broken("holm-homepage.main", true);
    let decided = target(&intent(), None);
    host.blind(1);
    host.observe().await.unwrap_err();
    for _ in 0..20 {
        assert!(!pass(&host, &decided).await);
    }
    assert_eq!(
        host.look().units["holm-homepage.main.service"].state,
        UnitState::Retrying
    );
    assert!(!host.look().units.contains_key("holm-files.main.service"));
    host.refuse_pulls("");
    host.broken("holm-homepage.main", false);
    converge(&host, &decided).await;
}

#[tokio::test]
async fn a_change_is_heard_also_when_nobody_listened() {
    let host = FakeHost::new();
    host.say("holm-homepage.main", "t0 stdout before");
    let mut lines = host.logs("holm-homepage.main", true, 10).await.unwrap();
    host.say("holm-homepage.main", "t1 stdout after");
    assert_eq!(lines.recv().await.unwrap(), b"t0 stdout before\n");
    assert_eq!(lines.recv().await.unwrap(), b"t1 stdout after\n");
    host.reboot();
    host.changed().await;
}
