//! Variables in a template's scalars: found once, on the parsed value, and kept as typed pieces.
//!
//! Nothing is ever substituted in text that is parsed again, so a value cannot bring in a line, a
//! quote or a further variable.

use std::collections::{BTreeMap, BTreeSet};

use super::report::{Report, Text, quoted};
use crate::{
    model::{Piece, Setting, Template},
    name::{SecretName, SettingKey},
};

const HINT: &str = "known are ${PIC_CFG_<KEY>} of config_schema, ${PIC_SECRET_<NAME>}, ${PIC_DOMAIN}, \
                    ${PIC_CELL_NAME}, ${PIC_SERVICE_ID} and ${SERVICE_IP}";

/// What a template may name, and the secrets that it has named so far.
#[derive(Debug)]
pub(super) struct Variables<'a> {
    pub settings: &'a BTreeMap<SettingKey, Setting>,
    pub secrets: BTreeSet<SecretName>,
}

impl Variables<'_> {
    /// Parses a scalar; all of its faults are reported.
    pub fn parse(&mut self, text: &Text<'_>, report: &mut Report) -> Option<Template> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut whole = true;
        let mut rest = text.value;
        while let Some((before, after)) = rest.split_once('$') {
            literal(&mut pieces, before);
            if let Some(next) = after.strip_prefix('$') {
                literal(&mut pieces, "$");
                rest = next;
            } else if let Some((name, next)) = after.strip_prefix('{').and_then(|inner| inner.split_once('}'))
            {
                match self.variable(name) {
                    Ok(piece) => pieces.push(piece),
                    Err((rule, message)) => {
                        report.error(&text.at, rule, message, HINT);
                        whole = false;
                    }
                }
                rest = next;
            } else {
                let hint = "write $$ for the sign itself, or ${NAME} for a variable";
                report.error(&text.at, "variable-lone", "a $ stands here alone", hint);
                whole = false;
                rest = after;
            }
        }
        literal(&mut pieces, rest);
        whole.then_some(Template(pieces))
    }

    fn variable(&mut self, name: &str) -> Result<Piece, (&'static str, String)> {
        let unknown = || {
            (
                "variable-unknown",
                format!("there is no variable {}", quoted(name)),
            )
        };
        if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            let message = format!(
                "{} is more than a name: defaults and nested forms are refused",
                quoted(name)
            );
            return Err(("variable-form", message));
        }
        if let Some(key) = name.strip_prefix("PIC_CFG_") {
            // Only the upper-case form names a setting, or two spellings would mean one value.
            let lower = key.to_ascii_lowercase();
            let known = lower.parse().ok().filter(|key| self.settings.contains_key(key));
            return known
                .filter(|_| key == key.to_ascii_uppercase())
                .map(Piece::Setting)
                .ok_or_else(unknown);
        }
        if let Some(secret) = name.strip_prefix("PIC_SECRET_") {
            let secret: SecretName = secret.parse().map_err(|_| unknown())?;
            self.secrets.insert(secret.clone());
            return Ok(Piece::Secret(secret));
        }
        match name {
            "PIC_DOMAIN" => Ok(Piece::Domain),
            "PIC_CELL_NAME" => Ok(Piece::CellName),
            "PIC_SERVICE_ID" => Ok(Piece::ServiceId),
            "SERVICE_IP" => Ok(Piece::ServiceIp),
            _ => Err(unknown()),
        }
    }
}

/// Adds text to the last piece of text, so that equal templates are equal values.
fn literal(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Text(last)) => last.push_str(text),
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

/// A text at a place that takes no variables.
pub(super) fn plain<'a>(text: Text<'a>, report: &mut Report) -> Option<Text<'a>> {
    if !text.value.contains('$') {
        return Some(text);
    }
    let hint = "variables stand in environment, command, entrypoint, and as ipv4_address ${SERVICE_IP}";
    report.error(
        &text.at,
        "variable-place",
        "a variable or $ cannot stand here",
        hint,
    );
    None
}
