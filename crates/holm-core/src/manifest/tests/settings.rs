//! Settings that an admin gives, against the schema of the notes example.

use std::collections::BTreeMap;

use insta::assert_snapshot;

use super::{line, package};
use crate::{
    manifest::{check_settings, parse_setting, read},
    model::{Setting, SettingKind, Value},
};

fn check(set: &[(&str, Value)]) -> String {
    let files = package(
        "notes",
        include_str!("notes.json"),
        Some(include_str!("notes.yml")),
    );
    let service = read(&files).unwrap().0;
    let set: BTreeMap<_, _> = set
        .iter()
        .map(|(key, value)| (key.parse().unwrap(), value.clone()))
        .collect();
    let findings: String = check_settings(&service, &set).iter().map(line).collect();
    format!("{set:?}\n{findings}")
}

#[test]
fn sets() {
    let title = ("title", Value::String("Ours".to_owned()));
    let all = [
        check(std::slice::from_ref(&title)),
        check(&[]),
        check(&[title.clone(), ("port", Value::Integer(0))]),
        check(&[
            title.clone(),
            ("port", Value::Integer(65535)),
            ("ports", Value::Boolean(true)),
        ]),
        check(&[
            ("title", Value::Integer(5)),
            ("port", Value::String("80".to_owned())),
        ]),
        check(&[("title", Value::String("a\nb".to_owned()))]),
        check(&[("title", Value::String("${PIC_SECRET_X} $(id)".to_owned()))]),
    ];
    assert_snapshot!(all.join("\n"));
    assert!(
        check(&[("title", Value::String("ä".repeat(4096)))])
            .lines()
            .count()
            == 1
    );
    assert!(check(&[("title", Value::String("ä".repeat(4097)))]).contains("setting-value"));
}

#[test]
fn texts() {
    let setting = |kind| Setting {
        label: "L".to_owned(),
        required: false,
        kind,
    };
    let string = setting(SettingKind::String { default: None });
    let integer = setting(SettingKind::Integer {
        default: None,
        min: Some(-5),
        max: Some(9),
    });
    let boolean = setting(SettingKind::Boolean { default: None });
    let mut all = String::new();
    for (setting, texts) in [
        (&string, vec!["a", "", "5", "a\nb", "a\u{0}"]),
        (
            &integer,
            vec![
                "5",
                "-5",
                "-6",
                "10",
                "+5",
                "05",
                " 5",
                "5.0",
                "",
                "true",
                "99999999999999999999",
            ],
        ),
        (&boolean, vec!["true", "false", "yes", "1", "True", ""]),
    ] {
        for text in texts {
            all.push_str(&format!("{text:?}: {:?}\n", parse_setting(setting, text)));
        }
    }
    assert_snapshot!(all);
}
