//! Collects the findings of one file: every check writes here and goes on, so all faults come at once.

use super::finding::{Finding, Severity};

/// Findings beyond this are not shown: a hostile package must not fill a screen or a log.
const MOST_FINDINGS: usize = 100;

/// Where a value stands in a file, and the path of its field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub field: String,
    pub line: u32,
    pub column: u32,
}

/// A value together with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed<T> {
    pub value: T,
    pub at: Place,
}

/// A text of the file, borrowed from its tree.
pub(super) type Text<'a> = Placed<&'a str>;

impl Place {
    /// The field `key` of the object that stands here.
    pub fn child(&self, key: &str) -> String {
        let plain = !key.is_empty() && key.len() <= 64 && key.bytes().all(is_plain);
        match (plain, self.field.is_empty()) {
            (true, true) => key.to_owned(),
            (true, false) => format!("{}.{key}", self.field),
            (false, _) => format!("{}[{}]", self.field, quoted(key)),
        }
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// A foreign text fit for a terminal: escaped, in quotes, at most 60 characters of it.
pub(super) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    let more = if short.len() < text.len() { "..." } else { "" };
    format!("{short:?}{more}")
}

/// The findings of one file.
#[derive(Debug)]
pub(super) struct Report {
    file: &'static str,
    findings: Vec<Finding>,
}

impl Report {
    pub fn new(file: &'static str) -> Self {
        Self {
            file,
            findings: Vec::new(),
        }
    }

    /// A fault that refuses the package.
    pub fn error(&mut self, at: &Place, rule: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.push(Severity::Error, at, rule, message.into(), hint.into());
    }

    /// Something that the admin is told.
    pub fn warn(&mut self, at: &Place, rule: &str, message: impl Into<String>, hint: impl Into<String>) {
        self.push(Severity::Warning, at, rule, message.into(), hint.into());
    }

    fn push(&mut self, severity: Severity, at: &Place, rule: &str, message: String, hint: String) {
        // The last place is kept for an error even after a flood of warnings, or a package could
        // hide its fault behind them.
        if self.findings.len() >= MOST_FINDINGS && (severity == Severity::Warning || self.failed()) {
            return;
        }
        self.findings.push(Finding {
            rule: rule.to_owned(),
            severity,
            file: self.file.to_owned(),
            field: at.field.clone(),
            line: at.line,
            column: at.column,
            message,
            hint,
        });
    }

    /// Whether the package is refused.
    pub fn failed(&self) -> bool {
        self.findings.iter().any(|f| f.severity == Severity::Error)
    }

    /// What was found, in the order of the file.
    pub fn into_findings(mut self) -> Vec<Finding> {
        self.findings.sort_by_key(|f| (f.line, f.column));
        self.findings
    }
}
