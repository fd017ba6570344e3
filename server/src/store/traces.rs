//! What is told of prompts as traces, and what is still to be told. Must not: know a span.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};
use wire::{AttemptId, PromptId, SessionId, UnixMillis};

use super::{Store, Stored};

/// Requests of one attempt that are told.
const ASKED: u32 = 200;

/// A life of a prompt that is over and not told yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueTrace {
    /// Which prompt.
    pub prompt: PromptId,
    /// When it began, unless with the prompt.
    pub began: Option<UnixMillis>,
    /// When it ended.
    pub ended: UnixMillis,
}

impl Store {
    /// What tells this installation from others.
    pub fn install(&self) -> Stored<String> {
        Ok(self.db.query_row("SELECT value FROM settings WHERE name = 'install'", [], |row| row.get(0))?)
    }

    /// Keeps which trace a prompt continues.
    pub fn set_trace_parent(&self, prompt: PromptId, parent: &str) -> Stored<()> {
        let mut sql = self.db.prepare_cached("INSERT INTO traces (prompt, parent) VALUES (?1, ?2)")?;
        sql.execute(params![prompt.0, parent])?;
        Ok(())
    }

    /// Which trace a prompt continues, if it does.
    pub fn trace_parent(&self, prompt: PromptId) -> Stored<Option<String>> {
        let mut sql = self.db.prepare_cached("SELECT parent FROM traces WHERE prompt = ?1")?;
        Ok(sql.query_row([prompt.0], |row| row.get(0)).optional()?.flatten())
    }

    /// When the present life of a prompt began, unless with the prompt.
    pub fn trace_began(&self, prompt: PromptId) -> Stored<Option<UnixMillis>> {
        let mut sql = self.db.prepare_cached("SELECT began FROM traces WHERE prompt = ?1")?;
        let began: Option<Option<i64>> = sql.query_row([prompt.0], |row| row.get(0)).optional()?;
        Ok(began.flatten().map(UnixMillis))
    }

    /// A life of a prompt is over, and is to be told.
    pub fn trace_ended(&self, prompt: PromptId, now: UnixMillis) -> Stored<()> {
        let sql =
            "INSERT INTO traces (prompt, due) VALUES (?1, ?2) ON CONFLICT (prompt) DO UPDATE SET due = ?2";
        self.db.prepare_cached(sql)?.execute(params![prompt.0, now.0])?;
        Ok(())
    }

    /// A prompt that was over lives again. A life that nobody was told of goes on instead.
    pub fn trace_begins_again(&self, prompt: PromptId, now: UnixMillis) -> Stored<()> {
        let sql = "UPDATE traces SET began = CASE WHEN due IS NULL THEN ?2 ELSE began END, due = NULL WHERE prompt = ?1";
        self.db.prepare_cached(sql)?.execute(params![prompt.0, now.0])?;
        Ok(())
    }

    /// Lives that are to be told, oldest first.
    pub fn due_traces(&self, limit: u32) -> Stored<Vec<DueTrace>> {
        let mut sql = self.db.prepare_cached(
            "SELECT prompt, began, due FROM traces WHERE due IS NOT NULL ORDER BY due, prompt LIMIT ?1",
        )?;
        let rows = sql.query_map([limit], |row| {
            Ok(DueTrace {
                prompt: PromptId(row.get(0)?),
                began: row.get::<_, Option<i64>>(1)?.map(UnixMillis),
                ended: UnixMillis(row.get(2)?),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A collector has been told of a life, unless it was another that ended then.
    pub fn trace_told(&self, prompt: PromptId, ended: UnixMillis) -> Stored<()> {
        let sql = "UPDATE traces SET due = NULL WHERE prompt = ?1 AND due = ?2";
        self.db.prepare_cached(sql)?.execute(params![prompt.0, ended.0])?;
        Ok(())
    }

    /// Gives the oldest lives up that nobody could be told of, beyond so many; how many they were.
    pub fn give_up_traces(&self, beyond: u32) -> Stored<usize> {
        let mut sql = self.db.prepare_cached(
            "UPDATE traces SET due = NULL WHERE prompt IN
                (SELECT prompt FROM traces WHERE due IS NOT NULL ORDER BY due DESC, prompt DESC LIMIT -1 OFFSET ?1)",
        )?;
        Ok(sql.execute([beyond])?)
    }

    /// When each attempt of a prompt was over.
    pub fn attempts_ended(&self, prompt: PromptId) -> Stored<BTreeMap<AttemptId, UnixMillis>> {
        let mut sql = self
            .db
            .prepare_cached("SELECT id, ended FROM attempts WHERE prompt = ?1 AND ended IS NOT NULL")?;
        let rows = sql.query_map([prompt.0], |row| Ok((AttemptId(row.get(0)?), UnixMillis(row.get(1)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// From when to when a session asked a person, as far as that touches this time. What is open is open to its end.
    pub fn asked_between(
        &self,
        session: &SessionId,
        from: UnixMillis,
        to: UnixMillis,
    ) -> Stored<Vec<(UnixMillis, UnixMillis)>> {
        let mut sql = self.db.prepare_cached(
            "SELECT opened, coalesce(closed, ?3) FROM approvals
             WHERE session = ?1 AND opened < ?3 AND (closed IS NULL OR closed > ?2) ORDER BY opened LIMIT ?4",
        )?;
        let rows = sql.query_map(params![session.0, from.0, to.0, ASKED], |row| {
            Ok((UnixMillis(row.get(0)?), UnixMillis(row.get(1)?)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
