//! The path that a person walks: install from a store, open over HTTPS from another machine, stop, start, remove
//! with the data kept, install again with it, purge.

use anyhow::{Result, ensure};
use holm_node_tests::House;
use xtask::cell::get;

#[test]
fn a_service_from_the_store_to_https_and_back() -> Result<()> {
    let House { cell, client, .. } = House::new(&["home"])?;

    let said = cell.holm(&["install", "homepage"])?;
    ensure!(
        said.contains("https://home.alice.test/"),
        "install does not name the URL: {said}"
    );
    let (status, page) = get(&client, "home", "/")?;
    ensure!(
        status == 200 && page.contains("<html"),
        "the page does not open: {status} {page}"
    );
    let address = client.ip()?;
    let seen = format!(
        "grep '\"remote_ip\":\"{address}\"' /var/lib/holm/logs/holm-caddy.log | grep -c home.alice.test"
    );
    ensure!(
        cell.node.exec_ok(&["sh", "-c", &seen])? != "0",
        "the edge's log has not the client's real address"
    );

    let write = "busybox sh -c 'echo mine > /usr/share/nginx/html/mine.txt'";
    cell.sh(&format!("podman exec holm-homepage.main {write}"))?;
    cell.holm(&["stop", "homepage"])?;
    ensure!(get(&client, "home", "/")?.0 == 503, "a stopped service answers");
    cell.holm(&["start", "homepage"])?;
    ensure!(
        get(&client, "home", "/mine.txt")? == (200, "mine\n".into()),
        "after a start the data is not there"
    );
    cell.holm(&["restart", "homepage"])?;
    ensure!(
        get(&client, "home", "/")?.0 == 200,
        "after a restart it does not answer"
    );

    cell.holm(&["remove", "homepage"])?;
    ensure!(
        get(&client, "home", "/")?.0 == 404,
        "a removed service has a route"
    );
    cell.holm(&["install", "homepage"])?;
    ensure!(
        get(&client, "home", "/mine.txt")?.0 == 200,
        "installed again it does not find its data"
    );

    for (verb, words) in [
        ("install", vec!["install", "homepage"]),
        ("start", vec!["start", "homepage"]),
        ("stop", vec!["stop", "homepage"]),
        ("stop again", vec!["stop", "homepage"]),
        ("remove", vec!["remove", "homepage"]),
        ("remove again", vec!["remove", "homepage"]),
    ] {
        let out = cell.node.exec(&[&["holm"], &words[..]].concat())?;
        ensure!(
            out.status.success(),
            "{verb} is no quiet success: {}",
            xtask::sh::said(&out)
        );
    }
    cell.holm(&["purge", "homepage", "--confirm", "homepage"])?;
    let left = "podman volume ls -q; podman network ls -q | grep homepage; find ~ -name '*homepage*' ! -path '*/storage/*' ! -path '*/logs/*'; true";
    let left = cell.sh(left)?;
    ensure!(left.is_empty(), "a purge left: {left}");
    Ok(())
}
