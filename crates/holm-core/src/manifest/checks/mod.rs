//! The rules of a package, one file a rule (or a few close ones): raw values in, model types and findings out.

pub(super) mod accounts;
pub(super) mod backup;
pub(super) mod capability;
pub(super) mod container_name;
pub(super) mod egress;
pub(super) mod env;
pub(super) mod flags;
pub(super) mod identity;
pub(super) mod image;
pub(super) mod mount;
pub(super) mod peer_port;
pub(super) mod people;
pub(super) mod requires;
pub(super) mod route;
pub(super) mod setting;

use std::{collections::BTreeMap, str::FromStr};

use super::report::{Report, Text, quoted};
use crate::name::{ContainerName, NameError};

/// Every name by which a package may call one of its own containers.
pub(super) type Names = BTreeMap<String, ContainerName>;

/// Parses a name; when it is not one, the finding has `rule` and the name's own rule as its hint.
pub(super) fn name<T>(text: &Text<'_>, rule: &str, report: &mut Report) -> Option<T>
where
    T: FromStr<Err = NameError>,
{
    match text.value.parse() {
        Ok(name) => Some(name),
        Err(error) => {
            let error: NameError = error;
            let message = format!("{} {} is not allowed", error.kind, quoted(text.value));
            report.error(&text.at, rule, message, format!("write {}", error.rule));
            None
        }
    }
}

/// Whether a character may stand in a text for people: no control characters, and none that turn
/// the direction of writing (a name could pass for another one).
pub(super) fn is_shown(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// A port in its one spelling: digits without a leading zero, 1 to 65535.
pub(super) fn port(text: &str) -> Option<u16> {
    let digits = !text.starts_with('0') && text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}
