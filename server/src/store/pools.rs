//! Pools. Must not: check them.

use rusqlite::params;
use wire::pool::NewPool;

use super::rows::{json, to_json};
use super::{Store, Stored};

impl Store {
    /// All pools, by name.
    pub fn pools(&self) -> Stored<Vec<NewPool>> {
        let mut sql = self.db.prepare_cached("SELECT asked FROM pools ORDER BY name")?;
        sql.query_map([], |row| Ok(json(row, "asked")))?.map(|asked| asked?).collect()
    }

    /// Keeps a pool, in the place of the one of its name.
    pub fn save_pool(&self, pool: &NewPool) -> Stored<()> {
        let mut sql = self.db.prepare_cached(
            "INSERT INTO pools (name, asked) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET asked = ?2",
        )?;
        sql.execute(params![pool.name, to_json("asked", pool)?])?;
        Ok(())
    }

    /// Deletes a pool.
    pub fn delete_pool(&self, name: &str) -> Stored<()> {
        self.db.prepare_cached("DELETE FROM pools WHERE name = ?1")?.execute([name])?;
        Ok(())
    }
}
