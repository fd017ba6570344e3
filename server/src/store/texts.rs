//! Settled text of screens, bounded for each session. Must not: search it (see `search`).

use rusqlite::{OptionalExtension, params};
use wire::{SessionId, UnixMillis};

use super::rows::signed;
use super::{Store, Stored};

/// Most bytes of text that are kept of one session; the oldest goes first.
const KEPT: i64 = 16 << 20;

impl Store {
    /// Keeps a piece of text, and forgets the session's oldest beyond its bound.
    pub fn append_text(
        &self,
        session: &SessionId,
        seq: u64,
        at: UnixMillis,
        offset: u64,
        text: &str,
    ) -> Stored<()> {
        let newest = "SELECT upto FROM texts WHERE session = ?1 ORDER BY seq DESC LIMIT 1";
        let before: Option<i64> =
            self.db.prepare_cached(newest)?.query_row([&session.0], |row| row.get(0)).optional()?;
        let upto = before.unwrap_or(0).saturating_add(signed(text.len() as u64));
        self.db
            .prepare_cached(
                "INSERT INTO texts (session, seq, at, byte_offset, text, upto) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![session.0, signed(seq), at.0, signed(offset), text, upto])?;
        // In the order of `seq`, `upto` grows: those beyond the bound come first, and the search ends at once.
        self.db
            .prepare_cached(
                "DELETE FROM texts WHERE id IN (
                    SELECT id FROM texts WHERE session = ?1 AND upto <= ?2 ORDER BY seq LIMIT 16
                 ) AND ?2 > 0",
            )?
            .execute(params![session.0, upto - KEPT])?;
        Ok(())
    }
}
