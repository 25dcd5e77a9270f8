//! Runs other programs and turns their failures into errors that say what was run and what it answered.

use anyhow::{Context, Result, bail};
use std::process::{Command, Output, Stdio};

/// A command from its words, with nothing on stdin.
pub fn cmd<I, S>(words: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<std::ffi::OsStr>,
{
    let mut words = words.into_iter();
    let mut command = match words.next() {
        Some(program) => Command::new(program),
        None => Command::new("true"),
    };
    command.args(words).stdin(Stdio::null());
    command
}

/// Runs to the end and returns whatever happened; an error only when it cannot be started.
pub fn output(command: &mut Command) -> Result<Output> {
    command
        .output()
        .with_context(|| format!("cannot start `{}`: is it installed?", show(command)))
}

/// Runs to the end and returns stdout without its last newline; an error unless the exit code is 0.
pub fn ok(command: &mut Command) -> Result<String> {
    let out = output(command)?;
    if !out.status.success() {
        bail!("`{}` failed ({}): {}", show(command), out.status, said(&out));
    }
    Ok(String::from_utf8_lossy(&out.stdout)
        .trim_end_matches('\n')
        .to_owned())
}

/// The end of what a program said, stderr first: enough to see why it failed, short enough to read.
pub fn said(out: &Output) -> String {
    let text = if out.stderr.is_empty() {
        &out.stdout
    } else {
        &out.stderr
    };
    let text = String::from_utf8_lossy(text);
    let text = text.trim();
    let start = text.char_indices().rev().nth(1999).map_or(0, |(at, _)| at);
    if text.is_empty() {
        "it said nothing".to_owned()
    } else {
        text[start..].to_owned()
    }
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line = words.map(|w| w.to_string_lossy()).collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(200) {
        Some((at, _)) => format!("{}...", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_names_the_command_and_its_words() -> Result<()> {
        let error = match ok(&mut cmd(["sh", "-c", "echo no such thing >&2; exit 3"])) {
            Ok(text) => bail!("expected a failure, got {text:?}"),
            Err(error) => error.to_string(),
        };
        assert!(
            error.contains("sh -c") && error.contains("no such thing"),
            "{error}"
        );
        Ok(())
    }

    #[test]
    fn long_output_keeps_its_end() -> Result<()> {
        let out = output(&mut cmd(["sh", "-c", "yes é | head -5000 >&2; echo end >&2"]))?;
        assert!(said(&out).ends_with("end") && said(&out).len() < 5000);
        Ok(())
    }
}
