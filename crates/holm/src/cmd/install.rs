//! `holm install`

use holm_core::{
    name::{ServiceId, SettingKey},
    wire::Install,
};
use hyper::Method;

use super::{either, finish, path, running, settings};
use crate::{Failure, Run};

/// Installs a service from the store.
pub(super) async fn install(
    run: &mut Run<'_, '_>,
    id: &ServiceId,
    set: Vec<(SettingKey, String)>,
) -> Result<(), Failure> {
    let wish = Install {
        config: settings(set),
    };
    let path = format!("{}/install", path(id));
    let operation = run.client.change(Method::POST, &path, &wish).await?;
    finish(run, operation, async |run, operation| {
        running(
            run,
            id,
            either(operation, "is installed", "was installed already"),
        )
        .await
    })
    .await
}
