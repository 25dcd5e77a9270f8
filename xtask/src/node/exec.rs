//! Commands in a node: as root, or as a user in that user's own session.

use super::bench::Node;
use super::cgroup::wait;
use crate::sh;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output};
use std::time::Duration;

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// First the node's cgroup, then its namespaces: the other way round, the command would be counted, and killed,
/// with the host, and its systemd would not know it.
const ENTER: &str = r#"mkdir -p "$1" && echo 0 > "$1/cgroup.procs" && leader=$2 && shift 2 &&
exec nsenter -t "$leader" -m -u -i -n -p -C -r -w -- /usr/bin/env -i "$@""#;

/// A scope of the user's own manager, so that what it starts is where a login would put it.
const SCOPE: &str = r#"cd && exec systemd-run --user --scope --quiet -- "$@""#;

impl Node {
    /// Runs a command as root; the output is returned whatever its exit code.
    pub fn exec<S: AsRef<str>>(&self, words: &[S]) -> Result<Output> {
        sh::output(&mut self.command(None, words)?)
    }

    /// Runs a command as root and returns its stdout; an error unless it exits with 0.
    pub fn exec_ok<S: AsRef<str>>(&self, words: &[S]) -> Result<String> {
        self.checked(words, self.exec(words)?)
    }

    /// Runs a command as a user in that user's own session; the output is returned whatever its exit code.
    pub fn exec_as<S: AsRef<str>>(&self, user: &str, words: &[S]) -> Result<Output> {
        sh::output(&mut self.command(Some(user), words)?)
    }

    /// Like [`exec_as`](Self::exec_as), returning stdout; an error unless it exits with 0.
    pub fn exec_as_ok<S: AsRef<str>>(&self, user: &str, words: &[S]) -> Result<String> {
        self.checked(words, self.exec_as(user, words)?)
    }

    /// Starts a command that goes on; stdin, stdout and stderr are pipes. It ends with the node at the latest.
    /// Killing the child does not always reach the command: close its stdin, or stop it in the node.
    pub fn spawn<S: AsRef<str>>(&self, user: Option<&str>, words: &[S]) -> Result<Child> {
        use std::process::Stdio;
        let mut command = self.command(user, words)?;
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
            .spawn()
            .with_context(|| format!("cannot start `{}` in {}", join(words), self.name))
    }

    /// The host's command that runs `words` in the node, for callers that want their own pipes.
    pub fn command<S: AsRef<str>>(&self, user: Option<&str>, words: &[S]) -> Result<Command> {
        if words.is_empty() {
            bail!("no command was given to run in {}", self.name);
        }
        let leader = self.leader_pid()?;
        let mut command = sh::cmd(["sh", "-c", ENTER, "sh"]);
        command
            .arg(self.cgroup().path("machine/payload/bench.exec"))
            .arg(leader.to_string());
        command.args([PATH, "LANG=C.UTF-8", "TERM=dumb"]);
        match user {
            None | Some("root") => command.args(["HOME=/root", "USER=root", "LOGNAME=root"]),
            Some(user) => {
                let account = self.account(leader, user)?;
                self.wait_session(leader, user, account.uid)?;
                account.add_to(&mut command)
            }
        };
        command.args(words.iter().map(AsRef::as_ref));
        Ok(command)
    }

    /// From the node's own file as its systemd sees it, as packages add users later.
    fn account(&self, leader: u32, user: &str) -> Result<Account> {
        let path = format!("/proc/{leader}/root/etc/passwd");
        let passwd =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}'s users", self.name))?;
        let found = parse_account(&passwd, user);
        found.with_context(|| {
            format!(
                "node {} has no user {user}: install what makes it first",
                self.name
            )
        })
    }

    /// Lingering is switched on in the background, so a user made a moment ago may not have a manager yet.
    fn wait_session(&self, leader: u32, user: &str, uid: u32) -> Result<()> {
        let manager = format!("/proc/{leader}/root/run/user/{uid}/systemd/private");
        let bus = format!("/proc/{leader}/root/run/user/{uid}/bus");
        if wait(Duration::from_secs(20), || {
            Path::new(&manager).exists() && Path::new(&bus).exists()
        }) {
            return Ok(());
        }
        bail!(
            "user {user} has no session in node {}: `loginctl enable-linger {user}` there",
            self.name
        )
    }

    fn checked<S: AsRef<str>>(&self, words: &[S], out: Output) -> Result<String> {
        if !out.status.success() {
            bail!(
                "`{}` in node {} failed ({}): {}",
                join(words),
                self.name,
                out.status,
                sh::said(&out)
            );
        }
        Ok(String::from_utf8_lossy(&out.stdout)
            .trim_end_matches('\n')
            .to_owned())
    }
}

fn join<S: AsRef<str>>(words: &[S]) -> String {
    words.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" ")
}

#[derive(Debug, PartialEq, Eq)]
struct Account {
    name: String,
    uid: u32,
    gid: u32,
    home: String,
}

impl Account {
    /// What a login sets, and the change of user itself.
    fn add_to<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let Self { name, uid, gid, home } = self;
        command.args([
            format!("HOME={home}"),
            format!("USER={name}"),
            format!("LOGNAME={name}"),
        ]);
        command.arg(format!("XDG_RUNTIME_DIR=/run/user/{uid}"));
        command.arg(format!("DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/{uid}/bus"));
        command.args([
            "setpriv",
            "--reuid",
            &uid.to_string(),
            "--regid",
            &gid.to_string(),
            "--init-groups",
        ]);
        command.args(["sh", "-c", SCOPE, "sh"])
    }
}

fn parse_account(passwd: &str, user: &str) -> Option<Account> {
    passwd
        .lines()
        .find_map(|line| match line.split(':').collect::<Vec<_>>()[..] {
            [name, _, uid, gid, _, home, ..] if name == user => Some(Account {
                name: name.into(),
                uid: uid.parse().ok()?,
                gid: gid.parse().ok()?,
                home: home.into(),
            }),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_whole_name() {
        let passwd =
            "root:x:0:0::/root:/bin/sh\nholm-x:x:1:1::/x:/x\nholm:x:997:996:Holm:/var/lib/holm:/bin/sh\n";
        let account = parse_account(passwd, "holm");
        let expected = Account {
            name: "holm".into(),
            uid: 997,
            gid: 996,
            home: "/var/lib/holm".into(),
        };
        assert_eq!(account, Some(expected));
        assert_eq!(parse_account(passwd, "hol"), None);
    }
}
