//! The past, read beside the control loop: connections of their own that cannot write.
//!
//! Owns: how many read at once. Must not: be used for what has to be current to the last command, or make the loop wait:
//! in WAL mode readers and the writer do not block each other.

use std::path::PathBuf;

use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;
use wire::SessionId;

use super::{StoreError, Stored};
use crate::fault::Fault;

/// Readers at once; others wait for their turn.
const READERS: usize = 2;

/// The way to the past.
pub struct Archive {
    pub(super) path: PathBuf,
    turns: Semaphore,
}

/// A connection that reads one state of the database.
pub struct Reader {
    pub(super) db: Connection,
}

/// What a reader gives: the value, or why the question has none.
pub type Answered<T> = Stored<Result<T, Fault>>;

impl Archive {
    /// Of the database in this file.
    pub fn new(path: PathBuf) -> Self {
        Self { path, turns: Semaphore::new(READERS) }
    }

    /// Reads, on a thread that may wait.
    pub async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Reader) -> Answered<T> + Send + 'static,
    ) -> Result<T, Fault> {
        let _turn = self.turns.acquire().await.map_err(|_| Fault::internal())?;
        let path = self.path.clone();
        let answered = tokio::task::spawn_blocking(move || Reader::open(&path).and_then(|r| ask(&r))).await;
        match answered {
            Ok(Ok(value)) => value,
            Ok(Err(error)) => {
                tracing::error!(%error, "the past cannot be read");
                Err(if error.is_disk() { Fault::storage() } else { Fault::internal() })
            }
            Err(error) => {
                tracing::error!(%error, "the past was not read");
                Err(Fault::internal())
            }
        }
    }
}

impl Reader {
    /// Opens the file and holds on to its present state.
    pub fn open(path: &std::path::Path) -> Stored<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        db.pragma_update(None, "trusted_schema", false)?;
        db.pragma_update(None, "mmap_size", 0)?;
        db.pragma_update(None, "query_only", true)?;
        db.execute_batch("BEGIN")?;
        Ok(Self { db })
    }

    /// The identity of a session by its name or id; of several under a name the one started last.
    pub fn session(&self, name: &str) -> Answered<SessionId> {
        let sql =
            "SELECT id FROM sessions WHERE id = ?1 OR name = ?1 ORDER BY id = ?1 DESC, started DESC LIMIT 1";
        match self.db.query_row(sql, [name], |row| row.get(0)) {
            Ok(id) => Ok(Ok(SessionId(id))),
            Err(rusqlite::Error::QueryReturnedNoRows) => Ok(Err(Fault::no_session(name))),
            Err(error) => Err(StoreError::from(error)),
        }
    }
}
