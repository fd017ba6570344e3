//! Events of all sessions. Must not: change any.

use rusqlite::named_params;
use wire::event::{EventKind, Severity};
use wire::http::{Events, FoundEvent};
use wire::{SessionId, UnixMillis};

use super::Stored;
use super::archive::{Answered, Reader};
use super::reports::event;
use crate::fault::Fault;

/// Which events; what is absent is no condition.
#[derive(Debug, Clone, Default)]
pub struct Occurrences {
    /// Of the same thing.
    pub fingerprint: Option<String>,
    /// About this.
    pub kind: Option<EventKind>,
    /// As grave as this.
    pub severity: Option<Severity>,
    /// Of this session; name or id.
    pub session: Option<String>,
    /// Of sessions of this agent.
    pub agent: Option<String>,
    /// Of sessions of this repository or directory.
    pub project: Option<String>,
    /// Not before this.
    pub since: Option<UnixMillis>,
    /// Before this.
    pub until: Option<UnixMillis>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// At most.
    pub limit: u32,
}

/// The statement. The condition that narrows most stands alone, so that SQLite walks the index that begins with it.
macro_rules! select {
    ($narrow:literal) => {
        concat!(
            "SELECT v.*, s.name AS session_name FROM events v CROSS JOIN sessions s ON s.id = v.session WHERE ",
            $narrow,
            " AND (v.at, v.id) < (:at, :id) AND v.at >= :since AND v.at < :until
              AND (:fingerprint IS NULL OR v.fingerprint = :fingerprint)
              AND (:kind IS NULL OR v.kind = :kind)
              AND (:severity IS NULL OR v.severity = :severity)
              AND (:session IS NULL OR v.session = :session)
              AND (:agent IS NULL OR s.agent = :agent)
              AND (:project IS NULL OR coalesce(s.repo, s.dir) = :project)
              ORDER BY v.at DESC, v.id DESC LIMIT :limit"
        )
    };
}

impl Reader {
    /// Events by what is asked of them, newest first.
    pub fn occurrences(&self, which: &Occurrences) -> Answered<Events> {
        let session = match which.session.as_deref().map(|name| self.session(name)).transpose()? {
            Some(Err(fault)) => return Ok(Err(fault)),
            session => session.and_then(Result::ok),
        };
        let (at, id) = match which.cursor.as_deref().map(cursor) {
            None => (i64::MAX, i64::MAX),
            Some(Some(place)) => place,
            Some(None) => return Ok(Err(no_cursor())),
        };
        let mut sql = self.db.prepare(match (&which.fingerprint, &session) {
            (Some(_), _) => select!("v.fingerprint = :fingerprint"),
            (None, Some(_)) => select!("v.session = :session"),
            (None, None) => select!("true"),
        })?;
        let rows = sql.query_map(
            named_params! {
                ":at": at, ":id": id, ":since": which.since.map_or(i64::MIN, |t| t.0),
                ":until": which.until.map_or(i64::MAX, |t| t.0), ":fingerprint": which.fingerprint,
                ":kind": which.kind.map(EventKind::as_str), ":severity": which.severity.map(Severity::as_str),
                ":session": session, ":agent": which.agent, ":project": which.project,
                ":limit": i64::from(which.limit) + 1,
            },
            |row| Ok((row.get::<_, i64>("id")?, found(row))),
        )?;
        let mut events: Vec<(i64, FoundEvent)> = rows
            .map(|row| row.map_err(Into::into).and_then(|(id, found)| Ok((id, found?))))
            .collect::<Stored<_>>()?;
        let limit = usize::try_from(which.limit).unwrap_or(usize::MAX);
        let more = events.len() > limit;
        events.truncate(limit);
        let next = events.last().filter(|_| more).map(|(id, found)| format!("{}.{id}", found.event.at.0));
        Ok(Ok(Events { events: events.into_iter().map(|(_, found)| found).collect(), next }))
    }
}

fn found(row: &rusqlite::Row<'_>) -> Stored<FoundEvent> {
    let numbered = event(row)?;
    Ok(FoundEvent {
        session: SessionId(row.get("session")?),
        session_name: row.get("session_name")?,
        seq: numbered.seq,
        event: numbered.event,
    })
}

fn cursor(text: &str) -> Option<(i64, i64)> {
    let (at, id) = text.split_once('.')?;
    Some((at.parse().ok()?, id.parse().ok()?))
}

fn no_cursor() -> Fault {
    Fault::bad("the cursor is not one that this server gave", "begin without one")
}
