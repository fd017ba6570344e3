//! One attempt at a prompt, from the offer that was taken to the end of its turn; `ending` finds the verdict.
//! Must not: know of another attempt.
//!
//! prepared ─▶ moved ─▶ typed ─▶ running ─▶ verified ─▶ changes collected ─▶ session brought back ─▶ work tree removed
//!
//! Whatever is not asked for is left out.

use extractor::Shown;
use wire::prompt::{Cause, Hold, HoldCode, Outcome, PromptResult, Receipt, Step};
use wire::session::Moves;
use wire::wrapper::{Offer, Report};
use wire::{AttemptId, UnixMillis};

use super::moving::{Going, Move};
use super::turn::{Next, Turn, Why};
use super::typing::{Progress, Typing};
use super::{Effect, Kept, text};
use crate::chore::{Chore, Done, Prepared, Tree};
use crate::gate::{self, View, Wanted, hold};

/// An attempt.
#[derive(Debug)]
pub struct Attempt {
    pub(super) offer: Offer,
    offered: UnixMillis,
    pub(super) wanted: Wanted,
    pub(super) kept: Kept,
    /// The program has ended.
    pub(super) gone: bool,
    pub(super) phase: Phase,
}

/// Where it stands.
#[derive(Debug, PartialEq)]
pub(super) enum Phase {
    /// Work tree, branch and prerequisites are being made.
    Preparing,
    /// The session is brought into the context.
    Moving(Move),
    /// The prompt is being typed.
    Typing(Typing),
    /// The agent took it.
    Running(Turn),
    /// The turn ended at this moment; what it used is still being told.
    Counting(UnixMillis),
    /// The turn ended like this; a command says whether that is true.
    Verifying(PromptResult),
    /// It is found what changed.
    Collecting(PromptResult),
    /// The session leaves the work tree that is to be removed.
    Returning(Move, Verdict),
    /// The work tree is removed.
    Removing(Verdict),
    /// There is nothing more to do.
    Over,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    Held(Hold),
    Ended(Box<PromptResult>),
}

impl Attempt {
    /// Takes an offer.
    pub fn begin(now: UnixMillis, view: &View, offer: Offer, out: &mut Vec<Effect>) -> Self {
        let Offer { dir, branch, env, .. } = offer.clone();
        let wanted = Wanted { dir, branch, env };
        let (kept, phase) = (Kept::default(), Phase::Over);
        let mut attempt = Self { offer, offered: now, wanted, kept, gone: false, phase };
        attempt.step(now, Step::Offered, out);
        let mismatch = gate::in_context(view.context, &attempt.wanted).err();
        let offer = &attempt.offer;
        match mismatch {
            Some(hold) if !offer.may_move => attempt.hold(now, view, hold, out),
            None if offer.worktree.is_none() && offer.prerequisites.is_empty() => {
                attempt.write(now, view, out)
            }
            Some(_) | None => attempt.prepare(now, view, out),
        }
        attempt
    }

    /// An attempt that an observer before this one had begun.
    pub fn resume(offer: Offer, kept: Option<Kept>, accepted: UnixMillis) -> Self {
        let kept = kept.unwrap_or_default();
        let Offer { dir, branch, env, .. } = offer.clone();
        let mut wanted = Wanted { dir, branch, env };
        if let Some(prepared) = &kept.prepared {
            wanted.env.clone_from(&prepared.env);
        }
        let phase = Phase::Running(Turn::new(accepted));
        Self { offer, offered: accepted, wanted, kept, gone: false, phase }
    }

    /// Which attempt it is.
    pub fn id(&self) -> AttemptId {
        self.offer.attempt
    }

    /// Whether there is nothing more to do.
    pub fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Whether an Enter was asked for, and nobody knows yet whether it was written.
    pub fn is_entering(&self) -> bool {
        match &self.phase {
            Phase::Typing(typing) => typing.is_entering(),
            Phase::Moving(going) | Phase::Returning(going, _) => going.is_entering(),
            _ => false,
        }
    }

    /// Whether the session is on its way into another context.
    pub fn is_moving(&self) -> bool {
        matches!(self.phase, Phase::Moving(_) | Phase::Returning(..))
    }

    /// Whether the turn is over and it is waited for what it used.
    pub fn is_counting(&self) -> bool {
        matches!(self.phase, Phase::Counting(_))
    }

    /// How often a look is wanted, in milliseconds.
    pub fn patience_ms(&self) -> Option<u64> {
        match &self.phase {
            Phase::Typing(typing) if typing.is_submitted() => Some(50),
            Phase::Typing(_) | Phase::Counting(_) => Some(20),
            Phase::Moving(_) | Phase::Returning(..) => Some(100),
            Phase::Preparing | Phase::Running(_) => Some(500),
            Phase::Verifying(_) | Phase::Collecting(_) | Phase::Removing(_) | Phase::Over => None,
        }
    }

    pub(super) fn step(&self, at: UnixMillis, step: Step, out: &mut Vec<Effect>) {
        let receipt = Receipt { step, at };
        out.push(Effect::Report(Report::Receipt { attempt: self.id(), receipt }));
    }

    pub(super) fn run(&self, chore: Chore, out: &mut Vec<Effect>) {
        out.push(Effect::Run(self.id(), chore));
    }

    fn is_late(&self, now: UnixMillis) -> bool {
        self.offer.accept_ms > 0 && now.since(self.offered) > self.offer.accept_ms
    }

    fn prepare(&mut self, now: UnixMillis, view: &View, out: &mut Vec<Effect>) {
        // Whether another directory is meant is known only when its links are resolved.
        let env = Wanted { env: self.offer.env.clone(), ..Wanted::default() };
        let moves = self.offer.worktree.is_some() || gate::in_context(view.context, &env).is_err();
        let may = if moves && (!self.offer.may_move || view.moves == Moves::None) {
            let why =
                "it needs a work tree or variables of its own, and the session is not brought elsewhere";
            Err(hold(HoldCode::WrongContext, why))
        } else {
            gate::ready(now, view).and_then(|()| text::prompt(view, &self.offer).map(drop))
        };
        if let Err(hold) = may {
            return self.hold(now, view, hold, out);
        }
        self.phase = Phase::Preparing;
        let (offer, context) = (Box::new(self.offer.clone()), Box::new(view.context.clone()));
        self.run(Chore::Prepare { offer, context }, out);
    }

    fn prepared(&mut self, now: UnixMillis, view: &View, prepared: Prepared, out: &mut Vec<Effect>) {
        let Prepared { dir, branch, env, .. } = prepared.clone();
        self.wanted = Wanted { dir, branch, env };
        self.kept.prepared = Some(prepared);
        let place = Wanted { branch: None, ..self.wanted.clone() };
        let begun = match gate::in_context(view.context, &place) {
            Ok(()) => return self.there(now, view, out),
            Err(hold) if !self.offer.may_move => Err(hold),
            Err(_) => Move::begin(now, view, place),
        };
        match begun {
            Ok((going, effect)) => {
                self.kept.former = Some(view.context.dir.clone());
                self.phase = Phase::Moving(going);
                out.push(effect);
            }
            Err(hold) => self.hold(now, view, hold, out),
        }
    }

    /// The session is where it should be, as far as it was brought there.
    fn there(&mut self, now: UnixMillis, view: &View, out: &mut Vec<Effect>) {
        if let Err(fault) = gate::in_context(view.context, &self.wanted) {
            let hold = hold(HoldCode::NotPrepared, &format!("after all was prepared, {}", fault.text));
            return self.hold(now, view, hold, out);
        }
        self.step(now, Step::Prepared, out);
        self.write(now, view, out);
    }

    /// Types the prompt, if it may be typed now.
    fn write(&mut self, now: UnixMillis, view: &View, out: &mut Vec<Effect>) {
        let text = match gate::open(now, view, &self.wanted).and_then(|()| text::prompt(view, &self.offer)) {
            Ok(text) => text,
            Err(hold) => return self.hold(now, view, hold, out),
        };
        self.kept.dir.clone_from(&view.context.dir);
        if self.offer.dir.is_some() || self.kept.prepared.as_ref().is_some_and(|p| p.tree.is_some()) {
            self.kept.base = (view.commit)();
        }
        if self.offer.verify.is_some() || self.kept.prepared.is_some() || self.kept.base.is_some() {
            out.push(Effect::Keep(self.kept.clone()));
        }
        // Whoever follows a crash from here on must not type again.
        self.step(now, Step::Intent, out);
        let (typing, bytes) = Typing::begin(now, view, text);
        out.push(Effect::Type(bytes));
        self.phase = Phase::Typing(typing);
    }

    /// The holder wrote what was asked for last, or refused.
    pub fn typed(&mut self, now: UnixMillis, view: &View, written: bool, out: &mut Vec<Effect>) {
        match &mut self.phase {
            Phase::Typing(typing) => {
                let progress = typing.written(now, view, written, gate::open(now, view, &self.wanted));
                self.follow(now, view, progress, out);
            }
            Phase::Moving(going) | Phase::Returning(going, _) => {
                let going = going.written(now, view, written);
                self.go(now, view, going, out);
            }
            _ => {}
        }
    }

    fn follow(&mut self, now: UnixMillis, view: &View, progress: Progress, out: &mut Vec<Effect>) {
        match progress {
            Progress::Nothing => {}
            Progress::Reached(step) => self.step(now, step, out),
            Progress::Write(bytes) => out.push(Effect::Type(bytes)),
            Progress::Stuck(hold) => self.hold(now, view, hold, out),
            Progress::Taken => self.began(now, out),
        }
    }

    fn go(&mut self, now: UnixMillis, view: &View, going: Going, out: &mut Vec<Effect>) {
        match going {
            Going::On => {}
            Going::Do(effect) => out.push(effect),
            Going::There => match std::mem::replace(&mut self.phase, Phase::Over) {
                Phase::Returning(_, verdict) => self.remove(verdict, out),
                _ => self.there(now, view, out),
            },
            Going::Stuck(hold) => match std::mem::replace(&mut self.phase, Phase::Over) {
                Phase::Returning(_, verdict) => self.report(verdict, true, out),
                _ => self.hold(now, view, hold, out),
            },
        }
    }

    /// Time passed or the screen changed.
    pub fn look(&mut self, now: UnixMillis, view: &View, out: &mut Vec<Effect>) {
        let late = self.is_late(now);
        match &mut self.phase {
            Phase::Preparing if late => {
                out.push(Effect::Abort(self.id()));
                let why = "preparing its context took longer than it may take until it is accepted";
                self.hold(now, view, hold(HoldCode::NotPrepared, why), out);
            }
            Phase::Typing(typing) => {
                let progress = typing.look(now, view, late);
                self.follow(now, view, progress, out);
            }
            Phase::Moving(going) => {
                let going = going.look(now, view, late);
                self.go(now, view, going, out);
            }
            Phase::Returning(going, _) => {
                let going = going.look(now, view, false);
                self.go(now, view, going, out);
            }
            Phase::Running(turn) => match turn.look(now, view, &self.offer) {
                Next::Nothing => {}
                Next::Interrupt => out.push(Effect::Interrupt(view.recipe.interrupt.clone())),
                Next::GiveUp(result) => self.over(now, view, *result, out),
            },
            Phase::Counting(since) => {
                let since = *since;
                self.count(now, view, since, out);
            }
            _ => {}
        }
    }

    /// The agent took a prompt.
    pub fn began(&mut self, now: UnixMillis, out: &mut Vec<Effect>) {
        let Phase::Typing(typing) = &self.phase else { return };
        if typing.is_submitted() {
            self.step(now, Step::Accepted, out);
            self.step(now, Step::Started, out);
            self.phase = Phase::Running(Turn::new(now));
        }
    }

    /// A turn ended.
    pub fn ended(&mut self, now: UnixMillis, view: &View, result: PromptResult, out: &mut Vec<Effect>) {
        if let Phase::Moving(going) | Phase::Returning(going, _) = &mut self.phase {
            let going = going.ended(now, &result);
            return self.go(now, view, going, out);
        }
        // A turn may be over before anything was drawn of it.
        self.began(now, out);
        let Phase::Running(turn) = &self.phase else { return };
        if result.outcome == Outcome::Completed && !turn.is_stopping() {
            // An Enter that crossed with a dialog looks like the beginning of a turn, and the dialog's end like its end.
            if let Some(why) = self.untaken(view, result.cause) {
                return self.hold(now, view, hold(HoldCode::NotAccepted, why), out);
            }
        }
        let result = turn.ended(now, result, self.offer.command);
        self.over(now, view, result, out);
    }

    /// Why a turn that seemed to end well may not have been the prompt's.
    fn untaken(&self, view: &View, cause: Option<Cause>) -> Option<&'static str> {
        if self.still_stands(view) {
            return Some(
                "a turn seemed to end, but the prompt still stands in the composer: the agent did not take it; look \
                 at the session, then retry or cancel",
            );
        }
        (cause == Some(Cause::Unworked)).then_some(
            "after the Enter a dialog came and went, but the agent was not seen at work: whether it took the prompt is \
             not known; look at the session, then retry or cancel",
        )
    }

    /// Whether the prompt, letter by letter, stands where it was typed.
    fn still_stands(&self, view: &View) -> bool {
        text::prompt(view, &self.offer)
            .is_ok_and(|text| matches!((view.shows)(&text), Shown::Text | Shown::Part))
    }

    /// A chore is done.
    pub fn done(&mut self, now: UnixMillis, view: &View, done: Done, out: &mut Vec<Effect>) {
        match (&mut self.phase, done) {
            (Phase::Preparing, Done::Prepared(Ok(prepared))) => self.prepared(now, view, prepared, out),
            (Phase::Preparing, Done::Prepared(Err(hold))) => self.hold(now, view, hold, out),
            (Phase::Verifying(_), Done::Verified(verification)) => {
                self.verified(now, verification, out);
                self.settle(now, view, out);
            }
            (Phase::Collecting(result), Done::Collected(changes)) => {
                self.kept.result = Some(PromptResult { changes, ..result.clone() });
                self.phase = Phase::Over;
                self.settle(now, view, out);
            }
            (Phase::Removing(verdict), Done::Removed(gone)) => {
                let verdict = verdict.clone();
                self.report(verdict, !gone, out);
            }
            _ => {}
        }
    }

    /// Somebody called it off.
    pub fn cancelled(&mut self, now: UnixMillis, view: &View, out: &mut Vec<Effect>) {
        let called_off =
            |reason: &str| Verdict::Ended(Box::new(PromptResult::new(Outcome::Cancelled, reason, "server")));
        match &mut self.phase {
            Phase::Preparing => {
                out.push(Effect::Abort(self.id()));
                self.tidy(now, view, called_off("called off before it was typed"), out);
            }
            Phase::Moving(_) => self.drop_untyped(now, view, "called off before it was typed", out),
            Phase::Typing(typing) if typing.is_submitted() => {
                let mut turn = Turn::new(now);
                turn.stop(now, Why::CalledOff);
                self.phase = Phase::Running(turn);
                out.push(Effect::Interrupt(view.recipe.interrupt.clone()));
            }
            Phase::Typing(_) => {
                let reason = "called off; its text may still stand in the composer, unsent";
                self.drop_untyped(now, view, reason, out);
            }
            Phase::Running(turn) => {
                turn.stop(now, Why::CalledOff);
                out.push(Effect::Interrupt(view.recipe.interrupt.clone()));
            }
            Phase::Verifying(result) => {
                out.push(Effect::Abort(self.offer.attempt));
                let reason = "called off while its result was being verified".to_owned();
                let result = PromptResult { outcome: Outcome::Cancelled, reason, ..result.clone() };
                self.collect(result, out);
                self.settle(now, view, out);
            }
            // Its turn is over, and what is left takes a moment.
            Phase::Counting(_)
            | Phase::Collecting(_)
            | Phase::Returning(..)
            | Phase::Removing(_)
            | Phase::Over => {}
        }
    }

    /// Called off before it was sent: the agent never saw it, so a work tree is of no use.
    fn drop_untyped(&mut self, now: UnixMillis, view: &View, reason: &str, out: &mut Vec<Effect>) {
        if let Some(tree) = self.kept.prepared.as_mut().and_then(|prepared| prepared.tree.as_mut()) {
            tree.remove = true;
        }
        let result = PromptResult::new(Outcome::Cancelled, reason, "server");
        self.tidy(now, view, Verdict::Ended(Box::new(result)), out);
    }

    /// The server has decided otherwise: nothing is reported, and nobody waits for what is still done.
    pub fn forgotten(&mut self, view: &View, out: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::Preparing | Phase::Verifying(_)) {
            out.push(Effect::Abort(self.id()));
        }
        let untyped = matches!(self.phase, Phase::Preparing | Phase::Moving(_));
        let useless = |tree: &&Tree| (tree.remove || untyped) && !tree.holds(&view.context.dir);
        if let Some(tree) = self.tree().filter(useless).cloned()
            && !matches!(self.phase, Phase::Removing(_))
        {
            self.run(Chore::Remove(tree), out);
        }
        self.phase = Phase::Over;
    }

    /// The program ended.
    pub fn exited(&mut self, now: UnixMillis, view: &View, status: i32, out: &mut Vec<Effect>) {
        self.gone = true;
        let reason = format!("the agent ended with status {status}");
        match &self.phase {
            Phase::Preparing => {
                out.push(Effect::Abort(self.id()));
                self.hold(now, view, hold(HoldCode::SessionGone, &reason), out);
            }
            Phase::Moving(_) => self.hold(now, view, hold(HoldCode::SessionGone, &reason), out),
            Phase::Typing(typing) => {
                let hold = match typing.is_written() {
                    false => hold(HoldCode::SessionGone, &reason),
                    true => {
                        let why = format!("{reason} while the prompt was being typed; retry or cancel it");
                        hold(HoldCode::Unknown, &why)
                    }
                };
                self.hold(now, view, hold, out);
            }
            Phase::Running(_) => {
                let cause = Some(Cause::Exited);
                let result = PromptResult { cause, ..PromptResult::new(Outcome::Failed, reason, "exit") };
                self.ended(now, view, result, out);
            }
            Phase::Returning(_, verdict) => {
                let verdict = verdict.clone();
                self.remove(verdict, out);
            }
            // Nobody is left who could tell more.
            Phase::Counting(_) => self.judge(now, view, out),
            // The turn is over: its verdict does not need the agent.
            Phase::Verifying(_) | Phase::Collecting(_) | Phase::Removing(_) | Phase::Over => {}
        }
    }
}
