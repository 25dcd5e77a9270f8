//! A finding: one fault of a package, with its place, its rule and what to do about it.

use serde::{Deserialize, Serialize};

/// How bad a [`Finding`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The package is refused.
    Error,
    /// The package is accepted; the admin is told.
    Warning,
}

/// One fault of a package. Findings are plain data; the command line draws them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Which rule, e.g. `image-tag`.
    pub rule: String,
    /// Refused or told.
    pub severity: Severity,
    /// File of the package, e.g. `manifest.json`.
    pub file: String,
    /// Path of the field, e.g. `volumes[0].mount`; empty for the whole file.
    pub field: String,
    /// 1-based line in the file; 0 when the place has none.
    pub line: u32,
    /// 1-based column in the line; 0 when the place has none.
    pub column: u32,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to write instead, in a sentence.
    pub hint: String,
}
