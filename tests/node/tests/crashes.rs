//! Pulling the plug: the daemon killed at any moment, the machine rebooted, the power cut. It ends as asked.

#![expect(
    clippy::disallowed_methods,
    reason = "a crash comes at a chosen time: that is what these sleeps are, not a synchronisation"
)]

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use holm_node_tests::House;
use xtask::cell::{Cell, fetch, get};
use xtask::node::CreateOptions;

/// Everything of a service that is on the machine, one line each.
fn remains(cell: &Cell, id: &str) -> Result<String> {
    cell.sh(&format!(
        "podman ps -a --format 'container {{{{.Names}}}}' | grep {id}; podman network ls --format 'network {{{{.Name}}}}' | grep {id}; \
         podman volume ls --format 'volume {{{{.Name}}}}' | grep {id}; ls ~/.config/containers/systemd | grep {id}; true"
    ))
}

fn settled(cell: &Cell) -> Result<()> {
    cell.wait_for(
        "a settled cell",
        "holm status --json | grep -q '\"settled\": *true'",
    )
}

#[test]
fn the_daemon_killed_at_twenty_moments_ends_as_asked() -> Result<()> {
    let House { cell, client, .. } = House::new(&["home"])?;
    let kill = "systemctl --user kill -s KILL holmd";
    for round in 0u64..20 {
        let wait = Duration::from_millis(round * 67 % 1300);
        cell.holm(&["install", "homepage", "--no-wait"])?;
        std::thread::sleep(wait);
        cell.sh(kill)?;
        cell.wait_for("the daemon", "holm status >/dev/null")?;
        settled(&cell)?;
        ensure!(
            get(&client, "home", "/")?.0 == 200,
            "round {round}: installed, but it does not answer"
        );
        let there = "container holm-homepage.main\nnetwork holm-homepage\nvolume holm-homepage.homepage-html\nholm-homepage.main.container";
        let seen = remains(&cell, "homepage")?;
        ensure!(seen == there, "round {round}, {wait:?} into the install:\n{seen}");

        cell.holm(&["remove", "homepage", "--no-wait"])?;
        std::thread::sleep(wait);
        cell.sh(kill)?;
        cell.wait_for("the daemon", "holm status >/dev/null")?;
        settled(&cell)?;
        let seen = remains(&cell, "homepage")?;
        ensure!(
            seen == "volume holm-homepage.homepage-html",
            "round {round}, {wait:?} into the removal:\n{seen}"
        );
    }
    Ok(())
}

#[test]
fn after_a_reboot_services_answer_without_a_command_and_without_the_daemon() -> Result<()> {
    let House { cell, client, .. } = House::new(&["home", "echo"])?;
    for id in ["homepage", "echo"] {
        cell.holm(&["install", id])?;
    }
    cell.holm(&["stop", "echo"])?;
    cell.node.reboot()?;
    ensure!(answers(&client, "home")?, "after a reboot it does not answer");
    ensure!(
        get(&client, "echo", "/")?.0 == 503,
        "a stopped service was started by the reboot"
    );
    cell.node.exec_ok(&["chmod", "-x", "/usr/lib/holm/holmd"])?;
    cell.node.reboot()?;
    ensure!(
        answers(&client, "home")?,
        "without the daemon it does not answer after a reboot"
    );
    Ok(())
}

/// Within two minutes, a limit for a loaded machine; how long it took is printed.
fn answers(client: &xtask::node::Node, host: &str) -> Result<bool> {
    let start = Instant::now();
    let mut last = None;
    while start.elapsed() < Duration::from_secs(120) {
        match get(client, host, "/") {
            Ok((200, _)) => {
                println!("{host} answers after {:.1} s", start.elapsed().as_secs_f64());
                return Ok(true);
            }
            other => last = Some(other.map(|(status, _)| status)),
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    println!("{host} does not answer, last: {last:?}");
    Ok(false)
}

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() -> Result<()> {
    let disk = CreateOptions {
        disk: Some("4G".into()),
        ..CreateOptions::default()
    };
    let House { cell, client, .. } = House::with(disk, &["home", "echo"])?;
    cell.holm(&["install", "echo"])?;
    for round in 0u64..4 {
        // Files put one after the other until the power goes; what was answered 201 must be there.
        let put = format!(
            "for i in $(seq 1000); do curl -s -m 5 --cacert /root/root.crt -T - https://echo.alice.test/files/r{round}-$i \
             -w '%{{http_code}}' -o /dev/null <<<\"content $i\" | grep -q 201 && echo $i >> /root/put{round} || exit 0; done"
        );
        let mut writer = client.spawn(None, &["bash", "-c", &put])?;
        std::thread::sleep(Duration::from_millis(600 + 150 * round));
        cell.holm(&["install", "homepage", "--no-wait"])?;
        std::thread::sleep(Duration::from_millis(round * 350));
        cell.node.cut()?;
        writer.wait()?;
        cell.node.boot()?;
        ensure!(
            answers(&client, "echo")?,
            "round {round}: echo does not answer after the power cut"
        );
        let acknowledged = client.exec_ok(&["sh", "-c", &format!("cat /root/put{round}")])?;
        ensure!(
            acknowledged.lines().count() > 3,
            "round {round}: too few files were put: {acknowledged}"
        );
        for i in acknowledged.lines() {
            let (status, body) = fetch(&client, "echo", &format!("/files/r{round}-{i}"), &[])?;
            ensure!(
                status == 200 && body == format!("content {i}\n"),
                "round {round}: file {i} is lost: {status} {body:?}"
            );
        }
        ensure!(
            answers(&client, "home")?,
            "round {round}: the acknowledged install was not carried out"
        );
        settled(&cell)?;
        cell.holm(&["purge", "homepage", "--confirm", "homepage"])?;
    }
    Ok(())
}
