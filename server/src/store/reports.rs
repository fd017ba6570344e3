//! What wrappers report for ever: states and events. Must not: know attempts (see `attempts`).

use rusqlite::{Row, named_params, params};
use wire::event::Event;
use wire::http::EventRow;
use wire::session::Claim;
use wire::{SessionId, UnixMillis};

use super::rows::{json, signed, to_json, unsigned, word};
use super::sessions::claim;
use super::{Store, Stored};

impl Store {
    /// Keeps a change of state.
    pub fn append_state(&self, session: &SessionId, seq: u64, at: UnixMillis, claim: &Claim) -> Stored<()> {
        let mut sql = self.db.prepare_cached(
            "INSERT INTO states (session, seq, at, state, source, rule, evidence, since, background)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        sql.execute(params![
            session.0,
            signed(seq),
            at.0,
            claim.state.as_str(),
            claim.source.as_str(),
            claim.rule,
            claim.evidence,
            claim.since.0,
            claim.background
        ])?;
        Ok(())
    }

    /// Keeps an event.
    pub fn append_event(&self, session: &SessionId, seq: u64, event: &Event) -> Stored<()> {
        let mut sql = self.db.prepare_cached(
            "INSERT INTO events (session, seq, at, kind, severity, origin, rule, text, fields, byte_offset,
                fingerprint)
             VALUES (:session, :seq, :at, :kind, :severity, :origin, :rule, :text, :fields, :offset, :print)",
        )?;
        sql.execute(named_params! {
            ":session": session.0, ":seq": signed(seq), ":at": event.at.0, ":kind": event.kind.as_str(),
            ":severity": event.severity.as_str(), ":origin": event.origin.as_str(), ":rule": event.rule,
            ":text": event.text, ":fields": to_json("fields", &event.fields)?,
            ":offset": signed(event.offset), ":print": event.fingerprint,
        })?;
        Ok(())
    }

    /// Events of a session after a sequence number, oldest first.
    pub fn events_after(&self, session: &SessionId, after: u64, limit: u32) -> Stored<Vec<EventRow>> {
        let mut sql = self
            .db
            .prepare_cached("SELECT * FROM events WHERE session = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3")?;
        sql.query_map(params![session.0, signed(after), limit], |row| Ok(event(row)))?.map(|r| r?).collect()
    }

    /// Events of a session between two reports, both included, oldest first: what was found during a turn.
    pub fn events_between(
        &self,
        session: &SessionId,
        from: u64,
        to: u64,
        limit: u32,
    ) -> Stored<Vec<EventRow>> {
        let mut sql = self.db.prepare_cached(
            "SELECT * FROM events WHERE session = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq LIMIT ?4",
        )?;
        sql.query_map(params![session.0, signed(from), signed(to), limit], |row| Ok(event(row)))?
            .map(|r| r?)
            .collect()
    }

    /// The latest events of a session, oldest first.
    pub fn latest_events(&self, session: &SessionId, limit: u32) -> Stored<Vec<EventRow>> {
        let mut sql =
            self.db.prepare_cached("SELECT * FROM events WHERE session = ?1 ORDER BY seq DESC LIMIT ?2")?;
        let mut rows: Vec<EventRow> = sql
            .query_map(params![session.0, limit], |row| Ok(event(row)))?
            .map(|r| r?)
            .collect::<Stored<_>>()?;
        rows.reverse();
        Ok(rows)
    }

    /// The latest states of a session, newest first.
    pub fn latest_states(&self, session: &SessionId, limit: u32) -> Stored<Vec<Claim>> {
        let mut sql =
            self.db.prepare_cached("SELECT * FROM states WHERE session = ?1 ORDER BY seq DESC LIMIT ?2")?;
        sql.query_map(params![session.0, limit], |row| Ok(claim(row)))?.map(|r| r?).collect()
    }
}

/// Reads a row of the table.
pub fn event(row: &Row<'_>) -> Stored<EventRow> {
    let event = Event {
        at: UnixMillis(row.get("at")?),
        kind: word(row, "kind")?,
        severity: word(row, "severity")?,
        origin: word(row, "origin")?,
        rule: row.get("rule")?,
        text: row.get("text")?,
        fields: json(row, "fields")?,
        offset: unsigned(row, "byte_offset")?,
        fingerprint: row.get("fingerprint")?,
    };
    Ok(EventRow { seq: unsigned(row, "seq")?, event })
}
