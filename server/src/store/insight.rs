//! The past in numbers: sums over a range of time. Must not: count anything that a list with the same filters does not show.

use std::collections::HashMap;

use rusqlite::{Row, ToSql, named_params};
use wire::insight::{
    ApprovalTimes, Ends, ErrorGroup, Insight, Matches, PhaseTimes, Spread, Switches, Usage, Utilisation,
};
use wire::session::State;
use wire::{SessionId, UnixMillis};

use super::archive::{Answered, Reader};
use super::rows::word;
use super::{StoreError, Stored};
use crate::fault::Fault;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Longest range.
const RANGE: i64 = 400 * DAY;
/// Sessions whose time is told.
const SESSIONS: usize = 200;

/// Which past.
#[derive(Debug, Clone)]
pub struct Span {
    /// First instant.
    pub from: UnixMillis,
    /// First instant after it.
    pub to: UnixMillis,
    /// Only of sessions of this agent.
    pub agent: Option<String>,
    /// Only of this repository or directory.
    pub project: Option<String>,
    /// How far the asker's clock is ahead of UTC, for days and hours.
    pub offset_minutes: i64,
    /// The clock: what lasts, lasts until now.
    pub now: UnixMillis,
}

impl Span {
    fn check(&self) -> Result<(), Fault> {
        let length = self.to.0.saturating_sub(self.from.0);
        if length <= 0 || length > RANGE || self.from.0 < 0 {
            return Err(Fault::bad(
                "the range is empty, longer than 400 days, or begins before 1970",
                "give `from` and `to` in milliseconds since the epoch, `from` before `to`",
            ));
        }
        if !(-14 * 60..=14 * 60).contains(&self.offset_minutes) {
            return Err(Fault::bad(
                "no clock is more than 14 hours from UTC",
                "give `offset_minutes` in minutes",
            ));
        }
        Ok(())
    }

    /// An hour up to two days, else a day.
    fn step(&self) -> i64 {
        if self.to.0 - self.from.0 <= 2 * DAY { HOUR } else { DAY }
    }

    fn offset(&self) -> i64 {
        self.offset_minutes * MINUTE
    }
}

impl Reader {
    /// Everything about a range.
    pub fn insight(&self, span: &Span) -> Answered<Insight> {
        if let Err(fault) = span.check() {
            return Ok(Err(fault));
        }
        Ok(Ok(Insight {
            from: span.from,
            to: span.to,
            step_ms: span.step().cast_unsigned(),
            ends: self.ends(span)?,
            phases: self.phases(span)?,
            utilisation: self.utilisation(span)?,
            switches: self.switches(span)?,
            matches: self.matches(span)?,
            approvals: self.approval_times(span)?,
            errors: self.errors(span)?,
            usage: self.usage(span)?,
        }))
    }

    fn ends(&self, span: &Span) -> Stored<Vec<Ends>> {
        let sql = "SELECT (at + :offset) / :step * :step - :offset AS step, outcome, count(*) AS count
             FROM ends WHERE at >= :from AND at < :to
               AND (:agent IS NULL OR agent = :agent) AND (:project IS NULL OR project = :project)
             GROUP BY 1, 2 ORDER BY 1, 2";
        let (step, offset) = (span.step(), span.offset());
        self.all(sql, span, &[(":step", &step), (":offset", &offset)], |row| {
            Ok(Ends {
                at: UnixMillis(row.get("step")?),
                outcome: word(row, "outcome")?,
                count: row.get("count")?,
            })
        })
    }

    fn phases(&self, span: &Span) -> Stored<Vec<PhaseTimes>> {
        let sql = "SELECT waiting, delivery, running, nullif(verification, 0) AS verification FROM ends
             WHERE at >= :from AND at < :to
               AND (:agent IS NULL OR agent = :agent) AND (:project IS NULL OR project = :project)";
        let names = ["waiting", "delivery", "running", "verification"];
        let mut times = [const { Vec::new() }; 4];
        self.all(sql, span, &[], |row| {
            for (column, times) in times.iter_mut().enumerate() {
                times.extend(row.get::<_, Option<i64>>(column)?);
            }
            Ok(())
        })?;
        Ok(names
            .iter()
            .zip(times)
            .map(|(name, times)| PhaseTimes { phase: (*name).to_owned(), took: spread(times) })
            .collect())
    }

    fn utilisation(&self, span: &Span) -> Stored<Vec<Utilisation>> {
        let sql = "SELECT s.id, s.name, s.agent, s.ended,
                (SELECT state FROM states b WHERE b.session = s.id AND b.at < :from ORDER BY b.seq DESC LIMIT 1)
                    AS state
             FROM sessions s WHERE s.started < :to AND (s.ended IS NULL OR s.ended >= :from)
               AND (:agent IS NULL OR s.agent = :agent)
               AND (:project IS NULL OR coalesce(s.repo, s.dir) = :project)";
        let mut clocks = HashMap::new();
        let end = span.to.min(span.now).0;
        self.all(sql, span, &[], |row| {
            let id: String = row.get("id")?;
            let state: Option<String> = row.get("state")?;
            let ended: Option<i64> = row.get("ended")?;
            let of = Utilisation {
                session: SessionId(id.clone()),
                name: row.get("name")?,
                agent: row.get("agent")?,
                busy_ms: 0,
                waiting_ms: 0,
                idle_ms: 0,
                other_ms: 0,
            };
            let state = state.and_then(|word| word.parse().ok());
            clocks.insert(id, Clock { of, state, since: span.from.0, end: ended.unwrap_or(end).min(end) });
            Ok(())
        })?;
        let sql =
            "SELECT session, at, state FROM states WHERE at >= :from AND at < :to ORDER BY session, seq";
        let mut sql = self.db.prepare(sql)?;
        let mut rows = sql.query(named_params! { ":from": span.from.0, ":to": span.to.0 })?;
        while let Some(row) = rows.next()? {
            if let Some(clock) = clocks.get_mut(row.get_ref("session")?.as_str().unwrap_or_default()) {
                clock.turn(word(row, "state")?, row.get("at")?);
            }
        }
        let mut all: Vec<Utilisation> = clocks.into_values().map(Clock::stop).collect();
        all.sort_by(|a, b| b.busy_ms.cmp(&a.busy_ms).then_with(|| a.session.cmp(&b.session)));
        all.truncate(SESSIONS);
        Ok(all)
    }

    fn switches(&self, span: &Span) -> Stored<Vec<Switches>> {
        // The first row of a session is where it began.
        let sql =
            "SELECT c.session, (c.at + :offset) / 3600000 * 3600000 - :offset AS hour, count(*) AS count
             FROM contexts c JOIN sessions s ON s.id = c.session
             WHERE c.at >= :from AND c.at < :to AND c.seq > 0
               AND (:agent IS NULL OR s.agent = :agent)
               AND (:project IS NULL OR coalesce(s.repo, s.dir) = :project)
             GROUP BY 1, 2 ORDER BY 2, 1";
        self.all(sql, span, &[(":offset", &span.offset())], |row| {
            Ok(Switches {
                session: SessionId(row.get("session")?),
                hour: UnixMillis(row.get("hour")?),
                count: row.get("count")?,
            })
        })
    }

    fn matches(&self, span: &Span) -> Stored<Matches> {
        let sql = "SELECT coalesce(sum(NOT m.moved), 0) AS there, coalesce(sum(m.moved), 0) AS moved
             FROM meetings m JOIN sessions s ON s.id = m.session WHERE m.at >= :from AND m.at < :to
               AND (:agent IS NULL OR s.agent = :agent)
               AND (:project IS NULL OR coalesce(s.repo, s.dir) = :project)";
        let all = self.all(sql, span, &[], |row| {
            Ok(Matches { in_context: row.get("there")?, moved: row.get("moved")? })
        })?;
        Ok(all.into_iter().next().unwrap_or_default())
    }

    fn approval_times(&self, span: &Span) -> Stored<ApprovalTimes> {
        let mut times =
            ApprovalTimes { by_person: 0, by_rule: 0, elsewhere: 0, open: 0, waited: Spread::default() };
        let mut waited = Vec::new();
        let sql = "SELECT a.answered_by, a.closed - a.opened AS took, a.closed IS NULL AS open
             FROM approvals a JOIN sessions s ON s.id = a.session
             WHERE (a.closed IS NULL OR (a.closed >= :from AND a.closed < :to))
               AND (:agent IS NULL OR s.agent = :agent)
               AND (:project IS NULL OR coalesce(s.repo, s.dir) = :project)";
        self.all(sql, span, &[], |row| {
            let by: Option<String> = row.get("answered_by")?;
            match (row.get("open")?, by.as_deref()) {
                (true, _) => times.open += 1,
                (false, None) => times.elsewhere += 1,
                (false, Some(by)) if by.starts_with("rule ") => times.by_rule += 1,
                (false, Some(_)) => {
                    times.by_person += 1;
                    waited.push(row.get("took")?);
                }
            }
            Ok(())
        })?;
        times.waited = spread(waited);
        Ok(times)
    }

    fn errors(&self, span: &Span) -> Stored<Vec<ErrorGroup>> {
        let sql = "SELECT fingerprint, count(*) AS count, min(at) AS first, max(at) AS last FROM events
             WHERE severity = 'error' AND at >= :from AND at < :to AND ((:agent IS NULL AND :project IS NULL)
                OR session IN (SELECT id FROM sessions WHERE (:agent IS NULL OR agent = :agent)
                    AND (:project IS NULL OR coalesce(repo, dir) = :project)))
             GROUP BY fingerprint ORDER BY 2 DESC, 4 DESC, 1 LIMIT 200";
        let mut groups = self.all(sql, span, &[], |row| {
            Ok(ErrorGroup {
                fingerprint: row.get("fingerprint")?,
                rule: String::new(),
                text: String::new(),
                count: row.get("count")?,
                first: UnixMillis(row.get("first")?),
                last: UnixMillis(row.get("last")?),
                sessions: Vec::new(),
            })
        })?;
        let mut latest = self.db.prepare(
            "SELECT rule, text FROM events WHERE fingerprint = ?1 AND at = ?2 AND severity = 'error'
             ORDER BY id DESC LIMIT 1",
        )?;
        let mut places = self.db.prepare(
            "SELECT DISTINCT session FROM (SELECT session FROM events WHERE fingerprint = ?1 AND at >= ?2 AND at <= ?3
                AND severity = 'error' ORDER BY at DESC LIMIT 2000) LIMIT 20",
        )?;
        for group in &mut groups {
            let key = (&group.fingerprint, group.last.0);
            (group.rule, group.text) = latest.query_row(key, |row| Ok((row.get(0)?, row.get(1)?)))?;
            let key = (&group.fingerprint, group.first.0, group.last.0);
            let sessions = places.query_map(key, |row| row.get(0).map(SessionId))?;
            group.sessions = sessions.collect::<Result<_, _>>()?;
        }
        Ok(groups)
    }

    fn usage(&self, span: &Span) -> Stored<Vec<Usage>> {
        let sql = "SELECT (at + :offset) / 86400000 * 86400000 - :offset AS day, agent, project, count(*) AS prompts,
                sum(tokens_in) AS tokens_in, sum(tokens_out) AS tokens_out, sum(cost_usd) AS cost_usd
             FROM ends WHERE at >= :from AND at < :to
               AND (:agent IS NULL OR agent = :agent) AND (:project IS NULL OR project = :project)
             GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
        self.all(sql, span, &[(":offset", &span.offset())], |row| {
            Ok(Usage {
                day: UnixMillis(row.get("day")?),
                agent: row.get("agent")?,
                project: row.get("project")?,
                prompts: row.get("prompts")?,
                tokens_in: row.get("tokens_in")?,
                tokens_out: row.get("tokens_out")?,
                cost_usd: row.get("cost_usd")?,
            })
        })
    }

    /// All rows of a statement over a range.
    fn all<T>(
        &self,
        sql: &str,
        span: &Span,
        more: &[(&str, &dyn ToSql)],
        mut read: impl FnMut(&Row<'_>) -> Stored<T>,
    ) -> Stored<Vec<T>> {
        let mut sql = self.db.prepare(sql)?;
        let (from, to) = (span.from.0, span.to.0);
        let common: [(&str, &dyn ToSql); 4] =
            [(":from", &from), (":to", &to), (":agent", &span.agent), (":project", &span.project)];
        let all: Vec<(&str, &dyn ToSql)> = common.iter().chain(more).copied().collect();
        let mut rows = sql.query(all.as_slice())?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            out.push(read(row)?);
        }
        Ok(out)
    }
}

/// Adds up one session's time by state.
struct Clock {
    of: Utilisation,
    state: Option<State>,
    since: i64,
    end: i64,
}

impl Clock {
    /// Another state began.
    fn turn(&mut self, state: State, at: i64) {
        let at = at.clamp(self.since, self.end.max(self.since));
        let took = at.abs_diff(self.since);
        match self.state {
            Some(State::Busy) => self.of.busy_ms += took,
            Some(State::WaitingPermission | State::WaitingInput) => self.of.waiting_ms += took,
            Some(State::Idle) => self.of.idle_ms += took,
            Some(State::Starting | State::Unknown) => self.of.other_ms += took,
            // Before its first word, and after its end, there was no session.
            Some(State::Exited) | None => {}
        }
        (self.state, self.since) = (Some(state), at);
    }

    fn stop(mut self) -> Utilisation {
        self.turn(State::Exited, self.end);
        self.of
    }
}

/// Half, nine of ten, the longest.
fn spread(mut times: Vec<i64>) -> Spread {
    times.sort_unstable();
    let rank = |tenths: usize| {
        let place = (times.len() * tenths).div_ceil(10).max(1) - 1;
        times.get(place).map_or(0, |ms| ms.max(&0).cast_unsigned())
    };
    Spread {
        count: u32::try_from(times.len()).unwrap_or(u32::MAX),
        p50_ms: rank(5),
        p90_ms: rank(9),
        max_ms: rank(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_values_that_were_there() {
        let all = spread((1..=10).rev().collect());
        assert_eq!((all.count, all.p50_ms, all.p90_ms, all.max_ms), (10, 5, 9, 10));
        let one = spread(vec![7]);
        assert_eq!((one.p50_ms, one.p90_ms, one.max_ms), (7, 7, 7));
        assert_eq!(spread(Vec::new()), Spread::default());
    }
}
