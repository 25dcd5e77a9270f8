//! `holm restart`

use holm_core::name::ServiceId;
use hyper::Method;

use super::{finish, path, running};
use crate::{Failure, Run};

/// Starts every container of a service anew.
pub(super) async fn restart(run: &mut Run<'_, '_>, id: &ServiceId) -> Result<(), Failure> {
    let path = format!("{}/restart", path(id));
    let operation = run.client.change(Method::POST, &path, &()).await?;
    finish(run, operation, async |run, _| {
        running(run, id, "is restarted").await
    })
    .await
}
