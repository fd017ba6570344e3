//! Which lives of prompts are to be told as traces. Must not: tell them, or wait for whoever is told.

use wire::prompt::Step;
use wire::{AttemptId, PromptId, UnixMillis};

use super::Control;
use super::command::Reply;
use crate::store::{DueTrace, Stored};
use crate::trace::Trace;
use crate::trace::spans::{Life, Try, attempt_span, root};

/// Lives in one message: so few that gathering them holds nobody up.
const TOGETHER: u32 = 16;
/// Lives that wait while a collector is away; older ones are given up.
const WAITING: u32 = 10_000;

/// What the sender of traces asks.
pub enum Traces {
    /// What is to be told now.
    Due(Reply<Vec<Life>>),
    /// These were told, or can never be: prompts, with when the life ended.
    Told(Vec<(PromptId, UnixMillis)>),
}

impl Control {
    pub(super) fn traces(&mut self, ask: Traces) -> Stored<()> {
        match ask {
            Traces::Due(reply) => {
                let lost = self.store.give_up_traces(WAITING)?;
                if lost > 0 {
                    tracing::warn!(lost, "traces waited for the collector for too long and are given up");
                }
                let due = self.store.due_traces(TOGETHER)?;
                let lives = due.into_iter().filter_map(|due| self.life(due).transpose());
                let lives = lives.collect::<Stored<_>>()?;
                self.out.answer(reply, Ok(lives));
                Ok(())
            }
            Traces::Told(told) => {
                told.into_iter().try_for_each(|(prompt, ended)| self.store.trace_told(prompt, ended))
            }
        }
    }

    /// The trace of a prompt.
    pub(super) fn trace(&self, prompt: PromptId) -> Stored<Trace> {
        let parent = self.store.trace_parent(prompt)?;
        Ok(Trace::of(&self.settings.install, prompt, parent.as_deref()))
    }

    /// What continues a prompt's trace from one of its attempts.
    pub(super) fn trace_within(&self, prompt: PromptId, attempt: AttemptId) -> Stored<String> {
        let trace = self.trace(prompt)?;
        Ok(trace.parent_of(attempt_span(&trace, attempt.0)))
    }

    /// What continues a prompt's trace from its present life.
    pub(super) fn trace_below(&self, prompt: PromptId) -> Stored<Option<String>> {
        let Some(queued) = self.store.queued_at(prompt)? else { return Ok(None) };
        let began = self.store.trace_began(prompt)?.unwrap_or(queued);
        let trace = self.trace(prompt)?;
        Ok(Some(trace.parent_of(root(&trace, began))))
    }

    fn life(&self, due: DueTrace) -> Stored<Option<Life>> {
        let Some(prompt) = self.store.prompt(due.prompt)? else { return Ok(None) };
        let began = due.began.unwrap_or(prompt.created);
        let ends = self.store.attempts_ended(prompt.id)?;
        let mut tries = Vec::new();
        for attempt in self.store.attempts_of(prompt.id)? {
            let leased = attempt.receipts.iter().find(|r| r.step == Step::Leased).map(|r| r.at);
            let Some((leased, ended)) = leased.zip(ends.get(&attempt.id).copied()) else { continue };
            if leased < began {
                continue;
            }
            let session = self.store.session(&attempt.session)?;
            let agent = session.map(|session| session.card.agent).unwrap_or_default();
            let asked = self.store.asked_between(&attempt.session, leased, ended)?;
            tries.push(Try { attempt, ended, agent, asked });
        }
        Ok(Some(Life {
            trace: self.trace(prompt.id)?,
            prompt: prompt.id,
            priority: prompt.asked.priority,
            state: prompt.job.state(),
            began,
            ended: due.ended,
            tries,
        }))
    }
}
