//! Tests of [`read`](super::read): small inputs, and their findings as text.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod compose;
mod hostile;
mod mutation;
mod settings;
mod v3;

use super::{Finding, PackageFiles, Severity, read};

/// The quick-start example of the guide (section 7), its image line pinned.
const QUICK_START: &str = include_str!("quick-start.json");

fn package(path: &str, manifest: &str, template: Option<&str>) -> PackageFiles {
    PackageFiles {
        path: path.to_owned(),
        manifest: manifest.as_bytes().to_vec(),
        compose_template: template.map(|text| text.as_bytes().to_vec()),
    }
}

fn line(finding: &Finding) -> String {
    let kind = if finding.severity == Severity::Warning {
        "warning "
    } else {
        ""
    };
    let Finding {
        file,
        line,
        column,
        rule,
        field,
        message,
        hint,
        ..
    } = finding;
    format!("{file}:{line}:{column} {kind}{rule} {field}: {message} ({hint})\n")
}

/// What this version does not act on yet is said of every example; one test looks at it, the others leave it out.
const NOT_YET: &str = "flag-not-yet";

/// The findings as text, after `refused` or `accepted`.
fn check(files: &PackageFiles) -> String {
    let (verdict, findings) = match read(files) {
        Ok((_, findings)) => ("accepted\n", findings),
        Err(findings) => {
            assert!(
                findings.iter().any(|f| f.severity == Severity::Error),
                "refused without a reason"
            );
            ("refused\n", findings)
        }
    };
    let told = findings.iter().filter(|finding| finding.rule != NOT_YET);
    let all: String = told.map(line).collect();
    let clean = all.chars().all(|c| c == '\n' || super::checks::is_shown(c));
    assert!(clean, "a finding carries control characters: {all:?}");
    format!("{verdict}{all}")
}

/// Replaces one place of a text, which must be there.
fn edit(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in the text");
    text.replacen(from, to, 1)
}

/// Checks the text once for each edit, and puts all answers under their names.
fn check_edits(text: &str, template: Option<&str>, edits: &[(&str, &str, &str)]) -> String {
    let mut all = String::new();
    for (what, from, to) in edits {
        let files = package("homepage", &edit(text, from, to), template);
        all.push_str(&format!("== {what}: {}\n", check(&files)));
    }
    all
}
