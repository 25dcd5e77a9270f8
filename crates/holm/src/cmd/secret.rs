//! `holm secret show`

use holm_core::{
    name::{SecretName, ServiceId},
    wire::SecretValue,
};

use super::path;
use crate::{Failure, Run, print};

/// Prints a secret in clear.
pub(super) async fn show(run: &mut Run<'_, '_>, id: &ServiceId, name: &SecretName) -> Result<(), Failure> {
    let secret: SecretValue = run.client.get(&format!("{}/secrets/{name}", path(id))).await?;
    if run.json {
        return print::json(run, &secret);
    }
    Ok(writeln!(run.terminal.out, "{}", secret.value)?)
}
