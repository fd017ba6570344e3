//! The database: all SQL of the server, behind calls phrased as intentions.
//!
//! Owns: the schema, the connection's settings, transactions. Must not: decide anything; be used by two threads.
//!
//! Every call runs inside the transaction that [`Store::begin`] opened: the control loop decides for a whole batch of
//! commands and commits once.
//!
//! Invariant: `synchronous = FULL`. A wrapper deletes what was acknowledged, so an acknowledged report must survive a
//! power cut; group commit makes the one fsync per batch cheap enough.

mod alerts;
mod approvals;
mod archive;
mod attempts;
mod audit;
mod insight;
mod needs;
mod occurrences;
mod parents;
mod policies;
mod pools;
mod prompts;
mod reports;
mod rows;
mod search;
mod selecting;
mod sessions;
mod settings;
mod templates;
mod texts;
mod tokens;
mod traces;
#[cfg(test)]
mod words;

pub use alerts::StoredSink;
pub use archive::Archive;
pub use attempts::Metrics;
pub use insight::Span;
pub use occurrences::{Arrivals, Occurrences};
pub use parents::Tally;
pub use policies::StoredPolicies;
pub use prompts::{Kept, Queued, StoredPrompt};
pub use search::Query;
pub use selecting::Which;
pub use sessions::StoredSession;
pub use tokens::{Scope, StoredToken};
pub use traces::DueTrace;

use std::path::Path;

use rusqlite::{Connection, ErrorCode};
use rusqlite_migration::{M, Migrations};

const STEPS: &[M<'static>] = &[
    M::up(include_str!("../../migrations/001_start.sql")),
    M::up(include_str!("../../migrations/002_queue.sql")),
    M::up(include_str!("../../migrations/003_queue_speed.sql")),
    M::up(include_str!("../../migrations/004_dashboard.sql")),
    M::up(include_str!("../../migrations/005_alerts.sql")),
    M::up(include_str!("../../migrations/006_admin.sql")),
    M::up(include_str!("../../migrations/007_pools.sql")),
    M::up(include_str!("../../migrations/008_agents.sql")),
    M::up(include_str!("../../migrations/009_traces.sql")),
];
const MIGRATIONS: Migrations<'static> = Migrations::from_slice(STEPS);

/// The database could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite said no.
    #[error("the database refused: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// It is of a newer version, or a migration failed.
    #[error("the database cannot be brought to this version: {0}")]
    Migration(#[from] rusqlite_migration::Error),
    /// A column holds what this build cannot read.
    #[error("the database holds something unreadable in {0}: {1}")]
    Unreadable(&'static str, String),
}

/// The database of the server.
pub struct Store {
    db: Connection,
}

/// Result of a call.
pub type Stored<T> = Result<T, StoreError>;

impl StoreError {
    /// Whether the disk is the cause: full, read-only, or failing.
    pub fn is_disk(&self) -> bool {
        let StoreError::Sqlite(rusqlite::Error::SqliteFailure(e, _)) = self else { return false };
        matches!(
            e.code,
            ErrorCode::DiskFull | ErrorCode::ReadOnly | ErrorCode::SystemIoFailure | ErrorCode::CannotOpen
        )
    }
}

impl Store {
    /// Opens the file and brings it to this version. The caller made the file, private.
    pub fn open(path: &Path) -> Stored<Self> {
        Self::prepare(Connection::open(path)?)
    }

    /// A database that dies with the process, for tests.
    #[cfg(test)]
    pub fn in_memory() -> Self {
        Connection::open_in_memory().map_err(StoreError::from).and_then(Self::prepare).unwrap()
    }

    fn prepare(mut db: Connection) -> Stored<Self> {
        db.pragma_update(None, "journal_mode", "wal")?;
        db.pragma_update(None, "synchronous", "full")?;
        db.pragma_update(None, "trusted_schema", false)?;
        db.pragma_update(None, "mmap_size", 0)?;
        db.pragma_update(None, "foreign_keys", false)?;
        MIGRATIONS.to_latest(&mut db)?;
        db.pragma_update(None, "foreign_keys", true)?;
        db.set_prepared_statement_cache_capacity(256);
        Ok(Self { db })
    }

    /// Opens a transaction; what follows is committed together or not at all.
    pub fn begin(&mut self) -> Stored<()> {
        Ok(self.db.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// Makes all since [`Store::begin`] durable.
    pub fn commit(&mut self) -> Stored<()> {
        Ok(self.db.execute_batch("COMMIT")?)
    }

    /// Takes back all since [`Store::begin`]; does nothing when SQLite did so already.
    pub fn rollback(&mut self) {
        if !self.db.is_autocommit()
            && let Err(e) = self.db.execute_batch("ROLLBACK")
        {
            tracing::error!(error = %e, "a rollback failed");
        }
    }

    /// Makes every new prompt fail.
    #[cfg(test)]
    pub fn break_for_test(&self) {
        let sql = "CREATE TRIGGER broken BEFORE INSERT ON prompts BEGIN SELECT RAISE(FAIL, 'broken'); END";
        self.db.execute_batch(sql).unwrap();
    }

    /// Takes [`Store::break_for_test`] back.
    #[cfg(test)]
    pub fn mend_for_test(&self) {
        self.db.execute_batch("DROP TRIGGER broken").unwrap();
    }

    /// Checks the whole file; `Ok` when it is sound.
    #[cfg(test)]
    pub fn check(&self) -> Stored<()> {
        let verdict: String = self.db.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        let broken = self.db.prepare("PRAGMA foreign_key_check")?.exists([])?;
        if verdict == "ok" && !broken { Ok(()) } else { Err(StoreError::Unreadable("the file", verdict)) }
    }
}
