//! What a store carries: `index.json`, a list, or an object with the list under `services`.

use std::collections::BTreeSet;

use holm_core::{name::ServiceId, wire::StoreEntry};
use serde::Deserialize;

use crate::{
    Verified, beneath,
    store::{StoreDir, TrustError},
};

#[derive(Deserialize)]
#[serde(untagged)]
enum Index {
    Bare(Vec<Entry>),
    Named { services: Vec<Entry> },
}

/// An entry as stores write it. Fields that a later format adds are passed over: the index only tells
/// people what there is, and nothing is installed from it.
#[derive(Deserialize)]
struct Entry {
    id: ServiceId,
    name: String,
    description: String,
    version: String,
    author: String,
}

/// What the store carries, in the order of its index.
///
/// # Errors
/// The store or its index cannot be read, the index is none, or it has an id twice.
pub fn index(store: &StoreDir) -> Result<Verified<Vec<StoreEntry>>, TrustError> {
    let root = beneath::open(store)?;
    let bytes = beneath::read(&root, "index.json")?.ok_or_else(|| TrustError::Index {
        reason: "the file does not exist".to_owned(),
    })?;
    parse(&bytes).map(Verified)
}

fn parse(bytes: &[u8]) -> Result<Vec<StoreEntry>, TrustError> {
    let refused = |reason: String| TrustError::Index { reason };
    // First as JSON at all, whose faults have a line and a column; the untagged form has none.
    let syntax: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(bytes);
    syntax.map_err(|error| refused(error.to_string()))?;
    let index: Index = serde_json::from_slice(bytes).map_err(|_| {
        refused("it must be a list of entries with id, name, description, version and author".to_owned())
    })?;
    let (Index::Bare(entries) | Index::Named { services: entries }) = index;
    let mut seen = BTreeSet::new();
    if let Some(twice) = entries.iter().find(|entry| !seen.insert(&entry.id)) {
        return Err(refused(format!("{} stands in it twice", twice.id)));
    }
    Ok(entries
        .into_iter()
        .map(|entry| StoreEntry {
            id: entry.id,
            name: shown(&entry.name),
            description: shown(&entry.description),
            version: shown(&entry.version),
            author: shown(&entry.author),
        })
        .collect())
}

/// One line of at most 300 characters: the texts end on a terminal, which obeys control characters.
fn shown(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().take(300).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str) -> String {
        format!(r#"{{"id":"{id}","name":"N","description":"D","version":"1.0.0","author":"a"}}"#)
    }

    fn ids(text: &str) -> Result<Vec<String>, String> {
        let entries = parse(text.as_bytes()).map_err(|error| error.to_string())?;
        Ok(entries.into_iter().map(|entry| entry.id.into()).collect())
    }

    #[test]
    fn both_forms_are_read() {
        let two = format!("[{},{}]", entry("notes"), entry("files"));
        assert_eq!(ids(&two).unwrap(), ["notes", "files"]);
        assert_eq!(
            ids(&format!(r#"{{"services":{two}}}"#)).unwrap(),
            ["notes", "files"]
        );
        assert!(ids("[]").unwrap().is_empty());
    }

    #[test]
    fn what_is_no_index_is_refused_with_its_reason() {
        let twice = ids(&format!("[{},{}]", entry("notes"), entry("notes"))).unwrap_err();
        assert!(twice.contains("notes stands in it twice"), "{twice}");
        assert!(ids("[").unwrap_err().contains("line 1"));
        assert!(ids(r#"{"packages":[]}"#).unwrap_err().contains("list of entries"));
        assert!(ids(&format!("[{}]", entry("../etc"))).is_err());
    }

    #[test]
    fn texts_are_one_plain_line() {
        let text = entry("notes").replace(r#""N""#, r#""A\u001b[2J\nB""#);
        let entries = parse(format!("[{text}]").as_bytes()).unwrap();
        assert_eq!(entries[0].name, "A [2J B");
    }
}
