//! `cargo xtask bench install`: what Holm adds to bare Podman, as a ratio within one run on one machine.

use anyhow::{Context, Result, ensure};

use crate::cell::{Artifacts, Cell, DOMAIN};
use crate::node::{Bench, CreateOptions};
use crate::workspace::Profile;

/// Rounds; ours and bare Podman take turns.
const ROUNDS: usize = 10;

/// Milliseconds from the command to the first 200, both ways, image present; run as root in the cell's machine.
const ROUND: &str = r#"
set -e
now() { echo $(($(date +%s%N) / 1000000)); }
until_200() { until [ "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "$@")" = 200 ]; do sleep 0.01; done; }
as_holm() { setpriv --reuid holm --regid holm --init-groups env HOME=/var/lib/holm XDG_RUNTIME_DIR=/run/user/$(id -u holm) "$@"; }
cd /

start=$(now)
holm install homepage --no-wait >/dev/null
until_200 --cacert /root/root.crt --resolve home.DOMAIN:443:127.0.0.1 https://home.DOMAIN/
ours=$(($(now) - start))
holm purge homepage --confirm homepage >/dev/null 2>&1

start=$(now)
as_holm podman network create bare >/dev/null
as_holm podman run -q -d --name bare --network bare -p 127.0.0.1:18080:80 --sysctl net.ipv4.ip_unprivileged_port_start=0 IMAGE >/dev/null
until_200 http://127.0.0.1:18080/
bare=$(($(now) - start))
as_holm podman rm -f -t 0 bare >/dev/null
as_holm podman network rm bare >/dev/null
echo $ours $bare
"#;

/// Proportional memory of the daemon in KiB, and its CPU time in clock ticks.
const DAEMON: &str = r#"
pid=$(pgrep -u holm -x holmd)
awk '/^Pss:/ {pss = $2} END {print pss}' /proc/$pid/smaps_rollup
awk '{print $14 + $15}' /proc/$pid/stat
"#;

/// Prints the median ratio of `holm install` to bare Podman, and the idle daemon's memory and CPU.
pub fn install(profile: Profile) -> Result<()> {
    let artifacts = Artifacts::build(profile)?;
    let bench = Bench::open()?;
    let cell = Cell::start(
        &bench,
        &Bench::unique("bench"),
        CreateOptions::default(),
        &artifacts,
    )?;
    cell.introduce(&cell.node, &["home"])?;
    // Once, so that the image is present and its layers are mapped to the service's user ids.
    cell.holm(&["install", "homepage"])?;
    cell.holm(&["purge", "homepage", "--confirm", "homepage"])?;
    let image = cell.sh("podman images --format '{{.Repository}}@{{.Digest}}' | grep /homepage@")?;
    let script = ROUND.replace("DOMAIN", DOMAIN).replace("IMAGE", &image);
    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        let said = cell.node.exec_ok(&["bash", "-c", &script])?;
        let numbers: Vec<f64> = said
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        let [ours, bare] = numbers[..] else {
            anyhow::bail!("round {round} said {said:?}")
        };
        println!(
            "round {round:>2}: holm {ours:>5} ms, bare {bare:>5} ms, ratio {:.2}",
            ours / bare
        );
        rounds.push((ours, bare));
    }
    let ratio = median(rounds.iter().map(|(ours, bare)| ours / bare).collect());
    println!(
        "median: holm {:.0} ms, bare {:.0} ms",
        median(rounds.iter().map(|r| r.0).collect()),
        median(rounds.iter().map(|r| r.1).collect())
    );
    println!("median ratio {ratio:.2} (aim 1.8, later 1.3)");
    idle(&cell)
}

fn idle(cell: &Cell) -> Result<()> {
    cell.holm(&["install", "homepage"])?;
    let look = || -> Result<(f64, f64)> {
        let said = cell.node.exec_ok(&["sh", "-c", DAEMON])?;
        let mut numbers = said
            .split_whitespace()
            .filter_map(|word| word.parse::<f64>().ok());
        Ok((
            numbers.next().context("no memory")?,
            numbers.next().context("no CPU time")?,
        ))
    };
    std::thread::sleep(std::time::Duration::from_secs(5));
    let (_, before) = look()?;
    std::thread::sleep(std::time::Duration::from_secs(60));
    let (pss, after) = look()?;
    ensure!(pss > 0.0, "the daemon has no memory");
    println!(
        "holmd idle: {:.1} MiB PSS (aim 15), {:.2} s CPU in 60 s (aim 0.05)",
        pss / 1024.0,
        (after - before) / 100.0
    );
    Ok(())
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    if numbers.len() % 2 == 1 {
        numbers[middle]
    } else {
        f64::midpoint(numbers[middle - 1], numbers[middle])
    }
}
