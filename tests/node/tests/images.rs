//! The images of the project on a real machine: pulled by digest from its own registry, run rootless.

use anyhow::{Context, Result, ensure};
use xtask::images::{self, References};
use xtask::node::{Bench, Node};
use xtask::registry;

const USER: &str = "cell";

fn podman(node: &Node, words: &[&str]) -> Result<String> {
    node.exec_as_ok(USER, &[&["podman"], words].concat())
}

fn image(references: &References, name: &str) -> Result<String> {
    references
        .get(name)
        .cloned()
        .with_context(|| format!("no image {name}: run `cargo xtask images`"))
}

/// What the container's web server answers, tried for ten seconds, since it listens a little later.
fn fetch(node: &Node, address: &str, words: &str) -> Result<String> {
    let curl = format!("curl --silent --show-error --fail --max-time 5 {words} {address}");
    let tries =
        format!("for i in $(seq 100); do {curl} 2>/tmp/why && exit; sleep 0.1; done; cat /tmp/why; exit 1");
    node.exec_ok(&["sh", "-c", &tries])
}

#[test]
fn every_image_is_pulled_by_digest_and_runs_rootless() -> Result<()> {
    let references = images::built()?;
    let bench = Bench::open()?;
    let node = bench.fresh(&Bench::unique("images"), Default::default())?;
    node.exec_ok(&["useradd", "--create-home", USER])?;
    node.exec_ok(&["loginctl", "enable-linger", USER])?;
    registry::serve(&node)?;
    for reference in references.values() {
        podman(&node, &["pull", "--quiet", reference])?;
    }
    let gateway = image(&references, "holm-gateway")?;
    let nft = podman(
        &node,
        &[
            "run",
            "--rm",
            "--read-only",
            "--entrypoint",
            "/usr/sbin/nft",
            &gateway,
            "-v",
        ],
    )?;
    ensure!(nft.starts_with("nftables v"), "nft says {nft:?}");
    let caddy = podman(
        &node,
        &[
            "run",
            "--rm",
            "--read-only",
            &image(&references, "caddy")?,
            "version",
        ],
    )?;
    ensure!(!caddy.starts_with("2.6"), "caddy {caddy} is too old");
    homepage(&node, &image(&references, "homepage")?)?;
    files(&node, &image(&references, "files")?)?;
    echo(&node, &image(&references, "echo")?)
}

fn homepage(node: &Node, image: &str) -> Result<()> {
    // Port 80 without a capability, as the product starts it: Podman leaves this sysctl at 1024.
    let run = "run --detach --name home --cap-drop=all --sysctl=net.ipv4.ip_unprivileged_port_start=0 \
               --publish 8001:80 --volume html:/usr/share/nginx/html";
    podman(node, &[&words(run)[..], &[image]].concat())?;
    let page = fetch(node, "http://127.0.0.1:8001/", "")?;
    ensure!(
        page.contains("Welcome home"),
        "a fresh volume is not filled from the image: {page}"
    );
    podman(node, &["rm", "--force", "--time", "0", "home"])?;
    Ok(())
}

fn files(node: &Node, image: &str) -> Result<()> {
    let run = "run --detach --name files --cap-drop=all --publish 8003:8080 --volume dav:/data \
               --env RCLONE_USER=u --env RCLONE_PASS=p";
    podman(node, &[&words(run)[..], &[image]].concat())?;
    let file = "http://127.0.0.1:8003/a";
    fetch(node, file, "--user u:p --upload-file /etc/hostname")?;
    let kept = fetch(node, file, "--user u:p")?;
    ensure!(kept == node.name(), "put {}, got {kept}", node.name());
    let status = fetch(
        node,
        file,
        "--no-fail --write-out '%{http_code}' --output /dev/null",
    )?;
    ensure!(status == "401", "without a password: {status}");
    Ok(())
}

fn echo(node: &Node, image: &str) -> Result<()> {
    let run = "run --detach --name echo --cap-drop=all --read-only --publish 8002:8080 --volume data:/data";
    podman(node, &[&words(run)[..], &[image]].concat())?;
    let hello = fetch(
        node,
        "http://127.0.0.1:8002/",
        "--header 'X-Forwarded-For: 192.0.2.7'",
    )?;
    ensure!(hello.contains("192.0.2.7"), "{hello}");
    let file = "http://127.0.0.1:8002/files/a";
    fetch(node, file, "--upload-file /etc/hostname")?;
    let kept = fetch(node, file, "")?;
    ensure!(kept == node.name(), "put {}, got {kept}", node.name());
    podman(node, &["stop", "--time", "5", "echo"])?;
    let code = podman(node, &["inspect", "--format", "{{.State.ExitCode}}", "echo"])?;
    ensure!(code == "0", "it does not hear SIGTERM: exit code {code}");
    Ok(())
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}
