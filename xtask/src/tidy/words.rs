//! Words that have no place in the project: what is unfinished, and where it was written.

use super::{Finding, Source};
use crate::sh;
use crate::workspace::root;
use anyhow::Result;

/// Marks of unfinished work; the issue list is the place for it. Written in halves, so that this file passes.
const UNFINISHED: [[&str; 2]; 7] = [
    ["FIX", "ME"],
    ["HA", "CK:"],
    ["TO", "DO:"],
    ["XX", "X:"],
    ["to", "do!("],
    ["unimple", "mented!("],
    ["#[ign", "ore"],
];

/// What only this machine knows: the folder of the checkout, and the addresses of its Debian mirrors.
pub(super) fn workplace() -> Result<Vec<String>> {
    let mut words = vec![format!("{}/", root().display())];
    let targets = [
        "apt-get",
        "indextargets",
        "--format",
        "$(REPO_URI)",
        "Created-By: Packages",
    ];
    let mirrors = sh::ok(&mut sh::cmd(targets))?;
    words.extend(mirrors.lines().filter_map(host).map(str::to_owned));
    words.sort();
    words.dedup();
    Ok(words)
}

/// The host of an address, if it is one.
fn host(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    rest.split('/').next().filter(|host| host.contains('.'))
}

pub(super) fn check(source: &Source, workplace: &[String]) -> Vec<Finding> {
    let unfinished = UNFINISHED.map(|halves| halves.concat());
    let mut findings = Vec::new();
    for (at, line) in source.text.lines().enumerate() {
        let mut find = |text| {
            findings.push(Finding {
                file: source.path.clone(),
                line: at + 1,
                text,
            })
        };
        for word in unfinished.iter().filter(|word| line.contains(word.as_str())) {
            find(format!("`{word}`: finish it, or open an issue"));
        }
        for word in workplace.iter().filter(|word| line.contains(word.as_str())) {
            find(format!("names `{word}`, which is true on this machine only"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        let source = Source {
            path: "a.md".into(),
            text: text.into(),
        };
        check(&source, &["/here/holm/".into(), "mirror.example.org".into()]).len()
    }

    #[test]
    fn unfinished_work_is_found() {
        for halves in UNFINISHED {
            assert_eq!(count(&format!("a\nb {} c\n", halves.concat())), 1);
        }
        assert_eq!(count("a list of things to do: none\n"), 0);
    }

    #[test]
    fn the_workplace_is_found() {
        assert_eq!(count("see /here/holm/docs"), 1);
        assert_eq!(count("deb http://mirror.example.org/debian"), 1);
        assert_eq!(count("see docs"), 0);
    }

    #[test]
    fn hosts_of_addresses() {
        assert_eq!(
            host("http://mirror.example.org/debian/"),
            Some("mirror.example.org")
        );
        assert_eq!(host("file:/srv"), None);
    }
}
