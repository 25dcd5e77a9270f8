//! `cargo xtask tidy`: the rules of this code that neither the compiler nor clippy holds.
//!
//! A rule is a function from text to findings, with a test that shows it red on a bad sample.

mod crates;
mod sizes;
mod walls;
mod words;

use crate::{sh, workspace};
use anyhow::{Result, bail};
use std::fmt::{Display, Formatter};
use std::path::Path;

/// One thing that stands against a rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file, from the root of the checkout.
    pub file: String,
    /// The line, 0 when the whole file is meant.
    pub line: usize,
    /// What is wrong, and what to do.
    pub text: String,
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.text),
            line => write!(f, "{}:{line}: {}", self.file, self.text),
        }
    }
}

/// A text of the project: its path from the root, and what it holds.
struct Source {
    path: String,
    text: String,
}

/// Looks at the whole checkout; an error lists every finding.
pub fn run() -> Result<()> {
    let sources = sources(&workspace::root())?;
    let mut findings = crates::check()?;
    let forbidden = words::workplace()?;
    for source in &sources {
        findings.extend(words::check(source, &forbidden));
        if source.path.ends_with(".rs") {
            match syn::parse_file(&source.text) {
                Ok(file) => {
                    findings.extend(sizes::check(source, &file));
                    findings.extend(walls::check(source, &file));
                }
                Err(error) => findings.push(Finding {
                    file: source.path.clone(),
                    line: error.span().start().line,
                    text: format!("is no Rust: {error}"),
                }),
            }
        }
    }
    if findings.is_empty() {
        println!("tidy: {} files, nothing to say", sources.len());
        return Ok(());
    }
    for finding in &findings {
        println!("{finding}");
    }
    bail!(
        "tidy: {} findings: mend each, or change the rule where it stands",
        findings.len()
    );
}

/// Every text that git knows or would take; what is no UTF-8 is no text.
fn sources(root: &Path) -> Result<Vec<Source>> {
    let list = [
        "git",
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "-z",
    ];
    let listed = sh::ok(sh::cmd(list).current_dir(root))?;
    let paths = listed.split('\0').filter(|path| !path.is_empty());
    Ok(paths
        // A file that is listed but gone has just been removed.
        .filter_map(|path| {
            let text = std::fs::read_to_string(root.join(path)).ok()?;
            Some(Source {
                path: path.to_owned(),
                text,
            })
        })
        .collect())
}

/// Whether the item is compiled for tests only.
fn for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|inner| inner.is_ident("test"))
    })
}
