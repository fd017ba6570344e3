//! Where the prompts come from that agents queued. Must not: know how many there may be.

use rusqlite::{OptionalExtension, params};
use wire::prompt::Parent;
use wire::{PromptId, UnixMillis};

use super::{Store, Stored};

/// What an agent has queued so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Its prompts that are open.
    pub open: u32,
    /// Those that are open and were queued for one prompt, by whomever.
    pub children: u32,
    /// Its prompts since a moment.
    pub lately: u32,
}

impl Store {
    /// Keeps where a prompt comes from.
    pub fn set_parent(&self, id: PromptId, token: &str, parent: &Parent, at: UnixMillis) -> Stored<()> {
        let sql =
            "INSERT INTO parents (prompt, token, by, parent, depth, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let of = parent.prompt.map(|prompt| prompt.0);
        self.db.prepare_cached(sql)?.execute(params![id.0, token, parent.by, of, parent.depth, at.0])?;
        Ok(())
    }

    /// Where a prompt comes from; `None`: from no agent.
    pub fn parent(&self, id: PromptId) -> Stored<Option<Parent>> {
        let mut sql = self.db.prepare_cached("SELECT by, parent, depth FROM parents WHERE prompt = ?1")?;
        let read = |row: &rusqlite::Row<'_>| {
            let prompt = row.get::<_, Option<i64>>("parent")?.map(PromptId);
            Ok(Parent { by: row.get("by")?, prompt, depth: row.get("depth")? })
        };
        Ok(sql.query_row([id.0], read).optional()?)
    }

    /// Whether a prompt was queued with this credential.
    pub fn queued_with(&self, id: PromptId, token: &str) -> Stored<bool> {
        let sql = "SELECT 1 FROM parents WHERE prompt = ?1 AND token = ?2";
        Ok(self.db.prepare_cached(sql)?.exists(params![id.0, token])?)
    }

    /// What was queued with a credential since a moment, and for a prompt.
    pub fn tally(&self, token: &str, parent: Option<PromptId>, since: UnixMillis) -> Stored<Tally> {
        let mut sql = self.db.prepare_cached(
            "SELECT
                (SELECT count(*) FROM parents JOIN prompts ON id = prompt
                 WHERE token = ?1 AND state NOT IN ('completed', 'failed', 'cancelled')) AS open,
                (SELECT count(*) FROM parents JOIN prompts ON id = prompt
                 WHERE parent = ?2 AND state NOT IN ('completed', 'failed', 'cancelled')) AS children,
                (SELECT count(*) FROM parents WHERE token = ?1 AND at > ?3) AS lately",
        )?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(Tally { open: row.get("open")?, children: row.get("children")?, lately: row.get("lately")? })
        };
        Ok(sql.query_row(params![token, parent.map(|p| p.0), since.0], read)?)
    }

    /// Whether a prompt was queued under this key.
    pub fn knows_key(&self, key: &str) -> Stored<bool> {
        Ok(self.db.prepare_cached("SELECT 1 FROM prompts WHERE idempotency_key = ?1")?.exists([key])?)
    }
}
