//! A small reader of unit files: just the keys that say what a machine does with them.

/// Values of `key` in `section`, in order. An empty value resets the list, as in systemd.
pub(crate) fn values<'a>(text: &'a str, section: &str, key: &str) -> Vec<&'a str> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = name == section;
        } else if inside
            && let Some((name, value)) = line.split_once('=')
            && name.trim_end() == key
        {
            match value.trim_start() {
                "" => found.clear(),
                value => found.push(value),
            }
        }
    }
    found
}

/// The last value of `key` in `section`.
pub(crate) fn value<'a>(text: &'a str, section: &str, key: &str) -> Option<&'a str> {
    values(text, section, key).pop()
}

/// The mark that Holm put into a unit; empty when there is none.
pub(crate) fn mark(text: &str) -> &str {
    value(text, "Unit", "X-Holm").unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_by_section() {
        let text = "# X-Holm=no\n[Unit]\nX-Holm=0123456789abcdef\nAfter=a\n After = b c\n[Container]\n\
                    X-Holm=other\nVolume=a:/b\nVolume=\nVolume=c:/d=e\n";
        assert_eq!(mark(text), "0123456789abcdef");
        assert_eq!(values(text, "Unit", "After"), ["a", "b c"]);
        assert_eq!(values(text, "Container", "Volume"), ["c:/d=e"]);
        assert_eq!(value(text, "Service", "Restart"), None);
        assert_eq!(mark("[Unit]\nDescription=x\n"), "");
    }
}
