//! Prompts to begin with. Must not: check them.

use rusqlite::params;
use wire::admin::Template;

use super::rows::{json, to_json};
use super::{Store, Stored};

impl Store {
    /// All templates, by name.
    pub fn templates(&self) -> Stored<Vec<Template>> {
        let mut sql = self.db.prepare_cached("SELECT name, prompt FROM templates ORDER BY name")?;
        let rows = sql.query_map([], |row| Ok((row.get("name")?, json(row, "prompt"))))?;
        rows.map(|row| {
            row.map_err(Into::into).and_then(|(name, prompt)| Ok(Template { name, prompt: prompt? }))
        })
        .collect()
    }

    /// Keeps a template, in the place of the one of its name.
    pub fn save_template(&self, template: &Template) -> Stored<()> {
        let prompt = to_json("prompt", &template.prompt)?;
        let mut sql = self.db.prepare_cached(
            "INSERT INTO templates (name, prompt) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET prompt = ?2",
        )?;
        sql.execute(params![template.name, prompt])?;
        Ok(())
    }

    /// Deletes a template. True: it was there.
    pub fn delete_template(&self, name: &str) -> Stored<bool> {
        Ok(self.db.prepare_cached("DELETE FROM templates WHERE name = ?1")?.execute([name])? == 1)
    }
}
