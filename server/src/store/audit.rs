//! The audit log: added to, never changed, each entry bound to all before it by a hash. Must not: decide what is worth
//! an entry.

use rusqlite::{OptionalExtension, Row, params};
use sha2::{Digest, Sha256};
use wire::UnixMillis;
use wire::http::AuditEntry;

use super::rows::{signed, unsigned};
use super::{Store, Stored};

/// The details of an entry whose subject was deleted.
pub const WITHHELD: &str = r#"{"withheld":true}"#;

/// What the hash of the first entry builds on.
const BEGIN: &str = "muster audit log, version 1";

impl Store {
    /// Adds an entry.
    pub fn audit(&self, at: UnixMillis, by: &str, what: &str, on: &str, detail: &str) -> Stored<()> {
        let mut sql = self.db.prepare_cached("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")?;
        let last: Option<(i64, String)> =
            sql.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (seq, before) = last.map_or_else(|| (1, BEGIN.to_owned()), |(seq, hash)| (seq + 1, hash));
        let mut entry = AuditEntry {
            seq: seq.unsigned_abs(),
            at,
            by: by.to_owned(),
            what: what.to_owned(),
            on: on.to_owned(),
            detail: detail.to_owned(),
            hash: String::new(),
        };
        let bound = bound(detail);
        entry.hash = chain(&before, &entry, &bound);
        self.db
            .prepare_cached(
                "INSERT INTO audit (seq, at, done_by, what, target, detail, hash, bound)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![seq, at.0, entry.by, entry.what, entry.on, entry.detail, entry.hash, bound])?;
        Ok(())
    }

    /// Entries before a number, or the latest, newest first.
    pub fn audit_before(&self, before: Option<u64>, limit: u32) -> Stored<Vec<AuditEntry>> {
        let mut sql = self
            .db
            .prepare_cached("SELECT * FROM audit WHERE ?1 IS NULL OR seq < ?1 ORDER BY seq DESC LIMIT ?2")?;
        sql.query_map(params![before.map(signed), limit], |row| Ok(read(row)))?.map(|r| r?).collect()
    }

    /// Whether no entry was changed, and none between the first and the last is missing.
    pub fn audit_is_whole(&self) -> Stored<bool> {
        let mut sql = self.db.prepare("SELECT * FROM audit ORDER BY seq")?;
        let mut before = BEGIN.to_owned();
        let rows = sql.query_map([], |row| Ok((read(row), row.get::<_, Option<String>>("bound")?)))?;
        for (place, row) in rows.enumerate() {
            let (entry, kept) = row?;
            let entry = entry?;
            let told = match &kept {
                Some(kept) if entry.detail == WITHHELD || *kept == bound(&entry.detail) => kept,
                Some(_) => return Ok(false),
                None => &entry.detail,
            };
            if entry.seq != place as u64 + 1 || entry.hash != chain(&before, &entry, told) {
                return Ok(false);
            }
            before = entry.hash;
        }
        Ok(true)
    }
}

fn read(row: &Row<'_>) -> Stored<AuditEntry> {
    Ok(AuditEntry {
        seq: unsigned(row, "seq")?,
        at: UnixMillis(row.get("at")?),
        by: row.get("done_by")?,
        what: row.get("what")?,
        on: row.get("target")?,
        detail: row.get("detail")?,
        hash: row.get("hash")?,
    })
}

/// What stands for details in the chain.
fn bound(detail: &str) -> String {
    wire::text::hex(&Sha256::digest(detail))
}

/// Each field with its length before it, so that no two entries read the same; `told` is what stands for the details.
fn chain(before: &str, entry: &AuditEntry, told: &str) -> String {
    let (seq, at) = (entry.seq.to_string(), entry.at.0.to_string());
    let mut hash = Sha256::new();
    for field in [before, &seq, &at, &entry.by, &entry.what, &entry.on, told] {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    wire::text::hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a73_an_entry_is_never_changed_and_a_change_by_other_means_shows() {
        let mut store = Store::in_memory();
        store.begin().unwrap();
        for n in 0..5 {
            store.audit(UnixMillis(n), "cli", "prompt.cancel", &format!("prompt {n}"), "{}").unwrap();
        }
        store.commit().unwrap();
        assert!(store.audit_is_whole().unwrap());
        assert!(store.db.execute("UPDATE audit SET done_by = 'nobody'", []).is_err());
        assert!(store.db.execute("UPDATE audit SET detail = '{\"to\":\"b\"}'", []).is_err());
        // What may be withheld is the details, and the chain stays whole.
        assert!(store.db.execute("UPDATE audit SET detail = ?1, target = 'x'", [WITHHELD]).is_err());
        assert_eq!(store.db.execute("UPDATE audit SET detail = ?1 WHERE seq = 4", [WITHHELD]).unwrap(), 1);
        assert!(store.audit_is_whole().unwrap());
        assert!(store.db.execute("DELETE FROM audit", []).is_err());
        store.db.execute_batch("DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_cut").unwrap();
        store.db.execute("UPDATE audit SET target = 'prompt 9' WHERE seq = 2", []).unwrap();
        assert!(!store.audit_is_whole().unwrap());
        store.db.execute("UPDATE audit SET target = 'prompt 1' WHERE seq = 2", []).unwrap();
        assert!(store.audit_is_whole().unwrap());
        store.db.execute("DELETE FROM audit WHERE seq = 3", []).unwrap();
        assert!(!store.audit_is_whole().unwrap());
    }
}
