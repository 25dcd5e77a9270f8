//! Manifest dialects: parsed into the one [`model`](crate::model), or refused with findings.

mod finding;

pub use finding::{Finding, Severity};

use crate::model::Service;

/// The bytes of a package as it lies in a store: what [`read`] turns into a [`Service`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageFiles {
    /// The path under which the store carries it, i.e. the id that the manifest must have.
    pub path: String,
    /// `manifest.json`
    pub manifest: Vec<u8>,
    /// `compose-template.yml`, when the package has one.
    pub compose_template: Option<Vec<u8>>,
}

/// Reads a package. All faults at once; no `Service` comes out of a package with an error.
///
/// # Errors
/// At least one finding with [`Severity::Error`].
pub fn read(_files: &PackageFiles) -> Result<(Service, Vec<Finding>), Vec<Finding>> {
    Err(Vec::new())
}
