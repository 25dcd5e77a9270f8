//! Changing units: reload, start, restart, stop.

use std::{collections::HashSet, time::Duration};

use tokio::time::timeout;
use tokio_stream::StreamExt;
use zbus::OwnedObjectPath;

use super::{ManagerProxy, Systemd, unknown};
use crate::HostError;

/// Longer than `TimeoutStopSec=` of any unit of ours, so that systemd has killed it before we give up.
const STOP_WITHIN: Duration = Duration::from_secs(120);

impl Systemd {
    pub async fn reload(&self) -> Result<(), HostError> {
        let tried = "have systemd read its units";
        match self.manager(tried).await?.reload().await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.fault(tried, &error).await),
        }
    }

    /// Enqueues and returns: a start ends when its unit is ready, which may take as long as it likes.
    pub async fn start(&self, units: &[String]) -> Result<(), HostError> {
        let tried = format!("start {}", units.join(" "));
        let manager = self.manager(&tried).await?;
        self.forgive(&manager, &tried, units).await?;
        for unit in units {
            if let Err(error) = manager.start_unit(unit, "replace").await {
                return Err(self.fault(&tried, &error).await);
            }
        }
        Ok(())
    }

    /// As [`Systemd::start`].
    pub async fn restart(&self, units: &[String]) -> Result<(), HostError> {
        let tried = format!("restart {}", units.join(" "));
        let manager = self.manager(&tried).await?;
        self.forgive(&manager, &tried, units).await?;
        for unit in units {
            if let Err(error) = manager.restart_unit(unit, "replace").await {
                return Err(self.fault(&tried, &error).await);
            }
        }
        Ok(())
    }

    /// Stops and waits until all are down.
    pub async fn stop(&self, units: &[String]) -> Result<(), HostError> {
        let tried = format!("stop {}", units.join(" "));
        let manager = self.manager(&tried).await?;
        // Before the first job, lest the end of a quick one be missed.
        let mut ended = match manager.receive_job_removed().await {
            Ok(ended) => ended,
            Err(error) => return Err(self.fault(&tried, &error).await),
        };
        let mut jobs: HashSet<OwnedObjectPath> = HashSet::new();
        for unit in units {
            match manager.stop_unit(unit, "replace").await {
                Ok(job) => drop(jobs.insert(job)),
                Err(error) if unknown(&error) => {}
                Err(error) => return Err(self.fault(&tried, &error).await),
            }
        }
        let wait = async {
            while !jobs.is_empty() {
                let Some(signal) = ended.next().await else {
                    return Err("the bus went away".to_owned());
                };
                let job = signal.args().map_err(|error| error.to_string())?;
                if jobs.remove(&job.job) && job.result != "done" {
                    return Err(format!("the stop of {} ended as {:?}", job.unit, job.result));
                }
            }
            Ok(())
        };
        let hint = "It is tried again; `systemctl --user list-jobs` shows what is under way";
        match timeout(STOP_WITHIN, wait).await {
            Ok(done) => done.map_err(|why| HostError::new(&tried, why, hint))?,
            Err(_) => {
                let why = format!("not down after {} s", STOP_WITHIN.as_secs());
                return Err(HostError::new(&tried, why, hint));
            }
        }
        // A unit that failed while it was stopped would linger as failed after its file is gone.
        self.forgive(&manager, &tried, units).await
    }

    /// Begins the count of restarts anew for every unit of the user, the daemon's own included.
    pub async fn forget_restarts(&self) -> Result<(), HostError> {
        let tried = "forget restarts of long ago";
        let manager = self.manager(tried).await?;
        match manager.reset_failed().await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.fault(tried, &error).await),
        }
    }

    /// Clears "failed", and only that: it also resets the back-off of a unit that is being retried.
    async fn forgive(
        &self,
        manager: &ManagerProxy<'_>,
        tried: &str,
        units: &[String],
    ) -> Result<(), HostError> {
        let patterns: Vec<&str> = units.iter().map(String::as_str).collect();
        // No pattern at all would mean every unit.
        if patterns.is_empty() {
            return Ok(());
        }
        let failed = match manager.list_units_by_patterns(&["failed"], &patterns).await {
            Ok(failed) => failed,
            Err(error) => return Err(self.fault(tried, &error).await),
        };
        for row in failed {
            match manager.reset_failed_unit(&row.0).await {
                Ok(()) => {}
                Err(error) if unknown(&error) => {}
                Err(error) => return Err(self.fault(tried, &error).await),
            }
        }
        Ok(())
    }
}
