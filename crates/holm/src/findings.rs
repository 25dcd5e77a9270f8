//! Findings as lines: `error[rule] file:line:col field: message`, and what to write instead.

use std::io::{self, Write};

use holm_core::manifest::{Finding, Severity};

/// Prints each finding on two lines.
pub(crate) fn print(to: &mut dyn Write, findings: &[Finding]) -> io::Result<()> {
    for finding in findings {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(to, "{severity}[{}] {}", finding.rule, finding.file)?;
        if finding.line > 0 {
            write!(to, ":{}:{}", finding.line, finding.column)?;
        }
        if !finding.field.is_empty() {
            write!(to, " {}", finding.field)?;
        }
        writeln!(to, ": {}", finding.message)?;
        if !finding.hint.is_empty() {
            writeln!(to, "  hint: {}", finding.hint)?;
        }
    }
    Ok(())
}
