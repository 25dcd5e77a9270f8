//! `holm`: the ports of the command line (arguments, terminal, clock), and nothing else.

use std::{
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use holm::Terminal;

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(io::stderr(), "holm: the program could not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let mut terminal = Terminal {
        shown: out.is_terminal(),
        out: &mut out,
        err: &mut err,
        clock: &now,
    };
    ExitCode::from(runtime.block_on(holm::run(std::env::args_os(), &mut terminal)))
}

#[expect(clippy::disallowed_methods, reason = "the one place where the time is read")]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
