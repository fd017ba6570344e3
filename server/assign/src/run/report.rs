//! What a run tells while it goes on: a line for each change, and how it ended. Must not: decide anything.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use wire::PromptId;
use wire::prompt::{Prompt, PromptState};
use wire::text::{cut, escape};

use super::Run;
use super::counts::{Counts, code};
use super::machine::{Machine, Place};
use crate::failure::Failure;
use crate::print::{Printer, note};
use crate::wait::HELD;

/// What was told already.
pub struct Report<'a> {
    print: &'a Printer,
    run: &'a Run,
    told: BTreeMap<PromptId, (PromptState, Option<String>)>,
}

/// A change, for programs.
#[derive(Serialize, JsonSchema)]
pub struct Change<'a> {
    run: &'a str,
    step: &'a str,
    /// Which of the step's prompts, from 1.
    nth: usize,
    item: Option<&'a str>,
    prompt: Option<PromptId>,
    state: &'a str,
    reason: Option<&'a str>,
}

/// A run begins or goes on, for programs.
#[derive(Serialize, JsonSchema)]
pub struct Begun<'a> {
    run: &'a str,
    name: Option<&'a str>,
    resume: &'a str,
}

/// A run is over, for programs.
#[derive(Serialize, JsonSchema)]
pub struct Over<'a> {
    run: &'a str,
    over: Counts,
    code: u8,
}

impl<'a> Report<'a> {
    /// Nothing was told yet.
    pub fn new(print: &'a Printer, run: &'a Run) -> Self {
        Self { print, run, told: BTreeMap::new() }
    }

    /// The run begins, or goes on.
    pub fn begun(&self) -> Result<(), Failure> {
        let Run { id, flow, resume, .. } = self.run;
        let begun = Begun { run: id, name: flow.name.as_deref(), resume };
        self.print.object_or(&begun, || {
            let name = flow.name.as_deref().map(|name| format!(" ({})", escape(name))).unwrap_or_default();
            format!("run {id}{name}")
        })
    }

    /// A prompt of the run is new or changed.
    pub fn seen(&mut self, machine: &Machine<'_>, place: Place, prompt: &Prompt) -> Result<(), Failure> {
        let reason = match (&prompt.result, &prompt.hold) {
            (Some(result), _) => Some(result.reason.clone()),
            (None, Some(hold)) => Some(hold.text.clone()),
            (None, None) => None,
        };
        let reason = reason.filter(|_| prompt.state != PromptState::Completed);
        let now = (prompt.state, reason);
        if self.told.get(&prompt.id) == Some(&now) {
            return Ok(());
        }
        self.change(machine, place, Some(prompt.id), prompt.state.as_str(), now.1.as_deref())?;
        self.told.insert(prompt.id, now);
        Ok(())
    }

    /// A prompt of the run was not taken.
    pub fn refused(&self, machine: &Machine<'_>, place: Place, why: &str) -> Result<(), Failure> {
        self.change(machine, place, None, "refused", Some(why))
    }

    /// A prompt of the run is left out, or called off for that.
    pub fn left_out(
        &self,
        machine: &Machine<'_>,
        place: Place,
        prompt: Option<PromptId>,
    ) -> Result<(), Failure> {
        self.change(machine, place, prompt, "skipped", None)
    }

    /// Prompts of a step are left out.
    pub fn skipped(&self, machine: &Machine<'_>, step: usize, count: usize) -> Result<(), Failure> {
        let more = format!("{count} prompts");
        let reason = (count > 1).then_some(more.as_str());
        self.change(machine, Place { step, nth: 0 }, None, "skipped", reason)
    }

    fn change(
        &self,
        machine: &Machine<'_>,
        place: Place,
        prompt: Option<PromptId>,
        state: &str,
        reason: Option<&str>,
    ) -> Result<(), Failure> {
        let step = self.run.flow.steps[place.step].id.as_str();
        let item = machine.item(place);
        let change = Change { run: &self.run.id, step, nth: place.nth + 1, item, prompt, state, reason };
        self.print.object_or(&change, || {
            let nth = item
                .map(|item| format!("[{}: {}]", place.nth + 1, escape(&cut(item, 30))))
                .unwrap_or_default();
            let prompt = prompt.map(|id| format!("prompt {id} is ")).unwrap_or_default();
            let reason = reason.map(|why| format!(": {}", escape(&cut(why, 200)))).unwrap_or_default();
            format!("{step}{nth}: {prompt}{state}{reason}")
        })
    }

    /// The run is over, or waits for a person. Gives the exit code.
    pub fn over(&self, counts: Counts) -> Result<u8, Failure> {
        let code = code(&counts);
        let over = Over { run: &self.run.id, over: counts, code };
        self.print.object_or(&over, || {
            let words = [
                (counts.completed, "completed"),
                (counts.failed, "failed"),
                (counts.cancelled, "cancelled"),
                (counts.skipped, "skipped"),
                (counts.held, "held"),
                (counts.waiting, "waiting"),
            ];
            let some = words.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}"));
            format!("over: {}", some.collect::<Vec<_>>().join(", "))
        })?;
        if code == HELD {
            note!("a person has to look: `assign prompts -s held`; then: {}", self.run.resume);
        }
        Ok(code)
    }
}
