//! Who may name what: the walls between crates and folders that `docs/adr/0001-layout.md` decides.

use super::{Finding, Source, for_tests};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// One room: files below `place` may not name the paths in `not`, unless one in `but` begins the name.
struct Wall {
    place: &'static str,
    not: &'static [&'static str],
    but: &'static [&'static str],
    /// `async` is refused too.
    no_async: bool,
    why: &'static str,
}

const fn wall(place: &'static str, not: &'static [&'static str], why: &'static str) -> Wall {
    Wall {
        place,
        not,
        but: &[],
        no_async: false,
        why,
    }
}

const WALLS: &[Wall] = &[
    Wall {
        no_async: true,
        ..wall(
            "crates/holm-core/src/",
            &[
                "std::fs",
                "std::env",
                "std::process",
                "std::thread",
                "std::net::TcpListener",
                "std::net::TcpStream",
                "std::net::ToSocketAddrs",
                "std::net::UdpSocket",
                "std::os::unix::net",
                "std::time::Instant",
                "std::time::SystemTime",
                "tokio",
                "futures",
                "rand",
            ],
            "the core decides and does nothing: no file, socket, clock, environment, process, async",
        )
    },
    wall(
        "crates/holm-host/src/",
        &["rusqlite", "axum"],
        "the host carries out steps; it has no state and no API",
    ),
    wall(
        "crates/holm-gateway/src/",
        &["rusqlite", "holm_host"],
        "the gateway lives on without holmd and its state",
    ),
    wall(
        "crates/holmd/src/db/",
        &[
            "holm_host",
            "crate::api",
            "crate::jobs",
            "crate::ops",
            "crate::reconcile",
        ],
        "the state knows nobody who uses it",
    ),
    wall(
        "crates/holmd/src/ops/",
        &[
            "holm_host",
            "crate::api",
            "crate::jobs",
            "crate::reconcile",
            "tokio::process",
            "std::process",
        ],
        "an operation writes intent and wakes the loop; it never touches the machine",
    ),
    Wall {
        // What people asked is shown to them, so it is read; only operations write it.
        but: &[
            "holm_core::wire",
            "holm_core::name",
            "holm_core::intent",
            "holm_core::model",
        ],
        ..wall(
            "crates/holmd/src/api/",
            &[
                "holm_host",
                "holm_core",
                "rusqlite",
                "crate::jobs",
                "crate::reconcile",
            ],
            "a handler parses, authorises and calls an operation",
        )
    },
    wall(
        "crates/holmd/src/reconcile",
        &["crate::api", "crate::ops"],
        "the loop knows no request",
    ),
    wall(
        "crates/holmd/src/jobs",
        &["crate::api", "crate::ops"],
        "a job knows no request",
    ),
    Wall {
        but: &["holm_core::wire", "holm_core::manifest", "holm_core::name"],
        ..wall(
            "crates/holm/src/",
            &[
                "holm_core",
                "holm_gateway",
                "holm_host",
                "holm_trust",
                "holmd",
                "rusqlite",
            ],
            "the command line can do nothing that the API does not offer",
        )
    },
];

pub(super) fn check(source: &Source, file: &syn::File) -> Vec<Finding> {
    let walls: Vec<&Wall> = WALLS
        .iter()
        .filter(|wall| source.path.starts_with(wall.place))
        .collect();
    // Tests may hold whatever they compare with.
    if walls.is_empty() || source.path.contains("/tests/") || source.path.ends_with("tests.rs") {
        return Vec::new();
    }
    let mut look = Look {
        module: module(&source.path),
        names: Vec::new(),
        asyncs: Vec::new(),
    };
    look.visit_file(file);
    let mut findings = Vec::new();
    for wall in walls {
        for (line, name) in &look.names {
            if let Some(text) = wall.refuses(name) {
                findings.push(Finding {
                    file: source.path.clone(),
                    line: *line,
                    text,
                });
            }
        }
        for line in look.asyncs.iter().filter(|_| wall.no_async) {
            let text = format!("`async` has no place here: {}", wall.why);
            findings.push(Finding {
                file: source.path.clone(),
                line: *line,
                text,
            });
        }
    }
    findings.dedup();
    findings
}

impl Wall {
    fn refuses(&self, name: &str) -> Option<String> {
        let begins = |list: &[&str]| list.iter().any(|start| within(name, start));
        (begins(self.not) && !begins(self.but)).then(|| format!("names `{name}`: {}", self.why))
    }
}

/// Whether `name` is `start` or below it.
fn within(name: &str, start: &str) -> bool {
    name.strip_prefix(start)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// `crates/holmd/src/db/intent.rs` to `[db, intent]`, which is what `super` counts from.
fn module(path: &str) -> Vec<String> {
    let inside = path.split_once("/src/").map_or("", |(_, inside)| inside);
    let inside = inside.trim_end_matches(".rs");
    let mut parts: Vec<String> = inside.split('/').map(str::to_owned).collect();
    if parts
        .last()
        .is_some_and(|last| ["lib", "main", "mod"].contains(&last.as_str()))
    {
        parts.pop();
    }
    parts
}

struct Look {
    module: Vec<String>,
    names: Vec<(usize, String)>,
    asyncs: Vec<usize>,
}

impl Look {
    fn name(&mut self, line: usize, parts: &[String]) {
        let supers = parts.iter().take_while(|part| *part == "super").count();
        let whole = match parts.first().map(String::as_str) {
            Some("super") => {
                let kept = self.module.len().saturating_sub(supers);
                let base = std::iter::once("crate".to_owned()).chain(self.module[..kept].iter().cloned());
                base.chain(parts[supers..].iter().cloned())
                    .collect::<Vec<_>>()
                    .join("::")
            }
            _ => parts.join("::"),
        };
        self.names.push((line, whole));
    }

    fn tree(&mut self, before: &mut Vec<String>, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.tree(before, &path.tree);
                before.pop();
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(before, item)),
            syn::UseTree::Name(_) | syn::UseTree::Rename(_) | syn::UseTree::Glob(_) => {
                let last = match tree {
                    syn::UseTree::Name(name) => Some(name.ident.to_string()),
                    syn::UseTree::Rename(rename) => Some(rename.ident.to_string()),
                    _ => None,
                };
                let parts: Vec<String> = before
                    .iter()
                    .cloned()
                    .chain(last.filter(|l| l != "self"))
                    .collect();
                self.name(tree.span().start().line, &parts);
            }
        }
    }
}

impl<'ast> Visit<'ast> for Look {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !for_tests(&item.attrs) {
            self.module.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !for_tests(&item.attrs) {
            self.tree(&mut Vec::new(), &item.tree);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !for_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        if parts.len() > 1 {
            self.name(path.span().start().line, &parts);
        }
        visit::visit_path(self, path);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        if signature.asyncness.is_some() {
            self.asyncs.push(signature.span().start().line);
        }
        visit::visit_signature(self, signature);
    }

    fn visit_expr_async(&mut self, block: &'ast syn::ExprAsync) {
        self.asyncs.push(block.span().start().line);
        visit::visit_expr_async(self, block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        let Ok(file) = syn::parse_file(text) else {
            return 99;
        };
        check(
            &Source {
                path: path.into(),
                text: text.into(),
            },
            &file,
        )
        .len()
    }

    #[test]
    fn the_core_touches_nothing() {
        let core = "crates/holm-core/src/decide/mod.rs";
        for bad in [
            "use std::fs;",
            "use std::{collections::BTreeMap, fs::File};",
            "use std::net::{Ipv4Addr, UdpSocket as U};",
            "fn a() { std::env::var(\"A\"); }",
            "fn a(t: std::time::SystemTime) {}",
            "use tokio::*;",
            "async fn a() {}",
            "fn a() { let _ = async {}; }",
        ] {
            assert_eq!(count(core, bad), 1, "{bad}");
        }
        for good in [
            "use std::net::Ipv4Addr; use std::time::Duration;",
            "#[cfg(test)] mod tests { use std::fs; }",
            "#[cfg(test)] use std::fs;",
        ] {
            assert_eq!(count(core, good), 0, "{good}");
        }
    }

    #[test]
    fn rooms_of_the_daemon_keep_apart() {
        for (path, bad) in [
            ("db/intent.rs", "use crate::ops::install;"),
            ("db/intent.rs", "use super::super::ops;"),
            ("db/mod.rs", "use holm_host::Host;"),
            ("ops/install.rs", "use crate::{db, reconcile::wake};"),
            ("ops/install.rs", "fn a() { holm_host::apply(); }"),
            ("api/install.rs", "use holm_core::decide::decide;"),
            ("api/install.rs", "use crate::reconcile;"),
            ("reconcile.rs", "use crate::api;"),
            ("reconcile/look.rs", "use super::super::ops;"),
        ] {
            assert_eq!(
                count(&format!("crates/holmd/src/{path}"), bad),
                1,
                "{path}: {bad}"
            );
        }
        for (path, good) in [
            (
                "api/install.rs",
                "use holm_core::{wire::Install, name::ServiceId}; use crate::ops;",
            ),
            ("api/install.rs", "use super::App;"),
            ("ops/install.rs", "use crate::db::Db;"),
            ("reconcile.rs", "use holm_host::Host; use crate::db;"),
        ] {
            assert_eq!(
                count(&format!("crates/holmd/src/{path}"), good),
                0,
                "{path}: {good}"
            );
        }
    }

    #[test]
    fn the_command_line_knows_wire_and_manifest() {
        let cli = "crates/holm/src/cmd/install.rs";
        assert_eq!(count(cli, "use holm_core::{wire::Install, plan::Plan};"), 1);
        assert_eq!(count(cli, "use holm_core::wire;"), 0);
        assert_eq!(count(cli, "use holm_core_other::plan;"), 0);
    }
}
