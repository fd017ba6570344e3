//! What agents asked, in the database. Must not: answer.

use rusqlite::{OptionalExtension, Row, named_params, params};
use wire::approval::{Approval, ApprovalState};
use wire::session::Dialog;
use wire::{ApprovalId, SessionId, UnixMillis};

use super::rows::{json, to_json, word};
use super::{Store, Stored};

impl Store {
    /// Keeps something new that a session asks. The one before must be closed.
    pub fn open_approval(
        &self,
        session: &SessionId,
        dialog: &Dialog,
        rule: Option<&str>,
        at: UnixMillis,
    ) -> Stored<Approval> {
        self.db
            .prepare_cached(
                "INSERT INTO approvals (session, dialog, state, rule, opened) VALUES (?1, ?2, 'open', ?3, ?4)",
            )?
            .execute(params![session.0, to_json("dialog", dialog)?, rule, at.0])?;
        Ok(Approval {
            id: ApprovalId(self.db.last_insert_rowid()),
            session: session.clone(),
            dialog: dialog.clone(),
            state: ApprovalState::Open,
            by: None,
            rule: rule.map(str::to_owned),
            refused: None,
            opened: at,
            closed: None,
            asked_by: None,
            words: None,
        })
    }

    /// Keeps a question that an agent asks beside its terminal.
    pub fn open_question(
        &self,
        session: &SessionId,
        dialog: &Dialog,
        asked_by: &str,
        at: UnixMillis,
    ) -> Stored<Approval> {
        self.db
            .prepare_cached(
                "INSERT INTO approvals (session, dialog, state, opened, asked_by) VALUES (?1, ?2, 'open', ?3, ?4)",
            )?
            .execute(params![session.0, to_json("dialog", dialog)?, at.0, asked_by])?;
        Ok(Approval {
            id: ApprovalId(self.db.last_insert_rowid()),
            session: session.clone(),
            dialog: dialog.clone(),
            state: ApprovalState::Open,
            by: None,
            rule: None,
            refused: None,
            opened: at,
            closed: None,
            asked_by: Some(asked_by.to_owned()),
            words: None,
        })
    }

    /// What a session's agent asks beside its terminal now.
    pub fn open_questions_of(&self, session: &SessionId) -> Stored<Vec<Approval>> {
        let mut sql = self.db.prepare_cached(
            "SELECT * FROM approvals WHERE session = ?1 AND closed IS NULL AND asked_by IS NOT NULL ORDER BY id",
        )?;
        sql.query_map([&session.0], |row| Ok(read(row)))?.map(|r| r?).collect()
    }

    /// Keeps what became of it.
    pub fn save_approval(&self, approval: &Approval) -> Stored<()> {
        let mut sql = self.db.prepare_cached(
            "UPDATE approvals SET dialog = :dialog, rule = :rule, state = :state, answered_by = :by,
                refused = :refused, closed = :closed, words = :words
             WHERE id = :id",
        )?;
        sql.execute(named_params! {
            ":id": approval.id.0, ":state": approval.state.as_str(), ":by": approval.by,
            ":dialog": to_json("dialog", &approval.dialog)?, ":rule": approval.rule,
            ":refused": approval.refused, ":closed": approval.closed.map(|t| t.0), ":words": approval.words,
        })?;
        Ok(())
    }

    /// One of them.
    pub fn approval(&self, id: ApprovalId) -> Stored<Option<Approval>> {
        let mut sql = self.db.prepare_cached("SELECT * FROM approvals WHERE id = ?1")?;
        sql.query_row([id.0], |row| Ok(read(row))).optional()?.transpose()
    }

    /// What a session's terminal asks now.
    pub fn open_approval_of(&self, session: &SessionId) -> Stored<Option<Approval>> {
        let mut sql = self.db.prepare_cached(
            "SELECT * FROM approvals WHERE session = ?1 AND closed IS NULL AND asked_by IS NULL",
        )?;
        sql.query_row([&session.0], |row| Ok(read(row))).optional()?.transpose()
    }

    /// All that is asked now, oldest first.
    pub fn open_approvals(&self, limit: u32) -> Stored<Vec<Approval>> {
        let mut sql =
            self.db.prepare_cached("SELECT * FROM approvals WHERE closed IS NULL ORDER BY id LIMIT ?1")?;
        sql.query_map([limit], |row| Ok(read(row)))?.map(|r| r?).collect()
    }

    /// What was asked, newest first: of a session, in a state, before one of them.
    pub fn select_approvals(
        &self,
        session: Option<&SessionId>,
        state: Option<ApprovalState>,
        before: Option<ApprovalId>,
        limit: u32,
    ) -> Stored<Vec<Approval>> {
        let mut sql = self.db.prepare_cached(
            "SELECT * FROM approvals WHERE (?1 IS NULL OR session = ?1) AND (?2 IS NULL OR state = ?2)
                AND (?3 IS NULL OR id < ?3) ORDER BY id DESC LIMIT ?4",
        )?;
        let rows = sql.query_map(
            params![session.map(|s| &s.0), state.map(ApprovalState::as_str), before.map(|b| b.0), limit],
            |row| Ok(read(row)),
        )?;
        rows.map(|r| r?).collect()
    }
}

fn read(row: &Row<'_>) -> Stored<Approval> {
    Ok(Approval {
        id: ApprovalId(row.get("id")?),
        session: SessionId(row.get("session")?),
        dialog: json(row, "dialog")?,
        state: word(row, "state")?,
        by: row.get("answered_by")?,
        rule: row.get("rule")?,
        refused: row.get("refused")?,
        opened: UnixMillis(row.get("opened")?),
        closed: row.get::<_, Option<i64>>("closed")?.map(UnixMillis),
        asked_by: row.get("asked_by")?,
        words: row.get("words")?,
    })
}
