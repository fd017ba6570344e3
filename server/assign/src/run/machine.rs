//! The life of a run: what is to be done next, from what became of the steps. Pure.
//!
//! It is told of prompts by [`Machine::queued`] and [`Machine::seen`] and says what to do by [`Machine::next`]; everything
//! it asks for may be done twice without harm. Must not: talk to a server, or read a clock.
//!
//! Invariant: what is queued for a step depends on the file and on outputs alone, so that the same run started again asks
//! for the same prompts under the same keys.

use std::borrow::Cow;
use std::collections::BTreeMap;

use wire::PromptId;
use wire::prompt::{HoldCode, NewPrompt, Outcome, Prompt, PromptState};

use super::counts::Counts;
use super::end::End;
use super::file::{Each, Flow, Policy, STEPS_MAX};
use super::graph::{Graph, Need};
use super::template::{Part, Told, fenced, fill};
use crate::asked::each_text;

/// Most prompts that the queue waits for on behalf of one.
const AFTER_MAX: usize = 100;
/// Most prompts that another step's output makes: an agent does not decide alone how much is spent.
const LINES_MAX: usize = 1_000;
/// Longest output of a step, all its prompts together: more fits into no text.
const OUTPUT_MAX: usize = wire::PROMPT_MAX;

/// One prompt of a run: a step, and which of those that it is repeated for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Which step.
    pub step: usize,
    /// Which of its prompts, from 0.
    pub nth: usize,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Queue [`Machine::prompt`] and tell [`Machine::queued`], or [`Machine::refused`].
    Queue(Place),
    /// Look for one that may be queued by an earlier start, and tell [`Machine::queued`] or [`Machine::left_out`].
    Find(Place),
    /// Call one off that waits for what failed.
    Cancel(PromptId),
    /// Call off all of the run that no session has.
    CancelOpen,
    /// Tell that so many prompts of a step are left out.
    Skipped(usize, usize),
    /// Tell that a step cannot be repeated, and why.
    Unrepeatable(usize, String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Life {
    Waiting,
    Open { id: PromptId, held: bool },
    Over { id: Option<PromptId>, end: End },
}

/// What became of one step.
#[derive(Debug, Default)]
struct Line {
    /// What it is repeated for, once that is known.
    items: Option<Vec<Option<String>>>,
    lives: Vec<Life>,
    /// How many were queued or left out, from the first.
    begun: usize,
    over: usize,
    /// How many ended otherwise than well.
    bad: usize,
    /// Bytes of output.
    output: usize,
}

impl Line {
    fn begun(&self) -> bool {
        self.items.is_some() && self.begun == self.lives.len()
    }

    fn over(&self) -> bool {
        self.items.is_some() && self.over == self.lives.len()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    No,
    Wanted,
    Done,
}

/// What can be said of a step that has prompts to queue.
enum Ready {
    Yes,
    NotYet,
    Never,
}

/// A run.
pub struct Machine<'a> {
    flow: &'a Flow,
    graph: &'a Graph,
    lines: Vec<Line>,
    places: BTreeMap<PromptId, Place>,
    cancels: Vec<PromptId>,
    stop: Stop,
    /// Whether an earlier start may have queued what is not known yet.
    resumed: bool,
    /// Steps of the order before this one have nothing to queue any more.
    from: usize,
    total: usize,
}

impl<'a> Machine<'a> {
    /// A run of which nothing is known.
    pub fn new(flow: &'a Flow, graph: &'a Graph) -> Self {
        let lines = flow.steps.iter().map(|_| Line::default()).collect();
        let (places, cancels) = (BTreeMap::new(), Vec::new());
        Self { flow, graph, lines, places, cancels, stop: Stop::No, resumed: false, from: 0, total: 0 }
    }

    /// The same run, which was started before.
    pub fn resumed(self) -> Self {
        Self { resumed: true, ..self }
    }

    /// What is to be done now; `None` when something has to happen first, or everything has.
    pub fn next(&mut self) -> Option<Act> {
        if let Some(id) = self.cancels.pop() {
            return Some(Act::Cancel(id));
        }
        if self.stop == Stop::Wanted {
            self.stop = Stop::Done;
            return Some(Act::CancelOpen);
        }
        for at in self.from..self.graph.order.len() {
            let step = self.graph.order[at];
            if let Some(act) = self.next_of(step) {
                return Some(act);
            }
            if at == self.from && self.lines[step].begun() {
                self.from += 1;
            }
        }
        None
    }

    fn next_of(&mut self, step: usize) -> Option<Act> {
        if self.lines[step].begun() {
            return None;
        }
        match self.ready(step) {
            Ready::NotYet => None,
            Ready::Never if self.resumed && self.is_known(step) => {
                let nth = self.lines[step].begun;
                (!self.lines[step].begun()).then_some(Act::Find(Place { step, nth }))
            }
            Ready::Never => Some(self.skip(step)),
            Ready::Yes => match self.repeat(step) {
                Err(why) => {
                    self.lines[step].items = Some(vec![None]);
                    self.lines[step].lives = vec![Life::Waiting];
                    self.refused(Place { step, nth: 0 });
                    Some(Act::Unrepeatable(step, why))
                }
                Ok(()) if self.lines[step].begun() => None,
                Ok(()) => Some(Act::Queue(Place { step, nth: self.lines[step].begun })),
            },
        }
    }

    fn ready(&self, step: usize) -> Ready {
        if self.stop != Stop::No {
            return Ready::Never;
        }
        let needs = &self.graph.needs[step];
        let lost = |need: &Need| {
            self.lines[need.step].bad > 0 && self.flow.steps[need.step].policy != Policy::Continue
        };
        if needs.iter().any(lost) {
            return Ready::Never;
        }
        let queue_waits = self.queue_waits(step);
        let there = |need: &Need| {
            let line = &self.lines[need.step];
            if need.ended || !queue_waits { line.over() } else { line.begun() }
        };
        if needs.iter().all(there) { Ready::Yes } else { Ready::NotYet }
    }

    /// Whether the queue itself can wait for the rest of what a step needs: it waits for so many and no more.
    fn queue_waits(&self, step: usize) -> bool {
        let needs = self.graph.needs[step].iter().filter(|need| !need.ended);
        let named = self.flow.steps[step].asked.after.len();
        needs.map(|need| self.lines[need.step].lives.len()).sum::<usize>() + named <= AFTER_MAX
    }

    fn skip(&mut self, step: usize) -> Act {
        let line = &mut self.lines[step];
        if line.items.is_none() {
            line.items = Some(vec![None]);
            line.lives = vec![Life::Waiting];
        }
        let left = line.lives.len() - line.begun;
        while self.lines[step].begun < self.lines[step].lives.len() {
            let nth = self.lines[step].begun;
            self.lines[step].begun += 1;
            self.end(Place { step, nth }, End::Skipped);
        }
        Act::Skipped(step, left)
    }

    /// Whether it is certain what a step is repeated for, although it cannot begin.
    fn is_known(&mut self, step: usize) -> bool {
        let told = self.flow.steps[step].each.as_ref().is_some_and(Each::told);
        self.lines[step].items.is_some() || !told && self.repeat(step).is_ok()
    }

    /// Finds out what a step is repeated for.
    fn repeat(&mut self, step: usize) -> Result<(), String> {
        if self.lines[step].items.is_some() {
            return Ok(());
        }
        let texts = |text: &str| fill(text, |part| self.value(None, part));
        let items: Vec<Option<String>> = match &self.flow.steps[step].each {
            None => vec![None],
            Some(Each::Items(items)) => {
                items.iter().map(|item| texts(item).map(Some)).collect::<Result<_, _>>()?
            }
            Some(Each::Lines(text)) => {
                let text = texts(text)?;
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                lines.map(|line| Some(line.to_owned())).collect()
            }
        };
        let told = self.flow.steps[step].each.as_ref().is_some_and(Each::told);
        let most = if told { LINES_MAX } else { STEPS_MAX };
        if items.len() > most || self.total + items.len() > STEPS_MAX {
            return Err(format!(
                "it would be repeated {} times; {LINES_MAX} are the most for what another step tells, and {STEPS_MAX} \
                 prompts the most of a run",
                items.len()
            ));
        }
        self.total += items.len();
        let line = &mut self.lines[step];
        line.lives = vec![Life::Waiting; items.len()];
        line.items = Some(items);
        Ok(())
    }

    /// What is asked at a place, or why it cannot be written.
    pub fn prompt(&self, place: Place) -> Result<NewPrompt, String> {
        let step = &self.flow.steps[place.step];
        let item = self.item(place);
        let filled = each_text(&step.asked, |_, text| fill(text, |part| self.value(item, part)));
        let mut prompt = filled?;
        if self.queue_waits(place.step) {
            for need in self.graph.needs[place.step].iter().filter(|need| !need.ended) {
                prompt.after.extend(self.lines[need.step].lives.iter().filter_map(Life::id));
            }
        }
        Ok(prompt)
    }

    /// What a place is one of several for.
    pub fn item(&self, place: Place) -> Option<&str> {
        self.lines[place.step].items.as_ref()?.get(place.nth)?.as_deref()
    }

    /// The text for a blank.
    fn value<'s>(&'s self, item: Option<&'s str>, part: Part<'_>) -> Result<Cow<'s, str>, String> {
        match part {
            Part::Text(text) => Ok(Cow::Owned(text.to_owned())),
            Part::Item => item.map(Cow::Borrowed).ok_or_else(|| "there is no {{item}} here".to_owned()),
            Part::Var(name) => match self.flow.vars.get(name) {
                Some(value) => Ok(Cow::Borrowed(value)),
                None => Err(format!("there is no value for {}", wire::text::escape(name))),
            },
            Part::Step(id, told) => {
                let found = self.flow.steps.iter().position(|step| step.id == id);
                let step = found.ok_or_else(|| format!("there is no step {}", wire::text::escape(id)))?;
                match told {
                    Told::Output => self.output(step).map(Cow::Owned),
                    Told::Fenced => self.output(step).map(|text| Cow::Owned(fenced(&text))),
                    Told::Status => Ok(Cow::Borrowed(self.status(step))),
                }
            }
        }
    }

    /// All that a step's prompts gave, in their order.
    fn output(&self, step: usize) -> Result<String, String> {
        if self.lines[step].output > OUTPUT_MAX {
            let id = &self.flow.steps[step].id;
            return Err(format!(
                "the output of step {id} is longer than {} KiB; let it write to a file",
                OUTPUT_MAX >> 10
            ));
        }
        let outputs = self.lines[step].lives.iter().filter_map(|life| match life {
            Life::Over { end: End::Completed(output), .. } => Some(output.trim_end()),
            _ => None,
        });
        Ok(outputs.collect::<Vec<_>>().join("\n\n"))
    }

    /// How a step ended; with several prompts, the first that did not end well says it.
    fn status(&self, step: usize) -> &'static str {
        let ends = self.lines[step].lives.iter().filter_map(|life| match life {
            Life::Over { end, .. } => Some(end),
            _ => None,
        });
        ends.filter(|end| !end.good()).map(End::word).next().unwrap_or("completed")
    }

    /// A prompt is in the queue, newly or from an earlier start.
    pub fn queued(&mut self, place: Place, id: PromptId) {
        let line = &mut self.lines[place.step];
        line.lives[place.nth] = Life::Open { id, held: false };
        line.begun = line.begun.max(place.nth + 1);
        self.places.insert(id, place);
    }

    /// A prompt could not be queued, now or ever.
    pub fn refused(&mut self, place: Place) {
        self.lines[place.step].begun = self.lines[place.step].begun.max(place.nth + 1);
        self.end(place, End::Refused);
    }

    /// No earlier start queued it, and this one does not.
    pub fn left_out(&mut self, place: Place) {
        self.lines[place.step].begun = self.lines[place.step].begun.max(place.nth + 1);
        self.end(place, End::Skipped);
    }

    /// Whether what is asked there depends on how other prompts ended, which may be otherwise at another start.
    pub fn depends(&self, place: Place) -> bool {
        self.graph.needs[place.step].iter().any(|need| need.ended)
    }

    /// Which place a prompt has in this run.
    pub fn place(&self, id: PromptId) -> Option<Place> {
        self.places.get(&id).copied()
    }

    /// Whether a prompt is ours and has not ended.
    pub fn awaits(&self, id: PromptId) -> bool {
        self.place(id).is_some_and(|at| matches!(self.lines[at.step].lives[at.nth], Life::Open { .. }))
    }

    /// The prompts of ours that have not ended.
    pub fn open(&self) -> impl Iterator<Item = PromptId> + '_ {
        self.places.keys().copied().filter(|id| self.awaits(*id))
    }

    /// Whether somebody needs the whole answer of a prompt.
    pub fn wants_answer(&self, id: PromptId) -> bool {
        self.place(id).is_some_and(|at| self.graph.wanted[at.step])
    }

    /// A prompt as it is now; its answer must be whole when it is wanted.
    pub fn seen(&mut self, prompt: &Prompt) {
        if !self.awaits(prompt.id) {
            return;
        }
        let Some(place) = self.place(prompt.id) else { return };
        // What was with a session when the run stopped, and comes back to the queue, is not begun again.
        let waits = matches!(prompt.state, PromptState::Pending | PromptState::Held);
        if self.stop == Stop::Done && waits && !self.cancels.contains(&prompt.id) {
            self.cancels.push(prompt.id);
        }
        match prompt.state {
            PromptState::Pending | PromptState::Assigned | PromptState::InProgress => self.hold(place, false),
            PromptState::Held => match prompt.hold.as_ref().map(|hold| hold.code) {
                Some(HoldCode::AfterFailed) => {
                    if !self.cancels.contains(&prompt.id) {
                        self.cancels.push(prompt.id);
                    }
                    self.end(place, End::Skipped);
                }
                Some(code) => self.hold(place, !code.transient()),
                None => self.hold(place, true),
            },
            PromptState::Completed => {
                let wanted = self.graph.wanted[place.step];
                let answer = prompt.result.as_ref().filter(|_| wanted).map(|result| result.answer.clone());
                self.end(place, End::Completed(answer.unwrap_or_default()));
            }
            PromptState::Failed => {
                let late = prompt.result.as_ref().is_some_and(|r| r.outcome == Outcome::TimedOut);
                self.end(place, if late { End::TimedOut } else { End::Failed });
            }
            PromptState::Cancelled => self.end(place, End::Cancelled),
        }
    }

    /// A prompt is gone: somebody made the server forget it.
    pub fn forgotten(&mut self, id: PromptId) {
        if let Some(place) = self.place(id).filter(|_| self.awaits(id)) {
            self.end(place, End::Cancelled);
        }
    }

    fn hold(&mut self, place: Place, now: bool) {
        if let Life::Open { held, .. } = &mut self.lines[place.step].lives[place.nth] {
            *held = now;
        }
    }

    fn end(&mut self, place: Place, end: End) {
        let line = &mut self.lines[place.step];
        let (bad, skipped) = (!end.good(), end == End::Skipped);
        let end = match end {
            End::Completed(output) => {
                line.output += output.len();
                // What can be used no more is not kept either.
                End::Completed(if line.output > OUTPUT_MAX { String::new() } else { output })
            }
            end => end,
        };
        let id = line.lives[place.nth].id();
        line.lives[place.nth] = Life::Over { id, end };
        line.over += 1;
        line.bad += usize::from(bad);
        // What was left out did not fail itself: that did, for which it was left out.
        if bad && !skipped && self.flow.steps[place.step].policy == Policy::Stop && self.stop == Stop::No {
            self.stop = Stop::Wanted;
        }
    }

    /// Whether nothing happens any more without a person.
    pub fn over(&self) -> bool {
        self.stop != Stop::Wanted && self.cancels.is_empty() && {
            let stuck = self.stuck();
            self.lines.iter().zip(stuck).all(|(line, stuck)| line.over() || stuck)
        }
    }

    /// Steps that wait for a person, or for one that does; what else they have has ended.
    fn stuck(&self) -> Vec<bool> {
        let mut stuck = vec![false; self.lines.len()];
        for step in self.graph.order.iter().copied() {
            let waits = self.graph.needs[step].iter().any(|need| stuck[need.step]);
            let line = &self.lines[step];
            let still = |life: &Life| match life {
                Life::Waiting => waits,
                Life::Open { held, .. } => *held || waits,
                Life::Over { .. } => true,
            };
            stuck[step] =
                !line.over() && if line.items.is_none() { waits } else { line.lives.iter().all(still) };
        }
        stuck
    }

    /// How many ended how.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for line in &self.lines {
            counts.waiting += usize::from(line.items.is_none());
            for life in &line.lives {
                match life {
                    Life::Waiting | Life::Open { held: false, .. } => counts.waiting += 1,
                    Life::Open { held: true, .. } => counts.held += 1,
                    Life::Over { end, .. } => match end {
                        End::Completed(_) => counts.completed += 1,
                        End::Failed | End::Refused => counts.failed += 1,
                        End::TimedOut => {
                            counts.failed += 1;
                            counts.timed_out += 1;
                        }
                        End::Cancelled => counts.cancelled += 1,
                        End::Skipped => counts.skipped += 1,
                    },
                }
            }
        }
        counts
    }
}

impl Life {
    fn id(&self) -> Option<PromptId> {
        match self {
            Life::Waiting => None,
            Life::Open { id, .. } => Some(*id),
            Life::Over { id, .. } => *id,
        }
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
