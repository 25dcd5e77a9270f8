//! The one state: what people asked, what was last decided, and which operations are under way.
//!
//! One SQLite file, one writer. What a transaction here has committed survives a power cut
//! (`synchronous=FULL`); so an operation is answered only after its commit, and nothing else needs to
//! be durable for the loop to find its way.

mod cell;
mod operation;
mod rest;
mod schema;
mod service;
mod target;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use holm_core::{intent::Intent, name::ServiceId, target::Block, target::Target};
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::watch;

pub use cell::CellRow;
pub use operation::{NewOperation, OperationRow, OperationState};
pub use rest::Rest;

/// A handle on the state, cheap to clone. Calls are short and synchronous; each change waits for the
/// disk, so the API makes them on a blocking thread.
#[derive(Clone)]
pub struct Db {
    connection: Arc<Mutex<Connection>>,
    changes: Arc<watch::Sender<u64>>,
}

/// Everything that the loop starts a pass from, read at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Raised by every operation; what was decided from this is at least as new as those up to it.
    pub revision: u64,
    /// What people asked; `None` before `holm init`.
    pub intent: Option<Intent>,
    /// The last target.
    pub target: Option<Target>,
    /// Blocks that are not to be given out again yet, also those whose time is over.
    pub rests: Vec<Rest>,
}

/// What people asked, read at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wishes {
    /// Raised by every operation.
    pub revision: u64,
    /// `None` before `holm init`.
    pub intent: Option<Intent>,
}

/// Why the state could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// SQLite's own word.
    #[error("the state could not be read or written: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file's directory or permissions.
    #[error("the state file could not be made: {0}")]
    File(#[from] std::io::Error),
    /// A row that this version cannot read; nothing is guessed.
    #[error("the state has a {what} that cannot be read: {reason}")]
    Row {
        /// Which kind of row.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// Written by a newer Holm.
    #[error(
        "the state has format {found}, and this Holm knows formats up to {known}: install the newer Holm again"
    )]
    Newer {
        /// In the file.
        found: u32,
        /// Of this program.
        known: u32,
    },
    /// `PRAGMA quick_check` found damage.
    #[error("the state is damaged ({0}): bring state.db back from a backup")]
    Damaged(String),
    /// A promise of durability that SQLite did not make.
    #[error("SQLite refused {0}, without which an acknowledged change could be lost")]
    Pragma(&'static str),
}

impl Db {
    /// Opens the state, makes it when there is none, and brings an older format up to date.
    ///
    /// # Errors
    /// The file cannot be made or read, is damaged, was written by a newer Holm, or cannot be durable.
    pub fn open(file: &Path) -> Result<Self, DbError> {
        let mut connection = schema::connect(file)?;
        schema::migrate(&mut connection)?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            changes: Arc::new(watch::Sender::new(0)),
        })
    }

    /// Changes when anything was written: a wake-up for those who show operations.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Intent, target and rests in one read transaction.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn load(&self) -> Result<Loaded, DbError> {
        self.read(|tx| {
            let Wishes { revision, intent } = wishes(tx)?;
            Ok(Loaded {
                revision,
                intent,
                target: target::last(tx)?,
                rests: rest::all(tx)?,
            })
        })
    }

    /// Keeps a new target, decided from the intent of `revision`; the ten last ones stay.
    ///
    /// # Errors
    /// The generation was saved before (a target is never edited), or the state cannot be written.
    pub fn save_target(&self, target: &Target, revision: u64) -> Result<(), DbError> {
        self.write(|tx| target::insert(tx, target, revision))
    }

    /// Ends a purge of which nothing is left on the machine: the service is forgotten and its block
    /// rests until the unix second `until`, both or neither. Nothing happens when it is not to be purged
    /// any more: that would lose a newer wish. Before [`Db::finish_operations`], so that whoever hears
    /// that a purge is done can install again at once.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn forget(&self, id: &ServiceId, block: Block, until: i64) -> Result<(), DbError> {
        self.write(|tx| {
            if service::forget_purged(tx, id)? {
                rest::insert(tx, Rest { block, until })?;
            }
            Ok(())
        })
    }

    /// Marks running operations as done that were asked for up to `revision` and whose service (`None`
    /// for the cell) `settled` says to be as asked.
    ///
    /// A purged service is in no target any more: `settled` says `true` for an id that it does not know.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn finish_operations(
        &self,
        revision: u64,
        settled: impl Fn(Option<&ServiceId>) -> bool,
    ) -> Result<(), DbError> {
        let done: Vec<u64> = self.read(|tx| {
            let running = operation::running(tx, revision)?;
            Ok(running
                .into_iter()
                .filter(|row| settled(row.service.as_ref()))
                .map(|row| row.id)
                .collect())
        })?;
        if done.is_empty() {
            // A pass that finishes nothing costs no write and wakes nobody.
            return Ok(());
        }
        self.write(|tx| operation::finish(tx, &done))
    }

    /// One change that a person asked for, in one transaction: `decide` reads and writes the intent
    /// through [`Change`] and says what the operation is; nothing is kept when it refuses. The revision
    /// is raised also when nothing changed, so that the operation ends only with a look that came after.
    ///
    /// # Errors
    /// What `decide` returned, or that the state cannot be written.
    pub fn change<E: From<DbError>>(
        &self,
        now: i64,
        decide: impl FnOnce(&Change<'_>) -> Result<NewOperation, E>,
    ) -> Result<OperationRow, E> {
        let mut connection = self.lock();
        let tx = begin(&mut connection, TransactionBehavior::Immediate)?;
        let asked = decide(&Change { tx: &tx })?;
        let revision = schema::raise_revision(&tx)?;
        let row = operation::insert(&tx, asked, now, revision)?;
        tx.commit().map_err(DbError::from)?;
        drop(connection);
        self.wake();
        Ok(row)
    }

    /// The intent alone, for those who only show it.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn intent(&self) -> Result<Wishes, DbError> {
        self.read(wishes)
    }

    /// The cell's row; `None` before `holm init`.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn cell(&self) -> Result<Option<CellRow>, DbError> {
        self.read(cell::get)
    }

    /// An operation; `None` when there never was one of this number, or it is long over.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn operation(&self, id: u64) -> Result<Option<OperationRow>, DbError> {
        self.read(|tx| operation::get(tx, id))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A thread that panicked here has rolled its transaction back; the connection is sound.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, DbError>) -> Result<T, DbError> {
        work(&begin(&mut self.lock(), TransactionBehavior::Deferred)?)
    }

    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, DbError>) -> Result<T, DbError> {
        let mut connection = self.lock();
        let tx = begin(&mut connection, TransactionBehavior::Immediate)?;
        let result = work(&tx)?;
        tx.commit()?;
        drop(connection);
        self.wake();
        Ok(result)
    }

    fn wake(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}

fn wishes(tx: &Transaction<'_>) -> Result<Wishes, DbError> {
    let services = service::all(tx)?;
    let intent = cell::get(tx)?.map(|row| Intent {
        cell: row.intent,
        services,
    });
    Ok(Wishes {
        revision: schema::revision(tx)?,
        intent,
    })
}

fn begin(connection: &mut Connection, behavior: TransactionBehavior) -> Result<Transaction<'_>, DbError> {
    Ok(connection.transaction_with_behavior(behavior)?)
}

/// The intent inside the transaction of one change.
pub struct Change<'a> {
    tx: &'a Transaction<'a>,
}

impl Change<'_> {
    /// The cell's row; `None` before `holm init`.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn cell(&self) -> Result<Option<CellRow>, DbError> {
        cell::get(self.tx)
    }

    /// Sets the cell's row.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn put_cell(&self, row: &CellRow) -> Result<(), DbError> {
        cell::put(self.tx, row)
    }

    /// A service's intent; `None` when it was never installed, or is purged.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn service(&self, id: &ServiceId) -> Result<Option<holm_core::intent::ServiceIntent>, DbError> {
        service::get(self.tx, id)
    }

    /// All services' intents.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn services(
        &self,
    ) -> Result<std::collections::BTreeMap<ServiceId, holm_core::intent::ServiceIntent>, DbError> {
        service::all(self.tx)
    }

    /// Sets a service's intent; its id is that of its package.
    ///
    /// # Errors
    /// The state cannot be written.
    pub fn put_service(&self, intent: &holm_core::intent::ServiceIntent) -> Result<(), DbError> {
        service::put(self.tx, intent)
    }
}

/// A value out of its JSON column.
fn from_json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, DbError> {
    serde_json::from_str(text).map_err(|error| DbError::Row {
        what,
        reason: error.to_string(),
    })
}

/// A value into its JSON column.
fn to_json<T: serde::Serialize>(what: &'static str, value: &T) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Row {
        what,
        reason: error.to_string(),
    })
}

/// A name out of its column.
fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(what: &'static str, text: &str) -> Result<T, DbError> {
    text.parse().map_err(|error: T::Err| DbError::Row {
        what,
        reason: error.to_string(),
    })
}

#[cfg(test)]
mod tests;
