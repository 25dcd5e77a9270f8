//! How an operation is refused: a kind for programs, and for people what was tried, why not, what next.

use holm_core::manifest::Finding;

use crate::db::DbError;

/// A refused operation; nothing was changed.
#[derive(Debug, thiserror::Error)]
#[error("{title}")]
pub struct OpError {
    /// For programs.
    pub kind: Kind,
    /// Stable word for this very refusal, e.g. `not-installed`.
    pub code: &'static str,
    /// What was tried and why it was not done, in a sentence.
    pub title: String,
    /// What to do or to type next.
    pub hint: String,
    /// Of a refused package or setting.
    pub findings: Vec<Finding>,
}

/// Why an operation was refused, as far as a program cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request itself makes no sense.
    Usage,
    /// There is no such thing.
    Unknown,
    /// It contradicts what is the case now.
    Conflict,
    /// A check refused it.
    Refused,
    /// Holm failed.
    Failed,
}

impl OpError {
    /// A refusal without findings.
    pub fn new(kind: Kind, code: &'static str, title: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            title: title.into(),
            hint: hint.into(),
            findings: Vec::new(),
        }
    }

    /// The same with the faults that were found.
    #[must_use]
    pub fn with(mut self, findings: Vec<Finding>) -> Self {
        self.findings = findings;
        self
    }
}

impl From<DbError> for OpError {
    fn from(error: DbError) -> Self {
        Self::new(
            Kind::Failed,
            "state",
            format!("nothing was changed: {error}"),
            "look at the disk and at the log of holmd, then try again",
        )
    }
}
