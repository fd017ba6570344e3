//! Alerts, sinks and the outbox between them. Must not: decide what is worth an alert, or when it is told.

use std::collections::BTreeSet;

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
    pub fn open_alert(&self, condition: &Condition, now: UnixMillis) -> Stored<Alert> {
        let mut sql = self.db.prepare_cached(
            "INSERT INTO alerts (kind, subject, text, session, prompt, host, opened)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        let Condition { kind, subject, text, session, prompt, host } = condition;
        sql.execute(params![
            kind.as_str(),
            subject,
            text,
            session.as_ref().map(|s| &s.0),
            prompt.map(|p| p.0),
            host.as_ref().map(|h| &h.0),
            now.0
        ])?;
        Ok(Alert {
            id: self.db.last_insert_rowid(),
            kind: *kind,
            text: text.clone(),
            session: session.clone(),
            prompt: *prompt,
            host: host.clone(),
            opened: now,
            closed: None,
            escalations: 0,
        })
    }

    /// Closes one, and takes back what is not told yet. Gives the sinks from which something was taken back.
    pub fn close_alert(&self, id: i64, now: UnixMillis) -> Stored<BTreeSet<String>> {
        self.db.prepare_cached("UPDATE alerts SET closed = ?2 WHERE id = ?1")?.execute(params![id, now.0])?;
        let mut sql = self.db.prepare_cached("DELETE FROM notices WHERE alert = ?1 RETURNING sink")?;
        Ok(sql.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?)
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

#[cfg(test)]
mod tests {
    use super::*;
    use wire::alert::{AlertKind, SinkKind};

    #[test]
    fn the_end_of_an_alert_is_told_to_those_who_were_told_of_it_only() {
        let mut store = Store::in_memory();
        store.begin().unwrap();
        for name in ["told", "slow"] {
            let sink = NewSink {
                name: name.into(),
                kind: SinkKind::Desktop,
                target: String::new(),
                allow_private: false,
                secret: None,
                channel: None,
                allowed: Vec::new(),
                alerts: Vec::new(),
                quiet: None,
                detailed: false,
                escalate_ms: None,
            };
            store.save_sink(&sink).unwrap();
        }
        let condition = Condition {
            kind: AlertKind::Stuck,
            subject: "s".into(),
            text: "s is stuck".into(),
            session: None,
            prompt: None,
            host: None,
        };
        let alert = store.open_alert(&condition, UnixMillis(1)).unwrap();
        let kept = store.alerts(true, None, 1).unwrap();
        assert_eq!(kept, std::slice::from_ref(&alert), "what is given is what is kept");
        ["told", "slow"].iter().for_each(|s| store.notify(s, alert.id, What::Opened, UnixMillis(2)).unwrap());
        let due = store.due_notices("told", UnixMillis(3), 10).unwrap();
        store.delivered("told", &[due[0].id], UnixMillis(3)).unwrap();
        assert_eq!(store.close_alert(alert.id, UnixMillis(4)).unwrap(), BTreeSet::from(["slow".to_owned()]));
    }
}
