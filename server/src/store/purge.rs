//! Deleting for good what ended sessions and prompts left. Must not: decide what goes, or touch what has not ended.
//!
//! Invariant: deleted bytes are overwritten (`secure_delete`), those of the index of words once [`Store::scrub`] is through, and
//! those of the log of writes once [`Archive::empty_log`] is.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, params};
use wire::{PromptId, SessionId, UnixMillis};

use super::archive::{Answered, Archive, Reader};
use super::audit::WITHHELD;
use super::rows::to_json;
use super::{Store, Stored};
use crate::fault::Fault;

/// Deletes some rows of a table of what sessions reported, which this column tells apart.
macro_rules! some_of {
    ($table:literal, $key:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE session = ?1 AND ",
            $key,
            " IN (SELECT ",
            $key,
            " FROM ",
            $table,
            " WHERE session = ?1 LIMIT ?2)"
        )
    };
}

const REPORTED: [&str; 5] = [
    some_of!("events", "id"),
    some_of!("texts", "id"),
    some_of!("states", "seq"),
    some_of!("contexts", "seq"),
    some_of!("approvals", "id"),
];
/// How much of the index of words one step goes through, in pages.
const PAGES: i64 = 256;
/// How long whoever reads or writes is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What has ended and may go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// Sessions.
    pub sessions: Vec<SessionId>,
    /// Prompts, the latest first: none waits for a later one.
    pub prompts: Vec<PromptId>,
}

impl Reader {
    /// What ended before a moment.
    pub fn ended_before(&self, at: UnixMillis) -> Stored<Ended> {
        // One that was forgotten already, and stays for a prompt's sake, is left alone while it has to.
        let sessions = "SELECT id FROM sessions s WHERE ended <= ?1
            AND (argv IS NOT '[]' OR NOT EXISTS (
                SELECT 1 FROM prompts p
                WHERE (p.result IS NULL OR p.changed > ?1 OR EXISTS (
                        SELECT 1 FROM needs n JOIN prompts w ON w.id = n.prompt
                        WHERE n.needs = p.id AND w.result IS NULL))
                    AND (p.session = s.id
                        OR EXISTS (SELECT 1 FROM attempts a WHERE a.prompt = p.id AND a.session = s.id))))
            ORDER BY ended";
        let prompts = "SELECT id FROM prompts WHERE result IS NOT NULL AND changed <= ?1 ORDER BY id DESC";
        Ok(Ended {
            sessions: self.column(sessions, at.0)?.into_iter().map(SessionId).collect(),
            prompts: self.column(prompts, at.0)?.into_iter().map(PromptId).collect(),
        })
    }

    /// A session that has ended, and the prompts that it had; or why it has to stay.
    pub fn ended_session(&self, id: &SessionId) -> Answered<Ended> {
        let lives = "SELECT 1 FROM sessions WHERE id = ?1 AND ended IS NULL";
        if self.db.prepare(lives)?.exists([&id.0])? {
            return Ok(Err(Fault::conflict("the session has not ended", "end it first, with `wrap kill`")));
        }
        let had = "SELECT p.id FROM prompts p WHERE p.result IS NOT NULL AND (p.session = ?1
                OR EXISTS (SELECT 1 FROM attempts a WHERE a.prompt = p.id AND a.session = ?1))
            ORDER BY p.id DESC";
        let prompts = self.column(had, &id.0)?.into_iter().map(PromptId).collect();
        Ok(Ok(Ended { sessions: vec![id.clone()], prompts }))
    }

    /// When each session ended that is known; `None`: it has not.
    pub fn ends_of_sessions(&self) -> Stored<HashMap<SessionId, Option<UnixMillis>>> {
        let mut sql = self.db.prepare("SELECT id, ended FROM sessions")?;
        let rows = sql.query_map([], |row| {
            Ok((SessionId(row.get("id")?), row.get::<_, Option<i64>>("ended")?.map(UnixMillis)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn column<T: rusqlite::types::FromSql>(&self, sql: &str, by: impl rusqlite::ToSql) -> Stored<Vec<T>> {
        let mut sql = self.db.prepare(sql)?;
        let rows = sql.query_map([by], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Store {
    /// When something was last written down, if anything was.
    pub fn last_written(&self) -> Stored<Option<UnixMillis>> {
        let sql = "SELECT max(at) FROM (SELECT max(active) AS at FROM sessions
            UNION ALL SELECT at FROM audit WHERE seq = (SELECT max(seq) FROM audit))";
        Ok(self.db.query_row(sql, [], |row| row.get::<_, Option<i64>>(0))?.map(UnixMillis))
    }
}

impl Archive {
    /// Empties the log of writes, which holds what was written before it was deleted. False: somebody was in the way.
    pub async fn empty_log(&self) -> Result<bool, Fault> {
        let path = self.path.clone();
        let emptied = tokio::task::spawn_blocking(move || -> Stored<bool> {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let db = Connection::open_with_flags(path, flags)?;
            db.busy_timeout(PATIENCE)?;
            let busy: i64 = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            Ok(busy == 0)
        });
        match emptied.await {
            Ok(Ok(emptied)) => Ok(emptied),
            Ok(Err(error)) => {
                tracing::error!(%error, "the log of writes cannot be emptied");
                Err(if error.is_disk() { Fault::storage() } else { Fault::internal() })
            }
            Err(_) => Err(Fault::internal()),
        }
    }
}

impl Store {
    /// Deletes what an ended session reported, so many rows at once. True: nothing of it is left but, when a prompt that stays
    /// was tried in it, that it was there.
    pub fn forget_session(&self, id: &SessionId, rows: u32) -> Stored<bool> {
        let ended = "SELECT 1 FROM sessions WHERE id = ?1 AND ended IS NOT NULL";
        if !self.db.prepare_cached(ended)?.exists([&id.0])? {
            return Ok(true);
        }
        for some in REPORTED {
            if self.db.prepare_cached(some)?.execute(params![id.0, rows])? > 0 {
                return Ok(false);
            }
        }
        self.withhold(&[format!("session {id}")])?;
        let gone =
            "DELETE FROM sessions WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM attempts WHERE session = ?1)
            AND NOT EXISTS (SELECT 1 FROM prompts WHERE session = ?1)";
        if self.db.prepare_cached(gone)?.execute([&id.0])? == 0 {
            let bare =
                "UPDATE sessions SET argv = '[]', title = '', last_line = '', evidence = '', dialog = NULL,
                env = '{}', metrics = '{}' WHERE id = ?1";
            self.db.prepare_cached(bare)?.execute([&id.0])?;
        }
        Ok(true)
    }

    /// Deletes prompts that are final, and what the audit log says of their texts. Gives those that are gone: one that
    /// another waits for is not.
    pub fn forget_prompts(&self, ids: &[PromptId]) -> Stored<Vec<PromptId>> {
        let mut gone = Vec::new();
        for id in ids {
            if self.forget_prompt(*id)? {
                gone.push(*id);
            }
        }
        self.withhold(&gone.iter().map(|id| format!("prompt {id}")).collect::<Vec<_>>())?;
        Ok(gone)
    }

    /// Withholds the details of what was done to these.
    fn withhold(&self, targets: &[String]) -> Stored<()> {
        let sql = "UPDATE audit SET detail = ?1
            WHERE target IN (SELECT value FROM json_each(?2)) AND bound IS NOT NULL AND detail IS NOT ?1";
        self.db.prepare_cached(sql)?.execute(params![WITHHELD, to_json("targets", &targets)?])?;
        Ok(())
    }

    /// Writes a part of the index of words anew, without what was deleted. True: all of it is.
    pub fn scrub(&self, first: bool) -> Stored<bool> {
        let before = self.db.total_changes();
        // Below zero it begins with all there is; above, it goes on with that.
        let pages = if first { -PAGES } else { PAGES };
        self.db.prepare_cached("INSERT INTO words (words, rank) VALUES ('merge', ?1)")?.execute([pages])?;
        // The statement itself counts as one.
        Ok(self.db.total_changes() - before < 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn when_something_was_last_written_down_is_known() {
        let mut store = Store::in_memory();
        assert_eq!(store.last_written().unwrap(), None);
        store.begin().unwrap();
        for at in [5, 9] {
            store.audit(UnixMillis(at), "cli", "prompt.cancel", "prompt 1", "{}").unwrap();
        }
        store.commit().unwrap();
        assert_eq!(store.last_written().unwrap(), Some(UnixMillis(9)));
    }
}
