//! Results on standard output: a JSON document, or a table of words.

use std::io::{self, Write};

use serde::Serialize;

use crate::{Failure, Run};

/// One document and a line end.
pub(crate) fn json(run: &mut Run<'_, '_>, value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(|error| Failure::garbled(&error))?;
    Ok(writeln!(run.terminal.out, "{text}")?)
}

/// Rows under a head, columns as wide as their widest word.
pub(crate) fn table<const N: usize>(
    to: &mut dyn Write,
    head: [&str; N],
    rows: &[[String; N]],
) -> io::Result<()> {
    let head = head.map(str::to_owned);
    let widths: [usize; N] = std::array::from_fn(|column| {
        let widest = rows.iter().chain([&head]).map(|row| row[column].chars().count());
        widest.max().unwrap_or_default()
    });
    for row in [&head].into_iter().chain(rows) {
        let cells = row.iter().zip(widths);
        let line: Vec<String> = cells.map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(to, "{}", line.join("  ").trim_end())?;
    }
    Ok(())
}

/// A wire enum's own word, e.g. `serving`.
pub(crate) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
