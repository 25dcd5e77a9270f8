//! `image.toml`: what goes into an image and how it is started.

use crate::workspace::{self, read_text};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One image, as its `image.toml` says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The name in the registry, and of the folder in `target/images`.
    pub name: String,
    /// The tag; our own version when neither this nor `version_of` is given.
    version: Option<String>,
    /// The tag is the upstream version of this Debian package.
    version_of: Option<String>,
    /// The Debian suite that every file comes from, libc included: two suites do not mix.
    #[serde(default)]
    pub suite: Suite,
    /// Debian packages; what they depend on is found by apt.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Files of these packages; a folder with a `/` at its end. Shared libraries follow by themselves.
    #[serde(default)]
    pub take: Vec<String>,
    /// Puts Mozilla's certificates where programs look for them (needs the package ca-certificates).
    #[serde(default)]
    pub ca_bundle: bool,
    /// Our own binaries: cargo package = path in the image.
    #[serde(default)]
    pub binaries: BTreeMap<String, String>,
    /// Files beside the recipe = path in the image.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Symbolic links: path in the image = target.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// Empty folders, as mount points.
    #[serde(default)]
    pub folders: Vec<String>,
    /// How a container of it is started.
    pub config: Config,
    /// The folder of the recipe.
    #[serde(skip)]
    pub dir: PathBuf,
}

/// The suites that images are made from.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Suite {
    /// Debian 13, with its security updates.
    #[default]
    Trixie,
    /// Only for what trixie has too old.
    Sid,
}

impl Suite {
    /// Its name in the archive.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trixie => "trixie",
            Self::Sid => "sid",
        }
    }
}

/// The OCI image configuration, in the words of the OCI specification.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The program.
    pub entrypoint: Vec<String>,
    /// Its arguments, which a service may replace.
    pub cmd: Vec<String>,
    /// `KEY=value`.
    pub env: Vec<String>,
    /// `80/tcp`.
    pub exposed_ports: Vec<String>,
    /// Root of its own user namespace when absent.
    pub user: Option<String>,
    /// The folder it starts in.
    pub working_dir: Option<String>,
    /// For programs that, as process 1, ignore SIGTERM: else each stop waits ten seconds.
    pub stop_signal: Option<String>,
}

impl Recipe {
    /// Reads the recipe of a folder.
    pub fn read(dir: &Path) -> Result<Self> {
        let path = dir.join("image.toml");
        let mut recipe: Self =
            toml::from_str(&read_text(&path)?).with_context(|| format!("{} is no recipe", path.display()))?;
        if recipe.version.is_some() && recipe.version_of.is_some() {
            bail!("{}: give `version` or `version_of`, not both", path.display());
        }
        recipe.dir = dir.to_owned();
        Ok(recipe)
    }

    /// Every recipe of the project, in the order of their names.
    pub fn all() -> Result<Vec<Self>> {
        let mut recipes = Vec::new();
        for parent in ["packaging/images", "services", "tests/services"] {
            let parent = workspace::root().join(parent);
            for name in workspace::names(&parent)? {
                if parent.join(&name).join("image.toml").exists() {
                    recipes.push(Self::read(&parent.join(name))?);
                }
            }
        }
        recipes.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(pair) = recipes.windows(2).find(|pair| pair[0].name == pair[1].name) {
            bail!(
                "{} and {} both make `{}`",
                pair[0].dir.display(),
                pair[1].dir.display(),
                pair[0].name
            );
        }
        Ok(recipes)
    }

    /// The tag, given the Debian versions of the packages.
    pub fn tag(&self, packages: &BTreeMap<String, String>) -> Result<String> {
        match (&self.version, &self.version_of) {
            (Some(version), _) => Ok(version.clone()),
            (None, Some(package)) => {
                let full = packages.get(package).with_context(|| {
                    format!(
                        "`version_of = \"{package}\"` names no package of the image {}",
                        self.name
                    )
                })?;
                Ok(upstream(full).to_owned())
            }
            (None, None) => Ok(workspace::version().to_owned()),
        }
    }
}

/// `1:2.11.4+ds-1+b2` to `2.11.4`.
fn upstream(debian: &str) -> &str {
    let version = debian.split_once(':').map_or(debian, |(_, rest)| rest);
    let version = version.rsplit_once('-').map_or(version, |(before, _)| before);
    version.split(['+', '~']).next().unwrap_or(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstream_versions() {
        for (debian, expected) in [
            ("2.11.4-1", "2.11.4"),
            ("1:2.3+ds-1+b2", "2.3"),
            ("1.60.1+dfsg-4", "1.60.1"),
            ("7", "7"),
        ] {
            assert_eq!(upstream(debian), expected);
        }
    }

    #[test]
    fn every_recipe_of_the_project_is_read() -> Result<()> {
        assert!(!Recipe::all()?.is_empty());
        Ok(())
    }

    #[test]
    fn an_unknown_word_is_refused() {
        assert!(toml::from_str::<Recipe>("name = 'a'\npackage = ['b']\n[config]").is_err());
    }
}
