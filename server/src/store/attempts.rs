//! Leases, their receipts and their ends. Must not: know what a step means.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};
use wire::prompt::{Attempt, Outcome, Progress, PromptResult, Receipt, Step};
use wire::{AttemptId, PromptId, SessionId, UnixMillis};

use super::rows::{json, json_or_none, signed, to_json, unsigned, word};
use super::{Store, Stored};

/// A session's figures by name.
pub type Metrics = BTreeMap<String, f64>;

/// How many attempts of one prompt that came to nothing are remembered.
const REFUSALS_KEPT: u32 = 10;

impl Store {
    /// Gives a session to a prompt: a new attempt under a new fence, with its first receipt.
    ///
    /// Invariant: the fence is newer than any given for the session before.
    pub fn lease(
        &self,
        prompt: PromptId,
        session: &SessionId,
        number: u32,
        now: UnixMillis,
    ) -> Stored<Attempt> {
        let fence: i64 = self
            .db
            .prepare_cached("UPDATE sessions SET fence = fence + 1 WHERE id = ?1 RETURNING fence")?
            .query_row([&session.0], |row| row.get(0))?;
        self.db
            .prepare_cached("INSERT INTO attempts (prompt, session, fence, number) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![prompt.0, session.0, fence, number])?;
        let id = AttemptId(self.db.last_insert_rowid());
        let receipt = Receipt { step: Step::Leased, at: now };
        self.add_receipt(id, receipt)?;
        Ok(Attempt {
            id,
            prompt,
            session: session.clone(),
            fence: u64::try_from(fence).unwrap_or(0),
            number,
            receipts: vec![receipt],
            result: None,
            progress: None,
        })
    }

    /// Notes how far an attempt came; the first word about a step stands.
    pub fn add_receipt(&self, attempt: AttemptId, receipt: Receipt) -> Stored<()> {
        self.db
            .prepare_cached("INSERT OR IGNORE INTO receipts (attempt, step, at) VALUES (?1, ?2, ?3)")?
            .execute(params![attempt.0, receipt.step.as_str(), receipt.at.0])?;
        Ok(())
    }

    /// Notes at which report, and with which figures of its session, an attempt was accepted. The first word stands.
    pub fn accepted(&self, attempt: AttemptId, seq: u64, metrics: &Metrics) -> Stored<()> {
        self.db
            .prepare_cached(
                "UPDATE attempts SET accepted_seq = ?2, metrics = ?3 WHERE id = ?1 AND accepted_seq IS NULL",
            )?
            .execute(params![attempt.0, signed(seq), to_json("metrics", metrics)?])?;
        Ok(())
    }

    /// The same, asked.
    pub fn accepted_at(&self, attempt: AttemptId) -> Stored<Option<(u64, Metrics)>> {
        let mut sql = self.db.prepare_cached(
            "SELECT accepted_seq, metrics FROM attempts WHERE id = ?1 AND accepted_seq IS NOT NULL",
        )?;
        let read = |row: &Row<'_>| Ok((unsigned(row, "accepted_seq"), json(row, "metrics")));
        let found = sql.query_row([attempt.0], read).optional()?;
        found.map(|(seq, metrics)| Ok((seq?, metrics?))).transpose()
    }

    /// Keeps what an attempt's agent says of it.
    pub fn set_progress(&self, attempt: AttemptId, progress: &Progress) -> Stored<()> {
        let mut sql = self.db.prepare_cached("UPDATE attempts SET progress = ?2 WHERE id = ?1")?;
        sql.execute(params![attempt.0, to_json("progress", progress)?])?;
        Ok(())
    }

    /// Ends a lease. The first end stands.
    pub fn end_attempt(&self, attempt: AttemptId, result: &PromptResult, now: UnixMillis) -> Stored<()> {
        self.db
            .prepare_cached(
                "UPDATE attempts SET outcome = ?2, result = ?3, ended = ?4 WHERE id = ?1 AND outcome IS NULL",
            )?
            .execute(params![attempt.0, result.outcome.as_str(), to_json("result", result)?, now.0])?;
        if result.outcome == Outcome::NotTyped { self.forget_refusals(attempt) } else { Ok(()) }
    }

    /// Attempts, newest first: of a session, before one of them.
    pub fn select_attempts(
        &self,
        session: Option<&SessionId>,
        before: Option<AttemptId>,
        limit: u32,
    ) -> Stored<Vec<Attempt>> {
        let mut sql = self.db.prepare_cached(
            "SELECT * FROM attempts WHERE (?1 IS NULL OR session = ?1) AND (?2 IS NULL OR id < ?2)
             ORDER BY id DESC LIMIT ?3",
        )?;
        let rows = sql.query_map(params![session.map(|s| &s.0), before.map(|b| b.0), limit], |row| {
            Ok(self.read_attempt(row))
        })?;
        rows.map(|r| r?).collect()
    }

    /// One attempt.
    pub fn attempt(&self, id: AttemptId) -> Stored<Option<Attempt>> {
        let mut sql = self.db.prepare_cached("SELECT * FROM attempts WHERE id = ?1")?;
        let found = sql.query_row([id.0], |row| Ok(self.read_attempt(row))).optional()?;
        found.transpose()
    }

    /// The attempt that holds a session, if one does.
    pub fn active_attempt(&self, session: &SessionId) -> Stored<Option<Attempt>> {
        let mut sql =
            self.db.prepare_cached("SELECT * FROM attempts WHERE session = ?1 AND outcome IS NULL")?;
        let found = sql.query_row([&session.0], |row| Ok(self.read_attempt(row))).optional()?;
        found.transpose()
    }

    /// All attempts of a prompt that are remembered, oldest first.
    pub fn attempts_of(&self, prompt: PromptId) -> Stored<Vec<Attempt>> {
        let mut sql = self.db.prepare_cached("SELECT * FROM attempts WHERE prompt = ?1 ORDER BY id")?;
        sql.query_map([prompt.0], |row| Ok(self.read_attempt(row)))?.map(|r| r?).collect()
    }

    /// The latest attempt of a prompt.
    pub fn latest_attempt(&self, prompt: PromptId) -> Stored<Option<Attempt>> {
        let mut sql =
            self.db.prepare_cached("SELECT * FROM attempts WHERE prompt = ?1 ORDER BY id DESC LIMIT 1")?;
        let found = sql.query_row([prompt.0], |row| Ok(self.read_attempt(row))).optional()?;
        found.transpose()
    }

    /// Of the prompt of an attempt that came to nothing, leaves the latest of those.
    fn forget_refusals(&self, last: AttemptId) -> Stored<()> {
        self.db
            .prepare_cached(
                "WITH refusals (id) AS (
                    SELECT id FROM attempts WHERE prompt = (SELECT prompt FROM attempts WHERE id = ?1)
                        AND outcome = 'not_typed' ORDER BY id DESC)
                 DELETE FROM attempts WHERE id IN (SELECT id FROM refusals LIMIT -1 OFFSET ?2)",
            )?
            .execute(params![last.0, REFUSALS_KEPT])?;
        Ok(())
    }

    fn read_attempt(&self, row: &Row<'_>) -> Stored<Attempt> {
        let id = AttemptId(row.get("id")?);
        let mut sql =
            self.db.prepare_cached("SELECT step, at FROM receipts WHERE attempt = ?1 ORDER BY at, step")?;
        let mut receipts =
            sql.query_map([id.0], |row| Ok(receipt(row)))?.map(|r| r?).collect::<Stored<Vec<Receipt>>>()?;
        receipts.sort_by_key(|r| r.step);
        Ok(Attempt {
            id,
            prompt: PromptId(row.get("prompt")?),
            session: SessionId(row.get("session")?),
            fence: unsigned(row, "fence")?,
            number: row.get("number")?,
            receipts,
            result: json_or_none(row, "result")?,
            progress: json_or_none(row, "progress")?,
        })
    }

    /// Keeps whether a session already was where a prompt wanted to run.
    pub fn meet(&self, attempt: &Attempt, moved: bool, at: UnixMillis) -> Stored<()> {
        let sql = "INSERT INTO meetings (attempt, at, session, moved) VALUES (?1, ?2, ?3, ?4)";
        self.db.prepare_cached(sql)?.execute(params![attempt.id.0, at.0, attempt.session.0, moved])?;
        Ok(())
    }
}

fn receipt(row: &Row<'_>) -> Stored<Receipt> {
    Ok(Receipt { step: word(row, "step")?, at: UnixMillis(row.get("at")?) })
}
