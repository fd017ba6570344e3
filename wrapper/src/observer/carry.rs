//! What the delivery decides, carried out: written down, typed, begun. Must not: decide.
//!
//! Invariant: nothing is typed before everything that precedes it is written down.

use std::io;

use wire::prompt::{Hold, HoldCode, Receipt, Step};
use wire::wrapper::{Offer, Report};
use wire::{AttemptId, UnixMillis};

use super::calendar::Time;
use super::core::{Core, Out};
use crate::chore::{Chore, Done};
use crate::context;
use crate::control::Relaunch;
use crate::delivery::{Delivery, Effect, Input, Kept};
use crate::gate::{self, Looks, View, hold};

impl Core {
    /// Takes the attempt over that the observer before this one held.
    pub fn take_over(&mut self, now: Time, out: &mut Vec<Out>) -> io::Result<()> {
        let Some(open) = self.journal.open_attempt().cloned() else { return Ok(()) };
        let attempt = open.offer.attempt;
        if open.reached(Step::Accepted) {
            let accepted = self.calendar.steady(open.accepted.unwrap_or(now.at));
            let ended = open.kept.clone().filter(|kept| kept.result.is_some());
            let effects = match ended.filter(|_| open.reached(Step::Ended)) {
                Some(kept) => self.delivery.conclude(&open.offer, kept, accepted),
                None => {
                    self.delivery.resume(&open.offer, open.kept, accepted);
                    Vec::new()
                }
            };
            return effects.into_iter().try_for_each(|effect| self.effect(effect, now, out));
        }
        let (code, text) = if open.reached(Step::Intent) {
            (
                HoldCode::Unknown,
                "the wrapper was interrupted while it typed; look at the session, then retry or cancel",
            )
        } else {
            (HoldCode::NotIdle, "the wrapper was restarted before it typed anything")
        };
        if code == HoldCode::NotIdle && open.offer.worktree.is_some() {
            let (offer, context) = (Box::new(open.offer), Box::new(self.context.clone()));
            out.push(Out::Run(attempt, Chore::Sweep { offer, context }));
        }
        let hold = Hold { code, text: text.to_owned() };
        self.journal.append(now.day, &[Report::Held { attempt, hold }], None)
    }

    /// The server offers a prompt.
    pub fn offer(&mut self, offer: Offer, now: Time, out: &mut Vec<Out>) {
        self.look_around();
        self.step(Input::Offer(offer), now, out);
    }

    /// The server calls an attempt off.
    pub fn cancel(&mut self, attempt: AttemptId, now: Time, out: &mut Vec<Out>) {
        self.step(Input::Cancel(attempt), now, out);
    }

    /// The server has decided otherwise about an attempt.
    pub fn forget(&mut self, attempt: AttemptId, now: Time, out: &mut Vec<Out>) {
        self.journal.forget();
        self.step(Input::Forget(attempt), now, out);
    }

    /// A chore of an attempt is done.
    pub fn done(&mut self, attempt: AttemptId, done: Done, now: Time, out: &mut Vec<Out>) {
        // A branch may be another one now.
        self.look_around();
        self.step(Input::Done(attempt, done), now, out);
    }

    /// The holder wrote what was asked for an attempt, or refused. Late words about one that is over say nothing of
    /// the next.
    pub fn typed(&mut self, attempt: AttemptId, written: bool, now: Time, out: &mut Vec<Out>) {
        if self.delivery.holds() == Some(attempt) {
            self.step(Input::Typed(written), now, out);
        }
    }

    pub(super) fn step(&mut self, input: Input, now: Time, out: &mut Vec<Out>) {
        if input == Input::Look && (self.delivery.patience_ms().is_none() || self.extractor.has_unseen()) {
            return;
        }
        if self.delivery.is_moving() && !self.works() {
            self.look_around();
        }
        let commit = || context::commit(std::path::Path::new(&self.context.dir));
        let shows = |text: &str| self.extractor.shows(text);
        let view = View {
            looks: self.looks(),
            shows: &shows,
            bracketed_paste: self.extractor.bracketed_paste(),
            context: &self.context,
            commit: &commit,
            moves: self.launch.moves(&self.agent, self.attached),
            progress: self.progress.last().map_or(UnixMillis(0), |at| self.calendar.steady(at)),
            counted: self.is_counted(),
            recipe: &self.agent.input,
        };
        let effects = self.delivery.apply(self.steady(now), &view, input);
        for effect in effects {
            if let Err(fault) = self.effect(effect, now, out) {
                tracing::error!(%fault, "the journal cannot be written; nothing is typed");
                return self.give_back(now, out);
            }
        }
    }

    /// Whether all that the turn used was told, or is not waited for.
    fn is_counted(&self) -> bool {
        self.counting.is_done(self.extractor.is_written_down(), self.extractor.is_measured())
    }

    fn looks(&self) -> Looks {
        Looks {
            watched: self.launch.watched,
            kept: self.kept,
            state: self.extractor.claim().state,
            composer: self.extractor.composer(),
            dialog: self.extractor.dialog().is_some(),
            compacting: self.extractor.compacting(),
            person: self.person.map(|at| self.calendar.steady(at)),
        }
    }

    /// Whether the session may be ended for its pool: nothing goes on in it, and nobody looks at it.
    pub fn may_end(&self, now: Time) -> Result<(), Hold> {
        if self.delivery.holds().is_some() {
            return Err(hold(HoldCode::NotIdle, "it has a prompt"));
        }
        if self.attached {
            return Err(hold(HoldCode::NotIdle, "a terminal shows it"));
        }
        if self.extractor.claim().background {
            return Err(hold(HoldCode::NotIdle, "work goes on in its background"));
        }
        if self.has_unseen() {
            return Err(hold(HoldCode::NotIdle, "it wrote something that was not looked at yet"));
        }
        gate::ready(self.steady(now), &self.looks())
    }

    fn effect(&mut self, effect: Effect, now: Time, out: &mut Vec<Out>) -> io::Result<()> {
        match effect {
            Effect::Lease(offer) => self.journal.lease(&self.redaction.offer(&offer))?,
            Effect::Keep(kept) => {
                let ended = kept.result.is_some();
                let kept = self.without_secrets(kept);
                match self.journal.keep(kept) {
                    // Whoever follows will see the end of the turn for itself.
                    Err(fault) if ended => tracing::warn!(%fault, "the end of a turn cannot be kept"),
                    kept => kept?,
                }
            }
            Effect::Report(Report::Ended { attempt, mut result }) => {
                result.figures = self.extractor.metrics();
                self.counting.told(self.extractor.is_written_down(), self.extractor.is_measured());
                self.report(Report::Ended { attempt, result });
            }
            Effect::Report(Report::Receipt { attempt, receipt }) => {
                let receipt = Receipt { at: self.calendar.told(receipt.at), ..receipt };
                self.report(Report::Receipt { attempt, receipt });
            }
            Effect::Report(report) => self.report(report),
            Effect::Type(bytes) => {
                self.commit(now)?;
                let Some(attempt) = self.delivery.holds() else { return Ok(()) };
                if self.extractor.has_unseen() {
                    // It was read, but not looked at: the decision rests on an older screen. So the answer is the
                    // holder's for output that came meanwhile, once the screen has been looked at.
                    self.unseen = Some(attempt);
                } else {
                    out.push(Out::Type { bytes, only_for: Some(attempt) });
                }
            }
            Effect::Interrupt(bytes) => out.push(Out::Type { bytes, only_for: None }),
            Effect::Run(attempt, chore) => out.push(Out::Run(attempt, chore)),
            Effect::Abort(attempt) => out.push(Out::Abort(attempt)),
            Effect::Relaunch { dir, env } => {
                self.commit(now)?;
                let argv = self.launch.argv(&self.agent, dir == self.context.dir);
                self.launch.given.clone_from(&env);
                out.push(Out::Relaunch(Relaunch { argv, dir: dir.into_bytes(), env }));
            }
            Effect::Exported(env) => {
                self.asked.typed.extend(env);
                self.look_around();
            }
        }
        Ok(())
    }

    /// What is kept on disk: of an answer what may be reported of it. The rest is needed as it is.
    fn without_secrets(&self, mut kept: Kept) -> Kept {
        if let Some(result) = kept.result.take() {
            let report = self.redaction.report(Report::Ended { attempt: AttemptId(0), result });
            if let Report::Ended { result, .. } = report {
                kept.result = Some(result);
            }
        }
        kept
    }

    /// The disk is full: an attempt that was not typed yet goes back.
    fn give_back(&mut self, now: Time, out: &mut Vec<Out>) {
        let Some(attempt) = self.delivery.holds() else { return };
        let typed = self.journal.open_attempt().is_some_and(|open| open.reached(Step::Intent));
        let code = if typed { HoldCode::Unknown } else { HoldCode::Storage };
        let text = "the wrapper cannot write its journal; is the disk full?".to_owned();
        self.report(Report::Held { attempt, hold: Hold { code, text } });
        let _ = self.commit(now);
        out.push(Out::Abort(attempt));
        self.delivery = Delivery::new(self.delivery.fence());
    }
}
