//! What a person gets when the machine did not do as asked: what was tried, why it failed, what to do next.

use std::fmt::{self, Display};

/// A look or a step that failed. Nothing was left half done that doing it again would not finish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostError {
    /// What was tried, as after "could not", e.g. `pull images.example/notes@sha256:...`.
    pub tried: String,
    /// Why it failed, in the words of whoever refused.
    pub why: String,
    /// What to do next.
    pub hint: String,
}

impl HostError {
    /// An error of three parts, each without a full stop.
    pub fn new(tried: impl Into<String>, why: impl Display, hint: impl Into<String>) -> Self {
        Self {
            tried: tried.into(),
            why: why.to_string(),
            hint: hint.into(),
        }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Could not {}: {}. {}.",
            self.tried,
            self.why.trim_end_matches('.'),
            self.hint
        )
    }
}

impl std::error::Error for HostError {}
