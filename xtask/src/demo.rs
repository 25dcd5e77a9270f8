//! `cargo xtask demo`: from a fresh machine to a cell that another machine opens over HTTPS.

use anyhow::{Result, ensure};

use crate::cell::{Artifacts, Cell, DOMAIN, get};
use crate::node::{Bench, CreateOptions, NodeGuard};
use crate::phases::Phases;
use crate::workspace::Profile;

/// Names of the demo's machines.
const CELL: &str = "a";
const CLIENT: &str = "b";

/// Makes the cell, walks the path, prints seconds by phase. Without `check` the machines stay up.
pub fn run(check: bool, profile: Profile) -> Result<()> {
    let mut phases = Phases::default();
    let options = || CreateOptions {
        disk: None,
        keep: !check,
    };
    let artifacts = phases.run("images, store, package", || Artifacts::build(profile))?;
    let bench = Bench::open()?;
    let cell = phases.run("a machine with the package", || {
        Cell::install(&bench, CELL, options(), &artifacts)
    })?;
    phases.run("holm init", || cell.init())?;
    let client = phases.run("a second machine", || bench.fresh(CLIENT, options()))?;
    cell.introduce(&client, &["home", "files"])?;
    phases.run("holm install homepage", || cell.holm(&["install", "homepage"]))?;
    phases.run("the page over HTTPS from the second machine", || page(&client))?;
    phases.run("holm install files", || cell.holm(&["install", "files"]))?;
    phases.run("a file over WebDAV from the second machine", || {
        webdav(&cell, &client)
    })?;
    phases.run("the edge knows the second machine's address", || {
        address_seen(&cell, &client)
    })?;
    phases.report();
    if check {
        println!("demo: every check passed");
        return Ok(());
    }
    stay(&cell)
}

fn page(client: &NodeGuard) -> Result<()> {
    let (status, body) = get(client, "home", "/")?;
    ensure!(
        status == 200 && body.contains("<html"),
        "https://home.{DOMAIN}/ answered {status}: {body}"
    );
    Ok(())
}

/// rclone, a client of others, puts a file and gets it back. The password is asked of the cell, as a person would.
pub fn webdav(cell: &Cell, client: &NodeGuard) -> Result<()> {
    let password = cell.holm(&["secret", "show", "files", "DAV_PASSWORD"])?;
    let config = "umask 077; mkdir -p ~/.config/rclone; p=$(rclone obscure -); printf '[dav]\\ntype = webdav\\nurl = https://files.alice.test/\\nvendor = other\\nuser = files\\npass = %s\\n' \"$p\" > ~/.config/rclone/rclone.conf";
    // By standard input: a password has no place among the words of a command.
    let mut setup = client.spawn(None, &["sh", "-c", config])?;
    if let Some(mut input) = setup.stdin.take() {
        std::io::Write::write_all(&mut input, password.trim().as_bytes())?;
    }
    ensure!(setup.wait()?.success(), "rclone could not be configured");
    let rclone = "export HOME=/root; rclone --ca-cert /root/root.crt --retries 1 --low-level-retries 1";
    let walk = format!(
        "set -e; echo 'dear diary' > /root/diary.txt; {rclone} copy /root/diary.txt dav:; rm /root/diary.txt; \
         {rclone} copy dav:diary.txt /root/back; cat /root/back/diary.txt"
    );
    let said = client.exec_ok(&["sh", "-c", &walk])?;
    ensure!(said.trim() == "dear diary", "the file came back as {said:?}");
    Ok(())
}

fn address_seen(cell: &Cell, client: &NodeGuard) -> Result<()> {
    let address = client.ip()?;
    let look = format!("grep -c '\"remote_ip\":\"{address}\"' /var/lib/holm/logs/holm-caddy.log");
    let count = cell.node.exec(&["sh", "-c", &look])?;
    ensure!(count.status.success(), "the edge's log does not have {address}");
    Ok(())
}

fn stay(cell: &Cell) -> Result<()> {
    let address = cell.node.ip()?;
    let root = crate::workspace::target().join("demo-root.crt");
    crate::workspace::write(&root, cell.holm(&["ca"])? + "\n")?;
    println!("\nThe machines stay up. From this one:");
    for host in ["home", "files"] {
        println!(
            "  curl --cacert {} --resolve {host}.{DOMAIN}:443:{address} https://{host}.{DOMAIN}/",
            root.display()
        );
    }
    println!(
        "For a browser: `{address} home.{DOMAIN} files.{DOMAIN}` in /etc/hosts, and trust that certificate."
    );
    println!("In the cell:   cargo xtask node exec {CELL} holm status");
    println!("The end:       cargo xtask node down");
    Ok(())
}
