//! Units as systemd has loaded them: their state, and the mark of the text that it has in mind.

use std::collections::{BTreeMap, HashMap};

use holm_core::observed::{Unit, UnitState};
use zbus::proxy::CacheProperties;

use super::{Row, Systemd, unit_texts};
use crate::{HostError, quadlet};

const TRIED: &str = "look at systemd's units";

#[zbus::proxy(
    interface = "org.freedesktop.systemd1.Unit",
    default_service = "org.freedesktop.systemd1"
)]
trait LoadedUnit {
    #[zbus(property)]
    fn need_daemon_reload(&self) -> zbus::Result<bool>;
}

impl Systemd {
    /// All units with our prefix: those in systemd's memory, and those that it would load when asked.
    pub async fn units(&self) -> Result<BTreeMap<String, Unit>, HostError> {
        let manager = self.manager(TRIED).await?;
        let rows = match manager.list_units_by_patterns(&[], &["holm-*"]).await {
            Ok(rows) => rows,
            Err(error) => return Err(self.fault(TRIED, &error).await),
        };
        let (generated, plain) = self.texts().await?;
        let mut units = BTreeMap::new();
        // A unit that nothing refers to is not in memory until it is started; it then comes from its file.
        for (name, text) in plain.iter().chain(&generated) {
            let mark = quadlet::mark(text).to_owned();
            units.insert(
                name.clone(),
                Unit {
                    state: UnitState::Inactive,
                    mark,
                },
            );
        }
        for row in rows {
            let state = state(&row);
            // Only somebody's wish for a unit that has no file.
            if row.2 == "not-found" && matches!(state, UnitState::Inactive | UnitState::Failed) {
                continue;
            }
            let mark = match (generated.get(&row.0), plain.get(&row.0)) {
                // Generators run in a reload only, so their output is what was loaded.
                (Some(text), _) => quadlet::mark(text).to_owned(),
                (None, Some(text)) if self.is_current(&manager, &row).await? => {
                    quadlet::mark(text).to_owned()
                }
                _ => String::new(),
            };
            units.insert(row.0, Unit { state, mark });
        }
        Ok(units)
    }

    async fn texts(&self) -> Result<(HashMap<String, String>, HashMap<String, String>), HostError> {
        let (generated, plain) = (self.generated.clone(), self.plain.clone());
        super::super::blocking(move || Ok((unit_texts(&generated)?, unit_texts(&plain)?)))
            .await
            .map_err(|error: std::io::Error| {
                HostError::new(TRIED, error, "Check the runtime directory of this user")
            })
    }

    /// Whether the text in memory is that of the file.
    async fn is_current(&self, manager: &super::ManagerProxy<'_>, row: &Row) -> Result<bool, HostError> {
        let asked = async {
            let unit = LoadedUnitProxy::builder(manager.inner().connection())
                .path(&row.6)
                .cache_properties(CacheProperties::No)
                .build()
                .await?;
            unit.need_daemon_reload().await
        };
        match asked.await {
            Ok(stale) => Ok(!stale),
            // Gone from memory since it was listed.
            Err(zbus::Error::MethodError(..) | zbus::Error::FDO(_)) => Ok(false),
            Err(error) => Err(self.fault(TRIED, &error).await),
        }
    }
}

/// Where a unit stands. A job that waits for its turn counts: who asked for a start a moment ago must not
/// see "inactive" and ask again.
fn state(row: &Row) -> UnitState {
    let job = if row.7 == 0 { "" } else { row.8.as_str() };
    match (row.3.as_str(), row.4.as_str(), job) {
        (_, "auto-restart" | "auto-restart-queued", _) => UnitState::Retrying,
        ("active" | "activating" | "reloading" | "refreshing", _, "stop") => UnitState::Stopping,
        (_, _, "start" | "restart") => UnitState::Starting,
        ("active", ..) => UnitState::Active,
        ("activating" | "reloading" | "refreshing", ..) => UnitState::Starting,
        ("deactivating", ..) => UnitState::Stopping,
        ("failed", ..) => UnitState::Failed,
        _ => UnitState::Inactive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(active: &str, sub: &str, job: &str) -> Row {
        let path = || zbus::OwnedObjectPath::try_from("/").unwrap();
        let text = str::to_owned;
        (
            text("holm-notes-main.service"),
            String::new(),
            text("loaded"),
            text(active),
            text(sub),
            String::new(),
            path(),
            u32::from(!job.is_empty()),
            text(job),
            path(),
        )
    }

    #[test]
    fn states_of_systemd() {
        for (active, sub, job, expected) in [
            ("active", "running", "", UnitState::Active),
            ("active", "running", "restart", UnitState::Starting),
            ("active", "running", "stop", UnitState::Stopping),
            ("activating", "start-pre", "start", UnitState::Starting),
            ("activating", "auto-restart", "", UnitState::Retrying),
            ("activating", "auto-restart-queued", "", UnitState::Retrying),
            ("activating", "auto-restart", "restart", UnitState::Retrying),
            ("deactivating", "stop-sigterm", "", UnitState::Stopping),
            ("deactivating", "stop-sigterm", "stop", UnitState::Stopping),
            ("inactive", "dead", "", UnitState::Inactive),
            ("inactive", "dead", "start", UnitState::Starting),
            ("failed", "failed", "", UnitState::Failed),
        ] {
            assert_eq!(state(&row(active, sub, job)), expected, "{active} {sub} {job}");
        }
    }
}
