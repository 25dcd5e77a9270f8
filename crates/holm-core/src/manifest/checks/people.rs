//! Rule `people-text`: texts shown to people are one line, not too long, and show what they are.

use super::{
    super::report::{Report, Text},
    is_shown,
};

/// Checks a text for people of at most `most` characters.
pub(in crate::manifest) fn check(text: &Text<'_>, most: usize, report: &mut Report) -> Option<String> {
    let fault = if text.value.trim().is_empty() {
        "it is empty".to_owned()
    } else if !text.value.chars().all(is_shown) {
        "it has control characters, line breaks or characters that turn the direction of writing".to_owned()
    } else if text.value.chars().count() > most {
        format!("it has more than {most} characters")
    } else if text.value.trim() != text.value {
        "it begins or ends with a space".to_owned()
    } else {
        return Some(text.value.to_owned());
    };
    let hint = format!("write one line of at most {most} characters");
    report.error(
        &text.at,
        "people-text",
        format!("this text is not fit to be shown: {fault}"),
        hint,
    );
    None
}
