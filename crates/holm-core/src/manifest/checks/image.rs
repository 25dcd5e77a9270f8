//! Rules `image`, `image-latest` and `image-unpinned`: what runs is named by digest, whatever registry it comes from.

use super::super::report::{Report, Text, quoted};
use crate::model::Image;

/// Checks an image reference. An image gives at most one finding.
pub(in crate::manifest) fn check(text: &Text<'_>, report: &mut Report) -> Option<Image> {
    let pin =
        "pin it by digest: registry/path:version@sha256:<64 hex digits>; packing a store fills digests in";
    match text.value.parse::<Image>() {
        Ok(image) if image.tag() == Some("latest") => {
            report.error(
                &text.at,
                "image-latest",
                "the tag latest says nothing of what runs",
                "write the version as tag",
            );
            None
        }
        Ok(image) => Some(image),
        Err(_) if !is_reference(text.value) => {
            let message = format!("{} is not an image reference", quoted(text.value));
            report.error(&text.at, "image", message, format!("write {}", Image::RULE));
            None
        }
        Err(_) if is_latest(text.value) => {
            report.error(
                &text.at,
                "image-latest",
                "the tag latest is another image tomorrow",
                pin,
            );
            None
        }
        Err(_) => {
            report.error(
                &text.at,
                "image-unpinned",
                "a tag can be moved to another image",
                pin,
            );
            None
        }
    }
}

/// Whether only the digest is missing.
fn is_reference(text: &str) -> bool {
    format!("{text}@sha256:{}", "0".repeat(64))
        .parse::<Image>()
        .is_ok()
}

/// No tag means `latest` to every puller.
fn is_latest(text: &str) -> bool {
    let last = text.rsplit('/').next().unwrap_or(text);
    last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}
