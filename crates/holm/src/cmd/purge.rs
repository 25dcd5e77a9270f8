//! `holm purge`

use holm_core::name::ServiceId;
use hyper::Method;

use super::{finish, path};
use crate::{Failure, Run};

/// Removes a service and all its data. The daemon compares the confirmation; here, it is only put into
/// a query, so whatever could not be an id is told the same way without being sent.
pub(super) async fn purge(run: &mut Run<'_, '_>, id: &ServiceId, confirm: &str) -> Result<(), Failure> {
    let confirm = confirm.parse::<ServiceId>();
    let confirm = confirm.as_ref().map_or("", ServiceId::as_str);
    let path = format!("{}?purge={confirm}", path(id));
    let operation = run.client.change(Method::DELETE, &path, &()).await?;
    finish(run, operation, async |run, _| {
        Ok(writeln!(run.terminal.out, "{id} and all its data are gone")?)
    })
    .await
}
