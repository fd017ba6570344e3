//! What people set while the server runs: whether prompts are given out. Must not: know what follows from it.

use rusqlite::{OptionalExtension, params};
use wire::SessionId;

use super::{Store, Stored};

impl Store {
    /// Whether no prompts are given out.
    pub fn paused(&self) -> Stored<bool> {
        let sql = "SELECT value FROM settings WHERE name = 'paused'";
        let value: Option<String> = self.db.query_row(sql, [], |row| row.get(0)).optional()?;
        Ok(value.is_some_and(|value| value == "true"))
    }

    /// Keeps whether prompts are given out.
    pub fn pause(&self, paused: bool) -> Stored<()> {
        let sql =
            "INSERT INTO settings (name, value) VALUES ('paused', ?1) ON CONFLICT DO UPDATE SET value = ?1";
        self.db.execute(sql, [if paused { "true" } else { "false" }])?;
        Ok(())
    }

    /// Keeps whether a session is given prompts.
    pub fn pause_session(&self, session: &SessionId, paused: bool) -> Stored<()> {
        self.db.execute("UPDATE sessions SET paused = ?2 WHERE id = ?1", params![session.0, paused])?;
        Ok(())
    }
}
