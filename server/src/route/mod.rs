//! Which session gets a prompt: pure functions over what is known at one moment.
//!
//! Owns: the hard filters, the weights and the tie-break here; the order of a whole queue in [`plan`]. Must not: read a
//! clock, ask the store, or remember anything.

mod fit;
pub mod past;
pub mod plan;
pub mod provider;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wire::prompt::{NewPrompt, Score, ScorePoint};
use wire::session::{Link, Session, State};
use wire::{SessionId, UnixMillis};

pub use fit::Fit;
use past::Past;

/// How long a session counts as recently active, in milliseconds.
pub const RECENT: u64 = 5 * 60_000;

/// Points by criterion; configuration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
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
    /// It had prompts of the same thread.
    pub thread: i32,
    /// Its latest prompts had one of the same tags.
    pub tag: i32,
    /// Most that its record of success with such prompts can add or take.
    pub record: i32,
    /// For each prompt that it was given within the last hour.
    pub load: i32,
    /// It would have to be brought into the context asked for.
    pub moves: i32,
    /// The prompt was taken away from it by a person.
    pub avoid: i32,
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            directory: 20,
            branch: 10,
            active: 5,
            idle: 3,
            provider: 2,
            thread: 8,
            tag: 3,
            record: 6,
            load: -1,
            moves: -15,
            avoid: -100,
        }
    }
}

/// Whether what runs text as commands may have a prompt. Words that a shell was given by mistake would be run, and be told as
/// done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shell {
    /// Never.
    No,
    /// Where it is asked for: by name, agent, role or capability.
    #[default]
    AskedFor,
    /// As any other session.
    Yes,
}

impl Shell {
    fn of(asked: &NewPrompt) -> Self {
        match (asked.prose, asked.command) {
            (true, _) => Shell::No,
            (false, true) => Shell::Yes,
            (false, false) => Shell::AskedFor,
        }
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
    /// Variables.
    pub env: BTreeMap<String, String>,
    /// A work tree of its own.
    pub worktree: bool,
    /// Profile that must be running.
    pub agent: Option<String>,
    /// Profile that is preferred.
    pub prefer: Option<String>,
    /// Role.
    pub role: Option<String>,
    /// Capabilities.
    pub caps: Vec<String>,
    /// Whether a shell may have it.
    pub shell: Shell,
    /// Thread.
    pub thread: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// 0 to 10.
    pub priority: u8,
    /// Session that it was taken away from.
    pub avoid: Option<SessionId>,
}

impl Wanted {
    /// What a prompt asks; `prefer` is the configuration's, where the prompt has no preference of its own.
    pub fn of(asked: &NewPrompt, prefer: Option<&String>, avoid: Option<SessionId>) -> Self {
        Self {
            target: asked.target.clone(),
            dir: asked.dir.clone(),
            branch: asked.branch.clone(),
            env: asked.env.clone(),
            worktree: asked.worktree.is_some(),
            agent: asked.agent.clone(),
            prefer: asked.prefer.as_ref().or(prefer).cloned(),
            role: asked.role.clone(),
            caps: asked.caps.clone(),
            shell: Shell::of(asked),
            thread: asked.thread.clone(),
            tags: asked.tags.clone(),
            priority: asked.priority,
            avoid,
        }
    }
}

/// A session as the router sees it.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// As it is kept.
    pub session: &'a Session,
    /// Whether all it wrote before its last reconnect is committed.
    pub settled: bool,
    /// Whether no session is given prompts now.
    pub paused: bool,
    /// Whether an attempt holds it.
    pub leased: bool,
    /// Who has its keyboard.
    pub keyboard: Option<String>,
    /// Why its provider takes nothing now.
    pub provider: Option<String>,
    /// What it did before.
    pub past: &'a Past,
}

impl Candidate<'_> {
    /// Whether the session could take any prompt at all now.
    pub fn is_free(&self) -> bool {
        unavailable(self).is_none()
    }

    /// Whether it lives and can be spoken to, though it may be at work.
    fn is_there(&self) -> bool {
        let session = self.session;
        session.exit.is_none() && session.claim.state != State::Exited && session.link == Link::Connected
    }

    /// Whether somebody or something works in it, so that its work tree must be left alone.
    fn is_at_work(&self) -> bool {
        self.is_there() && (self.leased || self.session.claim.state != State::Idle)
    }
}

/// A decision with its reasons.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Who gets it, and whether it is in the right context.
    pub chosen: Option<(SessionId, Fit)>,
    /// How all sessions scored: best first, then the refused.
    pub scores: Vec<Score>,
}

/// Chooses the session for a prompt.
///
/// Invariant: the same input gives the same answer, in whatever order the candidates come.
pub fn route(wanted: &Wanted, candidates: &[Candidate<'_>], weights: &Weights, now: UnixMillis) -> Decision {
    let mut scored: Vec<Scored> =
        candidates.iter().map(|c| score(wanted, c, candidates, weights, now)).collect();
    scored.sort_by(|a, b| {
        let usable = a.fit.is_none().cmp(&b.fit.is_none());
        let points = b.score.total.cmp(&a.score.total);
        usable.then(points).then(a.since.cmp(&b.since)).then_with(|| a.score.session.cmp(&b.score.session))
    });
    let chosen = scored.first().and_then(|s| Some((s.score.session.clone(), s.fit?)));
    Decision { chosen, scores: scored.into_iter().map(|s| s.score).collect() }
}

/// Whether a session that is not there yet could have a prompt, were it there.
pub fn could_have(wanted: &Wanted, candidate: &Candidate<'_>) -> bool {
    candidate.provider.is_none() && fit::fit(wanted, candidate, &[]).is_ok()
}

struct Scored {
    score: Score,
    /// How it fits, when it can have the prompt.
    fit: Option<Fit>,
    since: UnixMillis,
}

fn score(
    wanted: &Wanted,
    candidate: &Candidate<'_>,
    all: &[Candidate<'_>],
    weights: &Weights,
    now: UnixMillis,
) -> Scored {
    let session = candidate.session;
    let fit = fit::fit(wanted, candidate, all);
    let refused = fit.as_ref().err().cloned().or_else(|| unavailable(candidate));
    let fit = fit.ok().filter(|_| refused.is_none());
    let points = fit.map(|fit| points(wanted, candidate, fit, weights, now)).unwrap_or_default();
    let score = Score {
        session: session.id.clone(),
        name: session.name.clone(),
        refused,
        total: points.iter().map(|p| p.points).sum(),
        points,
    };
    Scored { score, fit, since: session.claim.since }
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
    if session.paused {
        return Some("is paused; `assign resume` with its name lets it have prompts again".to_owned());
    }
    if session.kept {
        return Some(
            "is kept by the person at its terminal; Ctrl-\\ and then l there lets others type".to_owned(),
        );
    }
    if candidate.paused {
        return Some("no prompts are given out; `assign resume` lets them go again".to_owned());
    }
    if !candidate.settled {
        return Some("is still reporting what happened while it was away".to_owned());
    }
    if candidate.leased {
        return Some("has another prompt".to_owned());
    }
    if let Some(holder) = &candidate.keyboard {
        return Some(format!("its keyboard is taken by {holder}"));
    }
    if let Some(why) = &candidate.provider {
        return Some(why.clone());
    }
    match session.claim.state {
        State::Idle if session.dialog.is_some() => Some("shows a dialog".to_owned()),
        State::Idle => None,
        other => Some(format!("is {other}, not idle")),
    }
}

fn points(
    wanted: &Wanted,
    candidate: &Candidate<'_>,
    fit: Fit,
    weights: &Weights,
    now: UnixMillis,
) -> Vec<ScorePoint> {
    let (session, past) = (candidate.session, candidate.past);
    let prefers = wanted.agent.as_ref().or(wanted.prefer.as_ref());
    let same_dir = wanted.dir.as_ref() == Some(&session.context.dir);
    let same_branch = wanted.branch.is_some() && wanted.branch == session.context.branch;
    let given = i32::try_from(past.given_since(now, 60 * 60_000)).unwrap_or(i32::MAX);
    let record = past.record(&wanted.tags, weights.record);
    let all = [
        ("same directory", weights.directory, same_dir),
        ("same branch", weights.branch, same_branch),
        ("active in the last 5 minutes", weights.active, now.since(session.active) <= RECENT),
        ("idle, nothing in the background", weights.idle, !session.claim.background),
        ("preferred agent", weights.provider, prefers == Some(&session.agent)),
        ("had its thread", weights.thread, wanted.thread.as_ref().is_some_and(|t| past.had_thread(t))),
        ("had its kind of task lately", weights.tag, wanted.tags.iter().any(|t| past.had_tag(t))),
        ("its record with such tasks", record, true),
        ("prompts within the last hour", weights.load.saturating_mul(given), true),
        ("has to be moved there", weights.moves, fit == Fit::Moves),
        ("it was taken away from here", weights.avoid, wanted.avoid.as_ref() == Some(&session.id)),
    ];
    all.into_iter()
        .filter(|(_, points, met)| *met && *points != 0)
        .map(|(what, points, _)| ScorePoint { what: what.to_owned(), points })
        .collect()
}

#[cfg(test)]
mod tests;
