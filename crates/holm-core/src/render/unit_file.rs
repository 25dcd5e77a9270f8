//! Unit files as values: encoded to text, and parsed back to be compared (systemd.syntax(7), podman-systemd.unit(5)).

use std::fmt::Write as _;

/// A unit file. Sections and entries keep their order; a key may stand more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitFile {
    sections: Vec<(String, Vec<(String, String)>)>,
}

/// A line that is not of a unit file, or an entry that cannot be written as one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of a unit file: {reason}")]
pub struct UnitError {
    /// 1-based.
    pub line: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl UnitFile {
    /// Adds an entry to the end of `section`. Text from outside comes through [`word`] or [`words`].
    pub fn push(&mut self, section: &str, key: &str, value: impl Into<String>) {
        let entry = (key.to_owned(), value.into());
        match self.sections.iter_mut().find(|(name, _)| name == section) {
            Some((_, entries)) => entries.push(entry),
            None => self.sections.push((section.to_owned(), vec![entry])),
        }
    }

    /// Every value of `key` in `section`, in order.
    pub fn values<'a>(&'a self, section: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.sections
            .iter()
            .filter(move |(name, _)| name == section)
            .flat_map(|(_, entries)| entries)
            .filter(move |(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }

    /// Every entry as (section, key).
    pub fn keys(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sections.iter().flat_map(|(section, entries)| {
            entries
                .iter()
                .map(move |(key, _)| (section.as_str(), key.as_str()))
        })
    }

    /// The text.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        for (index, (section, entries)) in self.sections.iter().enumerate() {
            let _ = writeln!(text, "{}[{section}]", if index == 0 { "" } else { "\n" });
            for (key, value) in entries {
                let _ = writeln!(text, "{key}={value}");
            }
        }
        text
    }

    /// Parses what [`encode`](Self::encode) writes; stricter than systemd: no comments, no continued lines.
    ///
    /// # Errors
    /// The first line that is none of: empty, `[Section]`, `Key=value`.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let mut file = Self::default();
        for (index, line) in text.lines().enumerate() {
            let fault = |reason| UnitError {
                line: index + 1,
                reason,
            };
            if line.is_empty() {
                continue;
            }
            if line.ends_with('\\') || line.chars().any(char::is_control) {
                return Err(fault("control characters and continued lines are not allowed"));
            }
            if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                file.sections.push((section.to_owned(), Vec::new()));
                continue;
            }
            let (key, value) = line
                .split_once('=')
                .ok_or_else(|| fault("neither a section nor an entry"))?;
            let (_, entries) = file
                .sections
                .last_mut()
                .ok_or_else(|| fault("an entry before the first section"))?;
            entries.push((key.to_owned(), value.to_owned()));
        }
        Ok(file)
    }
}

/// One word of a command line: quoted so that systemd's splitting, specifiers (`%`) and variables (`$`) leave it
/// as it is. Control characters are written as escapes.
pub fn word(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '%' => quoted.push_str("%%"),
            '$' => quoted.push_str("$$"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Words of a command line, each as by [`word`].
pub fn words<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().map(word).collect::<Vec<_>>().join(" ")
}
