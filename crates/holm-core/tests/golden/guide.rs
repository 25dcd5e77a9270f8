//! `docs/services/quick-start.md` says what `holm` says: its manifest is that of `homepage`, and each finding in it is
//! what this edit of a package leads to.

use std::{fs, path::Path};

use holm_core::manifest::{self, Finding, PackageFiles, Severity};

use super::{DIGEST, package};

/// Packages, and one place of each that is replaced.
const MANIFEST: [(&str, &str); 14] = [
    ("\"id\": \"homepage\"", "\"id\": \"home\""),
    (DIGEST_OF_IMAGE, ""),
    ("\"extra_subdomains\": []", "\"extra_subdomains\": [\"api\"]"),
    ("\"cell-homepage:80\"", "\"localhost:2019\""),
    ("\"/usr/share/nginx/html\"", "\"/etc\""),
    (
        "\"env\": []",
        "\"env\": [{ \"key\": \"LD_PRELOAD\", \"value\": \"/x.so\" }]",
    ),
    ("\"${SERVICE_IP}\"", "\"10.0.0.1\""),
    ("\"compose\": null", "\"cap_add\": [\"NET_ADMIN\"]"),
    ("\"compose\": null", "\"compose\": {}"),
    ("\"compose\": null", "\"provision_hook\": \"install.sh\""),
    ("\"has_storage\": false", "\"has_storage\": true"),
    ("\"proto\": \"tcp\"", "\"proto\": \"tcp\", \"chain\": \"INPUT\""),
    ("\"compose\": null", "\"requires\": [\"mail\"]"),
    ("\"compose\": null", "\"instanceable\": true"),
];
/// The same for the template of `files`.
const TEMPLATE: [(&str, &str); 6] = [
    (
        "restart: unless-stopped",
        "restart: unless-stopped\n    ports: [\"8080:8080\"]",
    ),
    (
        "restart: unless-stopped",
        "restart: unless-stopped\n    privileged: true",
    ),
    ("files-data:/data", "/srv/files:/data"),
    ("${PIC_CFG_USER}", "${PIC_CFG_NAME}"),
    ("${PIC_CFG_USER}", "${PIC_CFG_USER:-files}"),
    (
        "restart: unless-stopped",
        "restart: unless-stopped\n    command: [serve, \"--pass=${PIC_SECRET_DAV_PASSWORD}\"]",
    ),
];
/// Replaced by nothing: the image is no longer pinned.
const DIGEST_OF_IMAGE: &str = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn the_quick_start_says_what_holm_says() {
    assert!(DIGEST_OF_IMAGE.ends_with(DIGEST));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guide = fs::read_to_string(root.join("docs/services/quick-start.md")).unwrap();
    let manifest = fs::read_to_string(root.join("services/homepage/manifest.json")).unwrap();
    let template = fs::read_to_string(root.join("services/files/compose-template.yml")).unwrap();

    let homepage = package(&root.join("services/homepage"));
    let files = package(&root.join("services/files"));
    let mut said: Vec<String> = Vec::new();
    for (from, to) in MANIFEST {
        let manifest = edit(&homepage.manifest, from, to);
        said.extend(findings(&PackageFiles {
            manifest,
            ..homepage.clone()
        }));
    }
    for (from, to) in TEMPLATE {
        let template = files.compose_template.as_ref().unwrap();
        said.extend(findings(&PackageFiles {
            compose_template: Some(edit(template, from, to)),
            ..files.clone()
        }));
    }
    said.extend([manifest, template]);
    let missing: Vec<String> = said
        .into_iter()
        .filter(|text| !guide.contains(text.trim_end()))
        .collect();
    assert!(missing.is_empty(), "the guide lacks\n{}", missing.join("\n"));
}

fn edit(text: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(text).unwrap();
    assert!(text.contains(from), "{from} is not in the package");
    text.replacen(from, to, 1).into_bytes()
}

/// The findings as `holm` prints them.
fn findings(files: &PackageFiles) -> Vec<String> {
    let findings = match manifest::read(files) {
        Ok((_, findings)) | Err(findings) => findings,
    };
    assert!(!findings.is_empty(), "nothing is said of {files:?}");
    let print = |finding: Finding| {
        let Finding {
            rule,
            severity,
            file,
            field,
            line,
            column,
            message,
            hint,
        } = finding;
        let kind = if severity == Severity::Error {
            "error"
        } else {
            "warning"
        };
        format!("{kind}[{rule}] {file}:{line}:{column} {field}: {message}\n  hint: {hint}\n")
    };
    findings.into_iter().map(print).collect()
}
