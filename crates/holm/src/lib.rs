//! The command line: words into wire types, over the daemon's socket, and its answers into text.
//!
//! It can do nothing that the API does not offer, and knows nothing that the API does not tell.

mod args;
mod client;
mod cmd;
mod failure;
mod findings;
mod print;
mod wait;

use std::{ffi::OsString, io::Write};

use clap::Parser as _;

use args::Args;
use client::Client;
use failure::Failure;

/// Where a command's words go, and what time it is.
pub struct Terminal<'a> {
    /// The result.
    pub out: &'a mut dyn Write,
    /// Progress and failures.
    pub err: &'a mut dyn Write,
    /// A person looks at `out`: what services wrote is then shown without control characters.
    pub shown: bool,
    /// Unix seconds.
    pub clock: &'a dyn Fn() -> i64,
}

/// Runs one command; returns its exit code.
pub async fn run(words: impl IntoIterator<Item = OsString>, terminal: &mut Terminal<'_>) -> u8 {
    let args = match Args::try_parse_from(words) {
        Ok(args) => args,
        Err(error) => {
            // Help and version are answers, the rest is for the one who mistyped.
            let sink = if error.use_stderr() {
                &mut *terminal.err
            } else {
                &mut *terminal.out
            };
            let _ = write!(sink, "{}", error.render());
            return u8::try_from(error.exit_code()).unwrap_or(2);
        }
    };
    let mut run = Run {
        client: Client::new(args.socket),
        json: args.json,
        wait: !args.no_wait,
        timeout: args.timeout,
        terminal,
    };
    match cmd::run(args.command, &mut run).await {
        Ok(()) => 0,
        Err(failure) => failure.print(&mut run),
    }
}

/// What every command works with.
struct Run<'a, 'b> {
    client: Client,
    json: bool,
    wait: bool,
    timeout: u64,
    terminal: &'a mut Terminal<'b>,
}

#[cfg(test)]
mod tests;
