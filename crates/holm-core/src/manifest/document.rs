//! Bytes of JSON or YAML into one tree of values with their places, or one finding why not.
//!
//! A tree instead of derived structs, because serde stops at the first wrong type; over a tree the
//! checks go on and name all faults.

use std::{collections::BTreeSet, fmt};

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, Spanned};

use super::report::{Place, Report};

/// Cap on the bytes of a manifest and of a template, each.
pub(super) const MOST_BYTES: usize = 256 * 1024;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub value: Value,
    pub line: u32,
    pub column: u32,
}

/// A value of either syntax, reduced to what manifests use.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Boolean(bool),
    Integer(i64),
    /// A number that is no 64-bit integer. No field takes one, so its value is not kept.
    Number,
    Text(String),
    List(Vec<Node>),
    Object(Vec<Entry>),
}

/// A field of an object, with the place of its key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub key: String,
    pub line: u32,
    pub column: u32,
    pub value: Node,
}

impl Value {
    /// The type in the words of a manifest's author.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Number => "a number that is not a plain integer",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

fn narrow(position: u64) -> u32 {
    u32::try_from(position).unwrap_or(0)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        let at = spanned.referenced;
        Ok(Self {
            value: spanned.value,
            line: narrow(at.line()),
            column: narrow(at.column()),
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Number, Value::Integer))
    }
    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Number, Value::Integer))
    }
    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or(Value::Number, Value::Integer))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Number)
    }
    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }
    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = seq.next_element()? {
            list.push(node);
        }
        Ok(Value::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen = BTreeSet::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let value = map.next_value()?;
            // The parser refuses these too; held here as well, since "the last one wins" would let
            // a reviewer read another manifest than the one that runs.
            if !seen.insert(key.value.clone()) {
                return Err(de::Error::custom("a key stands twice in one object"));
            }
            let (line, column) = (narrow(key.referenced.line()), narrow(key.referenced.column()));
            entries.push(Entry {
                key: key.value,
                line,
                column,
                value,
            });
        }
        Ok(Value::Object(entries))
    }
}

fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_aliases: 0,
            max_anchors: 0,
            max_documents: 1,
            max_depth: 32,
            max_nodes: 10_000,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// Reads a manifest, which must be JSON in the strict sense: the store carries nothing else.
pub(super) fn json(bytes: &[u8], report: &mut Report) -> Option<Node> {
    let text = text(bytes, report)?;
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        let at = Place {
            line: narrow(error.line() as u64),
            column: narrow(error.column() as u64),
            ..Place::default()
        };
        report.error(
            &at,
            "syntax",
            format!("this is not JSON: {}", clean(&error.to_string())),
            "write plain JSON",
        );
        return None;
    }
    tree(text, report)
}

/// Reads a template: YAML without tags, anchors, aliases, merges and further documents.
pub(super) fn yaml(bytes: &[u8], report: &mut Report) -> Option<Node> {
    let text = text(bytes, report)?;
    let node = tree(text, report)?;
    no_tags(text, report).then_some(node)
}

fn text<'a>(bytes: &'a [u8], report: &mut Report) -> Option<&'a str> {
    if bytes.len() > MOST_BYTES {
        let message = format!("the file has {} bytes, more than {MOST_BYTES}", bytes.len());
        report.error(&Place::default(), "file-size", message, "make it smaller");
        return None;
    }
    let text = std::str::from_utf8(bytes);
    if text.is_err() {
        report.error(
            &Place::default(),
            "syntax",
            "the file is not UTF-8",
            "save it as UTF-8",
        );
    }
    text.ok()
}

fn tree(text: &str, report: &mut Report) -> Option<Node> {
    match serde_saphyr::from_str_with_options::<Node>(text, options()) {
        Ok(node) => Some(node),
        Err(error) => {
            let at = error.location().map_or_else(Place::default, |at| Place {
                line: narrow(at.line()),
                column: narrow(at.column()),
                ..Place::default()
            });
            if let serde_saphyr::Error::DuplicateMappingKey { .. } = error.without_snippet() {
                report.error(
                    &at,
                    "duplicate-key",
                    "this key stands twice in one object",
                    "write it once",
                );
            } else {
                let hint = "write plain values; no anchors, aliases, merges, tags or second document";
                report.error(&at, "syntax", clean(&error.without_snippet().to_string()), hint);
            }
            None
        }
    }
}

/// `!!binary` and its kin change what a text means, and the deserializer obeys them silently.
fn no_tags(text: &str, report: &mut Report) -> bool {
    let tagged = granit_parser::Parser::new_from_str(text)
        .filter_map(Result::ok)
        .find(|(event, _)| event.tag().is_some());
    let Some((_, span)) = tagged else {
        return true;
    };
    let start = span.tag_start().unwrap_or(span.start);
    let at = Place {
        line: narrow(start.line() as u64),
        column: narrow(start.col() as u64 + 1),
        ..Place::default()
    };
    report.error(
        &at,
        "syntax",
        "a YAML tag (!name) stands before this value",
        "remove the tag; quote a text",
    );
    false
}

/// A parser's message may quote the file: keep it one short line without control characters, and
/// without the place, which the finding has anyway.
fn clean(message: &str) -> String {
    let message = message
        .rsplit_once(" at line ")
        .map_or(message, |(message, _)| message);
    message
        .chars()
        .take(200)
        .map(|c| if super::checks::is_shown(c) { c } else { ' ' })
        .collect()
}
