//! Which prompts wait for which. Must not: decide what an end means for those that wait.

use rusqlite::params;
use wire::PromptId;
use wire::prompt::{Hold, HoldCode, PromptState};

use super::rows::word;
use super::{Store, Stored};

impl Store {
    /// Makes a prompt wait for these, and for no others.
    pub fn set_needs(&self, prompt: PromptId, needs: &[PromptId]) -> Stored<()> {
        self.db.prepare_cached("DELETE FROM needs WHERE prompt = ?1")?.execute([prompt.0])?;
        let mut sql =
            self.db.prepare_cached("INSERT OR IGNORE INTO needs (prompt, needs) VALUES (?1, ?2)")?;
        needs.iter().try_for_each(|needed| sql.execute(params![prompt.0, needed.0]).map(drop))?;
        Ok(())
    }

    /// What a prompt waits for, with the states of those, oldest first.
    pub fn needs_of(&self, prompt: PromptId) -> Stored<Vec<(PromptId, PromptState)>> {
        let mut sql = self.db.prepare_cached(
            "SELECT p.id, p.state FROM needs n JOIN prompts p ON p.id = n.needs WHERE n.prompt = ?1 ORDER BY p.id",
        )?;
        let rows = sql.query_map([prompt.0], |row| Ok((PromptId(row.get(0)?), word(row, "state"))))?;
        rows.map(|row| row.map_err(Into::into).and_then(|(id, state)| Ok((id, state?)))).collect()
    }

    /// Prompts that wait for this one.
    pub fn needing(&self, needed: PromptId) -> Stored<Vec<PromptId>> {
        let mut sql = self.db.prepare_cached("SELECT prompt FROM needs WHERE needs = ?1 ORDER BY prompt")?;
        Ok(sql.query_map([needed.0], |row| row.get(0).map(PromptId))?.collect::<Result<_, _>>()?)
    }

    /// Whether `from` waits for `to`, by whatever many others.
    pub fn waits_on(&self, from: PromptId, to: PromptId) -> Stored<bool> {
        let mut sql = self.db.prepare_cached(
            "WITH RECURSIVE far (id) AS (
                SELECT needs FROM needs WHERE prompt = ?1 UNION SELECT n.needs FROM needs n JOIN far ON n.prompt = far.id)
             SELECT 1 FROM far WHERE id = ?2",
        )?;
        Ok(sql.exists(params![from.0, to.0])?)
    }

    /// The hold of a prompt that waits for others, in words.
    pub(super) fn waits_for(&self, prompt: PromptId) -> Stored<Hold> {
        let needs = self.needs_of(prompt)?;
        let open = needs.iter().filter(|(_, state)| *state != PromptState::Completed);
        let names: Vec<String> = open.map(|(id, state)| format!("{id} ({state})")).collect();
        Ok(Hold { code: HoldCode::After, text: format!("waits for {}", names.join(", ")) })
    }
}
