//! What is rendered: the golden text, and that every unit reads back as the value it was made from.

use proptest::prelude::*;

use super::{
    Rendered, gateway_config,
    unit_file::{UnitFile, word},
};
use crate::{
    decide::decide,
    fixture::{homepage, images, intent, notes},
    model::{Piece, Template},
    target::{Target, Wanted},
};

/// Rendered for a machine that has every network.
fn render(target: &Target) -> Rendered {
    super::render(target, &gateway_config(target).legs)
}

fn whole(files: &std::collections::BTreeMap<String, String>) -> String {
    files
        .iter()
        .map(|(path, text)| format!("==== {path}\n{text}\n"))
        .collect()
}

#[test]
fn two_services_rendered() {
    let target = decide(&intent([homepage(), notes()]), None, &[], &images()).target;
    insta::assert_snapshot!(whole(&render(&target).files));
}

#[test]
fn every_unit_reads_back_equal_and_has_only_known_keys() {
    let target = decide(&intent([homepage(), notes()]), None, &[], &images()).target;
    let rendered = render(&target);
    assert_eq!(rendered.units.len(), 6);
    for (name, unit) in &rendered.units {
        let text = &rendered.files[&unit.path];
        let parsed = UnitFile::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(parsed, unit.file, "{name}");
        for (section, key) in parsed.keys() {
            assert!(
                super::KEYS.contains(&(section, key)),
                "{name}: [{section}] {key} is not a key that Holm writes"
            );
        }
    }
}

#[test]
fn a_stopped_service_is_not_started_at_boot_and_needs_no_restart_to_stay_as_it_is() {
    let mut wish = intent([homepage()]);
    let running = render(&decide(&wish, None, &[], &images()).target);
    wish.services
        .values_mut()
        .for_each(|service| service.wanted = Wanted::Stopped);
    let stopped = render(&decide(&wish, None, &[], &images()).target);
    let unit = "holm-homepage.main.service";
    assert_eq!(running.units[unit].spec, stopped.units[unit].spec);
    assert_ne!(running.units[unit].mark, stopped.units[unit].mark);
    assert_eq!(stopped.units[unit].file.values("Install", "WantedBy").count(), 0);
}

#[test]
fn a_new_leg_changes_the_anchors_text_but_restarts_nothing() {
    let one = render(&decide(&intent([homepage()]), None, &[], &images()).target);
    let two = render(&decide(&intent([homepage(), notes()]), None, &[], &images()).target);
    for unit in [
        "holm-anchor.service",
        "holm-gateway.service",
        "holm-caddy.service",
        "holm-homepage.main.service",
    ] {
        assert_eq!(one.units[unit].spec, two.units[unit].spec, "{unit}");
    }
    assert_ne!(
        one.units["holm-anchor.service"].mark,
        two.units["holm-anchor.service"].mark
    );
}

#[test]
fn a_value_with_a_secret_goes_in_by_memory_and_not_by_podmans_environment() {
    let target = decide(&intent([notes()]), None, &[], &images()).target;
    let rendered = render(&target);
    assert!(!rendered.files["env/holm-notes.server"].contains("NOTES_DB"));
    let pieces = r#"[{"text":"postgres://notes:"},{"secret":"DB_PASSWORD"},{"text":"@db/notes"}]"#;
    let sealed = format!("{{\"env\":{{\"NOTES_DB\":{pieces}}},\"service\":\"notes\"}}\n");
    assert_eq!(rendered.files["env/holm-notes.server.sealed"], sealed);
    let unit = &rendered.units["holm-notes.server.service"].file;
    let mounts: Vec<_> = unit.values("Container", "Volume").collect();
    assert_eq!(mounts, ["%t/holm/env/holm-notes.server:/run/holm.env:ro"]);
    assert_eq!(
        unit.values("Service", "ExecStartPre").nth(1),
        Some("/usr/lib/holm/holmd unseal holm-notes.server")
    );
}

proptest! {
    /// Whatever a command or a value holds, the unit is read back as the value that it was made from, and no
    /// text makes a line, a section or a key of its own.
    #[test]
    fn hostile_text_stays_text(text in any::<String>(), value in "[^\\x00-\\x1f\\x7f]*") {
        let mut service = notes();
        let template = |text: &str| Template(vec![Piece::Text(text.into())]);
        service.containers[1].command = Some(vec![template(&text)]);
        service.containers[1].env.insert("NOTES_UGLY".parse().unwrap(), template(&value));
        let rendered = render(&decide(&intent([service]), None, &[], &images()).target);
        for unit in rendered.units.values() {
            let parsed = UnitFile::parse(&rendered.files[&unit.path]).unwrap();
            prop_assert_eq!(&parsed, &unit.file);
            for key in parsed.keys() {
                prop_assert!(super::KEYS.contains(&key));
            }
        }
        let env = &rendered.files["env/holm-notes.server"];
        let line = format!("NOTES_UGLY={value}");
        prop_assert!(env.lines().any(|l| l == line));
        prop_assert_eq!(env.lines().count(), 4);
    }

    /// systemd's own reading of a quoted word gives the text back.
    #[test]
    fn a_word_unquotes_to_itself(text in any::<String>()) {
        let quoted = word(&text);
        prop_assert!(quoted.starts_with('"') && quoted.ends_with('"'));
        prop_assert!(!quoted.chars().any(char::is_control));
        let body = quoted[1..quoted.len() - 1].replace("%%", "%").replace("$$", "$");
        prop_assert_eq!(unescape(&body), text);
    }
}

/// The C escapes of systemd.syntax(7) that `word` uses.
fn unescape(body: &str) -> String {
    let mut out = String::new();
    let mut chars = body.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let hex: String = chars.by_ref().take(4).collect();
                out.push(char::from_u32(u32::from_str_radix(&hex, 16).unwrap()).unwrap());
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}
