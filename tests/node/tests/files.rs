//! `files`, a service with settings and a secret: WebDAV by a client of others, and the secret where it belongs only.

use std::io::{BufRead as _, BufReader};

use anyhow::{Context, Result, ensure};
use holm_node_tests::House;
use xtask::cell::{Cell, fetch};
use xtask::demo::webdav;

/// The environment of the service's own process, as the kernel has it.
fn environment(cell: &Cell) -> Result<String> {
    let processes = cell.node.processes();
    let rclone = processes
        .iter()
        .find(|process| process.cmdline.starts_with("/usr/bin/rclone"));
    let pid = rclone.context("no process of files runs")?.pid;
    Ok(std::fs::read_to_string(format!("/proc/{pid}/environ"))?.replace('\0', "\n"))
}

#[test]
fn files_by_webdav_with_settings_and_a_secret_that_stays_one() -> Result<()> {
    let House { cell, client, .. } = House::new(&["files"])?;
    cell.holm(&["install", "files", "--set", "cache_seconds=7"])?;
    webdav(&cell, &client)?;
    ensure!(
        fetch(&client, "files", "/diary.txt", &[])?.0 == 401,
        "without the password it opens"
    );

    let secret = cell
        .holm(&["secret", "show", "files", "DAV_PASSWORD"])?
        .trim()
        .to_owned();
    ensure!(secret.len() == 32, "the secret has {} characters", secret.len());
    let seen = environment(&cell)?;
    for line in [
        format!("RCLONE_PASS={secret}"),
        "RCLONE_USER=files".into(),
        "RCLONE_REALM=files of alice".into(),
        "RCLONE_DIR_CACHE_TIME=7s".into(),
        "RCLONE_READ_ONLY=false".into(),
        "FILES_URL=https://files.alice.test/".into(),
    ] {
        ensure!(
            seen.lines().any(|seen| seen == line),
            "the service's environment lacks a line ({} long)",
            line.len()
        );
    }
    nowhere_else(&cell, &secret)?;

    cell.holm(&["reconfigure", "files", "--set", "read_only=true"])?;
    let user = format!("files:{secret}");
    let put = |words: &[&str]| fetch(&client, "files", "/new.txt", &[&["-u", &user], words].concat());
    ensure!(
        put(&["-T", "/root/root.crt"])?.0 >= 400,
        "read-only, and yet a file was put"
    );
    ensure!(
        fetch(&client, "files", "/diary.txt", &["-u", &user])?.0 == 200,
        "the file is gone after a reconfigure"
    );
    ensure!(
        environment(&cell)?.contains("RCLONE_DIR_CACHE_TIME=7s"),
        "a setting was forgotten by a reconfigure"
    );
    for (set, rule) in [
        ("cache_seconds=0", "1 to 3600"),
        ("cache_seconds=x", "an integer"),
        ("nope=1", "nope"),
    ] {
        let out = cell.node.exec(&["holm", "reconfigure", "files", "--set", set])?;
        let said = xtask::sh::said(&out);
        ensure!(
            out.status.code() == Some(3) && said.contains(rule),
            "{set} is answered by {said}"
        );
    }

    cell.holm(&["remove", "files"])?;
    cell.holm(&["install", "files"])?;
    let again = cell.holm(&["secret", "show", "files", "DAV_PASSWORD"])?;
    ensure!(again.trim() == secret, "installed again it has another secret");
    ensure!(
        fetch(&client, "files", "/diary.txt", &["-u", &user])?.0 == 200,
        "installed again it has lost its data"
    );

    let said = cell.holm(&["logs", "files"])?;
    ensure!(said.contains("WebDav Server started"), "the log says {said:?}");
    let mut follow = cell
        .node
        .spawn(None, &["holm", "logs", "files", "-f", "--tail", "0"])?;
    let mut lines = BufReader::new(follow.stdout.take().context("no output")?).lines();
    cell.holm(&["restart", "files"])?;
    let line = lines.next().context("nothing followed")??;
    ensure!(!line.is_empty(), "an empty line followed");
    follow.kill()?;
    follow.wait()?;
    Ok(())
}

/// Not on the disk, not in a log, not in an argument, not in another process.
fn nowhere_else(cell: &Cell, secret: &str) -> Result<()> {
    cell.node
        .push_bytes(secret.as_bytes(), "/root/secret", 0o600, "root")?;
    let disk = cell.node.exec(&[
        "sh",
        "-c",
        "grep -rlF -f /root/secret /var/lib/holm /var/log /etc /tmp /srv 2>/dev/null",
    ])?;
    ensure!(
        disk.stdout.is_empty(),
        "the secret is in clear in {}",
        String::from_utf8_lossy(&disk.stdout)
    );
    let log = cell.node.exec_ok(&[
        "sh",
        "-c",
        "journalctl --no-pager -o json | grep -cF -f /root/secret; true",
    ])?;
    ensure!(log == "0", "the secret is in {log} lines of the journal");
    for process in cell.node.processes() {
        ensure!(
            !process.cmdline.contains(secret),
            "the secret is an argument of process {}",
            process.pid
        );
        let environ = std::fs::read_to_string(format!("/proc/{}/environ", process.pid)).unwrap_or_default();
        let own = process.cmdline.starts_with("/usr/bin/rclone");
        ensure!(
            own || !environ.contains(secret),
            "the secret is in the environment of {}",
            process.cmdline
        );
    }
    // The search can find: it is where the service gets it from.
    let memory = cell
        .node
        .exec_ok(&["sh", "-c", "grep -rlF -f /root/secret /run/user/*/holm/env"])?;
    ensure!(
        memory.ends_with("holm-files.cell-files"),
        "the secret is in memory at {memory}"
    );
    Ok(())
}
