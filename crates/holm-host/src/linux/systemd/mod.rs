//! The systemd user manager over D-Bus.

use std::{collections::HashMap, io, path::PathBuf, time::Duration};

use tokio::sync::Mutex;
use zbus::{Connection, OwnedObjectPath, connection::Builder, proxy::CacheProperties};

use crate::HostError;

mod jobs;
mod units;
pub(super) mod watch;

/// A row of `ListUnitsByPatterns`: name, description, load state, active state, sub state, followed unit,
/// object, job's number (0 for none), job's type, job's object.
type Row = (
    String,
    String,
    String,
    String,
    String,
    String,
    OwnedObjectPath,
    u32,
    String,
    OwnedObjectPath,
);

#[zbus::proxy(
    interface = "org.freedesktop.systemd1.Manager",
    default_service = "org.freedesktop.systemd1",
    default_path = "/org/freedesktop/systemd1"
)]
trait Manager {
    fn subscribe(&self) -> zbus::Result<()>;
    fn reload(&self) -> zbus::Result<()>;
    fn start_unit(&self, name: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;
    fn restart_unit(&self, name: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;
    fn stop_unit(&self, name: &str, mode: &str) -> zbus::Result<OwnedObjectPath>;
    fn reset_failed_unit(&self, name: &str) -> zbus::Result<()>;
    fn reset_failed(&self) -> zbus::Result<()>;
    fn list_units_by_patterns(&self, states: &[&str], patterns: &[&str]) -> zbus::Result<Vec<Row>>;
    #[zbus(signal)]
    fn job_removed(&self, id: u32, job: OwnedObjectPath, unit: String, result: String) -> zbus::Result<()>;
}

/// The user manager, and where it keeps what it loaded.
#[derive(Debug)]
pub(super) struct Systemd {
    bus: PathBuf,
    generated: PathBuf,
    plain: PathBuf,
    connection: Mutex<Option<Connection>>,
}

impl Systemd {
    /// `runtime` is the user's runtime directory, `state` his home.
    pub fn new(runtime: &std::path::Path, state: &std::path::Path) -> Self {
        Self {
            bus: runtime.join("bus"),
            generated: runtime.join("systemd/generator"),
            plain: state.join(".config/systemd/user"),
            connection: Mutex::new(None),
        }
    }

    /// The manager on the kept connection, or on a new one.
    async fn manager(&self, tried: &str) -> Result<ManagerProxy<'static>, HostError> {
        let mut kept = self.connection.lock().await;
        let connection = match kept.as_ref() {
            Some(connection) => connection.clone(),
            None => {
                let fresh = connect(&self.bus).await.map_err(|error| failed(tried, &error))?;
                kept.insert(fresh).clone()
            }
        };
        manager_on(&connection)
            .await
            .map_err(|error| failed(tried, &error))
    }

    /// Reports an error, and drops the connection unless it was systemd that answered it: the bus may have
    /// been restarted.
    async fn fault(&self, tried: &str, error: &zbus::Error) -> HostError {
        if !matches!(error, zbus::Error::MethodError(..)) {
            *self.connection.lock().await = None;
        }
        failed(tried, error)
    }
}

/// A connection to which systemd sends its signals.
async fn connect(bus: &std::path::Path) -> zbus::Result<Connection> {
    let connection = Builder::address(format!("unix:path={}", bus.display()).as_str())
        .method_timeout(Duration::from_secs(60))
        .build()
        .await?;
    manager_on(&connection).await?.subscribe().await?;
    Ok(connection)
}

async fn manager_on(connection: &Connection) -> zbus::Result<ManagerProxy<'static>> {
    ManagerProxy::builder(connection)
        .cache_properties(CacheProperties::No)
        .build()
        .await
}

fn failed(tried: &str, error: &zbus::Error) -> HostError {
    HostError::new(
        tried,
        format!("systemd: {error}"),
        "See `systemctl --user status` and `journalctl --user`; it is tried again",
    )
}

/// systemd has never heard of the unit.
fn unknown(error: &zbus::Error) -> bool {
    matches!(error, zbus::Error::MethodError(name, ..)
        if name.as_str() == "org.freedesktop.systemd1.NoSuchUnit")
}

/// Texts of the unit files of ours in a directory of systemd's, by unit name.
fn unit_texts(directory: &std::path::Path) -> io::Result<HashMap<String, String>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
        Err(error) => return Err(error),
    };
    let mut texts = HashMap::new();
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.starts_with("holm-") && entry.file_type()?.is_file() {
            match std::fs::read_to_string(entry.path()) {
                Ok(text) => drop(texts.insert(name, text)),
                // A reload replaces the generator's directory under our hands.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(texts)
}
