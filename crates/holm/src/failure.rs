//! A command that did not do as asked: a problem to read, and an exit code for programs.

use std::{io, path::Path};

use holm_core::wire::Problem;

use crate::{Run, findings, print};

/// Exit codes, as documented for people who write scripts.
const FAILED: u8 = 1;
const USAGE: u8 = 2;
const REFUSED: u8 = 3;
const UNKNOWN: u8 = 4;
const CONFLICT: u8 = 5;
const NO_DAEMON: u8 = 6;
const STILL_WAITING: u8 = 7;

/// Why a command ended without success.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    problem: Box<Problem>,
}

impl Failure {
    fn new(code: u8, kind: &str, status: u16, title: String, detail: &str) -> Self {
        let problem = Box::new(Problem {
            r#type: format!("about:blank#{kind}"),
            status,
            title,
            detail: detail.to_owned(),
            findings: Vec::new(),
        });
        Self { code, problem }
    }

    /// What the daemon answered.
    pub fn answered(problem: Problem) -> Self {
        let code = match problem.status {
            400 | 405 | 413 => USAGE,
            404 => UNKNOWN,
            409 => CONFLICT,
            422 => REFUSED,
            _ => FAILED,
        };
        let problem = Box::new(problem);
        Self { code, problem }
    }

    /// An answer that no daemon of this version gives.
    pub fn garbled(error: &dyn std::fmt::Display) -> Self {
        let title = format!("the answer of holmd was not understood: {error}");
        let detail = "holm and holmd may be of two versions: type `holm --version`, and restart holmd";
        Self::new(FAILED, "garbled", 502, title, detail)
    }

    /// Nobody answers at the socket, or not to this person.
    pub fn unreachable(socket: &Path, error: &io::Error) -> Self {
        let place = socket.display();
        if error.kind() == io::ErrorKind::PermissionDenied {
            let title = format!("you may not ask holmd at {place}: {error}");
            let detail = "type it as root, or let root type `adduser YOU holm-admin` and sign in again";
            return Self::new(FAILED, "not-admin", 403, title, detail);
        }
        let title = format!("holmd does not answer at {place}: {error}");
        let detail = "type `systemctl --user --machine=holm@ status holmd` as root to see why";
        Self::new(NO_DAEMON, "no-daemon", 503, title, detail)
    }

    /// The connection broke in the middle.
    pub fn broken(error: &dyn std::fmt::Display) -> Self {
        let title = format!("holmd went away in the middle of its answer: {error}");
        Self::new(
            NO_DAEMON,
            "no-daemon",
            503,
            title,
            "type `holm status` to see what is the case",
        )
    }

    /// The wish is kept, but not fulfilled in time.
    pub fn still_waiting(what: &str, seconds: u64, last: &str, look: &str) -> Self {
        let last = if last.is_empty() {
            String::new()
        } else {
            format!("; last: {last}")
        };
        let title = format!("{what} is not done after {seconds} seconds, and goes on{last}");
        Self::new(
            STILL_WAITING,
            "still-waiting",
            504,
            title,
            &format!("type `{look}` to see how far it is"),
        )
    }

    /// Somebody asked for something else meanwhile.
    pub fn superseded(what: &str, look: &str) -> Self {
        let title = format!("{what} was given up: somebody asked for something else since");
        Self::new(
            CONFLICT,
            "superseded",
            409,
            title,
            &format!("type `{look}` to see what is wanted now"),
        )
    }

    /// A path on the command line that cannot be one.
    pub fn no_path(path: &Path, error: &io::Error) -> Self {
        let title = format!("{} is not a path: {error}", path.display());
        Self::new(USAGE, "path", 400, title, "give the folder of the store")
    }

    /// Standard output or error cannot be written.
    fn unwritable(error: &io::Error) -> Self {
        let title = format!("the result could not be written: {error}");
        Self::new(FAILED, "output", 500, title, "the wish itself is kept by holmd")
    }

    /// There is no daemon at the moment, which may be about to change.
    pub fn is_away(&self) -> bool {
        self.code == NO_DAEMON
    }

    /// Prints it, and returns the exit code.
    pub fn print(self, run: &mut Run<'_, '_>) -> u8 {
        // Where this cannot be printed, the exit code has to do.
        let _ = if run.json {
            print::json(run, &*self.problem)
        } else {
            self.text(run)
        };
        self.code
    }

    fn text(&self, run: &mut Run<'_, '_>) -> Result<(), Failure> {
        let problem = &self.problem;
        let err = &mut *run.terminal.err;
        writeln!(err, "holm: {}", problem.title)?;
        findings::print(err, &problem.findings)?;
        if !problem.detail.is_empty() {
            writeln!(err, "hint: {}", problem.detail)?;
        }
        Ok(())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::unwritable(&error)
    }
}
