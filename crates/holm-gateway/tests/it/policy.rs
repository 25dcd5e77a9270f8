//! The policy in a real kernel: what nft takes, and which packets pass.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use holm_core::{gateway::GatewayConfig, render::nft};

use crate::world::document;

/// Runs a program as root of a namespace of its own.
#[expect(
    clippy::disallowed_methods,
    reason = "the kernel's own judgement is what is tested"
)]
fn apart(arguments: &[&str], stdin: &str) -> Output {
    let mut child = Command::new("unshare")
        .arg("-rn")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Whether this machine can show anything: nft, ip, and user namespaces.
fn can() -> bool {
    let can = apart(
        &[
            "sh",
            "-c",
            "nft list tables && ip link && command -v python3 curl nsenter",
        ],
        "",
    );
    if !can.status.success() {
        eprintln!("not run: needs unshare, nft, ip, python3 and curl");
    }
    can.status.success()
}

#[test]
fn nft_takes_the_text() {
    if !can() {
        return;
    }
    for text in [
        nft::closed(),
        nft::render(&document(1, &[("a", 61, 80, true), ("b", 62, 81, false)])).unwrap(),
    ] {
        let checked = apart(&["nft", "-c", "-f", "-"], &text);
        assert!(
            checked.status.success(),
            "{}\n{text}",
            String::from_utf8_lossy(&checked.stderr)
        );
        // Again over itself: loading replaces, it does not add.
        let twice = "cat >\"$0\" && nft -f \"$0\" && nft list ruleset >\"$0.1\" && nft -f \"$0\" && nft list ruleset | cmp - \"$0.1\"";
        let file = tempfile::NamedTempFile::new().unwrap();
        let loaded = apart(&["sh", "-c", twice, file.path().to_str().unwrap()], &text);
        assert!(
            loaded.status.success(),
            "{}",
            String::from_utf8_lossy(&loaded.stderr)
        );
    }
}

#[test]
fn packets() {
    if !can() {
        return;
    }
    let config: GatewayConfig = serde_json::from_value(serde_json::json!({
        "generation": 1, "domain": "alice.test",
        "legs": [
            { "service": "one", "interface": "s1", "address": "172.20.0.18", "hash": "00112233445566aa",
              "members": [{ "names": ["web"], "address": "172.20.0.19", "mac": "02:00:ac:14:00:13", "backend_ports": [] }] },
            { "service": "two", "interface": "s2", "address": "172.20.0.34", "hash": "00112233445566aa",
              "members": [{ "names": ["web"], "address": "172.20.0.35", "mac": "02:00:ac:14:00:23", "backend_ports": [80] }] },
        ],
        "routes": [{ "host": "two.alice.test", "service": "two", "name": "Two", "backend": "172.20.0.35:80" }],
    }))
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("config")).unwrap();
    std::fs::write(
        folder.path().join("config/current"),
        serde_json::to_vec(&config).unwrap(),
    )
    .unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/policy.sh");
    let program = env!("CARGO_BIN_EXE_holm-gateway");
    let output = apart(&["bash", script, program, folder.path().to_str().unwrap()], "");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && output.stdout.ends_with(b"ok\n"),
        "{told}"
    );
}
