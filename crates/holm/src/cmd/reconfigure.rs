//! `holm reconfigure`

use holm_core::{
    name::{ServiceId, SettingKey},
    wire::Reconfigure,
};
use hyper::Method;

use super::{either, finish, path, settings};
use crate::{Failure, Run};

/// Changes settings of a service.
pub(super) async fn reconfigure(
    run: &mut Run<'_, '_>,
    id: &ServiceId,
    set: Vec<(SettingKey, String)>,
) -> Result<(), Failure> {
    let wish = Reconfigure {
        config: settings(set),
        compose_template: None,
    };
    let path = format!("{}/reconfigure", path(id));
    let operation = run.client.change(Method::POST, &path, &wish).await?;
    finish(run, operation, async |run, operation| {
        let how = either(operation, "has its new settings", "had these settings already");
        Ok(writeln!(run.terminal.out, "{id} {how}")?)
    })
    .await
}
