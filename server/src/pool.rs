//! Pools: when a session is started or ended. Pure. Must not: start or end one, or read a clock.
//!
//! A pool's sessions are called `NAME-1` to `NAME-max`, and a host gives each name once: so there are never more of them
//! than allowed, whatever a server that was started anew does not know yet.

use std::collections::{BTreeMap, BTreeSet};

use wire::pool::NewPool;
use wire::{SessionId, UnixMillis};

/// First rest after a failure, doubled with each further one, in milliseconds.
const REST: u64 = 5_000;
/// Longest rest.
const LONGEST_REST: u64 = 10 * 60_000;
/// A session that ends by itself sooner than this after its start has failed, whatever its status.
const SOON: u64 = 60_000;
/// How long a session that was started may take to report.
const REPORT: u64 = 60_000;
/// How long nobody may say what came of a start: longer than `wrap` may take, as it would be started beside itself.
const SILENT: u64 = 150_000;
/// Sessions that are started and not ready yet: more would only slow each other.
const AT_ONCE: usize = 4;
/// How long a session that was to be ended and had a reason to stay is left alone.
const SPARED: u64 = 30_000;
/// How long a wrapper may take to say whether it ends its session.
const ANSWER: u64 = 20_000;

/// A pool with what came of it lately; only what was asked for is kept.
#[derive(Debug, Clone)]
pub struct Pool {
    /// What was asked for.
    pub asked: NewPool,
    /// By name.
    starting: BTreeMap<String, Start>,
    /// Sessions that were seen idle or at work: they are past their start.
    ready: BTreeSet<SessionId>,
    /// Sessions that were asked to end, since when; they are given nothing.
    ending: BTreeMap<SessionId, UnixMillis>,
    /// Sessions that had a reason to stay, and until when they are left alone.
    spared: BTreeMap<SessionId, UnixMillis>,
    /// Starts that failed, or sessions that ended by themselves, in a row.
    pub failures: u32,
    /// Not started again before this.
    pub resting_until: Option<UnixMillis>,
    /// How the last failure came about.
    pub last_failure: Option<String>,
}

/// A start that has no session yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// It was asked for then.
    Asked(UnixMillis),
    /// `wrap` said then that it is there.
    Begun(UnixMillis),
}

impl Start {
    fn is_late(self, now: UnixMillis) -> bool {
        match self {
            Start::Asked(since) => now.since(since) > SILENT,
            Start::Begun(since) => now.since(since) > REPORT,
        }
    }
}

/// A live session of a pool.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Which.
    pub session: &'a SessionId,
    /// Its name.
    pub name: &'a str,
    /// When it was started.
    pub started: UnixMillis,
    /// Whether it was idle or at work when it was last heard, or has a prompt: also when that waits for a person.
    pub ready: bool,
    /// Since when nothing goes on in it and nobody uses it, as far as the server knows.
    pub idle_since: Option<UnixMillis>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Start a session under this name.
    Start(String),
    /// Ask this session to end.
    End(SessionId),
}

impl Pool {
    /// A pool that nothing was started for yet.
    pub fn new(asked: NewPool) -> Self {
        Self {
            asked,
            starting: BTreeMap::new(),
            ready: BTreeSet::new(),
            ending: BTreeMap::new(),
            spared: BTreeMap::new(),
            failures: 0,
            resting_until: None,
            last_failure: None,
        }
    }

    /// What was asked for is another now; what went wrong before says nothing of it.
    pub fn change(&mut self, asked: NewPool) {
        self.asked = asked;
        (self.failures, self.resting_until, self.last_failure) = (0, None, None);
    }

    /// The same where the batch of `now` was not kept: nobody heard of what it was to start and to end.
    pub fn without(mut self, kept: NewPool, now: UnixMillis) -> Self {
        if self.asked != kept {
            self.change(kept);
        }
        self.starting.retain(|_, start| *start != Start::Asked(now));
        self.ending.retain(|_, since| *since != now);
        self
    }

    /// The clock was set, or the machine slept: what is waited for goes along.
    pub fn clock_set(&mut self, ms: i64) {
        let started = self.starting.values_mut().map(|start| match start {
            Start::Asked(since) | Start::Begun(since) => since,
        });
        let asked = self.ending.values_mut().chain(self.spared.values_mut()).chain(&mut self.resting_until);
        started.chain(asked).for_each(|at| at.0 = at.0.saturating_add(ms));
    }

    /// Sessions that are being started.
    pub fn starting(&self) -> u32 {
        u32::try_from(self.starting.len()).unwrap_or(u32::MAX)
    }

    /// Whether a session was asked to end.
    pub fn is_ending(&self, session: &SessionId) -> bool {
        self.ending.contains_key(session)
    }

    /// Whether another session may be started now, for its own sake; `live` are there.
    pub fn has_room(&self, live: usize, now: UnixMillis) -> bool {
        let rests = self.resting_until.is_some_and(|until| until > now);
        !rests && live + self.starting.len() < self.asked.max as usize
    }

    /// What is to be done: `wanted` prompts wait that no session can take, and `taken` names are another's.
    pub fn steps(
        &mut self,
        members: &[Member<'_>],
        wanted: usize,
        taken: impl Fn(&str) -> bool,
        now: UnixMillis,
    ) -> Vec<Step> {
        self.look(members, now);
        let mut steps: Vec<Step> =
            self.starts(members, wanted, taken, now).into_iter().map(Step::Start).collect();
        if wanted == 0 {
            steps.extend(self.ends(members, now).into_iter().map(Step::End));
        }
        for step in &steps {
            match step {
                Step::Start(name) => drop(self.starting.insert(name.clone(), Start::Asked(now))),
                Step::End(session) => drop(self.ending.insert(session.clone(), now)),
            }
        }
        steps
    }

    /// A session was started, or could not be.
    pub fn started(&mut self, name: &str, outcome: Result<(), String>, now: UnixMillis) {
        match outcome {
            // It may have reported, or even ended, before.
            Ok(()) => {
                if let Some(start) = self.starting.get_mut(name) {
                    *start = Start::Begun(now);
                }
            }
            Err(why) => {
                self.starting.remove(name);
                self.fail(format!("{name} could not be started: {why}"), now);
            }
        }
    }

    /// A session was asked to end: it does, or it has a reason to stay.
    pub fn asked_to_end(&mut self, session: &SessionId, stays: bool, now: UnixMillis) {
        if stays {
            self.ending.remove(session);
            self.spared.insert(session.clone(), later(now, SPARED));
        } else {
            // Its end follows; until then it is given nothing.
            self.ending.insert(session.clone(), later(now, LONGEST_REST));
        }
    }

    /// A session has ended; `well`: with status 0.
    pub fn lost(&mut self, member: &Member<'_>, well: bool, how: &str, now: UnixMillis) {
        // It may have come and gone between two looks.
        self.starting.remove(member.name);
        self.ready.remove(member.session);
        self.spared.remove(member.session);
        if self.ending.remove(member.session).is_some() {
            return;
        }
        let lived = now.since(member.started);
        if !well || lived < SOON {
            self.fail(format!("{} ended {} s after its start, {how}", member.name, lived / 1000), now);
        }
    }

    /// Forgets what is over, and failures that were followed by a session that lasts.
    fn look(&mut self, members: &[Member<'_>], now: UnixMillis) {
        for member in members {
            self.starting.remove(member.name);
            if member.ready {
                self.ready.insert(member.session.clone());
            }
        }
        let there: BTreeSet<&SessionId> = members.iter().map(|member| member.session).collect();
        self.ready.retain(|session| there.contains(session));
        self.spared.retain(|session, until| there.contains(session) && *until > now);
        self.ending.retain(|session, since| there.contains(session) && now.since(*since) < ANSWER);
        let silent: Vec<String> = self
            .starting
            .iter()
            .filter(|(_, start)| start.is_late(now))
            .map(|(name, _)| name.clone())
            .collect();
        for name in silent {
            self.starting.remove(&name);
            self.fail(format!("{name} was started and has not reported"), now);
        }
        let lasts = members.iter().any(|m| self.ready.contains(m.session) && now.since(m.started) > SOON);
        if lasts && self.resting_until.is_none_or(|until| until <= now) {
            self.failures = 0;
            self.resting_until = None;
        }
    }

    fn starts(
        &self,
        members: &[Member<'_>],
        wanted: usize,
        taken: impl Fn(&str) -> bool,
        now: UnixMillis,
    ) -> Vec<String> {
        if self.resting_until.is_some_and(|until| until > now) {
            return Vec::new();
        }
        let coming = self.starting.len() + members.iter().filter(|m| !self.ready.contains(m.session)).count();
        let there = members.len() + self.starting.len();
        let least = (self.asked.min as usize).saturating_sub(there);
        let room = (self.asked.max as usize).saturating_sub(there);
        let many = wanted.saturating_sub(coming).max(least).min(room).min(AT_ONCE.saturating_sub(coming));
        // One after the other, until one has shown that it can be done.
        let many = if self.failures > 0 { many.min(1) } else { many };
        (1..=self.asked.max)
            .map(|number| format!("{}-{number}", self.asked.name))
            .filter(|name| !self.starting.contains_key(name) && !taken(name))
            .take(many)
            .collect()
    }

    fn ends(&self, members: &[Member<'_>], now: UnixMillis) -> Vec<SessionId> {
        let left = members.len() - members.iter().filter(|m| self.is_ending(m.session)).count();
        let mut idle: Vec<(UnixMillis, &SessionId)> = members
            .iter()
            .filter(|m| !self.is_ending(m.session) && !self.spared.contains_key(m.session))
            .filter_map(|m| Some((m.idle_since?, m.session)))
            .filter(|(since, _)| now.since(*since) >= self.asked.idle_ms)
            .collect();
        idle.sort();
        idle.into_iter()
            .take(left.saturating_sub(self.asked.min as usize))
            .map(|(_, session)| session.clone())
            .collect()
    }

    fn fail(&mut self, why: String, now: UnixMillis) {
        let rest = (REST << self.failures.min(20)).min(LONGEST_REST);
        self.failures = self.failures.saturating_add(1);
        self.resting_until = Some(later(now, rest));
        self.last_failure = Some(why);
    }
}

fn later(now: UnixMillis, by: u64) -> UnixMillis {
    UnixMillis(now.0.saturating_add_unsigned(by))
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
