//! Hostile manifests: everything that the sources' own expressions let through.

use insta::assert_snapshot;

use super::{QUICK_START, check, check_edits, edit, package};
use crate::manifest::read;

/// `^...$` accepts a line break at the end. Every text of the manifest gets one.
#[test]
fn trailing_line_break_in_every_text() {
    assert_snapshot!(
        "line_break_quick_start",
        line_breaks("homepage", QUICK_START, None)
    );
    let (notes, template) = (include_str!("notes.json"), include_str!("notes.yml"));
    assert_snapshot!("line_break_notes", line_breaks("notes", notes, Some(template)));
}

/// The rules that a line break at the end of each text breaks.
fn line_breaks(path: &str, manifest: &str, template: Option<&str>) -> String {
    let document: serde_json::Value = serde_json::from_str(manifest).unwrap();
    let mut texts = Vec::new();
    walk(&document, "", &mut texts);
    let mut all = String::new();
    for pointer in texts {
        let mut changed = document.clone();
        let place = changed.pointer_mut(&pointer).unwrap();
        *place = format!("{}\n", place.as_str().unwrap()).into();
        let text = serde_json::to_string(&changed).unwrap();
        let findings = read(&package(path, &text, template)).expect_err(&pointer);
        let rules = findings.iter().map(|finding| finding.rule.as_str());
        let rules: Vec<&str> = rules.filter(|rule| *rule != super::NOT_YET).collect();
        all.push_str(&format!("{pointer}: {}\n", rules.join(" ")));
    }
    all
}

fn walk(value: &serde_json::Value, at: &str, texts: &mut Vec<String>) {
    match value {
        serde_json::Value::String(_) => texts.push(at.to_owned()),
        serde_json::Value::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                walk(value, &format!("{at}/{index}"), texts);
            }
        }
        serde_json::Value::Object(object) => {
            for (key, value) in object {
                walk(value, &format!("{at}/{key}"), texts);
            }
        }
        _ => {}
    }
}

#[test]
fn mounts() {
    let paths = [
        "/",
        "/etc",
        "/etc/",
        "//etc",
        "/etc/../etc",
        "/./proc",
        "/proc",
        "/proc/1",
        "/sys/fs",
        "/dev/shm",
        "/run",
        "/run/user/1000/podman/podman.sock",
        "/var",
        "/var/run/docker.sock",
        "/var/run",
        "/usr",
        "/app",
        "/boot/efi",
        "",
        "data",
        "./data",
        "../data",
        "/da ta",
        "/data\\n",
        "/data\\u0000",
        "/dat\\u00e4",
        "/data:ro",
        "${PIC_DOMAIN}",
        "/var/lib/postgresql/data",
        "/etc/app",
        "/app/data",
        "/usr/share/nginx/html",
        "/data",
        "/procfs",
        "/running",
    ];
    let mut all = String::new();
    for path in paths {
        let text = edit(QUICK_START, "/usr/share/nginx/html", path);
        let answer = check(&package("homepage", &text, None));
        all.push_str(&format!("{path:?}: {answer}"));
    }
    assert_snapshot!(all);
}

#[test]
fn mounts_together() {
    let one = "{ \"name\": \"homepage-html\", \"mount\": \"/usr/share/nginx/html\" }";
    let two = |a: &str, b: &str| {
        format!("{{\"name\": \"a\", \"mount\": \"{a}\"}},\n    {{\"name\": \"b\", \"mount\": \"{b}\"}}")
    };
    assert_snapshot!(check_edits(
        QUICK_START,
        None,
        &[
            ("one path twice", one, &two("/data", "/data")),
            ("one inside the other", one, &two("/data", "/data/x")),
            ("the other way round", one, &two("/data/x", "/data")),
            ("a longer name", one, &two("/data", "/data2")),
            (
                "a host path as name",
                one,
                "{\"name\": \"/etc\", \"mount\": \"/data\"}"
            ),
            (
                "a read-only field",
                one,
                "{\"name\": \"a\", \"mount\": \"/data\", \"source\": \"/etc\"}"
            ),
        ]
    ));
}

#[test]
fn backends() {
    let backend = "\"cell-homepage:80\"";
    assert_snapshot!(check_edits(
        QUICK_START,
        None,
        &[
            ("proxy", backend, "\"localhost:2019\""),
            ("metadata", backend, "\"169.254.169.254:80\""),
            ("core", backend, "\"cell-api:3000\""),
            ("port 0", backend, "\"cell-homepage:0\""),
            ("port 99999", backend, "\"cell-homepage:99999\""),
            ("port 080", backend, "\"cell-homepage:080\""),
            (
                "port of other digits",
                backend,
                "\"cell-homepage:\\u0668\\u0660\""
            ),
            ("no port", backend, "\"cell-homepage\""),
            ("true", backend, "true"),
            ("number", backend, "80"),
            (
                "named localhost",
                "\"container_name\": \"cell-homepage\"",
                "\"container_name\": \"localhost\""
            ),
            (
                "named like an address",
                "\"container_name\": \"cell-homepage\"",
                "\"container_name\": \"169.254.169.254\""
            ),
            (
                "named like a hex address",
                "\"container_name\": \"cell-homepage\"",
                "\"container_name\": \"0x7f.0x1\""
            ),
            (
                "named with an option",
                "\"container_name\": \"cell-homepage\"",
                "\"container_name\": \"--privileged\""
            ),
        ]
    ));
}

#[test]
fn subdomains() {
    let home = "\"subdomain\": \"home\",";
    assert_snapshot!(check_edits(
        QUICK_START,
        None,
        &[
            ("reserved", home, "\"subdomain\": \"mail\","),
            ("reserved by Holm", home, "\"subdomain\": \"auth\","),
            ("challenge", home, "\"subdomain\": \"_acme-challenge\","),
            ("homograph", home, "\"subdomain\": \"xn--80ak6aa92e\","),
            ("hyphen at the end", home, "\"subdomain\": \"home-\","),
            ("two labels", home, "\"subdomain\": \"home.evil\","),
            (
                "extra reserved, twice and the same",
                "\"extra_subdomains\": []",
                "\"extra_subdomains\": [\"api\", \"a\", \"a\", \"home\"]"
            ),
            (
                "extra backends",
                "\"extra_subdomains\": []",
                "\"extra_backends\": {\"dav\": \"cell-homepage:81\", \"admin\": \"cell-homepage:81\", \"b\\n\": \"cell-api:3000\"}"
            ),
            (
                "other route",
                "\"caddy_route\": {\n    \"subdomain\": \"home\"",
                "\"caddy_route\": {\n    \"subdomain\": \"other\""
            ),
        ]
    ));
}

#[test]
fn ids() {
    let id = "\"id\": \"homepage\"";
    assert_snapshot!(check_edits(
        QUICK_START,
        None,
        &[
            ("leaves the path", id, "\"id\": \"../x\""),
            ("another", id, "\"id\": \"notes\""),
            ("upper case", id, "\"id\": \"Homepage\""),
            ("core", id, "\"id\": \"gateway\""),
            ("a null byte", id, "\"id\": \"homepage\\u0000\""),
        ]
    ));
    let same = edit(QUICK_START, id, "\"id\": \"../x\"");
    assert_snapshot!("id_and_path_both_leave", check(&package("../x", &same, None)));
}

#[test]
fn rules() {
    assert_snapshot!(check_edits(
        QUICK_START,
        None,
        &[
            ("DROP", "\"type\": \"ACCEPT\"", "\"type\": \"DROP\""),
            ("another address", "\"${SERVICE_IP}\"", "\"10.0.0.1\""),
            ("true as port", "\"dest_port\": 80", "\"dest_port\": true"),
            ("text as port", "\"dest_port\": 80", "\"dest_port\": \"80\""),
            ("float as port", "\"dest_port\": 80", "\"dest_port\": 80.0"),
            ("port 0", "\"dest_port\": 80", "\"dest_port\": 0"),
            ("port 99999", "\"dest_port\": 80", "\"dest_port\": 99999"),
            (
                "a huge port",
                "\"dest_port\": 80",
                "\"dest_port\": 18446744073709551616"
            ),
            ("icmp", "\"proto\": \"tcp\"", "\"proto\": \"icmp\""),
            (
                "no proto",
                "\"dest_port\": 80,\n      \"proto\": \"tcp\"",
                "\"dest_port\": 80"
            ),
        ]
    ));
}

#[test]
fn env() {
    let env = |key: &str, value: &str| format!("\"env\": [{{\"key\": \"{key}\", \"value\": {value}}}]");
    let pairs = [
        ("LD_PRELOAD", "\"/x.so\""),
        ("PATH", "\"/x\""),
        ("HOME", "\"/\""),
        ("http_proxy", "\"x\""),
        ("A\\nB", "\"x\""),
        ("A=B", "\"x\""),
        ("", "\"x\""),
        ("A", "\"a\\nb\""),
        ("A", "\"a\\u0000\""),
        ("A", "\"${PIC_SECRET_X} $(id) '\\\"\""),
        ("A", "\"\""),
        ("A", "5"),
        ("A.b-c", "\"x\""),
        ("A", "\"x\"}, {\"key\": \"A\", \"value\": \"y\""),
    ];
    let mut all = String::new();
    for (key, value) in pairs {
        let text = edit(QUICK_START, "\"env\": []", &env(key, value));
        all.push_str(&format!(
            "== {key} {value}: {}",
            check(&package("homepage", &text, None))
        ));
    }
    assert_snapshot!(all);
}

#[test]
fn sizes_and_depth() {
    let deep = format!(
        "{{\"schema_version\": 3, \"a\": {}1{}}}",
        "[".repeat(5000),
        "]".repeat(5000)
    );
    let many = format!("{{\"schema_version\": 3, \"env\": [{}1]}}", "1,".repeat(20_000));
    let large = format!("{QUICK_START}{}", " ".repeat(256 * 1024));
    let faults = edit(
        QUICK_START,
        "\"env\": []",
        &format!("\"env\": [{}1]", "1,".repeat(5_000)),
    );
    let all = [&deep, &many, &large]
        .map(|text| check(&package("homepage", text, None)))
        .concat();
    assert_snapshot!(all);
    assert_eq!(read(&package("homepage", &faults, None)).unwrap_err().len(), 100);
    assert!(read(&package("homepage", "", None)).is_err());
    let mut files = package("homepage", QUICK_START, None);
    files.manifest.push(0xff);
    assert!(read(&files).is_err());
}
