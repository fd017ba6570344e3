//! The rules over requests, version by version. Must not: understand them.

use rusqlite::{OptionalExtension, params};
use wire::UnixMillis;

use super::{Store, Stored};

/// A version of the rules, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPolicies {
    /// Grows with each change.
    pub version: u32,
    /// When it was set.
    pub at: UnixMillis,
    /// By whom.
    pub by: String,
    /// TOML.
    pub text: String,
}

impl Store {
    /// The rules in force, if any were ever set.
    pub fn policies(&self) -> Stored<Option<StoredPolicies>> {
        let mut sql = self.db.prepare_cached("SELECT * FROM policies ORDER BY version DESC LIMIT 1")?;
        let read = |row: &rusqlite::Row<'_>| {
            Ok(StoredPolicies {
                version: row.get("version")?,
                at: UnixMillis(row.get("at")?),
                by: row.get("set_by")?,
                text: row.get("text")?,
            })
        };
        Ok(sql.query_row([], read).optional()?)
    }

    /// Sets new rules; the earlier ones are kept.
    pub fn set_policies(&self, text: &str, by: &str, at: UnixMillis) -> Stored<()> {
        let mut sql = self.db.prepare_cached(
            "INSERT INTO policies (version, at, set_by, text)
             SELECT coalesce(max(version), 0) + 1, ?1, ?2, ?3 FROM policies",
        )?;
        sql.execute(params![at.0, by, text])?;
        Ok(())
    }
}
