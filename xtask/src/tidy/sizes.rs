//! Files and functions that a person can hold in mind, and a sentence at the head of each file.

use super::{Finding, Source, for_tests};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// Lines of code in a file, without blanks, comments and unit tests.
const FILE: usize = 400;
/// Lines of a function, all counted.
const FUNCTION: usize = 100;
/// What excuses either: a comment with the reason, in the file's first ten lines or just above the function.
const REASON: &str = "// long:";

pub(super) fn check(source: &Source, file: &syn::File) -> Vec<Finding> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut look = Look {
        source,
        lines: &lines,
        findings: Vec::new(),
        tests: Vec::new(),
    };
    if !source.text.starts_with("//!") {
        look.find(
            1,
            "begin it with `//! ` and one sentence on what it is for".to_owned(),
        );
    }
    look.visit_file(file);
    let code = lines.iter().enumerate().filter(|(at, line)| {
        let line = line.trim();
        let tested = look
            .tests
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&(at + 1)));
        !line.is_empty() && !line.starts_with("//") && !tested
    });
    let code = code.count();
    let excused = lines.iter().take(10).any(|line| line.contains(REASON));
    let is_test = source.path.contains("/tests/") || source.path.ends_with("/tests.rs");
    if code > FILE && !excused && !is_test {
        look.find(
            0,
            format!("{code} lines of code, more than {FILE}: split it at a seam, or say `{REASON} why`"),
        );
    }
    look.findings
}

struct Look<'a> {
    source: &'a Source,
    lines: &'a [&'a str],
    findings: Vec<Finding>,
    /// First and last lines of unit tests.
    tests: Vec<(usize, usize)>,
}

impl Look<'_> {
    fn find(&mut self, line: usize, text: String) {
        self.findings.push(Finding {
            file: self.source.path.clone(),
            line,
            text,
        });
    }

    fn function(&mut self, whole: proc_macro2::Span, name: &syn::Ident) {
        let (first, last) = (whole.start().line, whole.end().line);
        let length = last - first + 1;
        // Attributes and docs belong to the span, so the reason stands at its head or in the line before.
        let head = first.saturating_sub(2)..(first + 3).min(self.lines.len());
        if length > FUNCTION && !self.lines[head].iter().any(|line| line.contains(REASON)) {
            self.find(
                first,
                format!("`{name}` has {length} lines, more than {FUNCTION}: split it, or say why"),
            );
        }
    }
}

impl<'ast> Visit<'ast> for Look<'_> {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if for_tests(&item.attrs) {
            self.tests
                .push((item.span().start().line, item.span().end().line));
        }
        visit::visit_item_mod(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(item.span(), &item.sig.ident);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(item.span(), &item.sig.ident);
        visit::visit_impl_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: String) -> usize {
        let Ok(file) = syn::parse_file(&text) else {
            return 99;
        };
        check(
            &Source {
                path: "crates/a/src/a.rs".into(),
                text,
            },
            &file,
        )
        .len()
    }

    #[test]
    fn a_file_needs_a_sentence() {
        assert_eq!(count("fn a() {}\n".into()), 1);
        assert_eq!(count("//! A.\nfn a() {}\n".into()), 0);
    }

    #[test]
    fn a_long_file_is_found_unless_it_says_why() {
        let code = "const A: u8 = 1;\n";
        assert_eq!(count(format!("//! A.\n{}", code.repeat(401))), 1);
        assert_eq!(
            count(format!("//! A.\n{}{}", code.repeat(400), "// b\n\n".repeat(50))),
            0
        );
        assert_eq!(
            count(format!("//! A.\n// long: a table\n{}", code.repeat(401))),
            0
        );
        assert_eq!(
            count(format!(
                "//! A.\n#[cfg(test)]\nmod tests {{\n{}}}\n",
                code.repeat(401)
            )),
            0
        );
    }

    #[test]
    fn a_long_function_is_found_unless_it_says_why() {
        let body = "    let _ = 1;\n".repeat(100);
        assert_eq!(count(format!("//! A.\n\nfn a() {{\n{body}}}\n")), 1);
        assert_eq!(
            count(format!("//! A.\n\n// long: one list\nfn a() {{\n{body}}}\n")),
            0
        );
        assert_eq!(
            count(format!(
                "//! A.\nstruct A;\nimpl A {{\n\n\nfn a() {{\n{body}}}\n}}\n"
            )),
            1
        );
    }
}
