//! Which session gets a prompt: one pure function.
//!
//! Owns: the hard filters, the weights and the tie-break. Must not: read a clock, ask the store, or remember anything.

use serde::Deserialize;
use wire::prompt::{Score, ScorePoint};
use wire::session::{Link, Session, State};
use wire::{SessionId, UnixMillis};

/// How long a session counts as recently active, in milliseconds.
pub const RECENT: u64 = 5 * 60_000;

/// Points by criterion; configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weights {
    /// It works in the directory asked for.
    pub directory: i32,
    /// It is on the branch asked for.
    pub branch: i32,
    /// Something happened in it within the last five minutes.
    pub active: i32,
    /// It is idle and nothing goes on in its background.
    pub idle: i32,
    /// It runs the preferred agent.
    pub provider: i32,
    /// The prompt was taken away from it by a person.
    pub avoid: i32,
}

impl Default for Weights {
    fn default() -> Self {
        Self { directory: 20, branch: 10, active: 5, idle: 3, provider: 2, avoid: -100 }
    }
}

/// What a prompt asks of a session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wanted {
    /// Name or id.
    pub target: Option<String>,
    /// Directory, absolute.
    pub dir: Option<String>,
    /// Branch.
    pub branch: Option<String>,
    /// Profile that must be running.
    pub agent: Option<String>,
    /// Profile that is preferred; configuration.
    pub prefer: Option<String>,
    /// Session that it was taken away from.
    pub avoid: Option<SessionId>,
}

/// A session as the router sees it.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// As everyone sees it.
    pub session: &'a Session,
    /// Whether all it wrote before its last reconnect is committed.
    pub settled: bool,
    /// Whether an attempt holds it.
    pub leased: bool,
}

/// A decision with its reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Who gets it.
    pub chosen: Option<SessionId>,
    /// How all sessions scored: best first, then the refused.
    pub scores: Vec<Score>,
}

/// Chooses the session for a prompt.
///
/// Invariant: the same input gives the same answer, in whatever order the candidates come.
pub fn route(wanted: &Wanted, candidates: &[Candidate<'_>], weights: &Weights, now: UnixMillis) -> Decision {
    let mut scored: Vec<(Score, UnixMillis)> =
        candidates.iter().map(|c| (score(wanted, c, weights, now), c.session.claim.since)).collect();
    scored.sort_by(|(a, a_since), (b, b_since)| {
        let usable = a.refused.is_some().cmp(&b.refused.is_some());
        usable.then(b.total.cmp(&a.total)).then(a_since.cmp(b_since)).then_with(|| a.session.cmp(&b.session))
    });
    let scores: Vec<Score> = scored.into_iter().map(|(score, _)| score).collect();
    let chosen = scores.first().filter(|s| s.refused.is_none()).map(|s| s.session.clone());
    Decision { chosen, scores }
}

/// Whether the session is one that was asked for.
pub fn matches(wanted: &Wanted, session: &Session) -> bool {
    mismatch(wanted, session).is_none()
}

/// Whether the session could take any prompt at all now.
pub fn available(candidate: &Candidate<'_>) -> bool {
    unavailable(candidate).is_none()
}

fn score(wanted: &Wanted, candidate: &Candidate<'_>, weights: &Weights, now: UnixMillis) -> Score {
    let session = candidate.session;
    let refused = mismatch(wanted, session).or_else(|| unavailable(candidate));
    let points = if refused.is_some() { Vec::new() } else { points(wanted, session, weights, now) };
    Score {
        session: session.id.clone(),
        name: session.name.clone(),
        refused,
        total: points.iter().map(|p| p.points).sum(),
        points,
    }
}

/// Why the session is not the one asked for.
fn mismatch(wanted: &Wanted, session: &Session) -> Option<String> {
    if let Some(target) = &wanted.target
        && *target != session.name
        && *target != session.id.0
    {
        return Some(format!("another session was asked for: {target}"));
    }
    if let Some(agent) = &wanted.agent
        && *agent != session.agent
    {
        return Some(format!("runs {}, not {agent}", session.agent));
    }
    if let Some(dir) = &wanted.dir
        && *dir != session.context.dir
    {
        return Some(format!("works in {}, not in {dir}", session.context.dir));
    }
    if let Some(branch) = &wanted.branch
        && Some(branch) != session.context.branch.as_ref()
    {
        let on = session.context.branch.as_deref().unwrap_or("no branch");
        return Some(format!("is on {on}, not on {branch}"));
    }
    None
}

/// Why the session can take nothing now.
fn unavailable(candidate: &Candidate<'_>) -> Option<String> {
    let session = candidate.session;
    if session.exit.is_some() || session.claim.state == State::Exited {
        return Some("has ended".to_owned());
    }
    if session.link == Link::Disconnected {
        return Some("is not connected".to_owned());
    }
    if !candidate.settled {
        return Some("is still reporting what happened while it was away".to_owned());
    }
    if candidate.leased {
        return Some("has another prompt".to_owned());
    }
    if let Some(holder) = &session.keyboard {
        return Some(format!("its keyboard is taken by {holder}"));
    }
    match session.claim.state {
        State::Idle if session.dialog.is_some() => Some("shows a dialog".to_owned()),
        State::Idle => None,
        other => Some(format!("is {other}, not idle")),
    }
}

fn points(wanted: &Wanted, session: &Session, weights: &Weights, now: UnixMillis) -> Vec<ScorePoint> {
    let prefers = wanted.agent.as_ref().or(wanted.prefer.as_ref());
    let met = [
        ("same directory", weights.directory, wanted.dir.as_ref() == Some(&session.context.dir)),
        ("same branch", weights.branch, wanted.branch.is_some() && wanted.branch == session.context.branch),
        ("active in the last 5 minutes", weights.active, now.since(session.active) <= RECENT),
        ("idle, nothing in the background", weights.idle, !session.claim.background),
        ("preferred agent", weights.provider, prefers == Some(&session.agent)),
        ("it was taken away from here", weights.avoid, wanted.avoid.as_ref() == Some(&session.id)),
    ];
    met.into_iter()
        .filter(|(_, points, met)| *met && *points != 0)
        .map(|(what, points, _)| ScorePoint { what: what.to_owned(), points })
        .collect()
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
