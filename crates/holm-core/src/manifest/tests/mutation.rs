//! Mutated packages: reading never panics, and what passes keeps the rules of the model.

use proptest::prelude::*;

use super::{QUICK_START, check, package};
use crate::manifest::{checks::mount::within, read};

/// Pieces that mean something to one of the parsers or checks.
const PIECES: [&str; 40] = [
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\n",
    "\\n",
    "\\u0000",
    "\u{202e}",
    "\u{0}",
    "\t",
    "..",
    "/",
    "/etc",
    "//",
    "/proc/",
    "${",
    "}",
    "$",
    "$$",
    "true",
    "null",
    "-1",
    "0",
    "99999",
    "1e9",
    "!!str ",
    "&a ",
    "*a",
    "<<: ",
    "---\n",
    "# ",
    "localhost:1",
    "latest",
    "\u{feff}",
    "ä",
    "- ",
];

fn mutate(text: &str, changes: &[(usize, usize, usize)]) -> String {
    let mut text = text.to_owned();
    for (at, length, piece) in changes {
        let places: Vec<usize> = text.char_indices().map(|(index, _)| index).collect();
        if places.is_empty() {
            break;
        }
        let start = places[at % places.len()];
        let end = places
            .get(at % places.len() + length)
            .copied()
            .unwrap_or(text.len());
        text.replace_range(start..end, PIECES[piece % PIECES.len()]);
    }
    text
}

fn keeps_rules(files: &crate::manifest::PackageFiles) {
    // `check` itself holds that findings carry no control characters.
    check(files);
    let Ok((service, _)) = read(files) else { return };
    assert_eq!(service.id.as_str(), files.path);
    assert!(
        service
            .containers
            .iter()
            .any(|container| container.name == service.main)
    );
    for route in &service.routes {
        assert!(
            service
                .containers
                .iter()
                .any(|container| container.name == route.container)
                && route.port > 0
        );
    }
    for mount in service.containers.iter().flat_map(|container| &container.mounts) {
        let path = mount.path.as_str();
        assert!(
            path.starts_with('/')
                && path
                    .split('/')
                    .skip(1)
                    .all(|part| !matches!(part, "" | "." | "..")),
            "{path}"
        );
        assert!(
            !["/proc", "/sys", "/dev", "/run", "/var/run", "/boot"]
                .iter()
                .any(|system| within(path, system)),
            "{path}"
        );
        assert!(!matches!(path, "/etc" | "/usr" | "/var" | "/app"), "{path}");
        assert!(service.volumes.contains(&mount.volume));
    }
    // What passed can be stored and read back as the same value.
    let text = serde_json::to_string(&service).unwrap();
    assert_eq!(
        serde_json::from_str::<crate::model::Service>(&text).unwrap(),
        service
    );
}

fn changes() -> impl Strategy<Value = Vec<(usize, usize, usize)>> {
    proptest::collection::vec((0..4000_usize, 0..12_usize, 0..PIECES.len()), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn manifests(changes in changes()) {
        keeps_rules(&package("homepage", &mutate(QUICK_START, &changes), None));
    }

    #[test]
    fn templates(changes in changes()) {
        let template = mutate(include_str!("notes.yml"), &changes);
        keeps_rules(&package("notes", include_str!("notes.json"), Some(&template)));
    }

    /// Mutations inside one text reach the rules, where most of the above break the syntax.
    #[test]
    fn mount_paths(path in "(/|/etc|/proc|/var|/run|/data|\\.|\\.\\.|//|a| |\\PC){0,5}") {
        let quoted = serde_json::to_string(&path).unwrap();
        let manifest = QUICK_START.replace("\"/usr/share/nginx/html\"", &quoted);
        keeps_rules(&package("homepage", &manifest, None));
    }

    #[test]
    fn bytes(manifest in proptest::collection::vec(any::<u8>(), 0..200), template in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut files = package("notes", include_str!("notes.json"), None);
        files.compose_template = Some(template);
        check(&files);
        files.manifest = manifest;
        check(&files);
    }
}
