//! Alerts, sinks and the outbox between them. Must not: decide what is worth an alert, or when it is told.

use rusqlite::{OptionalExtension, Row, params};
use wire::alert::{Alert, NewSink, Sink};
use wire::prompt::HoldCode;
use wire::{HostId, PromptId, SessionId, UnixMillis};

use super::rows::{json, to_json, word};
use super::{Store, StoreError, Stored};
use crate::alert::message::{Notice, What};
use crate::alert::{Attention, Condition};

/// Prompts that are looked at for alerts.
const LOOKED_AT: u32 = 500;

/// A sink with its secret and what became of the last tries.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSink {
    /// As it was asked for, with its secret.
    pub asked: NewSink,
    /// Failed tries in a row.
    pub tries: u32,
    /// Not tried before.
    pub next: UnixMillis,
}

impl Store {
    /// Prompts that a person has to look at: held until they decide, or failed since `since` and not seen.
    pub fn attention(&self, since: UnixMillis) -> Stored<Vec<Attention>> {
        let mut sql = self.db.prepare_cached(
            "SELECT id, session, hold_code FROM prompts WHERE state = 'held' AND due IS NULL AND lease IS NULL
             UNION ALL SELECT id, session, NULL FROM prompts WHERE state = 'failed' AND seen IS NULL AND changed >= ?1
             LIMIT ?2",
        )?;
        let read = |row: &Row<'_>| -> rusqlite::Result<(i64, Option<String>, Option<String>)> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        };
        let rows = sql.query_map(params![since.0, LOOKED_AT], read)?;
        rows.map(|row| {
            let (prompt, session, code) = row?;
            let held = code.map(|word| word.parse::<HoldCode>());
            let held = held.transpose().map_err(|e| StoreError::Unreadable("hold_code", e.to_string()))?;
            Ok(Attention { prompt: PromptId(prompt), held, session: session.map(SessionId) })
        })
        .collect()
    }

    /// Prompts that ended since then: failed ones, all.
    pub fn ended_since(&self, since: UnixMillis) -> Stored<(u32, u32)> {
        let mut sql = self.db.prepare_cached(
            "SELECT count(*) FILTER (WHERE outcome IN ('failed', 'timed_out', 'unknown')),
                count(*) FILTER (WHERE outcome <> 'cancelled') FROM ends WHERE at >= ?1",
        )?;
        Ok(sql.query_row([since.0], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// Opens an alert.
    pub fn open_alert(&self, condition: &Condition, now: UnixMillis) -> Stored<i64> {
        let mut sql = self.db.prepare_cached(
            "INSERT INTO alerts (kind, subject, text, session, prompt, host, opened)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        let Condition { kind, subject, text, session, prompt, host } = condition;
        let (session, host) = (session.as_ref().map(|s| &s.0), host.as_ref().map(|h| &h.0));
        sql.execute(params![kind.as_str(), subject, text, session, prompt.map(|p| p.0), host, now.0])?;
        Ok(self.db.last_insert_rowid())
    }

    /// Closes one. What nobody was told of it yet is taken back. True: somebody was told, or is being told.
    pub fn close_alert(&self, id: i64, now: UnixMillis) -> Stored<bool> {
        self.db.prepare_cached("UPDATE alerts SET closed = ?2 WHERE id = ?1")?.execute(params![id, now.0])?;
        let taken = self.db.prepare_cached("DELETE FROM notices WHERE alert = ?1")?.execute([id])?;
        Ok(taken == 0)
    }

    /// One more time nobody acted.
    pub fn escalate_alert(&self, id: i64) -> Stored<()> {
        let mut sql =
            self.db.prepare_cached("UPDATE alerts SET escalations = escalations + 1 WHERE id = ?1")?;
        sql.execute([id])?;
        Ok(())
    }

    /// Alerts that last, oldest first.
    pub fn open_alerts(&self) -> Stored<Vec<(String, Alert)>> {
        let mut sql = self.db.prepare_cached("SELECT * FROM alerts WHERE closed IS NULL ORDER BY id")?;
        let rows = sql.query_map([], |row| Ok((row.get("subject")?, alert(row))))?;
        rows.map(|row| row.map_err(Into::into).and_then(|(subject, alert)| Ok((subject, alert?)))).collect()
    }

    /// Alerts, newest first.
    pub fn alerts(&self, open: bool, before: Option<i64>, limit: u32) -> Stored<Vec<Alert>> {
        let mut sql = self.db.prepare_cached(
            "SELECT * FROM alerts WHERE (NOT ?1 OR closed IS NULL) AND (?2 IS NULL OR id < ?2)
             ORDER BY id DESC LIMIT ?3",
        )?;
        sql.query_map(params![open, before, limit], |row| Ok(alert(row)))?.map(|r| r?).collect()
    }

    /// All sinks, by name.
    pub fn sinks(&self) -> Stored<Vec<StoredSink>> {
        let mut sql = self.db.prepare_cached("SELECT * FROM sinks ORDER BY name")?;
        sql.query_map([], |row| Ok(stored(row)))?.map(|r| r?).collect()
    }

    /// One sink.
    pub fn sink(&self, name: &str) -> Stored<Option<StoredSink>> {
        let mut sql = self.db.prepare_cached("SELECT * FROM sinks WHERE name = ?1")?;
        sql.query_row([name], |row| Ok(stored(row))).optional()?.transpose()
    }

    /// Keeps a sink, in the place of the one of its name; without a secret it keeps that one's.
    pub fn save_sink(&self, sink: &NewSink) -> Stored<()> {
        let asked = to_json("asked", &NewSink { secret: None, ..sink.clone() })?;
        let mut sql = self.db.prepare_cached(
            "INSERT INTO sinks (name, asked, secret) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET asked = ?2, secret = coalesce(?3, secret), failure = NULL, tries = 0,
                next = 0",
        )?;
        sql.execute(params![sink.name, asked, sink.secret])?;
        Ok(())
    }

    /// Deletes a sink with what waits for it. True: it was there.
    pub fn delete_sink(&self, name: &str) -> Stored<bool> {
        Ok(self.db.prepare_cached("DELETE FROM sinks WHERE name = ?1")?.execute([name])? == 1)
    }

    /// Sinks as everyone may see them.
    pub fn show_sinks(&self) -> Stored<Vec<Sink>> {
        let mut sql = self.db.prepare_cached(
            "SELECT *, (SELECT count(*) FROM notices WHERE sink = name) AS waiting FROM sinks ORDER BY name",
        )?;
        let rows = sql.query_map([], |row| {
            let has_secret = row.get::<_, Option<String>>("secret")?.is_some();
            let delivered = row.get::<_, Option<i64>>("delivered")?.map(UnixMillis);
            let (waiting, failure) = (row.get("waiting")?, row.get("failure")?);
            Ok(json(row, "asked").map(|asked| Sink { asked, has_secret, waiting, delivered, failure }))
        })?;
        rows.map(|r| r?).collect()
    }

    /// Puts a notice into the outbox.
    pub fn notify(&self, sink: &str, alert: i64, what: What, due: UnixMillis) -> Stored<()> {
        let mut sql =
            self.db.prepare_cached("INSERT INTO notices (sink, alert, what, due) VALUES (?1, ?2, ?3, ?4)")?;
        sql.execute(params![sink, alert, what.as_str(), due.0])?;
        Ok(())
    }

    /// Notices of a sink that may be sent now, oldest first.
    pub fn due_notices(&self, sink: &str, now: UnixMillis, limit: u32) -> Stored<Vec<Notice>> {
        let mut sql = self.db.prepare_cached(
            "SELECT n.id AS notice, n.what AS what, a.* FROM notices n JOIN alerts a ON a.id = n.alert
             WHERE n.sink = ?1 AND n.due <= ?2 ORDER BY n.id LIMIT ?3",
        )?;
        let rows = sql.query_map(params![sink, now.0, limit], |row| {
            Ok((row.get("notice")?, row.get::<_, String>("what")?, alert(row)))
        })?;
        rows.map(|row| {
            let (id, word, alert) = row?;
            let what = What::ALL.iter().copied().find(|what| what.as_str() == word);
            let what = what.ok_or(StoreError::Unreadable("what", word))?;
            Ok(Notice { id, what, alert: alert? })
        })
        .collect()
    }

    /// A sink has taken these.
    pub fn delivered(&self, sink: &str, notices: &[i64], now: UnixMillis) -> Stored<()> {
        let mut sql = self.db.prepare_cached("DELETE FROM notices WHERE id = ?1")?;
        notices.iter().try_for_each(|id| sql.execute([id]).map(drop))?;
        self.db
            .prepare_cached(
                "UPDATE sinks SET delivered = ?2, failure = NULL, tries = 0, next = 0 WHERE name = ?1",
            )?
            .execute(params![sink, now.0])?;
        Ok(())
    }

    /// A sink could not be reached.
    pub fn undelivered(&self, sink: &str, why: &str, next: UnixMillis) -> Stored<()> {
        self.db
            .prepare_cached("UPDATE sinks SET failure = ?2, tries = tries + 1, next = ?3 WHERE name = ?1")?
            .execute(params![sink, why, next.0])?;
        Ok(())
    }
}

fn stored(row: &Row<'_>) -> Stored<StoredSink> {
    let asked: NewSink = json(row, "asked")?;
    let secret = row.get("secret")?;
    Ok(StoredSink {
        asked: NewSink { secret, ..asked },
        tries: row.get("tries")?,
        next: UnixMillis(row.get("next")?),
    })
}

fn alert(row: &Row<'_>) -> Stored<Alert> {
    Ok(Alert {
        id: row.get("id")?,
        kind: word(row, "kind")?,
        text: row.get("text")?,
        session: row.get::<_, Option<String>>("session")?.map(SessionId),
        prompt: row.get::<_, Option<i64>>("prompt")?.map(PromptId),
        host: row.get::<_, Option<String>>("host")?.map(HostId),
        opened: UnixMillis(row.get("opened")?),
        closed: row.get::<_, Option<i64>>("closed")?.map(UnixMillis),
        escalations: row.get("escalations")?,
    })
}
