//! `cargo xtask test`: everything that must hold, cheapest first, so that a mistake is told early.

use crate::phases::Phases;
use crate::workspace::{self, Profile};
use crate::{cell::Artifacts, setup, tidy};
use anyhow::{Context, Result, bail};
use std::process::Command;

/// Programs of the whole way from source to tested machine. Each command asks for its own besides.
const NEEDED: [(&str, &str); 4] = [
    ("cc", "gcc"),
    ("git", "git"),
    ("dpkg-deb", "dpkg"),
    ("curl", "curl"),
];

/// Runs every phase and says how long each took; the first that fails ends it.
pub fn run(all: bool) -> Result<()> {
    setup::ensure_packages(&NEEDED)?;
    let mut phases = Phases::default();
    phases.run("format", || cargo(&["fmt", "--all", "--check"]))?;
    phases.run("tidy", tidy::run)?;
    phases.run("clippy", || {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ])
    })?;
    phases.run("unit and whole-system tests", || {
        cargo(&[
            "nextest",
            "run",
            "--workspace",
            "--exclude",
            NODE_TESTS,
            "--locked",
        ])
    })?;
    phases.run("images, registry, store, package", || {
        Artifacts::build(Profile::Dev).map(drop)
    })?;
    phases.run("tests on real machines", || {
        let long = if all { "all" } else { "default" };
        cargo(&[
            "nextest",
            "run",
            "--package",
            NODE_TESTS,
            "--locked",
            "--profile",
            long,
        ])
    })?;
    phases.report();
    Ok(())
}

const NODE_TESTS: &str = "holm-node-tests";

/// Shows what cargo says as it says it. A snapshot is never accepted on the way.
fn cargo(words: &[&str]) -> Result<()> {
    let mut command = Command::new("cargo");
    command
        .args(words)
        .env("INSTA_UPDATE", "no")
        .current_dir(workspace::root());
    let status = command.status().context("cannot start cargo: is it in PATH?")?;
    if !status.success() {
        bail!("`cargo {}` failed, see above", words.join(" "));
    }
    Ok(())
}
