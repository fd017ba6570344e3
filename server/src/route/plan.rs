//! Who gets what, over a whole queue at one moment: pure, the same for the control loop, for `assign plan` and for the
//! bench that simulates a week.
//!
//! Owns: how long a prompt waits for a session in its context before another one is moved for it, and that the wait is
//! bounded. Must not: order the queue (see [`crate::queue`]).
//!
//! Moving a session costs time and its agent's knowledge of the place. So the prompts are looked at twice. First each
//! gets a free session that is in its context already, in the order of the queue; one that waited for longer than its
//! patience may also have one moved for it, in its turn. Then, with what is left, sessions are moved for those for whom
//! none is in the context at all. Invariant: nobody is passed over for longer than its patience.

use wire::prompt::Score;
use wire::{PromptId, SessionId, UnixMillis};

use super::{Candidate, Decision, Fit, Wanted, Weights, fit, route};

/// What the planner may weigh; configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Points by criterion.
    pub weights: Weights,
    /// How long a prompt of middle priority waits for a session in its context, in milliseconds; the most urgent do
    /// not wait at all, the least urgent twice as long.
    pub patience: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { weights: Weights::default(), patience: 2 * 60_000 }
    }
}

/// A prompt that may be given now.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// Which.
    pub id: PromptId,
    /// What it asks for.
    pub wanted: &'a Wanted,
    /// Since when it waits.
    pub since: UnixMillis,
}

/// What becomes of one prompt.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// A session gets it.
    Gets(SessionId, Fit),
    /// It waits, for this reason.
    Waits(String),
}

/// A prompt with what becomes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Which.
    pub id: PromptId,
    /// What.
    pub verdict: Verdict,
    /// How the sessions scored.
    pub scores: Vec<Score>,
}

/// How thorough a plan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Only who gets something; stops when nobody is free.
    Act,
    /// Also why the others wait.
    Explain,
}

/// Plans. `items` come in the order of the queue.
pub fn plan<'a>(
    items: impl Iterator<Item = Item<'a>>,
    candidates: &mut [Candidate<'_>],
    rules: &Rules,
    depth: Depth,
    now: UnixMillis,
) -> Vec<Step> {
    let mut planner = Planner { candidates, rules, depth, now, steps: Vec::new() };
    let mut later = Vec::new();
    for item in items {
        if depth == Depth::Act && !planner.anyone_free() {
            break;
        }
        if let Some(item) = planner.first(item) {
            later.push(item);
        }
    }
    for item in later {
        planner.second(item);
    }
    planner.steps
}

struct Planner<'p, 'c> {
    candidates: &'p mut [Candidate<'c>],
    rules: &'p Rules,
    depth: Depth,
    now: UnixMillis,
    steps: Vec<Step>,
}

impl Planner<'_, '_> {
    fn anyone_free(&self) -> bool {
        self.candidates.iter().any(Candidate::is_free)
    }

    /// The first look: gives the prompt back when a session would have to be moved for it.
    fn first<'a>(&mut self, item: Item<'a>) -> Option<Item<'a>> {
        if self.depth == Depth::Act && !self.is_hopeful(item.wanted) {
            return None;
        }
        let decision = self.route(item.wanted);
        match decision.chosen.clone() {
            None => self.waits(item, decision, "no session can take it now".to_owned()),
            Some((session, Fit::In)) => self.gives(item, session, Fit::In, decision),
            Some((session, Fit::Moves)) => {
                let patience = self.rules.patience * u64::from(10 - item.wanted.priority.min(10)) / 5;
                let waited = self.now.since(item.since);
                if waited >= patience {
                    self.gives(item, session, Fit::Moves, decision);
                } else if let Some(home) = self.home(item.wanted) {
                    let left = (patience - waited).div_ceil(1000);
                    let why = format!(
                        "{home} is in its context and at work; waits {left} s before another is moved"
                    );
                    self.waits(item, decision, why);
                } else {
                    return Some(item);
                }
            }
        }
        None
    }

    /// The second look: sessions that nobody wanted where they are may be moved.
    fn second(&mut self, item: Item<'_>) {
        if self.depth == Depth::Act && !self.is_hopeful(item.wanted) {
            return;
        }
        let decision = self.route(item.wanted);
        match decision.chosen.clone() {
            Some((session, fit)) => self.gives(item, session, fit, decision),
            None => {
                let why = "the sessions that could be moved have prompts where they are".to_owned();
                self.waits(item, decision, why);
            }
        }
    }

    fn route(&self, wanted: &Wanted) -> Decision {
        route(wanted, self.candidates, &self.rules.weights, self.now)
    }

    /// Cheaper than a decision: whether one can come of it.
    fn is_hopeful(&self, wanted: &Wanted) -> bool {
        let all = &*self.candidates;
        all.iter().any(|c| c.is_free() && fit::fit(wanted, c, all).is_ok())
    }

    /// A session that is in the context, and will be free again.
    fn home(&self, wanted: &Wanted) -> Option<String> {
        let there = |c: &&Candidate<'_>| c.is_there() && !c.is_free() && c.provider.is_none();
        let home = |c: &&Candidate<'_>| fit::fit(wanted, c, self.candidates) == Ok(Fit::In);
        self.candidates.iter().filter(there).find(home).map(|c| c.session.name.clone())
    }

    fn gives(&mut self, item: Item<'_>, session: SessionId, fit: Fit, decision: Decision) {
        self.candidates.iter_mut().filter(|c| c.session.id == session).for_each(|c| c.leased = true);
        self.steps.push(Step { id: item.id, verdict: Verdict::Gets(session, fit), scores: decision.scores });
    }

    fn waits(&mut self, item: Item<'_>, decision: Decision, why: String) {
        if self.depth == Depth::Explain {
            self.steps.push(Step { id: item.id, verdict: Verdict::Waits(why), scores: decision.scores });
        }
    }
}
