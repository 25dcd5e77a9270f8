//! Typed reading of a tree: a wrong type, a missing or an unknown field is a finding, and reading goes on.

use super::{
    document::{Node, Value},
    report::{Place, Placed, Report, Text},
};

/// A value of the tree with the path that leads to it.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    pub node: &'a Node,
    pub at: Place,
}

/// An object whose fields are all known.
#[derive(Debug, Clone)]
pub(super) struct Object<'a> {
    pub at: Place,
    fields: Vec<(&'a str, Item<'a>)>,
}

impl<'a> Item<'a> {
    /// The whole file.
    pub fn root(node: &'a Node) -> Self {
        Self {
            node,
            at: Place {
                field: String::new(),
                line: node.line,
                column: node.column,
            },
        }
    }

    /// Whether nothing stands in a list or an object.
    pub fn is_empty(&self) -> bool {
        match &self.node.value {
            Value::List(list) => list.is_empty(),
            Value::Object(entries) => entries.is_empty(),
            _ => false,
        }
    }

    fn wrong<T>(&self, wanted: &str, report: &mut Report) -> Option<T> {
        let found = self.node.value.kind();
        report.error(
            &self.at,
            "type",
            format!("{wanted} is needed, but this is {found}"),
            format!("write {wanted}"),
        );
        None
    }

    fn put<T>(&self, value: T) -> Placed<T> {
        Placed {
            value,
            at: self.at.clone(),
        }
    }

    pub fn text(&self, report: &mut Report) -> Option<Text<'a>> {
        match &self.node.value {
            Value::Text(text) => Some(self.put(text.as_str())),
            _ => self.wrong("a string", report),
        }
    }

    pub fn integer(&self, report: &mut Report) -> Option<Placed<i64>> {
        match self.node.value {
            Value::Integer(number) => Some(self.put(number)),
            _ => self.wrong("an integer", report),
        }
    }

    pub fn boolean(&self, report: &mut Report) -> Option<Placed<bool>> {
        match self.node.value {
            Value::Boolean(yes) => Some(self.put(yes)),
            _ => self.wrong("a boolean", report),
        }
    }

    pub fn list(&self, report: &mut Report) -> Option<Vec<Item<'a>>> {
        let Value::List(nodes) = &self.node.value else {
            return self.wrong("a list", report);
        };
        let item = |(index, node): (usize, &'a Node)| Item {
            node,
            at: Place {
                field: format!("{}[{index}]", self.at.field),
                line: node.line,
                column: node.column,
            },
        };
        Some(nodes.iter().enumerate().map(item).collect())
    }

    /// Keys that the author chose, each with its place, and their values.
    pub fn entries(&self, report: &mut Report) -> Option<Vec<(Text<'a>, Item<'a>)>> {
        let Value::Object(entries) = &self.node.value else {
            return self.wrong("an object", report);
        };
        let entry = |entry: &'a super::document::Entry| {
            let field = self.at.child(&entry.key);
            let key = Place {
                field: field.clone(),
                line: entry.line,
                column: entry.column,
            };
            let at = Place {
                field,
                line: entry.value.line,
                column: entry.value.column,
            };
            (
                Placed {
                    value: entry.key.as_str(),
                    at: key,
                },
                Item {
                    node: &entry.value,
                    at,
                },
            )
        };
        Some(entries.iter().map(entry).collect())
    }

    /// An object with these fields and no others.
    pub fn object(&self, known: &[&str], report: &mut Report) -> Option<Object<'a>> {
        let (fields, unknown) = self.split(known, report)?;
        for key in unknown {
            let hint = format!("remove it; known here are: {}", known.join(" "));
            report.error(
                &key.at,
                "unknown-field",
                "there is no such field in schema_version 3",
                hint,
            );
        }
        Some(fields)
    }

    /// An object with these fields, and the keys of all others.
    pub fn split(&self, known: &[&str], report: &mut Report) -> Option<(Object<'a>, Vec<Text<'a>>)> {
        let mut fields = Vec::new();
        let mut unknown = Vec::new();
        for (key, item) in self.entries(report)? {
            if known.contains(&key.value) {
                fields.push((key.value, item));
            } else {
                unknown.push(key);
            }
        }
        Some((
            Object {
                at: self.at.clone(),
                fields,
            },
            unknown,
        ))
    }
}

impl<'a> Object<'a> {
    /// The field, unless it is absent or null.
    pub fn get(&self, key: &str) -> Option<&Item<'a>> {
        let (_, item) = self.fields.iter().find(|(name, _)| *name == key)?;
        (item.node.value != Value::Null).then_some(item)
    }

    /// The field, or a finding that it is missing.
    pub fn need(&self, key: &str, report: &mut Report) -> Option<&Item<'a>> {
        let found = self.get(key);
        if found.is_none() {
            let at = Place {
                field: self.at.child(key),
                ..self.at.clone()
            };
            report.error(
                &at,
                "missing-field",
                "this field must be present",
                format!("add {key}"),
            );
        }
        found
    }

    pub fn text(&self, key: &str, report: &mut Report) -> Option<Text<'a>> {
        self.get(key)?.text(report)
    }

    pub fn need_text(&self, key: &str, report: &mut Report) -> Option<Text<'a>> {
        self.need(key, report)?.text(report)
    }

    pub fn integer(&self, key: &str, report: &mut Report) -> Option<Placed<i64>> {
        self.get(key)?.integer(report)
    }

    pub fn boolean(&self, key: &str, report: &mut Report) -> Option<Placed<bool>> {
        self.get(key)?.boolean(report)
    }

    /// The elements of a list; none when the field is absent.
    pub fn list(&self, key: &str, report: &mut Report) -> Vec<Item<'a>> {
        self.get(key)
            .and_then(|item| item.list(report))
            .unwrap_or_default()
    }

    /// The elements of a list of strings; elements of another type are findings.
    pub fn texts(&self, key: &str, report: &mut Report) -> Vec<Text<'a>> {
        self.list(key, report)
            .iter()
            .filter_map(|item| item.text(report))
            .collect()
    }

    /// The entries of an object with keys of the author's; none when the field is absent.
    pub fn entries(&self, key: &str, report: &mut Report) -> Vec<(Text<'a>, Item<'a>)> {
        self.get(key)
            .and_then(|item| item.entries(report))
            .unwrap_or_default()
    }
}
