//! Templates filled with typed values, once; secrets stay open until the moment of the start.

use std::net::Ipv4Addr;

use crate::{
    intent::ServiceIntent,
    model::{Piece, SettingKind, Template, Value},
    name::SettingKey,
    target::{Cell, Filled, FilledPiece},
};

/// Where the values of a service's variables come from.
pub(super) struct Values<'a> {
    pub cell: &'a Cell,
    pub wish: &'a ServiceIntent,
    pub service_ip: Ipv4Addr,
}

impl Values<'_> {
    /// Fills a template. A setting without value or default becomes the empty text.
    pub fn fill(&self, template: &Template) -> Filled {
        let mut filled: Vec<FilledPiece> = Vec::new();
        for piece in &template.0 {
            let text = match piece {
                Piece::Text(text) => text.clone(),
                Piece::Setting(key) => self.setting(key),
                Piece::Domain => self.cell.domain.to_string(),
                Piece::CellName => self.cell.name.to_string(),
                Piece::ServiceId => self.wish.service.id.to_string(),
                Piece::ServiceIp => self.service_ip.to_string(),
                Piece::Secret(name) => {
                    filled.push(FilledPiece::Secret(name.clone()));
                    continue;
                }
            };
            match filled.last_mut() {
                Some(FilledPiece::Text(last)) => last.push_str(&text),
                _ => filled.push(FilledPiece::Text(text)),
            }
        }
        Filled(filled)
    }

    fn setting(&self, key: &SettingKey) -> String {
        let default = || match &self.wish.service.settings.get(key)?.kind {
            SettingKind::String { default } => default.clone().map(Value::String),
            SettingKind::Integer { default, .. } => default.map(Value::Integer),
            SettingKind::Boolean { default } => default.map(Value::Boolean),
        };
        match self.wish.settings.get(key).cloned().or_else(default) {
            Some(Value::String(text)) => text,
            Some(Value::Integer(number)) => number.to_string(),
            Some(Value::Boolean(flag)) => flag.to_string(),
            None => String::new(),
        }
    }
}
