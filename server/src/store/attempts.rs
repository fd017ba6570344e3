//! Leases, their receipts and their ends. Must not: know what a step means.

use rusqlite::{OptionalExtension, Row, params};
use wire::prompt::{Attempt, PromptResult, Receipt, Step};
use wire::{AttemptId, PromptId, SessionId, UnixMillis};

use super::rows::{json_or_none, to_json, unsigned, word};
use super::{Store, Stored};

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
        self.db
            .prepare_cached("UPDATE sessions SET fence = fence + 1 WHERE id = ?1")?
            .execute([&session.0])?;
        let fence: i64 = self
            .db
            .prepare_cached("SELECT fence FROM sessions WHERE id = ?1")?
            .query_row([&session.0], |row| row.get(0))?;
        self.db
            .prepare_cached("INSERT INTO attempts (prompt, session, fence, number) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![prompt.0, session.0, fence, number])?;
        let id = AttemptId(self.db.last_insert_rowid());
        let receipt = Receipt { step: Step::Leased, at: now };
        self.add_receipt(id, receipt)?;
        self.forget_refusals(prompt)?;
        Ok(Attempt {
            id,
            prompt,
            session: session.clone(),
            fence: u64::try_from(fence).unwrap_or(0),
            number,
            receipts: vec![receipt],
            result: None,
        })
    }

    /// Notes how far an attempt came; the first word about a step stands.
    pub fn add_receipt(&self, attempt: AttemptId, receipt: Receipt) -> Stored<()> {
        self.db
            .prepare_cached("INSERT OR IGNORE INTO receipts (attempt, step, at) VALUES (?1, ?2, ?3)")?
            .execute(params![attempt.0, receipt.step.as_str(), receipt.at.0])?;
        Ok(())
    }

    /// Ends a lease. The first end stands.
    pub fn end_attempt(&self, attempt: AttemptId, result: &PromptResult) -> Stored<()> {
        self.db
            .prepare_cached(
                "UPDATE attempts SET outcome = ?2, result = ?3 WHERE id = ?1 AND outcome IS NULL",
            )?
            .execute(params![attempt.0, result.outcome.as_str(), to_json("result", result)?])?;
        Ok(())
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

    fn forget_refusals(&self, prompt: PromptId) -> Stored<()> {
        self.db
            .prepare_cached(
                "DELETE FROM attempts WHERE prompt = ?1 AND outcome = 'not_typed' AND id NOT IN (
                    SELECT id FROM attempts WHERE prompt = ?1 AND outcome = 'not_typed'
                    ORDER BY id DESC LIMIT ?2)",
            )?
            .execute(params![prompt.0, REFUSALS_KEPT])?;
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
        })
    }
}

fn receipt(row: &Row<'_>) -> Stored<Receipt> {
    Ok(Receipt { step: word(row, "step")?, at: UnixMillis(row.get("at")?) })
}
