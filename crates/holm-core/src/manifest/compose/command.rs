//! How a container's process starts and stops: `command`, `entrypoint`, `user`, `stop_grace_period`.

use super::{
    super::{
        checks::env,
        document::Value,
        field::Object,
        report::{Placed, Report, quoted},
        template::plain,
    },
    Context,
};
use crate::model::{Piece, Template, User};

/// `command` or `entrypoint`: a list of words, or one text that is split like a shell splits it.
pub(super) fn words(
    fields: &Object<'_>,
    key: &str,
    context: &mut Context<'_>,
    report: &mut Report,
) -> Option<Vec<Template>> {
    let item = fields.get(key)?;
    let words: Vec<Placed<String>> = match &item.node.value {
        Value::Text(text) => match shell_words::split(text) {
            // Split before variables are put in, so that no value can become two words.
            Ok(words) => words
                .into_iter()
                .map(|value| Placed {
                    value,
                    at: item.at.clone(),
                })
                .collect(),
            Err(_) => {
                report.error(
                    &item.at,
                    "compose-command",
                    "a quote is not closed",
                    "close it, or write a list of words",
                );
                return None;
            }
        },
        _ => {
            let texts = item
                .list(report)?
                .into_iter()
                .filter_map(|word| word.text(report));
            texts
                .map(|text| Placed {
                    value: text.value.to_owned(),
                    at: text.at,
                })
                .collect()
        }
    };
    if words.is_empty() {
        report.error(
            &item.at,
            "compose-command",
            format!("{key} has no words"),
            "write a program, or leave it out",
        );
        return None;
    }
    let mut templates = Vec::new();
    for word in &words {
        let text = Placed {
            value: word.value.as_str(),
            at: word.at.clone(),
        };
        if env::line(&text, "compose-command", report) {
            let template = context.variables.parse(&text, report);
            if template
                .iter()
                .flat_map(|template| &template.0)
                .any(|piece| matches!(piece, Piece::Secret(_)))
            {
                report.error(
                    &word.at,
                    "secret-in-command",
                    "a command line is open to everybody who lists processes",
                    "give the secret by an environment variable",
                );
            }
            templates.extend(template);
        }
    }
    Some(templates)
}

/// `user`, by numbers: a name would be looked up in a file that the image controls.
pub(super) fn user(fields: &Object<'_>, report: &mut Report) -> Option<User> {
    let item = fields.get("user")?;
    let user = match &item.node.value {
        Value::Integer(uid) => u32::try_from(*uid)
            .ok()
            .filter(|uid| *uid < u32::MAX)
            .map(|uid| User { uid, gid: None }),
        _ => {
            let text = plain(item.text(report)?, report)?;
            match text.value.split_once(':') {
                None => id(text.value).map(|uid| User { uid, gid: None }),
                Some((uid, gid)) => id(uid)
                    .zip(id(gid))
                    .map(|(uid, gid)| User { uid, gid: Some(gid) }),
            }
        }
    };
    if user.is_none() {
        report.error(
            &item.at,
            "compose-user",
            "this is not a user by numbers",
            "write uid or uid:gid, such as 1000:1000",
        );
    }
    user
}

/// One spelling of an id. The highest number means "none" to the kernel.
fn id(text: &str) -> Option<u32> {
    let id: u32 = text.parse().ok()?;
    (id.to_string() == text && id < u32::MAX).then_some(id)
}

/// `stop_grace_period` in whole seconds.
pub(super) fn stop_seconds(fields: &Object<'_>, report: &mut Report) -> Option<u16> {
    let text = plain(fields.text("stop_grace_period", report)?, report)?;
    let seconds = duration(text.value).filter(|seconds| (1..=600).contains(seconds));
    if seconds.is_none() {
        let message = format!("{} is not a time from 1 second to 10 minutes", quoted(text.value));
        report.error(&text.at, "compose-stop", message, "write such as 30s or 1m30s");
    }
    seconds
}

fn duration(text: &str) -> Option<u16> {
    let (minutes, rest) = match text.split_once('m') {
        Some((minutes, rest)) => (number(minutes)?, rest),
        None => (0, text),
    };
    let seconds = match rest.strip_suffix('s') {
        Some(seconds) => number(seconds)?,
        None if rest.is_empty() && !text.is_empty() => 0,
        None => return None,
    };
    minutes.checked_mul(60)?.checked_add(seconds)
}

fn number(text: &str) -> Option<u16> {
    let digits = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}
