//! The bench itself: if these fail, no other test on real machines means anything.

use anyhow::{Context, Result};
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use xtask::node::{Bench, CreateOptions, Node};
use xtask::sh::{cmd, ok};

fn fresh(bench: &Bench, stem: &str) -> Result<xtask::node::NodeGuard> {
    bench.fresh(&Bench::unique(stem), CreateOptions::default())
}

/// Not by ping, which a host need not have. The socket is systemd's, so it listens when the command returns.
fn host_reaches(node: &Node) -> Result<()> {
    node.exec_ok(&[
        "systemd-run",
        "-q",
        "--unit=hello",
        "--socket-property=ListenStream=4000",
        "true",
    ])?;
    let connected = TcpStream::connect(format!("{}:4000", node.ip()?));
    connected
        .map(drop)
        .with_context(|| format!("the host does not reach {}", node.name()))
}

/// A process that has ended but waits for its parent's notice runs no more.
fn runs(proc: &Path) -> bool {
    let status = fs::read_to_string(proc.join("status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ") && !status.contains("State:\tX")
}

/// What the product's package will do, as root.
fn add_holm(node: &Node) -> Result<u32> {
    let make = "useradd --home-dir /var/lib/holm --no-create-home --shell /bin/sh --add-subids-for-system --system holm
        chown holm: /var/lib/holm && chmod 700 /var/lib/holm && loginctl enable-linger holm && id -u holm";
    let uid = node.exec_ok(&["sh", "-euc", make])?;
    uid.parse().with_context(|| format!("not a uid: {uid}"))
}

#[test]
fn a_node_is_debian_13_with_a_recent_podman() -> Result<()> {
    let bench = Bench::open()?;
    let node = fresh(&bench, "deb")?;
    let release = node.exec_ok(&["cat", "/etc/os-release"])?;
    assert!(release.contains("VERSION_CODENAME=trixie"), "{release}");
    assert_eq!(node.exec_ok(&["hostname"])?, node.name());
    assert_eq!(node.exec_ok(&["systemctl", "is-system-running"])?, "running");

    let podman = node.exec_ok(&["podman", "version", "--format", "{{.Client.Version}}"])?;
    let mut numbers = podman.split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        anyhow::bail!("not a version: {podman}");
    };
    assert!((major, minor) >= (5, 4), "{podman}");
    assert!(
        node.exec(&["getent", "passwd", "holm"])?.stdout.is_empty(),
        "only the package makes the user"
    );
    assert_eq!(
        node.exec_ok(&["stat", "-f", "-c", "%T", "/home", "/var/lib/holm"])?,
        "ext2/ext3\next2/ext3"
    );
    Ok(())
}

#[test]
fn nodes_and_host_reach_each_other_and_aliases_survive_a_reboot() -> Result<()> {
    let bench = Bench::open()?;
    let (a, b) = (fresh(&bench, "net-a")?, fresh(&bench, "net-b")?);
    assert_ne!(a.ip()?, b.ip()?);
    a.exec_ok(&["ping", "-c1", "-W5", b.name()])?;
    b.exec_ok(&["ping", "-c1", "-W5", a.name()])?;
    host_reaches(&a)?;
    host_reaches(&b)?;
    let router = bench.router_exec(&["ip", "-br", "addr", "show", "br0"])?;
    assert!(
        String::from_utf8_lossy(&router.stdout).contains(".1/24"),
        "{router:?}"
    );

    b.alias("home.alice.test", a.name())?;
    b.exec_ok(&["sysctl", "-qw", "net.ipv4.ip_unprivileged_port_start=53"])?;
    let meaning = |node: &Node| node.exec_ok(&["getent", "ahostsv4", "home.alice.test"]);
    assert!(meaning(&b)?.starts_with(&a.ip()?));
    let before = b.leader_pid()?;
    b.reboot()?;
    assert_ne!(before, b.leader_pid()?);
    let c = fresh(&bench, "net-c")?; // writes all hosts files anew
    assert!(meaning(&b)?.starts_with(&a.ip()?));
    assert!(meaning(&a).is_err(), "an alias is for one node only");
    b.exec_ok(&["ping", "-c1", "-W5", c.name()])?;
    let port = b.exec_ok(&["sysctl", "-n", "net.ipv4.ip_unprivileged_port_start"])?;
    assert_eq!(port, "1024", "a setting made by hand must not survive a reboot");
    Ok(())
}

#[test]
fn a_power_cut_keeps_what_was_synced_and_nothing_else() -> Result<()> {
    let bench = Bench::open()?;
    let options = CreateOptions {
        disk: Some("1G".into()),
        ..CreateOptions::default()
    };
    let node = bench.fresh(&Bench::unique("cut"), options)?;
    // An fsync may carry other files of the same disk along, so all synced writes come first.
    let (home, holm) = ("/home", "/var/lib/holm");
    let synced = "for dir; do cd $dir; echo kept > synced; sync synced .; done";
    let unsynced = "for dir; do cd $dir; echo lost > unsynced; echo more >> synced; done";
    for write in [synced, unsynced] {
        node.exec_ok(&["sh", "-euc", write, "sh", home, holm])?;
    }
    node.cut()?;
    assert!(node.exec(&["true"]).is_err(), "a node without power runs nothing");
    node.boot()?;
    for dir in [home, holm] {
        assert_eq!(node.exec_ok(&["cat", &format!("{dir}/synced")])?, "kept");
        let unsynced = node.exec(&["cat", &format!("{dir}/unsynced")])?;
        assert!(unsynced.stdout.is_empty(), "the cut lost nothing: {unsynced:?}");
    }
    node.exec_ok(&["sh", "-c", "echo written > /home/unsynced"])?;
    node.poweroff()?;
    node.boot()?;
    assert_eq!(
        node.exec_ok(&["cat", "/home/unsynced"])?,
        "written",
        "a clean power-off loses nothing"
    );
    Ok(())
}

#[test]
fn a_user_made_later_has_a_session_and_rootless_containers() -> Result<()> {
    let bench = Bench::open()?;
    let node = fresh(&bench, "user")?;
    assert!(
        node.exec_as("holm", &["true"])
            .is_err_and(|error| error.to_string().contains("no user holm"))
    );
    let uid = add_holm(&node)?;
    let scope = node.exec_as_ok("holm", &["cat", "/proc/self/cgroup"])?;
    assert!(
        scope.contains(&format!("user@{uid}.service")) && scope.contains(".scope"),
        "{scope}"
    );
    let environment = node.exec_as_ok("holm", &["sh", "-c", "echo $HOME $PWD $XDG_RUNTIME_DIR $USER"])?;
    assert_eq!(
        environment,
        format!("/var/lib/holm /var/lib/holm /run/user/{uid} holm")
    );
    node.exec_as_ok("holm", &["systemctl", "--user", "is-active", "dbus.socket"])?;

    node.push_bytes(b"secret", "/var/lib/holm/.config/x/y", 0o600, "holm")?;
    assert_eq!(node.exec_as_ok("holm", &["cat", ".config/x/y"])?, "secret");
    assert_eq!(
        node.exec_ok(&["stat", "-c", "%U %a", "/var/lib/holm/.config/x/y"])?,
        "holm 600"
    );
    node.exec_as_ok("holm", &["touch", ".config/mine"])?;

    let image = "mkdir -p i/bin && cp /bin/busybox i/bin && tar -C i -c . | podman import -q - box:1";
    node.exec_as_ok("holm", &["sh", "-c", image])?;
    let driver = node.exec_as_ok(
        "holm",
        &[
            "podman",
            "info",
            "-f",
            "{{.Store.GraphDriverName}} {{.Store.GraphStatus}}",
        ],
    )?;
    assert!(
        driver.starts_with("overlay") && driver.contains("Native Overlay Diff:true"),
        "{driver}"
    );
    node.exec_as_ok(
        "holm",
        &[
            "podman",
            "run",
            "-d",
            "--init=false",
            "box:1",
            "/bin/busybox",
            "sleep",
            "4321",
        ],
    )?;
    let all = node.processes();
    let found = all
        .iter()
        .find(|process| process.cmdline.contains("busybox sleep 4321"));
    assert_eq!(found.context("the container's process is not seen")?.uid, uid);
    Ok(())
}

#[test]
fn a_spawned_command_talks_and_ends_with_its_stdin() -> Result<()> {
    use std::io::Write;
    let bench = Bench::open()?;
    let node = fresh(&bench, "spawn")?;
    let mut child = node.spawn(None, &["cat"])?;
    child
        .stdin
        .take()
        .context("no stdin")?
        .write_all(b"there and back")?;
    let out = child.wait_with_output()?;
    assert_eq!(out.stdout, b"there and back");
    Ok(())
}

#[test]
fn nothing_is_left_of_a_destroyed_node() -> Result<()> {
    let bench = Bench::open()?;
    let name = Bench::unique("gone");
    let node = bench.fresh(
        &name,
        CreateOptions {
            disk: Some("256M".into()),
            ..CreateOptions::default()
        },
    )?;
    let leader = node.leader_pid()?;
    node.destroy()?;
    assert!(!runs(Path::new(&format!("/proc/{leader}"))));
    assert!(!ok(&mut cmd(["findmnt", "-rn"]))?.contains(&name));
    assert!(!ok(&mut cmd(["losetup", "-l"]))?.contains(&name));
    assert!(!ok(&mut cmd(["ip", "netns", "list"]))?.contains(&name));
    for entry in fs::read_dir("/proc")? {
        let proc = entry?.path();
        let cgroup = fs::read_to_string(proc.join("cgroup")).unwrap_or_default();
        assert!(
            !cgroup.contains(&name) || !runs(&proc),
            "a process is left: {} {cgroup}",
            proc.display()
        );
    }
    assert!(bench.list()?.iter().all(|node| node.name != name));
    node.destroy() // a second time is fine
}

#[test]
fn nodes_made_at_once_have_their_own_addresses() -> Result<()> {
    let bench = Bench::open()?;
    let nodes: Vec<xtask::node::NodeGuard> = std::thread::scope(|scope| {
        let make = |n: u8| fresh(&bench, &format!("many{n}"));
        let threads: Vec<_> = (0..4).map(|n| scope.spawn(move || make(n))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| anyhow::bail!("a thread died")))
            .collect::<Result<_>>()
    })?;
    let mut addresses = nodes.iter().map(|node| node.ip()).collect::<Result<Vec<_>>>()?;
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), 4);
    Ok(())
}
