//! The store of these tests: one container, two with a volume and a secret, two that share an image, one with a volume.

use std::{fs, path::Path};

/// The store's packages, by id.
pub const SERVICES: [&str; 4] = ["chat", "homepage", "notes", "wiki"];

const HOMEPAGE: &str = include_str!("../../../../services/homepage/manifest.json");

const NOTES: &str = r#"
services:
  cell-notes:
    image: images.holm.example/notes:1.0.0@sha256:DIGEST
    container_name: cell-notes
    depends_on: [db]
    environment:
      TITLE: "${PIC_CFG_TITLE}"
      PASSWORD: "${PIC_SECRET_DB_PASSWORD}"
    networks: [cell-network]
  db:
    image: images.holm.example/db:1.0.0@sha256:DIGEST
    container_name: cell-notes-db
    environment:
      PASSWORD: "${PIC_SECRET_DB_PASSWORD}"
    volumes: ["notes-data:/data"]
    networks: [cell-network]
volumes:
  notes-data:
networks:
  cell-network:
    external: true
"#;

const CHAT: &str = r#"
services:
  cell-chat:
    image: images.holm.example/wiki:1.0.0@sha256:DIGEST
    container_name: cell-chat
    networks: [cell-network]
  worker:
    image: images.holm.example/wiki:1.0.0@sha256:DIGEST
    container_name: cell-chat-worker
    volumes: ["chat-data:/data"]
    networks: [cell-network]
volumes:
  chat-data:
networks:
  cell-network:
    external: true
"#;

/// Writes the store into a directory.
pub fn write(store: &Path) {
    let entry = |id: &&str| {
        format!(
            r#"{{"id":"{id}","name":"{id}","description":"for a test","version":"1.0.0","author":"holm"}}"#
        )
    };
    let index: Vec<String> = SERVICES.iter().map(entry).collect();
    fs::create_dir_all(store).unwrap();
    fs::write(store.join("index.json"), format!("[{}]", index.join(","))).unwrap();
    let homepage = HOMEPAGE.replace("homepage:1.0.0", "homepage:1.0.0@sha256:DIGEST");
    pack(store, "homepage", &homepage, None);
    let title = r#""title": { "type": "string", "label": "Title", "default": "Notes" }"#;
    pack(
        store,
        "notes",
        &manifest("notes", "notes", &["cell-notes", "cell-notes-db"], title),
        Some(NOTES),
    );
    pack(
        store,
        "chat",
        &manifest("chat", "wiki", &["cell-chat", "cell-chat-worker"], ""),
        Some(CHAT),
    );
    pack(store, "wiki", &manifest("wiki", "wiki", &["cell-wiki"], ""), None);
}

fn pack(store: &Path, id: &str, manifest: &str, template: Option<&str>) {
    let digest = "0123456789abcdef".repeat(4);
    let folder = store.join("services").join(id);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("manifest.json"), manifest.replace("DIGEST", &digest)).unwrap();
    if let Some(template) = template {
        let text = template.replace("DIGEST", &digest);
        fs::write(folder.join("compose-template.yml"), text).unwrap();
    }
}

fn manifest(id: &str, image: &str, containers: &[&str], settings: &str) -> String {
    let volumes = if containers.len() == 1 {
        format!(r#"[{{ "name": "{id}-data", "mount": "/data" }}]"#)
    } else {
        "[]".to_owned()
    };
    format!(
        r#"{{
  "schema_version": 3, "id": "{id}", "name": "{id}", "description": "for a test",
  "version": "1.0.0", "author": "holm", "kind": "store", "min_pic_version": "1.0",
  "capabilities": {{ "has_subdomain": true, "has_accounts": false, "has_admin_config": {configured},
    "has_storage": false, "has_egress": false, "has_api_hooks": false }},
  "subdomain": "{id}", "extra_subdomains": [], "backend": "cell-{id}:8080",
  "containers": {containers:?}, "image": "images.holm.example/{image}:1.0.0@sha256:DIGEST",
  "container_name": "cell-{id}", {schema}
  "volumes": {volumes}, "env": [], "iptables_rules": [], "compose": null
}}"#,
        configured = !settings.is_empty(),
        schema = if settings.is_empty() {
            String::new()
        } else {
            format!(r#""config_schema": {{ {settings} }},"#)
        },
    )
}
