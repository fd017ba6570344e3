//! What a person should know of: conditions of the present. Pure. Must not: read a clock, keep or send anything.
//!
//! A condition that holds is an open alert; when it no longer holds the alert closes. So an alert is never doubled, and
//! one that nobody has to act on any more says so itself.

pub mod message;
pub mod pace;

use std::collections::{BTreeMap, BTreeSet};

use wire::alert::AlertKind;
use wire::prompt::HoldCode;
use wire::session::{Link, Session, State};
use wire::text::counted;
use wire::{ApprovalId, HostId, PromptId, SessionId, UnixMillis};

/// From when on something is worth an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Busy without any change for this long, in milliseconds.
    pub stuck: u64,
    /// Part of the prompts of an hour that failed, from 0 to 1.
    pub failure_rate: f64,
    /// Prompts that must have ended in that hour before the rate means anything.
    pub ended_least: u32,
    /// Out of reach for this long, in milliseconds.
    pub away: u64,
    /// What an agent asks has waited for this long, in milliseconds.
    pub approval: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let minute = 60_000;
        Self {
            stuck: 30 * minute,
            failure_rate: 0.2,
            ended_least: 5,
            away: 2 * minute,
            approval: 10 * minute,
        }
    }
}

/// A prompt that a person has to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attention {
    /// Which.
    pub prompt: PromptId,
    /// Why it is held; `None`: it failed, and nobody has seen that.
    pub held: Option<HoldCode>,
    /// Session that had it last.
    pub session: Option<SessionId>,
}

/// The present, as far as conditions read it.
#[derive(Debug, Clone, Default)]
pub struct Present<'a> {
    /// Sessions that have not ended.
    pub sessions: Vec<&'a Session>,
    /// What agents ask, and since when.
    pub approvals: Vec<(ApprovalId, SessionId, UnixMillis)>,
    /// Prompts that a person has to look at.
    pub prompts: Vec<Attention>,
    /// Prompts that ended within the last hour: failed ones, all.
    pub ended: (u32, u32),
    /// Sinks that cannot be reached.
    pub sinks: Vec<String>,
}

/// Something that holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What.
    pub kind: AlertKind,
    /// What it is about; of one kind, one holds for each.
    pub subject: String,
    /// In a line.
    pub text: String,
    /// Which session.
    pub session: Option<SessionId>,
    /// Which prompt.
    pub prompt: Option<PromptId>,
    /// Which host.
    pub host: Option<HostId>,
}

impl Condition {
    fn new(kind: AlertKind, subject: impl ToString, text: impl Into<String>) -> Self {
        let (subject, text) = (subject.to_string(), text.into());
        Self { kind, subject, text, session: None, prompt: None, host: None }
    }

    fn of_session(kind: AlertKind, session: &Session, text: impl Into<String>) -> Self {
        Self { session: Some(session.id.clone()), ..Self::new(kind, &session.id, text) }
    }
}

/// Everything that holds.
pub fn conditions(present: &Present<'_>, limits: &Limits, now: UnixMillis) -> Vec<Condition> {
    let mut all = Vec::new();
    all.extend(reach(present, limits, now));
    all.extend(present.sessions.iter().filter_map(|session| stuck(session, limits, now)));
    all.extend(limited(present, now));
    all.extend(present.approvals.iter().filter_map(|asked| waits(present, asked, limits, now)));
    all.extend(present.prompts.iter().map(attention));
    let (failed, ended) = present.ended;
    if ended >= limits.ended_least && f64::from(failed) > f64::from(ended) * limits.failure_rate {
        let text = format!("{failed} of the {ended} prompts that ended within an hour failed");
        all.push(Condition::new(AlertKind::FailureRate, "all", text));
    }
    all.extend(present.sinks.iter().map(|name| {
        Condition::new(
            AlertKind::SinkFailing,
            name,
            format!("the sink {} cannot be reached", wire::text::escape(name)),
        )
    }));
    all
}

fn stuck(session: &Session, limits: &Limits, now: UnixMillis) -> Option<Condition> {
    let still = now.since(session.active.max(session.claim.since)) > limits.stuck;
    (session.claim.state == State::Busy && session.link == Link::Connected && still).then(|| {
        let minutes = limits.stuck / 60_000;
        let text = format!("{} is busy, but nothing has happened in it for {minutes} minutes", session.name);
        Condition::of_session(AlertKind::Stuck, session, text)
    })
}

/// A host is gone when none of its sessions can be reached; else each of them is for itself.
fn reach(present: &Present<'_>, limits: &Limits, now: UnixMillis) -> Vec<Condition> {
    let away = |session: &&&Session| {
        session.link == Link::Disconnected && now.since(session.link_since) > limits.away
    };
    let mut hosts: BTreeMap<&HostId, Vec<&Session>> = BTreeMap::new();
    for session in &present.sessions {
        hosts.entry(&session.host).or_default().push(session);
    }
    let mut all = Vec::new();
    for (host, sessions) in hosts {
        let gone: Vec<&&Session> = sessions.iter().filter(away).collect();
        if gone.len() > 1 && gone.len() == sessions.len() {
            let text = format!(
                "the host {} is out of reach with {}",
                sessions[0].host_name,
                counted(gone.len(), "session")
            );
            all.push(Condition {
                host: Some(host.clone()),
                ..Condition::new(AlertKind::HostGone, host, text)
            });
            continue;
        }
        for session in gone {
            let text = format!("{} is out of reach; it may well go on working", session.name);
            all.push(Condition::of_session(AlertKind::ObserverGone, session, text));
        }
    }
    all
}

/// Sessions of one agent on one host share the account, and so the limit.
fn limited(present: &Present<'_>, now: UnixMillis) -> Vec<Condition> {
    let limited = present.sessions.iter().filter(|session| session.limited.is_some_and(|until| until > now));
    let accounts: BTreeSet<(&HostId, &str, &str)> =
        limited.map(|s| (&s.host, s.agent.as_str(), s.host_name.as_str())).collect();
    let condition = |(host, agent, name): (&HostId, &str, &str)| Condition {
        host: Some(host.clone()),
        ..Condition::new(
            AlertKind::RateLimited,
            format!("{host} {agent}"),
            format!("the limit of use of {agent} on {name} is reached; its prompts wait"),
        )
    };
    accounts.into_iter().map(condition).collect()
}

fn waits(
    present: &Present<'_>,
    (id, session, opened): &(ApprovalId, SessionId, UnixMillis),
    limits: &Limits,
    now: UnixMillis,
) -> Option<Condition> {
    let asks = present.sessions.iter().find(|s| s.id == *session)?;
    (now.since(*opened) > limits.approval).then(|| {
        let text = format!("{} has waited for an answer for {} minutes", asks.name, limits.approval / 60_000);
        Condition { session: Some(session.clone()), ..Condition::new(AlertKind::ApprovalWaiting, id, text) }
    })
}

fn attention(Attention { prompt, held, session }: &Attention) -> Condition {
    let (kind, text) = match held {
        None => (AlertKind::PromptFailed, format!("prompt {prompt} failed")),
        Some(
            code @ (HoldCode::WrongContext
            | HoldCode::DirtyTree
            | HoldCode::MissingBranch
            | HoldCode::MissingDir
            | HoldCode::NotPrepared),
        ) => (AlertKind::ContextMismatch, format!("prompt {prompt} cannot run where it should: {code}")),
        Some(code) => (AlertKind::PromptHeld, format!("prompt {prompt} is held until you decide: {code}")),
    };
    Condition { prompt: Some(*prompt), session: session.clone(), ..Condition::new(kind, prompt, text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::session;

    const NOW: UnixMillis = UnixMillis(100_000_000);

    fn kinds(present: &Present<'_>) -> Vec<AlertKind> {
        conditions(present, &Limits::default(), NOW).into_iter().map(|c| c.kind).collect()
    }

    fn ago(minutes: i64) -> UnixMillis {
        UnixMillis(NOW.0 - minutes * 60_000)
    }

    fn busy(id: &str, active: UnixMillis) -> Session {
        let mut busy = session(id, State::Busy);
        busy.active = active;
        busy.claim.since = active;
        busy.link = Link::Connected;
        busy
    }

    #[test]
    fn a_session_that_is_busy_without_a_sign_is_stuck_and_one_that_works_is_not() {
        let (still, works) = (busy("a", ago(31)), busy("b", ago(1)));
        assert_eq!(
            kinds(&Present { sessions: vec![&still, &works], ..Present::default() }),
            [AlertKind::Stuck]
        );
    }

    #[test]
    fn a_host_is_gone_with_all_its_sessions_and_an_observer_alone() {
        let mut gone = [busy("a", NOW), busy("b", NOW)];
        gone.iter_mut().for_each(|s| (s.link, s.link_since) = (Link::Disconnected, ago(3)));
        let [a, b] = &gone;
        assert_eq!(kinds(&Present { sessions: vec![a, b], ..Present::default() }), [AlertKind::HostGone]);
        let there = busy("c", NOW);
        let alone = Present { sessions: vec![a, &there], ..Present::default() };
        assert_eq!(kinds(&alone), [AlertKind::ObserverGone]);
    }

    #[test]
    fn a_rate_of_failures_needs_some_prompts_to_mean_anything() {
        assert_eq!(kinds(&Present { ended: (2, 4), ..Present::default() }), []);
        assert_eq!(kinds(&Present { ended: (1, 5), ..Present::default() }), []);
        assert_eq!(kinds(&Present { ended: (2, 5), ..Present::default() }), [AlertKind::FailureRate]);
    }

    #[test]
    fn what_waits_for_a_person_is_told_with_its_kind() {
        let asks = busy("a", NOW);
        let attention = |held| Attention { prompt: PromptId(7), held, session: None };
        let present = Present {
            sessions: vec![&asks],
            approvals: vec![
                (ApprovalId(1), asks.id.clone(), ago(11)),
                (ApprovalId(2), asks.id.clone(), ago(9)),
            ],
            prompts: vec![
                attention(None),
                attention(Some(HoldCode::Unknown)),
                attention(Some(HoldCode::MissingBranch)),
            ],
            ..Present::default()
        };
        let told = [
            AlertKind::ApprovalWaiting,
            AlertKind::PromptFailed,
            AlertKind::PromptHeld,
            AlertKind::ContextMismatch,
        ];
        assert_eq!(kinds(&present), told);
    }
}
