//! How a turn ends: what hooks, status, marks and screen say of it, and its answer. Must not: decide that it ended.

use std::time::Duration;

use crate::answer;
use crate::extractor::Extractor;
use crate::observation::{Cause, Observation, Seen, TurnOutcome};
use crate::turn::{Effect, Event, Verdict};

/// A turn that is over in less, without a word, is suspicious.
const AT_ONCE: Duration = Duration::from_secs(3);
impl Extractor {
    /// Moves the turn on, and tells what follows.
    pub(crate) fn turn(&mut self, event: Event, out: &mut Vec<Observation>) {
        let (turn, effects) = std::mem::take(&mut self.turn).on(self.now, event);
        self.turn = turn;
        for effect in effects {
            match effect {
                Effect::Began(source) => {
                    self.acted = false;
                    self.marks = self.sight.end_marks(&self.agent);
                    self.marked = None;
                    self.emit(Seen::TurnBegan { source }, out);
                }
                Effect::Ended { outcome, reason, cause, took, source } => {
                    let answer = self.answer();
                    let (told, until) = match outcome {
                        TurnOutcome::Failed => told(&reason),
                        TurnOutcome::Completed if took < AT_ONCE && self.is_empty(&answer) => {
                            (Some(Cause::Empty), None)
                        }
                        TurnOutcome::Completed | TurnOutcome::Interrupted => (None, None),
                    };
                    let cause = cause.or(told);
                    self.telling.end = None;
                    self.telling.open = false;
                    self.emit(Seen::TurnEnded { outcome, reason, cause, until, source, answer }, out);
                    self.sight.forget_turn();
                }
            }
        }
    }

    /// What hooks, status and screen say of how the turn ended.
    pub(crate) fn verdict(&self) -> Verdict {
        let mut verdict = self.sight.answer(&self.agent).verdict;
        verdict.ended |= self.heard.done;
        if let Some(end) = &self.telling.end {
            verdict.ended = true;
            verdict.failed = end.failed.clone().or(verdict.failed);
            verdict.refused = answer::refusal(&self.agent, &end.answer);
        }
        verdict.failed = verdict.failed.or_else(|| self.heard.failure());
        match self.heard.code.filter(|_| self.heard.mark.is_some()) {
            Some(130) => verdict.interrupted = Some("exit status 130".to_owned()),
            Some(code) if code != 0 => {
                verdict.failed = Some(format!("exit status {code}"));
                verdict.status = true;
            }
            Some(_) | None => {}
        }
        verdict
    }

    /// The turn's last answer: as the agent told it, else as the screen shows it.
    fn answer(&self) -> String {
        let told = self.telling.end.as_ref().map(|end| end.answer.clone()).filter(|text| !text.is_empty());
        told.unwrap_or_else(|| self.sight.answer(&self.agent).answer)
    }

    /// Whether nothing came of the turn, of an agent that always says something.
    fn is_empty(&self, answer: &str) -> bool {
        let speaks = self.agent.answer.as_ref().is_some_and(|rule| rule.always);
        speaks && answer.is_empty() && !self.acted
    }
}

/// What a reason of failure means, and when it ends.
fn told(reason: &str) -> (Option<Cause>, Option<String>) {
    let Some((cause, until)) = patterns::cause::of(reason) else { return (Some(Cause::ApiError), None) };
    let cause = match cause {
        patterns::Cause::RateLimited => Cause::RateLimited,
        patterns::Cause::ContextExhausted => Cause::ContextExhausted,
        patterns::Cause::Auth => Cause::Auth,
    };
    (Some(cause), until)
}
