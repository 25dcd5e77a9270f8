//! What may be compiled into ours: no second crypto library, no C library of the host's, and only known licences.

use super::Finding;
use crate::{sh, workspace};
use anyhow::{Context, Result};
use std::collections::BTreeSet;

/// One crypto provider (aws-lc-rs), and nothing that links the host's OpenSSL.
const FORBIDDEN: [&str; 4] = ["native-tls", "openssl", "openssl-sys", "ring"];

/// Licences that our own two may be combined with in a binary.
const LICENCES: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// A package that is compiled into something of ours.
struct Package {
    name: String,
    licence: String,
}

/// Asks cargo tree, not the lock file, which also lists what no feature switches on.
pub(super) fn check() -> Result<Vec<Finding>> {
    let ask = [
        "cargo",
        "tree",
        "--workspace",
        "--locked",
        "--edges",
        "all",
        "--prefix",
        "none",
    ];
    let mut tree = sh::cmd(ask);
    tree.args(["--format", "{p}|{l}"]);
    let tree =
        sh::ok(tree.current_dir(workspace::root())).context("Cargo.lock does not fit the manifests")?;
    let packages = packages(&tree);
    let mut findings = forbidden(&packages);
    findings.extend(licences(&packages));
    Ok(findings)
}

/// `serde v1.0.0|MIT OR Apache-2.0`, with ` (*)` behind what was shown before.
fn packages(tree: &str) -> Vec<Package> {
    let lines: BTreeSet<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    lines
        .into_iter()
        .filter_map(|line| {
            let (package, licence) = line.split_once('|')?;
            let name = package.split(' ').next()?;
            Some(Package {
                name: name.to_owned(),
                licence: licence.to_owned(),
            })
        })
        .collect()
}

fn finding(text: String) -> Finding {
    Finding {
        file: "Cargo.lock".to_owned(),
        line: 0,
        text,
    }
}

fn forbidden(packages: &[Package]) -> Vec<Finding> {
    let bad = packages
        .iter()
        .map(|package| &package.name)
        .filter(|name| FORBIDDEN.contains(&name.as_str()));
    bad.map(|name| {
        finding(format!(
            "holds {name}: see who by `cargo tree -i {name}`, and switch its default features off"
        ))
    })
    .collect()
}

fn licences(packages: &[Package]) -> Vec<Finding> {
    let bad = packages.iter().filter(|package| !allowed(&package.licence));
    bad.map(|Package { name, licence }| {
        finding(format!(
            "{name} has the licence `{licence}`, which the list in tidy/crates.rs does not have"
        ))
    })
    .collect()
}

/// An SPDX expression holds when one side of each OR does, and both of each AND; `/` is the old spelling of OR.
fn allowed(expression: &str) -> bool {
    let text = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut rest = words.as_slice();
    either(&mut rest) == Some(true) && rest.is_empty()
}

/// None when it is no expression; so are the two below.
fn either(words: &mut &[&str]) -> Option<bool> {
    let mut good = both(words)?;
    while let ["OR", rest @ ..] = *words {
        *words = rest;
        good |= both(words)?;
    }
    Some(good)
}

fn both(words: &mut &[&str]) -> Option<bool> {
    let mut good = one(words)?;
    while let ["AND", rest @ ..] = *words {
        *words = rest;
        good &= one(words)?;
    }
    Some(good)
}

fn one(words: &mut &[&str]) -> Option<bool> {
    match *words {
        ["(", rest @ ..] => {
            *words = rest;
            let good = either(words)?;
            let [")", rest @ ..] = *words else { return None };
            *words = rest;
            Some(good)
        }
        [name, "WITH", _, rest @ ..] => {
            *words = rest;
            // An exception only permits more.
            Some(LICENCES.contains(name))
        }
        [name, rest @ ..] => {
            *words = rest;
            Some(LICENCES.contains(name))
        }
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str =
        "a v1.0.0 (/src/a)|MIT\nring v0.17.0|ISC\nstring v1.0.0|GPL-3.0\nb v1.0.0|\nb v1.0.0| (*)\n";

    #[test]
    fn forbidden_crates_are_found() {
        assert_eq!(forbidden(&packages(TREE)).len(), 1);
        assert_eq!(forbidden(&packages("openssl-sys v0.9.0|MIT")).len(), 1);
    }

    #[test]
    fn bad_and_missing_licences_are_found() {
        let found: Vec<String> = licences(&packages(TREE))
            .into_iter()
            .map(|finding| finding.text)
            .collect();
        assert!(
            found.len() == 2 && found[0].starts_with("b ") && found[1].starts_with("string "),
            "{found:?}"
        );
    }

    #[test]
    fn licences_are_read_as_expressions() {
        for good in [
            "MIT",
            "MIT/Apache-2.0",
            "GPL-3.0 OR MIT",
            "(MIT OR GPL-2.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
            "ISC AND (Apache-2.0 OR ISC)",
        ] {
            assert!(allowed(good), "{good}");
        }
        for bad in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "",
            "MIT OR",
            "(MIT",
            "MIT)",
            "AGPL-3.0-only OR (GPL-2.0 AND MIT)",
        ] {
            assert!(!allowed(bad), "{bad}");
        }
    }
}
