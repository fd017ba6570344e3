//! How a turn ends: what hooks, status, marks and screen say of it, and its answer. Must not: decide that it ended.

use std::time::Duration;

use patterns::{Absent, Means};

use crate::answer;
use crate::extractor::Extractor;
use crate::fact::End;
use crate::observation::{Cause, Observation, Seen, State, TurnOutcome};
use crate::turn::{Effect, Event, Turn, Verdict};

/// A turn that is over in less, without a word, is suspicious.
const AT_ONCE: Duration = Duration::from_secs(3);
/// How long an end mark must stand while the agent works on before it counts as the end of a queued turn.
pub(crate) const MARK_STANDS: Duration = Duration::from_millis(900);

/// What stood on the screen when a turn began.
#[derive(Debug, Default)]
pub(crate) struct Before {
    /// End marks.
    marks: Vec<String>,
    /// What was to be read of a turn's end.
    verdict: Verdict,
}

impl Extractor {
    /// What may happen between two changes of state: an end mark while the next turn runs, a turn that was over before
    /// anybody looked.
    pub(crate) fn between(&mut self, out: &mut Vec<Observation>) {
        if self.turn.due().is_some_and(|due| due <= self.now) {
            self.turn(Event::Time, out);
        }
        match self.claim().state {
            State::Busy => self.next_by_mark(out),
            State::Idle => self.short(out),
            _ => {}
        }
    }

    /// The turn ended and the next began before its end was believed.
    pub(crate) fn next_turn(&mut self, out: &mut Vec<Observation>) {
        if self.claim().state == State::Busy {
            let verdict = self.verdict();
            self.next(verdict, out);
        }
    }

    fn next(&mut self, verdict: Verdict, out: &mut Vec<Observation>) {
        self.turn(Event::Next { verdict }, out);
        self.own = self.sight.last_prompt(&self.agent);
    }

    fn next_by_mark(&mut self, out: &mut Vec<Observation>) {
        let Turn::Running { queued, .. } = self.turn else { return };
        let marks = self.sight.end_marks(&self.agent);
        if marks.iter().all(|mark| self.before.marks.contains(mark)) {
            self.marked = None;
            return;
        }
        let before = self.own.as_ref().and_then(|own| self.sight.answer_before_prompt(&self.agent, own));
        let at = *self.marked.get_or_insert(self.now);
        let stands = queued && self.now >= at + MARK_STANDS;
        // The agent itself has drawn the next prompt under the mark, or has worked on under it for long.
        if before.is_some() || stands {
            if let Some(answer) = before
                && self.telling.end.is_none()
            {
                self.telling.end = Some(End { failed: None, answer });
            }
            self.next(Verdict { ended: true, ..Verdict::default() }, out);
        }
    }

    fn short(&mut self, out: &mut Vec<Observation>) {
        let empty = self.sight.reading.composer.as_ref().is_some_and(|field| field.text.is_empty());
        if !empty {
            return;
        }
        let shell = self.agent.composer.as_ref().is_some_and(|rule| rule.absent == Absent::Busy);
        let row = self.sight.prompt_row().filter(|_| shell);
        let again = self.typed.is_some_and(|typed| row.is_some_and(|row| row > typed));
        let refused =
            self.prompted.as_ref().is_some_and(|prompted| self.sight.is_over(&self.agent, prompted));
        if again || refused {
            self.typed = None;
            self.prompted = None;
            let verdict = self.verdict();
            self.turn(Event::Short { verdict }, out);
        }
    }

    /// Moves the turn on, and tells what follows.
    pub(crate) fn turn(&mut self, event: Event, out: &mut Vec<Observation>) {
        let (turn, effects) = std::mem::take(&mut self.turn).on(self.now, event);
        self.turn = turn;
        for effect in effects {
            match effect {
                Effect::Began(source) => {
                    self.acted = false;
                    let marks = self.sight.end_marks(&self.agent);
                    self.before = Before { marks, verdict: self.sight.answer(&self.agent).verdict };
                    self.marked = None;
                    if self.turn.is_unworked() {
                        self.heard.done = false;
                    }
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
        if self.turn.is_unworked() && verdict == self.before.verdict {
            // The turn before left it.
            verdict = Verdict::default();
        }
        verdict.ended |= self.heard.done;
        if let Some(end) = &self.telling.end {
            verdict.ended = true;
            // An agent that tells failures apart has the last word, whatever stands on its screen.
            let tells = self.agent.facts.iter().any(|rule| rule.means == Means::Failed);
            let shown = verdict.failed.take().filter(|_| !tells);
            verdict.failed = end.failed.clone().or(shown);
            verdict.interrupted = verdict.interrupted.take().filter(|_| !tells);
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
        told.unwrap_or_else(|| match &self.own {
            Some(own) => self.sight.answer_to(&self.agent, own),
            None => self.sight.answer(&self.agent).answer,
        })
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
