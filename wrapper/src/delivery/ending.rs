//! What follows a turn: verification, changes, what was made for the attempt, the report. Must not: type a prompt.

use wire::UnixMillis;
use wire::prompt::{Cause, Hold, Outcome, PromptResult, Step, Verification, Worktree};
use wire::wrapper::Report;

use super::Effect;
use super::attempt::{Attempt, Phase, Verdict};
use super::moving::Move;
use crate::chore::{Chore, Tree};
use crate::gate::{View, Wanted};

/// How long it is waited for what a turn used, in milliseconds: a completed one tells it for sure, if late.
const COUNT_MS: u64 = 2_000;

/// The same for one that did not complete, of which the agent may write down nothing more.
const BROKEN_MS: u64 = 500;

/// Longest time that a verification may take.
const VERIFY_MS: u64 = 30 * 60_000;

impl Attempt {
    /// The turn is over.
    pub(super) fn over(&mut self, now: UnixMillis, view: &View, result: PromptResult, out: &mut Vec<Effect>) {
        self.kept.result = Some(result);
        if self.kept.dir.is_empty() {
            // The observer before this one kept nothing.
            self.kept.dir.clone_from(&view.context.dir);
        }
        let counted = view.counted || self.gone;
        if self.offer.verify.is_some() || self.kept.base.is_some() || self.kept.prepared.is_some() || !counted
        {
            out.push(Effect::Keep(self.kept.clone()));
        }
        self.step(now, Step::Ended, out);
        self.phase = Phase::Counting(now);
        if counted {
            self.judge(now, view, out);
        }
    }

    /// Goes on once it was told what the turn used, or that took too long.
    pub(super) fn count(&mut self, now: UnixMillis, view: &View, since: UnixMillis, out: &mut Vec<Effect>) {
        let completed = |result: &PromptResult| result.outcome == Outcome::Completed;
        let patience = if self.kept.result.as_ref().is_some_and(completed) { COUNT_MS } else { BROKEN_MS };
        if view.counted || now.since(since) >= patience {
            self.judge(now, view, out);
        }
    }

    /// Finds the verdict.
    pub(super) fn judge(&mut self, now: UnixMillis, view: &View, out: &mut Vec<Effect>) {
        self.verify(out);
        self.settle(now, view, out);
    }

    /// An observer before this one knew how the turn ended, and did not come to the verdict.
    pub fn conclude(&mut self, out: &mut Vec<Effect>) {
        self.verify(out);
        if self.is_over()
            && let Some(result) = self.kept.result.take()
        {
            self.report(Verdict::Ended(Box::new(result)), true, out);
        }
    }

    /// Has the result verified, if that was asked for; else goes on to what changed.
    fn verify(&mut self, out: &mut Vec<Effect>) {
        let result = self.kept.result.clone();
        let result =
            result.unwrap_or_else(|| PromptResult::new(Outcome::Unknown, "its end was not kept", "server"));
        match &self.offer.verify {
            Some(command) if result.outcome == Outcome::Completed && result.verification.is_none() => {
                let limit_ms = self.offer.timeout_ms.min(VERIFY_MS);
                let (command, dir) = (command.clone(), self.kept.dir.clone());
                self.run(Chore::Verify { command, dir, env: self.wanted.env.clone(), limit_ms }, out);
                self.phase = Phase::Verifying(result);
            }
            _ => self.collect(result, out),
        }
    }

    pub(super) fn verified(&mut self, now: UnixMillis, verification: Verification, out: &mut Vec<Effect>) {
        let Phase::Verifying(result) = std::mem::replace(&mut self.phase, Phase::Over) else { return };
        self.step(now, Step::Verified, out);
        let mut result = PromptResult { source: "verify".to_owned(), ..result };
        if verification.status != Some(0) {
            result.outcome = Outcome::Failed;
            result.cause = Some(Cause::VerifyFailed);
            let how = match verification.status {
                Some(status) => format!("ended with status {status}"),
                None => "took longer than allowed".to_owned(),
            };
            result.reason = format!("the verification `{}` {how}", verification.command);
        }
        result.verification = Some(verification);
        self.kept.result = Some(result.clone());
        out.push(Effect::Keep(self.kept.clone()));
        self.collect(result, out);
    }

    /// Finds what changed, if the task named a directory under git. Else nothing remains but to settle.
    pub(super) fn collect(&mut self, result: PromptResult, out: &mut Vec<Effect>) {
        self.phase = Phase::Over;
        self.kept.result = Some(result.clone());
        if let Some(base) = self.kept.base.clone() {
            let (dir, patch) = (self.kept.dir.clone(), self.tree().is_some());
            self.run(Chore::Collect { dir, base, patch }, out);
            self.phase = Phase::Collecting(result);
        }
    }

    /// Unless something is still to be found out: what was made for the attempt goes, and it is reported.
    pub(super) fn settle(&mut self, now: UnixMillis, view: &View, out: &mut Vec<Effect>) {
        if self.is_over()
            && let Some(result) = self.kept.result.take()
        {
            self.tidy(now, view, Verdict::Ended(Box::new(result)), out);
        }
    }

    /// Nothing was typed, or nobody knows what came of it.
    pub(super) fn hold(&mut self, now: UnixMillis, view: &View, hold: Hold, out: &mut Vec<Effect>) {
        self.tidy(now, view, Verdict::Held(hold), out);
    }

    pub(super) fn tree(&self) -> Option<&Tree> {
        self.kept.prepared.as_ref().and_then(|prepared| prepared.tree.as_ref())
    }

    /// Removes the work tree that is not to stay, after the session has left it; then reports.
    pub(super) fn tidy(&mut self, now: UnixMillis, view: &View, verdict: Verdict, out: &mut Vec<Effect>) {
        let goes = |tree: &Tree| match &verdict {
            Verdict::Held(hold) => hold.code.untyped(),
            Verdict::Ended(_) => tree.remove,
        };
        let Some(tree) = self.tree().filter(|tree| goes(tree)) else {
            return self.report(verdict, true, out);
        };
        let inside = !self.gone && tree.holds(&view.context.dir);
        let former = self.kept.former.clone().unwrap_or_else(|| tree.repo.clone());
        if !inside {
            return self.remove(verdict, out);
        }
        let back = Wanted { dir: Some(former), ..Wanted::default() };
        match Move::begin(now, view, back) {
            Ok((going, effect)) => {
                out.push(effect);
                self.phase = Phase::Returning(going, verdict);
            }
            // It works on, asks something, or a person is there: the work tree stays.
            Err(_) => self.report(verdict, true, out),
        }
    }

    pub(super) fn remove(&mut self, verdict: Verdict, out: &mut Vec<Effect>) {
        match self.tree().cloned() {
            Some(tree) => {
                self.run(Chore::Remove(tree), out);
                self.phase = Phase::Removing(verdict);
            }
            None => self.report(verdict, true, out),
        }
    }

    pub(super) fn report(&mut self, verdict: Verdict, kept: bool, out: &mut Vec<Effect>) {
        self.phase = Phase::Over;
        let attempt = self.id();
        let report = match verdict {
            Verdict::Held(hold) => Report::Held { attempt, hold },
            Verdict::Ended(mut result) => {
                let made =
                    |tree: &Tree| Worktree { path: tree.path.clone(), branch: tree.branch.clone(), kept };
                result.worktree = self.tree().map(made);
                Report::Ended { attempt, result: *result }
            }
        };
        out.push(Effect::Report(report));
    }
}
