//! The path that a person walks: install from a store, open over HTTPS from another machine, stop, start, remove
//! with the data kept, install again with it, purge.

use anyhow::{Result, ensure};
use xtask::cell::{Artifacts, Cell};
use xtask::node::{Bench, CreateOptions};
use xtask::workspace::Profile;

#[test]
fn a_service_from_the_store_to_https_and_back() -> Result<()> {
    let bench = Bench::open()?;
    let artifacts = Artifacts::build(Profile::Dev)?;
    let cell = Cell::start(&bench, &Bench::unique("a"), CreateOptions::default(), &artifacts)?;
    let client = bench.fresh(&Bench::unique("b"), CreateOptions::default())?;
    cell.introduce(&client, &["home", "echo"])?;
    let get = |url: &str| client.exec(&["curl", "-sS", "--fail-with-body", "--cacert", "/root/root.crt", url]);

    let said = cell.holm(&["install", "homepage"])?;
    ensure!(said.contains("https://home.alice.test/"), "install does not name the URL: {said}");
    let page = get("https://home.alice.test/")?;
    ensure!(page.status.success(), "the page does not open: {}", xtask::sh::said(&page));
    let address = client.ip()?;
    let log = cell.node.exec_ok(&["grep", "-c", &format!("\"client_ip\":\"{address}\""), "/var/lib/holm/logs/holm-caddy.log"])?;
    ensure!(log != "0", "the edge's log does not have the client's real address {address}");

    cell.sh("podman exec holm-homepage.main sh -c 'echo mine > /usr/share/nginx/html/mine.txt' || podman exec holm-homepage.main busybox sh -c 'echo mine > /usr/share/nginx/html/mine.txt'")?;
    cell.holm(&["stop", "homepage"])?;
    ensure!(!get("https://home.alice.test/")?.status.success(), "a stopped service answers");
    cell.holm(&["start", "homepage"])?;
    ensure!(get("https://home.alice.test/mine.txt")?.status.success(), "after a start the data is not there");
    cell.holm(&["restart", "homepage"])?;
    ensure!(get("https://home.alice.test/")?.status.success(), "after a restart it does not answer");

    cell.holm(&["remove", "homepage"])?;
    ensure!(!get("https://home.alice.test/")?.status.success(), "a removed service answers");
    cell.holm(&["install", "homepage"])?;
    ensure!(get("https://home.alice.test/mine.txt")?.status.success(), "installed again it does not find its data");
    cell.holm(&["purge", "homepage", "--confirm", "homepage"])?;
    let left = cell.sh("podman volume ls -q; podman network ls -q -f name=holm-homepage; ls ~/.config/containers/systemd | grep homepage; true")?;
    ensure!(left.is_empty(), "a purge left: {left}");
    Ok(())
}
