//! `holm start`

use holm_core::name::ServiceId;
use hyper::Method;

use super::{either, finish, path, running};
use crate::{Failure, Run};

/// Starts a stopped service.
pub(super) async fn start(run: &mut Run<'_, '_>, id: &ServiceId) -> Result<(), Failure> {
    let path = format!("{}/start", path(id));
    let operation = run.client.change(Method::POST, &path, &()).await?;
    finish(run, operation, async |run, operation| {
        running(run, id, either(operation, "is started", "was started already")).await
    })
    .await
}
