//! Durable reports of wrappers. Must not: acknowledge before the commit, or take a report twice.

use wire::prompt::{Hold, Outcome, PromptResult, Receipt, Step};
use wire::session::{Exit, Source, State};
use wire::wrapper::{Numbered, Report, ToWrapper};
use wire::{AttemptId, SessionId, UnixMillis};

use super::Control;
use crate::job::{JobEvent, server_result};
use crate::metrics::Count;
use crate::session::{clamp, clamp_claim, clamp_context, clamp_dialog, clamp_event};
use crate::store::Stored;

/// Most changed files of a result that are kept.
const FILES: usize = 500;
/// Longest patch that is kept, in characters.
const DIFF: usize = 256 << 10;
/// Longest answer of an agent that is kept, in characters.
const ANSWER: usize = 64 << 10;

/// Longest piece of settled text, in bytes.
const TEXT: usize = 8 << 10;

impl Control {
    /// Takes reports in order. What was taken before is skipped; at a gap the wrapper is made to resume.
    pub(super) fn reports(
        &mut self,
        session: &SessionId,
        reports: Vec<Numbered>,
        now: UnixMillis,
    ) -> Stored<()> {
        for numbered in reports {
            let Some(live) = self.sessions.get_mut(session) else { return Ok(()) };
            if numbered.seq <= live.kept.ack {
                continue;
            }
            if numbered.seq != live.kept.ack + 1 {
                tracing::warn!(%session, seq = numbered.seq, ack = live.kept.ack, "a report is missing");
                if let Some(line) = self.lines.get(session) {
                    line.close();
                }
                break;
            }
            live.kept.ack = numbered.seq;
            live.kept.card.active = now;
            self.report(session, numbered, now)?;
        }
        let Some(live) = self.sessions.get(session) else { return Ok(()) };
        self.store.save_session(&live.kept)?;
        if let Some(line) = self.lines.get(session) {
            self.out.say(line, ToWrapper::Ack { seq: live.kept.ack });
        }
        self.out.sessions.insert(session.clone());
        self.stirred = true;
        self.settle(session, now)
    }

    fn report(&mut self, session: &SessionId, numbered: Numbered, now: UnixMillis) -> Stored<()> {
        let Some(live) = self.sessions.get_mut(session) else { return Ok(()) };
        let Numbered { seq, at, report } = numbered;
        match report {
            Report::State { mut claim, mut dialog } => {
                clamp_claim(&mut claim);
                dialog.iter_mut().for_each(clamp_dialog);
                self.store.append_state(session, seq, at, &claim)?;
                if !live.ended() {
                    live.claims(claim, now);
                    live.kept.card.dialog.clone_from(&dialog);
                    self.asks(session, dialog.as_ref(), now)?;
                }
            }
            Report::Event { mut event } => {
                clamp_event(&mut event);
                self.store.append_event(session, seq, &event)?;
                self.out.counts.push(Count::Event(event.kind, event.severity));
                self.out.events.push((session.clone(), seq, event));
            }
            Report::Text { offset, mut text } => {
                clamp(&mut text, TEXT);
                self.store.append_text(session, seq, at, offset, &text)?;
            }
            Report::Context { mut context } => {
                clamp_context(&mut context);
                self.store.append_context(session, seq, at, &context)?;
                self.out.counts.push(Count::Context);
                live.kept.card.context = context;
            }
            Report::Receipt { attempt, receipt } => self.receipt(session, attempt, receipt, seq, now)?,
            Report::Held { attempt, mut hold } => {
                clamp(&mut hold.text, 1_000);
                self.let_go(session, attempt, JobEvent::Refused(attempt, hold), now)?;
            }
            Report::Ended { attempt, mut result } => {
                clamp(&mut result.answer, ANSWER);
                clamp(&mut result.reason, 2_000);
                clamp(&mut result.source, 100);
                clamp_result(&mut result);
                if let Some(attempt) = self.store.attempt(attempt)? {
                    self.sum_up(session, &attempt, seq, &mut result)?;
                }
                self.let_go(session, attempt, JobEvent::Ended(attempt, result), now)?;
            }
            Report::Exited { exit } => {
                self.pool_lost(session, exit, now);
                self.exited(session, exit, at, now);
                self.asks(session, None, now)?;
                self.withdraw_questions(session, now)?;
            }
        }
        Ok(())
    }

    fn receipt(
        &mut self,
        session: &SessionId,
        id: AttemptId,
        receipt: Receipt,
        seq: u64,
        now: UnixMillis,
    ) -> Stored<()> {
        let Some(attempt) = self.store.attempt(id)?.filter(|a| a.session == *session) else {
            tracing::warn!(%session, attempt = %id, "a receipt for an attempt that is not the session's");
            return Ok(());
        };
        self.store.add_receipt(id, receipt)?;
        self.out.counts.push(Count::Receipt(receipt.step));
        if receipt.step == Step::Accepted
            && let Some(live) = self.sessions.get_mut(session)
        {
            self.store.accepted(id, seq, &live.kept.card.metrics)?;
            live.lease.iter_mut().filter(|l| l.attempt == id).for_each(|l| l.accepted = Some(now));
        }
        self.out.prompts.insert(attempt.prompt);
        self.job(attempt.prompt, JobEvent::Reached(id, receipt.step), now)
    }

    /// A wrapper's word that it has let go of an attempt.
    fn let_go(&mut self, session: &SessionId, id: AttemptId, event: JobEvent, now: UnixMillis) -> Stored<()> {
        let Some(attempt) = self.store.attempt(id)?.filter(|a| a.session == *session) else {
            tracing::warn!(%session, attempt = %id, "the end of an attempt that is not the session's");
            return Ok(());
        };
        self.job(attempt.prompt, event, now)
    }

    fn exited(&mut self, session: &SessionId, exit: Exit, at: UnixMillis, now: UnixMillis) {
        let Some(live) = self.sessions.get_mut(session) else { return };
        live.kept.card.exit = Some(exit);
        live.kept.card.dialog = None;
        live.kept.ended.get_or_insert(now);
        live.keyboard = None;
        let claim = &mut live.kept.card.claim;
        if claim.state != State::Exited {
            claim.state = State::Exited;
            claim.source = Source::Exit;
            claim.rule = "server.exited".to_owned();
            claim.evidence = format!("exit status {}", exit.status());
            claim.since = at;
            claim.background = false;
        }
    }

    /// An attempt whose session has ended without a word about it.
    pub(super) fn orphaned(&self, furthest: Step, attempt: AttemptId, unknown: Hold, gone: Hold) -> JobEvent {
        if furthest >= Step::Accepted {
            let failed = server_result(Outcome::Failed, "the session ended while the agent worked on it");
            return JobEvent::Ended(attempt, PromptResult { source: "exit".to_owned(), ..failed });
        }
        JobEvent::Refused(attempt, if furthest < Step::Intent { gone } else { unknown })
    }
}

/// Cuts what a result brings besides the answer.
fn clamp_result(result: &mut PromptResult) {
    clamp(&mut result.evidence, 400);
    result.until.iter_mut().for_each(|u| clamp(u, 200));
    result.verification.iter_mut().for_each(|v| clamp(&mut v.output, 16 << 10));
    if let Some(changes) = &mut result.changes {
        changes.cut |= changes.files.len() > FILES || changes.diff.len() > DIFF;
        changes.files.truncate(FILES);
        clamp(&mut changes.diff, DIFF);
    }
    // It is ours to add.
    result.summary = None;
}
