//! Files on a real disk, in a temporary directory.

use std::os::unix::fs::{MetadataExt, symlink};

use super::*;

fn root() -> (tempfile::TempDir, Files) {
    let directory = tempfile::tempdir().unwrap();
    let files = Files::new(directory.path().to_owned());
    (directory, files)
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn a_file_is_written_whole_with_its_mode_and_nothing_beside_it() {
    let (root, files) = root();
    let unit = ".config/containers/systemd/holm-anchor.container";
    files.write(unit, b"[Unit]\n").unwrap();
    files.write(unit, b"[Unit]\nX-Holm=1\n").unwrap();
    files.write("env/holm-notes.main", b"KEY=value\n").unwrap();
    assert_eq!(mode(&root.path().join(unit)), 0o644);
    assert_eq!(mode(&root.path().join("env/holm-notes.main")), 0o600);
    assert_eq!(mode(&root.path().join(".config/containers")), 0o700);
    let kept = files.kept().unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[unit], "[Unit]\nX-Holm=1\n");
    assert_eq!(fs::read_dir(root.path().join("env")).unwrap().count(), 1);
}

#[test]
fn a_write_that_was_cut_short_is_done_again() {
    let (root, files) = root();
    files.write("core/caddy.json", b"old").unwrap();
    fs::write(root.path().join("core/.caddy.json.new"), b"ha").unwrap();
    assert_eq!(files.kept().unwrap().into_values().collect::<Vec<_>>(), ["old"]);
    files.write("core/caddy.json", b"new").unwrap();
    assert_eq!(files.read("core/caddy.json").unwrap().unwrap(), "new");
    assert_eq!(fs::read_dir(root.path().join("core")).unwrap().count(), 1);
}

#[test]
fn only_plain_paths_below_the_root() {
    let (_root, files) = root();
    for path in [
        "",
        "/etc/passwd",
        "../x",
        "core/../../x",
        "core/./x",
        "core//x",
        "core/x/",
        ".",
        "./x",
        "a/..",
    ] {
        let error = files.write(path, b"").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{path:?}: {error}");
        files.remove(path).unwrap_err();
        files.read(path).unwrap_err();
    }
}

#[test]
fn links_are_neither_followed_nor_kept() {
    let (root, files) = root();
    let outside = tempfile::tempdir().unwrap();
    let secret = outside.path().join("secret");
    fs::write(&secret, "outside").unwrap();
    symlink(outside.path(), root.path().join("env")).unwrap();
    files.write("env/secret", b"mine").unwrap_err();
    files.remove("env/secret").unwrap_err();
    fs::remove_file(root.path().join("env")).unwrap();

    fs::create_dir(root.path().join("core")).unwrap();
    symlink(&secret, root.path().join("core/guard.nft")).unwrap();
    assert_eq!(files.kept().unwrap()["core/guard.nft"], "");
    files.write("core/guard.nft", b"table").unwrap();
    assert_eq!(files.kept().unwrap()["core/guard.nft"], "table");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "outside");
    files.remove_directory("core").unwrap();
    assert!(secret.exists());
}

#[test]
fn only_what_bears_the_name_is_ours() {
    let (root, files) = root();
    let units = root.path().join(".config/containers/systemd");
    fs::create_dir_all(&units).unwrap();
    fs::write(units.join("mine.container"), "a person's own").unwrap();
    assert!(files.kept().unwrap().is_empty());
}

#[test]
fn removing_twice_is_quiet() {
    let (_root, files) = root();
    files.write("env/a", b"x").unwrap();
    files.remove("env/a").unwrap();
    files.remove("env/a").unwrap();
    files.remove("nowhere/a").unwrap();
    files.remove_directory("secrets/notes").unwrap();
    assert!(files.kept().unwrap().is_empty());
}

#[test]
fn without_the_root_nothing_is_made() {
    let (root, files) = root();
    let gone = Files::new(root.path().join("gone"));
    gone.write("core/x", b"").unwrap_err();
    assert!(!root.path().join("gone").exists());
    drop(files);
}

#[test]
fn text_that_is_not_utf8_is_seen_as_another() {
    let (root, files) = root();
    fs::create_dir(root.path().join("env")).unwrap();
    fs::write(root.path().join("env/a"), [b'a', 0xff]).unwrap();
    assert_eq!(files.kept().unwrap()["env/a"], "a\u{fffd}");
}

#[test]
fn an_admins_drop_in_folder_beside_a_unit_is_not_ours() {
    let (directory, files) = root();
    let quadlets = directory.path().join(".config/containers/systemd");
    std::fs::create_dir_all(quadlets.join("holm-anchor.container.d")).unwrap();
    files
        .write(".config/containers/systemd/holm-anchor.container", b"[Unit]\n")
        .unwrap();
    let kept: Vec<String> = files.kept().unwrap().into_keys().collect();
    assert_eq!(kept, [".config/containers/systemd/holm-anchor.container"]);
}
