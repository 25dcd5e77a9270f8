//! First program of a container that has secrets: puts them into the environment and becomes the service's own.
//!
//! Podman keeps a container's environment in clear on disk, so a sealed secret must not pass through it. The daemon
//! writes the filled values to a file in memory (tmpfs), mounted at [`ENV_FILE`]; Podman starts this program in the
//! place of its init (`--init-path`), with the container's own command after `--`. It links no library, so that it
//! runs in any image.

use std::{
    ffi::OsStr,
    os::unix::{ffi::OsStrExt, process::CommandExt},
    process::{Command, ExitCode},
};

/// `KEY=VALUE` records, each ended by a zero byte.
const ENV_FILE: &str = "/run/holm.env";

#[expect(
    clippy::disallowed_methods,
    reason = "becoming another program with another environment is all it does"
)]
fn main() -> ExitCode {
    let mut words = std::env::args_os()
        .skip(1)
        .skip_while(|word| word != "--")
        .skip(1);
    let Some(program) = words.next() else {
        eprintln!("holm-exec: no command after --; it is started by Podman in the place of an init");
        return ExitCode::from(2);
    };
    let records = match std::fs::read(ENV_FILE) {
        Ok(records) => records,
        Err(error) => {
            eprintln!("holm-exec: reading {ENV_FILE} failed: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut command = Command::new(&program);
    command.args(words);
    for record in records
        .split(|byte| *byte == 0)
        .filter(|record| !record.is_empty())
    {
        let Some(equals) = record.iter().position(|byte| *byte == b'=') else {
            eprintln!("holm-exec: {ENV_FILE} has a record without =");
            return ExitCode::FAILURE;
        };
        command.env(
            OsStr::from_bytes(&record[..equals]),
            OsStr::from_bytes(&record[equals + 1..]),
        );
    }
    let error = command.exec();
    eprintln!("holm-exec: starting {} failed: {error}", program.display());
    ExitCode::from(127)
}
