//! Who gets what, over a whole queue at one moment: pure, the same for the control loop, for `assign plan` and for the
//! bench that simulates a week.
//!
//! Owns: how long a prompt is passed over by later ones that need no move, how long it waits for a session in its
//! context while another is idle, and that both are bounded. Must not: order the queue (see [`crate::queue`]).
//!
//! Moving a session costs time and its agent's knowledge of the place. So the prompts are looked at twice. First each
//! gets a free session that is in its context already, in the order of the queue; so a session goes on where it is as
//! long as there is something to do. Then sessions that nobody wants where they are may be moved: at once when no other
//! is in the context, else when that takes less than to wait for those that are. Invariant: from its turn on, that is from the first moment at which a
//! session could have been moved for it, nobody is passed over for longer than [`Rules::passed_over`] allows: then it
//! has a session moved in its turn, before the later ones.

use wire::prompt::Score;
use wire::{PromptId, SessionId, UnixMillis};

use super::{Candidate, Decision, Fit, Wanted, Weights, fit, route};

/// Prompts that are considered for moves in one pass, the next in the queue first.
const MOVES: usize = 100;

/// What the planner may weigh; configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Points by criterion.
    pub weights: Weights,
    /// How much waiting a move is worth, in milliseconds: a prompt of middle priority waits for a session in its
    /// context, though another is idle, when it will probably have one sooner than that. The most urgent do not wait
    /// at all, the least urgent twice as long.
    pub patience: u64,
    /// How long that, and later prompts that need no move, may hold up one of middle priority, in the same way.
    pub passed_over: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { weights: Weights::default(), patience: 5 * 60_000, passed_over: 30 * 60_000 }
    }
}

/// A prompt that may be given now.
#[derive(Debug, Clone, Copy)]
pub struct Item<'a> {
    /// Which.
    pub id: PromptId,
    /// What it asks for.
    pub wanted: &'a Wanted,
    /// Since when a session could have been moved for it, if one could.
    pub turn: Option<UnixMillis>,
}

/// What becomes of one prompt.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// A session gets it.
    Gets(SessionId, Fit),
    /// It waits, for this reason.
    Waits(String),
    /// The same, though a session could have been moved for it: its turn has begun.
    Passed(String),
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
    /// Only who gets something, and whose turn begins; stops when nobody is free.
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
        later.extend(planner.first(item).filter(|_| later.len() < MOVES));
    }
    planner.busiest_first(&mut later);
    let mut before: Vec<&Wanted> = Vec::new();
    for item in later {
        if depth == Depth::Act && !planner.anyone_free() && item.turn.is_some() {
            continue;
        }
        if !planner.second(item, &before) {
            before.push(item.wanted);
        }
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
            None => self.waits(item, decision, Verdict::Waits("no session can take it now".to_owned())),
            Some((session, Fit::In)) => self.gives(item, session, Fit::In, decision),
            Some((session, Fit::Moves)) if self.waited(item) >= allowed(self.rules.passed_over, item) => {
                self.gives(item, session, Fit::Moves, decision);
            }
            Some((_, Fit::Moves)) => return Some(item),
        }
        None
    }

    /// A session is moved where most wait for each that is there: there a move saves the next ones. Else the order
    /// stays.
    fn busiest_first(&self, later: &mut [Item<'_>]) {
        let crowd = |item: &Item<'_>| {
            let waiting = later.iter().filter(|other| same_place(other.wanted, item.wanted)).count();
            waiting * 1000 / self.homes(item.wanted).count().max(1)
        };
        let mut crowds: Vec<(usize, Item<'_>)> = later.iter().map(|item| (crowd(item), *item)).collect();
        crowds.sort_by_key(|(crowd, _)| std::cmp::Reverse(*crowd));
        later.iter_mut().zip(crowds).for_each(|(place, (_, item))| *place = item);
    }

    /// The second look: sessions that nobody wanted where they are may be moved. True: one is. `before` are those that
    /// wait already.
    fn second(&mut self, item: Item<'_>, before: &[&Wanted]) -> bool {
        let decision = self.route(item.wanted);
        let Some((session, fit)) = decision.chosen.clone() else {
            let why = "the sessions that could be moved have prompts where they are".to_owned();
            self.waits(item, decision, Verdict::Passed(why));
            return false;
        };
        match self.home(item.wanted).filter(|_| fit == Fit::Moves) {
            Some(home) if self.is_worth_waiting(item, before) => {
                let why = format!("{home} is in its context and at work; a move would probably take longer");
                self.waits(item, decision, Verdict::Passed(why));
                false
            }
            Some(_) | None => {
                self.gives(item, session, fit, decision);
                true
            }
        }
    }

    /// Whether a session in the context will probably be free sooner than a move is worth.
    fn is_worth_waiting(&self, item: Item<'_>, before: &[&Wanted]) -> bool {
        let patience = allowed(self.rules.patience, item);
        if self.waited(item) >= allowed(self.rules.passed_over, item) {
            return false;
        }
        let ahead = before.iter().filter(|other| same_place(other, item.wanted)).count() as u64;
        let homes: Vec<&Candidate<'_>> = self.homes(item.wanted).collect();
        let known: Vec<u64> = homes.iter().filter_map(|home| home.past.usual_ms()).collect();
        match known.iter().sum::<u64>().checked_div(known.len() as u64) {
            // On average half of the running one is left, and those before it come first.
            Some(usual) => usual * (2 * ahead + 1) / 2 / (homes.len() as u64) < patience,
            None => self.waited(item) < patience,
        }
    }

    /// How long its turn has lasted.
    fn waited(&self, item: Item<'_>) -> u64 {
        item.turn.map_or(0, |turn| self.now.since(turn))
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
        self.homes(wanted).next().map(|c| c.session.name.clone())
    }

    fn homes<'h>(&'h self, wanted: &'h Wanted) -> impl Iterator<Item = &'h Candidate<'h>> {
        let there = |c: &&Candidate<'_>| c.is_there() && !c.is_free() && c.provider.is_none();
        let home = |c: &&Candidate<'_>| fit::fit(wanted, c, self.candidates) == Ok(Fit::In);
        self.candidates.iter().filter(there).filter(home)
    }

    fn gives(&mut self, item: Item<'_>, session: SessionId, fit: Fit, decision: Decision) {
        self.candidates.iter_mut().filter(|c| c.session.id == session).for_each(|c| c.leased = true);
        self.steps.push(Step { id: item.id, verdict: Verdict::Gets(session, fit), scores: decision.scores });
    }

    fn waits(&mut self, item: Item<'_>, decision: Decision, verdict: Verdict) {
        let begins = matches!(verdict, Verdict::Passed(_)) && item.turn.is_none();
        if self.depth == Depth::Explain || begins {
            self.steps.push(Step { id: item.id, verdict, scores: decision.scores });
        }
    }
}

fn same_place(one: &Wanted, other: &Wanted) -> bool {
    one.dir == other.dir && one.branch == other.branch
}

/// A bound for this priority: none for the most urgent, twice as much for the least.
fn allowed(bound: u64, item: Item<'_>) -> u64 {
    bound * u64::from(10 - item.wanted.priority.min(10)) / 5
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
