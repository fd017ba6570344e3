//! Events of all sessions. Must not: change any.

use rusqlite::named_params;
use wire::event::{EventKind, Severity};
use wire::http::{Events, FoundEvent};
use wire::{SessionId, UnixMillis};

use super::Stored;
use super::archive::{Answered, Reader};
use super::reports::event;
use super::rows::{signed, unsigned};
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

/// Which of those that came in, in the order in which they came.
#[derive(Debug, Clone, Copy)]
pub enum Arrivals {
    /// The next after the one of this number.
    After(u64),
    /// The latest.
    Latest,
}

/// The statement. The condition that narrows most stands alone, so that SQLite walks the index that begins with it.
macro_rules! select {
    ($narrow:literal, $order:literal) => {
        concat!(
            "SELECT v.*, s.name AS session_name FROM events v CROSS JOIN sessions s ON s.id = v.session WHERE ",
            $narrow,
            " AND v.at >= :since AND v.at < :until
              AND (:fingerprint IS NULL OR v.fingerprint = :fingerprint)
              AND (:kind IS NULL OR v.kind = :kind)
              AND (:severity IS NULL OR v.severity = :severity)
              AND (:session IS NULL OR v.session = :session)
              AND (:agent IS NULL OR s.agent = :agent)
              AND (:project IS NULL OR coalesce(s.repo, s.dir) = :project)
              ORDER BY ",
            $order,
            " LIMIT :limit"
        )
    };
    ($narrow:literal) => {
        select!($narrow, "v.at DESC, v.id DESC")
    };
}

impl Reader {
    /// Events by what is asked of them, newest first.
    pub fn occurrences(&self, which: &Occurrences) -> Answered<Events> {
        let session = match which.session.as_deref().map(|name| self.session(name)).transpose()? {
            Some(Err(fault)) => return Ok(Err(fault)),
            session => session.and_then(Result::ok).map(|id| id.0),
        };
        let (at, id) = match which.cursor.as_deref().map(cursor) {
            None => (i64::MAX, i64::MAX),
            Some(Some(place)) => place,
            Some(None) => return Ok(Err(no_cursor())),
        };
        let mut sql = self.db.prepare(match (&which.fingerprint, &session) {
            (Some(_), _) => select!("v.fingerprint = :fingerprint AND (v.at, v.id) < (:at, :id)"),
            (None, Some(_)) => select!("v.session = :session AND (v.at, v.id) < (:at, :id)"),
            (None, None) => select!("(v.at, v.id) < (:at, :id)"),
        })?;
        let rows = sql.query_map(
            named_params! {
                ":at": at, ":id": id, ":since": which.since.map_or(i64::MIN, |t| t.0),
                ":until": which.until.map_or(i64::MAX, |t| t.0), ":fingerprint": which.fingerprint,
                ":kind": which.kind.map(EventKind::as_str), ":severity": which.severity.map(Severity::as_str),
                ":session": session, ":agent": which.agent, ":project": which.project,
                ":limit": i64::from(which.limit) + 1,
            },
            |row| Ok(found(row)),
        )?;
        let mut events: Vec<FoundEvent> = rows.map(|row| row?).collect::<Stored<_>>()?;
        let more = cut(&mut events, which.limit);
        let next = events.last().filter(|_| more).map(|found| format!("{}.{}", found.event.at.0, found.id));
        Ok(Ok(Events { events, next, upto: None }))
    }

    /// Events by what is asked of them, in the order in which they came.
    ///
    /// Invariant: asked on after `upto`, each event is given once, whenever it happened and however late it was told.
    pub fn arrivals(&self, which: &Occurrences, arrivals: Arrivals) -> Answered<Events> {
        let session = match which.session.as_deref().map(|name| self.session(name)).transpose()? {
            Some(Err(fault)) => return Ok(Err(fault)),
            session => session.and_then(Result::ok).map(|id| id.0),
        };
        let last: i64 = self.db.query_row("SELECT coalesce(max(id), 0) FROM events", [], |row| row.get(0))?;
        let (statement, after) = match arrivals {
            Arrivals::After(after) => (select!("v.id > :id", "v.id"), signed(after)),
            Arrivals::Latest => (select!("v.id > :id", "v.id DESC"), 0),
        };
        let mut sql = self.db.prepare(statement)?;
        let rows = sql.query_map(
            named_params! {
                ":id": after, ":since": which.since.map_or(i64::MIN, |t| t.0),
                ":until": which.until.map_or(i64::MAX, |t| t.0), ":fingerprint": which.fingerprint,
                ":kind": which.kind.map(EventKind::as_str), ":severity": which.severity.map(Severity::as_str),
                ":session": session, ":agent": which.agent, ":project": which.project,
                ":limit": i64::from(which.limit) + 1,
            },
            |row| Ok(found(row)),
        )?;
        let mut events: Vec<FoundEvent> = rows.map(|row| row?).collect::<Stored<_>>()?;
        let more = cut(&mut events, which.limit);
        let upto = match (arrivals, events.last()) {
            // Those that did not fit follow the last that did.
            (Arrivals::After(_), Some(found)) if more => found.id,
            // A number beyond the last is of another database: what comes next is not to be missed for that.
            (Arrivals::After(_) | Arrivals::Latest, _) => last.unsigned_abs(),
        };
        if let Arrivals::Latest = arrivals {
            events.reverse();
        }
        Ok(Ok(Events { events, next: None, upto: Some(upto) }))
    }
}

/// Cuts to a page; whether there was more.
fn cut(events: &mut Vec<FoundEvent>, limit: u32) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = events.len() > limit;
    events.truncate(limit);
    more
}

fn found(row: &rusqlite::Row<'_>) -> Stored<FoundEvent> {
    let numbered = event(row)?;
    Ok(FoundEvent {
        id: unsigned(row, "id")?,
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
