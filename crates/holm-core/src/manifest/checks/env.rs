//! Rules `env-key`, `env-value`, `env-duplicate`: keys that cannot steer the loader, values of one line.

use std::collections::BTreeMap;

use super::{
    super::report::{Report, Text},
    name,
};
use crate::{
    model::{Piece, Template},
    name::EnvKey,
};

/// Most bytes in one value, variables not yet put in.
const MOST_BYTES: usize = 4096;

/// Checks the `env` of a manifest: values are taken literally, also a `$`.
pub(in crate::manifest) fn check(
    env: &[(Text<'_>, Text<'_>)],
    report: &mut Report,
) -> BTreeMap<EnvKey, Template> {
    let mut checked = BTreeMap::new();
    for (key, value) in env {
        line(value, "env-value", report);
        let literal = match value.value {
            "" => Vec::new(),
            text => vec![Piece::Text(text.to_owned())],
        };
        insert(&mut checked, key, Template(literal), report);
    }
    checked
}

/// Adds one variable, unless its key is refused or there already.
pub(in crate::manifest) fn insert(
    env: &mut BTreeMap<EnvKey, Template>,
    key: &Text<'_>,
    value: Template,
    report: &mut Report,
) {
    let Some(name) = name::<EnvKey>(key, "env-key", report) else {
        return;
    };
    if env.insert(name, value).is_some() {
        report.error(
            &key.at,
            "env-duplicate",
            "this variable is set twice",
            "set it once",
        );
    }
}

/// Whether a value is one line without control characters. A line break is how a value becomes a
/// second setting in some later file; values are encoded for their sink as well.
pub(in crate::manifest) fn line(text: &Text<'_>, rule: &str, report: &mut Report) -> bool {
    if text.value.len() > MOST_BYTES {
        let message = format!("the value has more than {MOST_BYTES} bytes");
        report.error(
            &text.at,
            rule,
            message,
            "make it shorter, or keep it in a file of a volume",
        );
    } else if text
        .value
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
    {
        report.error(
            &text.at,
            rule,
            "the value has a line break or another control character",
            "write it on one line",
        );
    } else {
        return true;
    }
    false
}
