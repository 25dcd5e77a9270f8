//! `holm remove`

use holm_core::name::ServiceId;
use hyper::Method;

use super::{either, finish, path};
use crate::{Failure, Run};

/// Removes a service; its data is kept.
pub(super) async fn remove(run: &mut Run<'_, '_>, id: &ServiceId) -> Result<(), Failure> {
    let operation = run.client.change(Method::DELETE, &path(id), &()).await?;
    finish(run, operation, async |run, operation| {
        let out = &mut *run.terminal.out;
        let how = either(operation, "is removed", "was removed already");
        writeln!(out, "{id} {how}, its data is kept")?;
        writeln!(out, "`holm install {id}` brings it back with its data")?;
        Ok(writeln!(out, "`holm purge {id} --confirm {id}` loses the data")?)
    })
    .await
}
