//! One package of a store.

use holm_core::{manifest::PackageFiles, name::ServiceId};

use crate::{
    Verified, beneath,
    store::{StoreDir, TrustError},
};

/// The files of the package that the store carries as `id`.
///
/// # Errors
/// The store cannot be read, does not have it, or has something else than small files in its place.
pub fn open_package(store: &StoreDir, id: &ServiceId) -> Result<Verified<PackageFiles>, TrustError> {
    let root = beneath::open(store)?;
    let manifest = beneath::read(&root, &format!("services/{id}/manifest.json"))?;
    let manifest = manifest.ok_or_else(|| TrustError::Unknown {
        path: store.path().to_owned(),
        id: id.clone(),
    })?;
    let compose_template = beneath::read(&root, &format!("services/{id}/compose-template.yml"))?;
    Ok(Verified(PackageFiles {
        path: id.as_str().to_owned(),
        manifest,
        compose_template,
    }))
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink, path::Path};

    use super::*;

    fn store() -> (tempfile::TempDir, StoreDir) {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("services/notes")).unwrap();
        let store = StoreDir::new(dir.path()).unwrap();
        (dir, store)
    }

    fn manifest(dir: &Path) -> std::path::PathBuf {
        dir.join("services/notes/manifest.json")
    }

    fn notes() -> ServiceId {
        "notes".parse().unwrap()
    }

    #[test]
    fn a_package_has_its_path_and_its_files() {
        let (dir, store) = store();
        fs::write(manifest(dir.path()), "{}").unwrap();
        let files = open_package(&store, &notes()).unwrap().into_inner();
        assert_eq!(
            (files.path.as_str(), files.manifest.as_slice()),
            ("notes", &b"{}"[..])
        );
        assert_eq!(files.compose_template, None);
        fs::write(dir.path().join("services/notes/compose-template.yml"), "a: 1").unwrap();
        let files = open_package(&store, &notes()).unwrap().into_inner();
        assert_eq!(files.compose_template.as_deref(), Some(&b"a: 1"[..]));
    }

    #[test]
    fn what_is_not_there_is_unknown() {
        let (_dir, store) = store();
        assert!(matches!(
            open_package(&store, &notes()),
            Err(TrustError::Unknown { .. })
        ));
        let gone = StoreDir::new("/does/not/exist").unwrap();
        assert!(matches!(
            open_package(&gone, &notes()),
            Err(TrustError::Unreachable { .. })
        ));
        assert!(matches!(StoreDir::new("store"), Err(TrustError::Relative(_))));
    }

    #[test]
    fn links_pipes_and_directories_are_refused() {
        let (dir, store) = store();
        let outside = tempfile::NamedTempFile::new().unwrap();
        symlink(outside.path(), manifest(dir.path())).unwrap();
        assert!(matches!(
            open_package(&store, &notes()),
            Err(TrustError::NotAFile { .. })
        ));
        fs::remove_file(manifest(dir.path())).unwrap();
        fs::create_dir(manifest(dir.path())).unwrap();
        assert!(matches!(
            open_package(&store, &notes()),
            Err(TrustError::NotAFile { .. })
        ));
        fs::remove_dir(manifest(dir.path())).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            manifest(dir.path()),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        assert!(matches!(
            open_package(&store, &notes()),
            Err(TrustError::NotAFile { .. })
        ));
        // A folder that is a link out of the store.
        fs::remove_dir_all(dir.path().join("services/notes")).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("manifest.json"), "{}").unwrap();
        symlink(elsewhere.path(), dir.path().join("services/notes")).unwrap();
        assert!(matches!(
            open_package(&store, &notes()),
            Err(TrustError::NotAFile { .. })
        ));
    }

    #[test]
    fn a_file_has_at_most_256_kib() {
        let (dir, store) = store();
        let most = usize::try_from(beneath::MOST_BYTES).unwrap();
        fs::write(manifest(dir.path()), vec![b' '; most]).unwrap();
        assert!(open_package(&store, &notes()).is_ok());
        fs::write(manifest(dir.path()), vec![b' '; most + 1]).unwrap();
        assert!(matches!(
            open_package(&store, &notes()),
            Err(TrustError::TooLarge { .. })
        ));
    }
}
