//! `holm stop`

use holm_core::name::ServiceId;
use hyper::Method;

use super::{either, finish, path};
use crate::{Failure, Run};

/// Stops a service; it stays installed.
pub(super) async fn stop(run: &mut Run<'_, '_>, id: &ServiceId) -> Result<(), Failure> {
    let path = format!("{}/stop", path(id));
    let operation = run.client.change(Method::POST, &path, &()).await?;
    finish(run, operation, async |run, operation| {
        let how = either(operation, "is stopped", "was stopped already");
        Ok(writeln!(
            run.terminal.out,
            "{id} {how}; `holm start {id}` starts it again"
        )?)
    })
    .await
}
