//! The v3 document without a template: the quick-start example, and one edit of it for each rule.

use insta::assert_snapshot;

use super::{QUICK_START, check, check_edits, edit, package};
use crate::manifest::read;

const PINNED: &str = ":1.0.0@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[test]
fn quick_start_pinned_passes() {
    let (service, findings) = read(&package("homepage", QUICK_START, None)).unwrap();
    assert_eq!(findings, []);
    assert_snapshot!(serde_json::to_string_pretty(&service).unwrap());
}

#[test]
fn quick_start_untouched_has_one_finding() {
    let untouched = edit(QUICK_START, PINNED, ":latest");
    assert_snapshot!(check(&package("homepage", &untouched, None)));
}

#[test]
fn images() {
    assert_snapshot!(check_edits(
        QUICK_START,
        None,
        &[
            ("no tag", PINNED, ""),
            ("a tag", PINNED, ":1.0.0"),
            ("latest and a digest", ":1.0.0@", ":latest@"),
            ("a digest alone", ":1.0.0@", "@"),
            ("a short name", "images.holm.example/pic-homepage", "pic-homepage"),
            ("leaves the path", "pic-homepage:", "../../x:"),
            ("not a name", "images.holm.example/pic-homepage", "-x"),
        ]
    ));
}

#[test]
fn structure() {
    assert_snapshot!(check_edits(
        QUICK_START,
        None,
        &[
            ("no JSON", "\"id\":", "id:"),
            ("a comment", "{\n", "{ # yaml\n"),
            ("duplicate key", "\"env\": [],", "\"env\": [], \"env\": [],"),
            (
                "unknown field",
                "\"env\": [],",
                "\"env\": [], \"privileged\": true,"
            ),
            (
                "unknown field below",
                "\"proto\": \"tcp\"",
                "\"proto\": \"tcp\", \"chain\": \"INPUT\""
            ),
            (
                "a schema_version of text",
                "\"schema_version\": 3",
                "\"schema_version\": \"3\""
            ),
            (
                "a schema_version of 4",
                "\"schema_version\": 3",
                "\"schema_version\": 4"
            ),
            ("no schema_version", "\"schema_version\": 3,", ""),
            (
                "types",
                "\"id\": \"homepage\",",
                "\"id\": 5, \"cap_add\": {}, \"instanceable\": \"yes\","
            ),
            (
                "missing fields",
                "\"id\": \"homepage\",\n  \"name\": \"Homepage\",",
                ""
            ),
            ("compose", "\"compose\": null", "\"compose\": {}"),
            ("hook", "\"compose\": null", "\"provision_hook\": \"install.sh\""),
            ("no hook", "\"compose\": null", "\"provision_hook\": null"),
            (
                "two documents",
                "\"compose\": null\n}",
                "\"compose\": null\n}\n---\n{}"
            ),
            ("builtin", "\"kind\": \"store\"", "\"kind\": \"builtin\""),
            (
                "flag of text",
                "\"has_egress\": false",
                "\"has_egress\": \"false\""
            ),
            ("five flags", "\"has_egress\": false,", ""),
        ]
    ));
}

#[test]
fn identity() {
    assert_snapshot!(check_edits(
        QUICK_START,
        None,
        &[
            ("id is not the path", "\"id\": \"homepage\"", "\"id\": \"home\""),
            ("version", "\"version\": \"1.0.0\"", "\"version\": \"1.0\""),
            ("kind", "\"kind\": \"store\"", "\"kind\": \"core\""),
            (
                "min version 2",
                "\"min_pic_version\": \"1.0\"",
                "\"min_pic_version\": \"2.0\""
            ),
            (
                "min version text",
                "\"min_pic_version\": \"1.0\"",
                "\"min_pic_version\": \"new\""
            ),
            ("no min version", "\"min_pic_version\": \"1.0\",", ""),
            ("empty name", "\"name\": \"Homepage\"", "\"name\": \" \""),
            (
                "turned name",
                "\"name\": \"Homepage\"",
                "\"name\": \"egap\\u202eemoH\""
            ),
            (
                "long name",
                "\"name\": \"Homepage\"",
                "\"name\": \"HomepageHomepageHomepageHomepageHomepageHomepageHomepageHomepageH\""
            ),
            ("two lines", "served from", "served\\nfrom"),
        ]
    ));
}

#[test]
fn flags_and_blocks() {
    assert_snapshot!(check_edits(QUICK_START, None, &[
        ("all true", "\"has_accounts\": false,\n    \"has_admin_config\": false,\n    \"has_storage\": false,\n    \"has_egress\": false,\n    \"has_api_hooks\": false",
            "\"has_accounts\": true, \"has_admin_config\": true, \"has_storage\": true, \"has_egress\": true, \"has_api_hooks\": true"),
        ("no subdomain wanted", "\"has_subdomain\": true", "\"has_subdomain\": false"),
        ("no backend", "\"backend\": \"cell-homepage:80\",", ""),
        ("accounts", "\"env\": [],", "\"env\": [], \"accounts\": {\"manager\": \"email_manager\", \"credentials\": [\"password\", \"password\", \"a b\"]},
            \"peer_config_template\": {\"url\": \"https://home.{domain}/{peer.username}\", \"p\": \"{peer.service_credentials.homepage.password}{peer.service_credentials.mail.password}\", \"x\": \"{config.y}\", \"z\": \"{\"},"),
        ("backup", "\"env\": [],", "\"env\": [], \"backup\": {\"volumes\": [
            {\"container\": \"cell-homepage\", \"path\": \"/data\", \"name\": \"../x\"},
            {\"container\": \"cell-api\", \"path\": \"/data/../etc\", \"name\": \"a\"},
            {\"container\": \"cell-homepage\", \"path\": \"/data\", \"name\": \"a\"}], \"config_paths\": [\"../../etc/shadow\"]},"),
        ("egress", "\"env\": [],", "\"env\": [], \"egress\": {\"default\": \"tor\", \"allowed\": [\"cell_internet\", \"lan\", \"cell_internet\"]},"),
        ("storage", "\"env\": [],", "\"env\": [], \"storage\": {\"primary_path\": \"../data\", \"quota_mb\": 0},"),
        ("storage without quota", "\"env\": [],", "\"env\": [], \"storage\": {\"primary_path\": \"data/home\", \"quota_mb\": null},"),
    ]));
}

#[test]
fn settings() {
    let on = edit(
        QUICK_START,
        "\"has_admin_config\": false",
        "\"has_admin_config\": true",
    );
    let schema = |schema: &str| {
        check(&package(
            "homepage",
            &edit(
                &on,
                "\"env\": [],",
                &format!("\"env\": [],\n\"config_schema\": {schema},"),
            ),
            None,
        ))
    };
    let all = [
        r#"{"port": {"type": "integer", "label": "Port", "default": 8080, "min": 1, "max": 65535}, "path": {"type": "string", "label": "Folder", "default": "/data"}, "on": {"type": "boolean", "label": "On", "required": true}}"#,
        r#"{"Port": {"type": "integer", "label": "Port"}}"#,
        r#"{"port": {"type": "float", "label": "Port", "default": 1.5}}"#,
        r#"{"port": {"type": "integer", "label": "Port", "default": "80"}}"#,
        r#"{"port": {"type": "integer", "label": "Port", "default": true}}"#,
        r#"{"port": {"type": "integer", "label": "Port", "default": 0, "min": 1, "max": 9}}"#,
        r#"{"port": {"type": "integer", "label": "Port", "min": 9, "max": 1}}"#,
        r#"{"port": {"type": "string", "label": "Port", "min": 9}}"#,
        r#"{"port": {"type": "string", "default": "a\nb", "label": "a\nb"}}"#,
        r#"{"port": {"type": "string", "label": "Port", "secret": true}}"#,
        r#"{"port": {"type": "string"}}"#,
    ];
    assert_snapshot!(all.map(|text| format!("== {text}\n{}", schema(text))).concat());
}

#[test]
fn fields_not_acted_on() {
    assert_snapshot!(check_edits(
        QUICK_START,
        None,
        &[
            (
                "requires",
                "\"env\": [],",
                "\"env\": [], \"requires\": [\"mail\", \"homepage\", \"../x\"],"
            ),
            (
                "requires one",
                "\"env\": [],",
                "\"env\": [], \"requires\": [\"mail\"],"
            ),
            ("requires none", "\"env\": [],", "\"env\": [], \"requires\": [],"),
            (
                "instanceable",
                "\"env\": [],",
                "\"env\": [], \"instanceable\": true,"
            ),
            (
                "containers",
                "\"containers\": [\"cell-homepage\"]",
                "\"containers\": [\"cell-other\"]"
            ),
            (
                "capabilities",
                "\"env\": [],",
                "\"env\": [], \"cap_add\": [\"CHOWN\", \"CAP_SETUID\", \"NET_ADMIN\", \"SYS_MODULE\", \"ALL\", \"chown\"],"
            ),
        ]
    ));
}
