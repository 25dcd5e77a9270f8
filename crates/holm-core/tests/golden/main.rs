//! `services/<id>/golden/`: the readable proof of what a manifest does. Written anew by
//! `HOLM_UPDATE_GOLDEN=1 cargo test -p holm-core --test golden`, and to be read before it is committed.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod guide;
mod machine;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use holm_core::{
    decide::decide,
    diff::diff,
    intent::{CellIntent, CoreImages, Intent, ServiceIntent},
    manifest::{self, PackageFiles, Severity},
    plan::{Plan, Step},
    render::{self, QUADLETS, unit_file::UnitFile},
    target::{Target, Wanted},
};
use machine::Machine;

/// Stands for the digest of every image; a store has the real ones.
const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// More looks than any service needs.
const MOST_LOOKS: usize = 12;

/// The golden files of a service, by their path in its folder.
type Golden = BTreeMap<String, String>;

#[test]
fn every_service_has_golden_files_that_are_true() {
    let update = updates();
    let mut faults = Vec::new();
    let services = services();
    assert!(!services.is_empty(), "there are no services");
    for folder in services {
        let made = golden(&folder);
        let place = folder.join("golden");
        if update {
            write(&place, &made);
        }
        faults.extend(differences(&place, &made));
    }
    assert!(
        faults.is_empty(),
        "{}\nwrite them anew with HOLM_UPDATE_GOLDEN=1, and read what changed",
        faults.join("\n")
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "the person who runs the test says whether the files are to be written"
)]
fn updates() -> bool {
    std::env::var_os("HOLM_UPDATE_GOLDEN").is_some_and(|value| value == "1")
}

/// Every folder of `services/` with a manifest.
fn services() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../services");
    let mut folders: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("manifest.json").exists())
        .collect();
    folders.sort();
    folders
}

fn package(folder: &Path) -> PackageFiles {
    let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
    PackageFiles {
        path: folder.file_name().unwrap().to_str().unwrap().to_owned(),
        manifest: pin(&read("manifest.json").unwrap()).into_bytes(),
        compose_template: read("compose-template.yml").map(|text| pin(&text).into_bytes()),
    }
}

/// Adds the digest to every `image` of a source file that has none, as packing a store does.
fn pin(text: &str) -> String {
    let line = |line: &str| {
        let key = line.trim_start();
        let value = key
            .strip_prefix("image:")
            .or_else(|| key.strip_prefix("\"image\":"));
        let image = value.map(|value| value.trim_matches([' ', '"', '\'', ',']));
        match image {
            Some(image) if !image.contains('@') => line.replacen(image, &format!("{image}@{DIGEST}"), 1),
            _ => line.to_owned(),
        }
    };
    text.lines().map(|text| line(text) + "\n").collect()
}

/// The cell of the golden files, with the services that were asked for.
fn wish(services: impl IntoIterator<Item = holm_core::model::Service>) -> Intent {
    let services = services.into_iter().map(|service| {
        let id = service.id.clone();
        let wish = ServiceIntent {
            service,
            wanted: Wanted::Running,
            settings: BTreeMap::new(),
            restarts: 0,
        };
        (id, wish)
    });
    Intent {
        cell: CellIntent {
            name: "alice".parse().unwrap(),
            domain: "alice.test".parse().unwrap(),
            pool: "172.20.0.0/16".parse().unwrap(),
        },
        services: services.collect(),
    }
}

fn core_images() -> CoreImages {
    let image = |name: &str| {
        format!("images.holm.example/{name}:1.0.0@{DIGEST}")
            .parse()
            .unwrap()
    };
    CoreImages {
        gateway: image("holm-gateway"),
        caddy: image("caddy"),
    }
}

/// All that is to be shown of one service.
fn golden(folder: &Path) -> Golden {
    let files = package(folder);
    let (service, findings) =
        manifest::read(&files).unwrap_or_else(|findings| panic!("{} is refused: {findings:#?}", files.path));
    let mut text = format!(
        "Installing {} {} on a settled cell without services: what each look at the machine leads to.\n",
        service.id, service.version
    );
    for finding in findings {
        assert_eq!(finding.severity, Severity::Warning, "{finding:?}");
        writeln!(text, "told: {} ({})", finding.message, finding.hint).unwrap();
    }

    let images = core_images();
    let empty = decide(&wish([]), None, &[], &images).target;
    let mut machine = Machine::default();
    settle(&empty, &mut machine, |_, _| {});
    let before = machine.seen.files.clone();

    let target = decide(&wish([service]), Some(&empty), &[], &images).target;
    settle(&target, &mut machine, |look, plan| {
        show(&mut text, look, plan);
    });
    let config = render::gateway_config(&target);
    units_mean_what_they_say(&target, &config.legs);

    let mut golden = Golden::from([("plan.txt".to_owned(), text)]);
    let json = serde_json::to_string_pretty(&config).unwrap();
    golden.insert("gateway.json".into(), json + "\n");
    golden.insert("gateway.nft".into(), render::nft::render(&config).unwrap());
    // The same for every service: that is what is to be seen.
    golden.insert("caddy.json".into(), before["core/caddy.json"].clone());
    for (path, text) in machine.seen.files {
        if before.get(&path) != Some(&text) {
            let short = path.strip_prefix(&format!("{QUADLETS}/")).unwrap_or(&path);
            golden.insert(short.to_owned(), text);
        }
    }
    golden
        .values_mut()
        .for_each(|text| *text = text.replace(DIGEST, "sha256:<digest>"));
    golden
}

/// Looks and does as planned until nothing is left.
fn settle(target: &Target, machine: &mut Machine, mut look_at: impl FnMut(usize, &Plan)) {
    for look in 1..=MOST_LOOKS {
        let plan = diff(target, &machine.seen);
        look_at(look, &plan);
        if plan.settled() {
            return;
        }
        for planned in &plan.steps {
            machine.apply(&planned.step);
        }
        if plan.steps.is_empty() {
            machine.wait();
        }
    }
    panic!("not settled after {MOST_LOOKS} looks");
}

fn show(text: &mut String, look: usize, plan: &Plan) {
    let whose = |owner: &Option<holm_core::name::ServiceId>| {
        owner.as_ref().map_or("core".into(), ToString::to_string)
    };
    writeln!(text, "\nlook {look}").unwrap();
    for planned in &plan.steps {
        let more = match &planned.step {
            Step::CreateNetwork(network) => format!(
                ": {}, bridge {} at {}, route by {}",
                network.subnet,
                network.bridge,
                network.bridge_address,
                network.route_via.map_or("Podman".into(), |via| via.to_string())
            ),
            Step::Connect(leg) => format!(": interface {} at {}, {}", leg.interface, leg.address, leg.mac),
            _ => String::new(),
        };
        writeln!(text, "  {}: {}{more}", whose(&planned.owner), planned.step).unwrap();
    }
    for wait in &plan.waits {
        writeln!(text, "  {}: wait until {}", whose(&wait.owner), wait.what).unwrap();
    }
    if plan.settled() {
        text.push_str("  settled\n");
    }
}

/// Every unit is parsed back to the value that it came from, and has no key that was not meant.
fn units_mean_what_they_say(target: &Target, legs: &[holm_core::gateway::Leg]) {
    let rendered = render::render(target, legs);
    let keys: BTreeSet<_> = render::KEYS.iter().copied().collect();
    for (name, unit) in &rendered.units {
        let text = &rendered.files[&unit.path];
        assert_eq!(UnitFile::parse(text).as_ref(), Ok(&unit.file), "{name}");
        for key in unit.file.keys() {
            assert!(keys.contains(&key), "{name} has the key {key:?}");
        }
    }
}

/// Writes the folder anew.
fn write(place: &Path, made: &Golden) {
    if place.exists() {
        fs::remove_dir_all(place).unwrap();
    }
    for (name, text) in made {
        let path = place.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// What is not as it was made, in words: each file with its first line that differs.
fn differences(place: &Path, made: &Golden) -> Vec<String> {
    let mut found = Golden::new();
    collect(place, place, &mut found);
    let names: BTreeSet<&String> = made.keys().chain(found.keys()).collect();
    let fault = |name: &String| {
        let path = place.join(name);
        let path = path.display();
        match (made.get(name), found.get(name)) {
            (Some(made), Some(found)) if made == found => None,
            (Some(made), Some(found)) => {
                let mut lines = made.lines().zip(found.lines()).enumerate();
                let differs = lines.find(|(_, (made, found))| made != found);
                Some(match differs {
                    Some((at, (made, found))) => {
                        format!("{path}:{}: is\n    {found}\n  and should be\n    {made}", at + 1)
                    }
                    None => format!("{path}: is longer or shorter than it should be"),
                })
            }
            (Some(_), None) => Some(format!("{path}: is missing")),
            (None, _) => Some(format!("{path}: nothing writes this file")),
        }
    };
    names.into_iter().filter_map(fault).collect()
}

fn collect(root: &Path, folder: &Path, found: &mut Golden) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            found.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}
