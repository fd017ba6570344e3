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
mod purge;
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
pub use archive::{Answered, Archive, Reader};
pub use attempts::Metrics;
pub use insight::Span;
pub use occurrences::{Arrivals, Occurrences};
pub use parents::Tally;
pub use policies::StoredPolicies;
pub use prompts::{Kept, Queued, StoredPrompt};
pub use purge::Ended;
pub use search::Query;
pub use selecting::Which;
pub use sessions::StoredSession;
pub use tokens::{Scope, StoredToken};
pub use traces::DueTrace;

use std::path::Path;
use std::sync::LazyLock;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, Transaction};
use rusqlite_migration::{M, Migrations};

const STEPS: &[&str] = &[
    include_str!("../../migrations/001_start.sql"),
    include_str!("../../migrations/002_queue.sql"),
    include_str!("../../migrations/003_queue_speed.sql"),
    include_str!("../../migrations/004_dashboard.sql"),
    include_str!("../../migrations/005_alerts.sql"),
    include_str!("../../migrations/006_admin.sql"),
    include_str!("../../migrations/007_pools.sql"),
    include_str!("../../migrations/008_agents.sql"),
    include_str!("../../migrations/009_traces.sql"),
    include_str!("../../migrations/010_cheap_checks.sql"),
    include_str!("../../migrations/011_purge.sql"),
    include_str!("../../migrations/012_words.sql"),
];

/// The steps that a file lacks are made in one transaction.
static MIGRATIONS: LazyLock<Migrations<'static>> = LazyLock::new(|| {
    let step = |sql: &&'static str| {
        M::up_with_hook(sql, |_: &Transaction| {
            wire::fault::point("store.migrate");
            Ok(())
        })
    };
    STEPS.iter().map(step).collect()
});

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
        // What is deleted is overwritten.
        db.pragma_update(None, "secure_delete", true)?;
        db.pragma_update(None, "foreign_keys", false)?;
        MIGRATIONS.to_latest(&mut db)?;
        db.pragma_update(None, "foreign_keys", true)?;
        db.set_prepared_statement_cache_capacity(256);
        // A plan does not depend on what is bound: else each `LIMIT ?` is planned anew every time.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(Self { db })
    }

    /// Opens a transaction; what follows is committed together or not at all.
    pub fn begin(&mut self) -> Stored<()> {
        Ok(self.db.execute_batch("BEGIN IMMEDIATE")?)
    }

    /// Makes all since [`Store::begin`] durable.
    pub fn commit(&mut self) -> Stored<()> {
        wire::fault::point("store.commit");
        self.db.execute_batch("COMMIT")?;
        wire::fault::point("store.committed");
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The steps of a statement's program that make a table for its own use.
    fn tables_made(store: &Store, sql: &str) -> usize {
        let mut explain = store.db.prepare(&format!("EXPLAIN {sql}")).unwrap();
        let steps = explain.query_map([], |row| row.get::<_, String>("opcode")).unwrap();
        steps.filter(|step| step.as_ref().is_ok_and(|step| step == "OpenEphemeral")).count()
    }

    #[test]
    fn writing_what_is_written_often_makes_no_tables_of_words() {
        let store = Store::in_memory();
        for sql in [
            "UPDATE prompts SET state = 'held', hold_code = 'person', wish = 'none', lease = NULL, changed = 1 WHERE id = 1",
            "INSERT INTO receipts (attempt, step, at) VALUES (1, 'leased', 1)",
            "UPDATE attempts SET outcome = 'failed', result = '{}' WHERE id = 1",
            "INSERT INTO states (session, seq, at, state, source, rule, evidence, since, background)
                VALUES ('s', 1, 1, 'idle', 'status', '', '', 1, 0)",
            "UPDATE sessions SET state = 'idle', source = 'status' WHERE id = 's'",
        ] {
            assert_eq!(tables_made(&store, sql), 0, "{sql}");
        }
    }

    #[test]
    fn words_that_are_not_known_are_still_refused() {
        let store = Store::in_memory();
        let insert = |state: &str, code: &str| {
            let sql = "INSERT INTO prompts (asked, state, hold_code, wait_until, attempts, created, changed)
                VALUES ('{}', ?1, ?2, 1, 1, 1, 1)";
            store.db.execute(sql, [Some(state), Some(code).filter(|code| !code.is_empty())])
        };
        assert!(insert("pending", "").is_ok());
        assert!(insert("held", "person").is_ok());
        assert!(insert("held", "").is_err());
        assert!(insert("held", "odd").is_err());
        assert!(insert("odd", "").is_err());
        assert!(insert("completed", "").is_err(), "without a result");
        assert!(insert("assigned", "").is_err(), "without a lease");
        store.check().unwrap();
    }
}
