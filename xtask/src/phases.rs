//! Seconds by phase, printed as they begin and once more in the end.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// What ran so far, and how long each took.
#[derive(Default)]
pub struct Phases(Vec<(&'static str, Duration)>);

impl Phases {
    /// Runs a phase. One that fails is reported with those before it.
    pub fn run<T>(&mut self, name: &'static str, phase: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("== {name}");
        let start = Instant::now();
        let result = phase();
        self.0.push((name, start.elapsed()));
        if result.is_err() {
            self.report();
        }
        result.with_context(|| format!("phase `{name}`"))
    }

    /// Prints the table.
    pub fn report(&self) {
        println!("\n{:>8}  phase", "seconds");
        for (name, took) in &self.0 {
            println!("{:>8.1}  {name}", took.as_secs_f64());
        }
    }
}
