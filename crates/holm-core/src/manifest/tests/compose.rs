//! Templates: the notes example of the guide made complete, and one edit of it for each rule.

use insta::assert_snapshot;

use super::{check, edit, package};
use crate::manifest::read;

const MANIFEST: &str = include_str!("notes.json");
const TEMPLATE: &str = include_str!("notes.yml");

/// Checks the template once for each edit.
fn edits(edits: &[(&str, &str, &str)]) -> String {
    let mut all = String::new();
    for (what, from, to) in edits {
        let answer = check(&package("notes", MANIFEST, Some(&edit(TEMPLATE, from, to))));
        all.push_str(&format!("== {what}: {answer}\n"));
    }
    all
}

/// Checks the manifest, with the template as it is, once for each edit.
fn manifest_edits(edits: &[(&str, &str, &str)]) -> String {
    let mut all = String::new();
    for (what, from, to) in edits {
        let answer = check(&package("notes", &edit(MANIFEST, from, to), Some(TEMPLATE)));
        all.push_str(&format!("== {what}: {answer}\n"));
    }
    all
}

#[test]
fn notes_pass() {
    let (service, findings) = read(&package("notes", MANIFEST, Some(TEMPLATE))).unwrap();
    let told: Vec<String> = findings
        .iter()
        .map(|finding| format!("{}: {}", finding.rule, finding.message))
        .collect();
    let expected = [
        "flag-not-yet: no accounts are made yet: people sign in as the service itself provides",
        "flag-not-yet: no backups are made yet: the data is in the service's volumes and nowhere else",
        "flag-not-yet: nothing leaves the service's network yet, whatever egress allows",
    ];
    assert_eq!(told, expected);
    assert_snapshot!(serde_json::to_string_pretty(&service).unwrap());
}

#[test]
fn a_secret_in_a_command_line() {
    let restart = "restart: unless-stopped";
    let command = format!("{restart}\n    command: [serve, \"--password=${{PIC_SECRET_DB_PASSWORD}}\"]");
    assert_snapshot!(edits(&[("command", restart, &command)]));
}

#[test]
fn variables() {
    let port = "\"${PIC_CFG_PORT}\"";
    assert_snapshot!(edits(&[
        ("unknown", port, "\"${PIC_PROJECT_DIR} ${INSTANCE_ID} ${HOME}\""),
        ("unknown setting", port, "\"${PIC_CFG_PORTS}\""),
        ("setting in lower case", port, "\"${PIC_CFG_port}\""),
        ("a bad secret name", port, "\"${PIC_SECRET_}${PIC_SECRET_a}\""),
        ("default form", port, "\"${PIC_DOMAIN:-x}\""),
        ("nested", port, "\"${PIC_CFG_${PIC_CFG_PORT}}\""),
        ("lone", port, "\"$HOME $ $(id)\""),
        ("open", port, "\"${PIC_DOMAIN\""),
        ("twice escaped", port, "\"$$${PIC_DOMAIN}$$$$\""),
        ("in image", "images.holm.example/finder", "${PIC_DOMAIN}/finder"),
        (
            "in container_name",
            "container_name: cell-search",
            "container_name: \"${PIC_SERVICE_ID}\""
        ),
        (
            "in a volume",
            "notes-data:/notes:ro",
            "notes-data:/${PIC_CELL_NAME}:ro"
        ),
        ("in a key", "NOTES_WORKERS: 4", "\"${PIC_CELL_NAME}\": x"),
        ("in user", "user: 1000:1000", "user: ${PIC_CFG_PORT}"),
        ("in command", "${PIC_SERVICE_ID}", "${NOPE}"),
    ]));
}

#[test]
fn refused_keys() {
    let init = "    init: true\n";
    let line = |text: &'static str| ("", init, text);
    let all = [
        "    ports: [\"80:80\"]\n",
        "    privileged: true\n",
        "    network_mode: host\n",
        "    pid: host\n",
        "    ipc: host\n",
        "    devices: [/dev/kvm]\n",
        "    extra_hosts: [\"a:10.0.0.1\"]\n",
        "    build: .\n",
        "    env_file: .env\n",
        "    tmpfs: /tmp\n",
        "    healthcheck: {test: x}\n",
        "    x-any: 1\n",
        "    sysctls: {a: 1}\n",
        "    privileged: false\n",
    ];
    assert_snapshot!(
        all.map(|text| edits(&[(text.trim(), line(text).1, text)]))
            .concat()
    );
}

#[test]
fn fields() {
    assert_snapshot!(edits(&[
        ("restart", "unless-stopped", "sometimes"),
        ("security_opt", "no-new-privileges:true", "seccomp:unconfined"),
        ("restart no", "unless-stopped", "no"),
        ("user name", "1000:1000", "root"),
        ("user with zero", "1000:1000", "01000"),
        ("user none", "1000:1000", "4294967295"),
        ("user number", "1000:1000", "1000"),
        ("read_only text", "read_only: true", "read_only: \"true\""),
        ("read_only yes", "read_only: true", "read_only: yes"),
        ("no stop", "1m30s", "0s"),
        ("long stop", "1m30s", "1h"),
        ("stop text", "1m30s", "\"\""),
        ("stop in minutes", "1m30s", "2m"),
        ("caps", "[CAP_SETUID]", "[NET_ADMIN, SYS_PTRACE]"),
        ("labels", "    init: true\n", "    labels: {a: b}\n"),
        ("expose", "9000, \"9001/tcp\"", "0, \"x\", \"9000-9010\""),
        ("working_dir", "working_dir: /srv", "working_dir: srv/.."),
        ("open quote", "--id ${PIC_SERVICE_ID}", "--id 'x"),
        ("no command", "[\"/bin/finder\", \"serve\"]", "[]"),
        ("number in a command", "\"serve\"]", "5]"),
        ("line break in a command", "\"serve\"]", "\"a\\nb\"]"),
        (
            "image missing",
            "    image: images.holm.example/finder:2.1.0@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n",
            ""
        ),
        (
            "image latest",
            "finder:2.1.0@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
            "finder:latest"
        ),
    ]));
}

#[test]
fn environment() {
    let workers = "NOTES_WORKERS: 4";
    assert_snapshot!(edits(&[
        ("boolean", workers, "NOTES_WORKERS: true"),
        ("float", workers, "NOTES_WORKERS: 1.10"),
        ("null", workers, "NOTES_WORKERS:"),
        ("denied", workers, "LD_PRELOAD: /x.so"),
        ("block text", workers, "NOTES_WORKERS: |\n        a\n        b"),
        ("escape", workers, "NOTES_WORKERS: \"a\\0b\""),
        ("duplicate", workers, "NOTES_WORKERS: 4\n      NOTES_WORKERS: 5"),
        ("list without value", "- EMPTY=", "- EMPTY"),
        ("list duplicate", "- EMPTY=", "- PASS=x"),
        ("list of number", "- EMPTY=", "- 5"),
        (
            "a text",
            "environment:\n      - PASS=${PIC_SECRET_DB_PASSWORD}${PIC_SECRET_SEED}\n      - EMPTY=",
            "environment: A=B"
        ),
    ]));
}

#[test]
fn mounts() {
    let short = "notes-data:/notes:ro";
    assert_snapshot!(edits(&[
        ("host path", short, "/etc:/host:ro"),
        ("relative", short, "./data:/data"),
        ("home", short, "~:/data"),
        ("parent", short, "../x:/data"),
        ("socket", short, "/var/run/docker.sock:/var/run/docker.sock"),
        ("anonymous", short, "/data"),
        ("options", short, "notes-data:/notes:rw,exec"),
        ("four parts", short, "a:b:c:d"),
        ("system path", short, "notes-data:/proc/x"),
        ("undeclared", short, "other:/notes"),
        ("overlap", short, "notes-data:/var/lib/finder/x"),
        ("bind", "type: volume", "type: bind"),
        ("tmpfs", "type: volume", "type: tmpfs"),
        (
            "long with options",
            "target: /var/lib/finder",
            "target: /var/lib/finder\n        bind: {propagation: shared}"
        ),
        (
            "driver",
            "index: {}",
            "index: {driver: local, driver_opts: {type: none, device: /etc, o: bind}}"
        ),
        ("external", "index: {}", "index: {external: true}"),
        ("bad volume name", "index: {}", "\"../index\":"),
    ]));
}

#[test]
fn networks_and_names() {
    assert_snapshot!(edits(&[
        ("own network", "external: true", "driver: bridge"),
        ("no options", "    external: true", ""),
        (
            "second network",
            "networks:\n  cell-network:\n",
            "networks:\n  host: {external: true}\n  cell-network:\n"
        ),
        ("undeclared", "networks: [cell-network]", "networks: [host]"),
        ("fixed address", "\"${SERVICE_IP}\"", "172.20.0.1"),
        (
            "two with the address",
            "networks: [cell-network]",
            "networks: {cell-network: {ipv4_address: \"${SERVICE_IP}\"}}"
        ),
        (
            "network aliases",
            "ipv4_address: \"${SERVICE_IP}\"",
            "aliases: [gateway]"
        ),
        ("underscore", "  finder:\n", "  my_finder:\n"),
        ("upper case", "  finder:\n", "  Finder:\n"),
        ("not a name", "  finder:\n", "  \"../x\":\n"),
        (
            "one alias for two",
            "container_name: cell-search",
            "container_name: cell-notes"
        ),
        (
            "alias is another's key",
            "container_name: cell-notes",
            "container_name: finder"
        ),
        (
            "alias localhost",
            "container_name: cell-search",
            "container_name: localhost"
        ),
        ("depends on nothing", "depends_on: [finder]", "depends_on: [db]"),
        (
            "depends on itself",
            "depends_on: [finder]",
            "depends_on: [cell-notes]"
        ),
        (
            "circle",
            "    user: 1000:1000\n",
            "    depends_on: [cell-notes]\n"
        ),
        (
            "long depends",
            "depends_on: [finder]",
            "depends_on: {finder: {condition: service_started}}"
        ),
        (
            "healthy",
            "depends_on: [finder]",
            "depends_on: {finder: {condition: service_healthy, restart: true}}"
        ),
    ]));
}

#[test]
fn yaml_itself() {
    let restart = "restart: unless-stopped";
    assert_snapshot!(edits(&[
        ("anchor", restart, "restart: &a unless-stopped"),
        ("alias", restart, "restart: *a"),
        ("merge", restart, "<<: {restart: always}"),
        ("standard tag", restart, "restart: !!str unless-stopped"),
        ("binary tag", restart, "restart: !!binary dW5sZXNzLXN0b3BwZWQ="),
        ("own tag", restart, "restart: !x unless-stopped"),
        ("tagged key", restart, "!!str restart: unless-stopped"),
        (
            "tagged object",
            "volumes:\n  notes-data:",
            "volumes: !!map\n  notes-data:"
        ),
        ("second document", restart, "restart: always\n---\na: b"),
        ("duplicate key", restart, "restart: always\n    restart: always"),
        ("duplicate service", "  finder:\n", "  cell-notes:\n"),
        ("tab", restart, "\trestart: always"),
        ("null byte", restart, "restart: \"a\\0\""),
        ("number as key", restart, "5: x"),
        ("no services", "services:", "service:"),
        (
            "top-level key",
            "networks:\n  cell-network:\n    external",
            "include: [x.yml]\nsecrets: {}\nnetworks:\n  cell-network:\n    external"
        ),
        (
            "marks in a text",
            "NOTES_WORKERS: 4",
            "NOTES_WORKERS: \"Hello !!str &a *b\" # !!map"
        ),
        (
            "old version",
            "services:",
            "version: \"3.8\"\nname: notes\nservices:"
        ),
    ]));
    let all = [
        "",
        "[]",
        "services: {}",
        "services: []",
        "services: {a: null}",
        "\u{feff}services: {}",
        "services: [[[[",
        "a: b: c",
    ];
    let answers = all.map(|text| format!("== {text:?}: {}", check(&package("notes", MANIFEST, Some(text)))));
    assert_snapshot!("other_documents", answers.concat());
}

#[test]
fn manifest_and_template() {
    let digest = "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    assert_snapshot!(manifest_edits(&[
        ("another image", "notes:1.0.0", "notes:1.0.1"),
        ("image latest", &format!("notes:1.0.0{digest}"), "notes:latest"),
        ("backend by key", "finder:9000", "cell-search:9000"),
        (
            "backend elsewhere",
            "\"backend\": \"cell-notes:8080\"",
            "\"backend\": \"localhost:2019\""
        ),
        (
            "address elsewhere",
            "\"backend\": \"cell-notes:8080\"",
            "\"backend\": \"finder:8080\""
        ),
        (
            "unknown container_name",
            "\"container_name\": \"cell-notes\"",
            "\"container_name\": \"cell-other\""
        ),
        (
            "env besides",
            "\"cap_add\": [\"CHOWN\"],",
            "\"env\": [{\"key\": \"A\", \"value\": \"b\"}],"
        ),
        (
            "mount besides",
            "\"/data/notes\" }]",
            "\"/data/other\" }, { \"name\": \"more\", \"mount\": \"/more\" }]"
        ),
        (
            "settings off",
            "\"has_admin_config\": true",
            "\"has_admin_config\": false"
        ),
        (
            "backup elsewhere",
            "\"container\": \"cell-notes\"",
            "\"container\": \"cell-api\""
        ),
        ("builtin", "\"kind\": \"store\"", "\"kind\": \"builtin\""),
    ]));
    let latest = |text: &str| edit(text, &format!("notes:1.0.0{digest}"), "notes:latest");
    let both = package("notes", &latest(MANIFEST), Some(&latest(TEMPLATE)));
    assert_snapshot!("latest_in_both", check(&both));
}

/// Without a backend the template says which container has the service's address.
#[test]
fn main_without_backend() {
    let off = edit(MANIFEST, "\"has_subdomain\": true", "\"has_subdomain\": false");
    let none = edit(
        TEMPLATE,
        "      cell-network:\n        ipv4_address: \"${SERVICE_IP}\"",
        "      cell-network:",
    );
    let to_finder = edit(
        &none,
        "networks: [cell-network]",
        "networks: {cell-network: {ipv4_address: \"${SERVICE_IP}\"}}",
    );
    let main = |template: &str| read(&package("notes", &off, Some(template))).unwrap().0.main;
    assert_eq!(main(TEMPLATE).as_str(), "cell-notes");
    assert_eq!(main(&none).as_str(), "cell-notes");
    assert_eq!(main(&to_finder).as_str(), "finder");
}
