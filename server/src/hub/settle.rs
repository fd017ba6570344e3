//! After a reconnect: the server's leases and the wrapper's word are brought together.
//!
//! Owns: what becomes of an attempt that one of the two does not know. Must not: let anything be typed twice.

use wire::prompt::{Attempt, Hold, HoldCode, Step};
use wire::wrapper::ToWrapper;
use wire::{SessionId, UnixMillis};

use super::Control;
use crate::job::{JobEvent, Wish, unknown_hold};
use crate::session::Settle;
use crate::store::Stored;

/// What is to be done about an attempt that the server has on a session.
#[derive(Debug, Clone, PartialEq)]
enum Verdict {
    /// Both know it.
    Agreed,
    /// The wrapper never saw it: the same offer is sent again.
    OfferAgain,
    /// The wrapper saw it but certainly wrote nothing: the lease is returned.
    Untyped(&'static str),
    /// Nobody knows whether it was typed.
    Unknown,
}

impl Control {
    /// Settles a session's leases, once all is in that the wrapper wrote before its hello.
    pub(super) fn settle(&mut self, session: &SessionId, now: UnixMillis) -> Stored<()> {
        let Some(live) = self.sessions.get_mut(session) else { return Ok(()) };
        let ended = live.ended();
        let ack = live.kept.ack;
        let due = live.link.as_mut().and_then(|link| link.settle.take_if(|s| ack >= s.last_seq));
        let active = match (due, ended) {
            (None, false) => return Ok(()),
            (Some(_), _) | (None, true) => self.store.active_attempt(session)?,
        };
        if let Some(settle) = due {
            self.forget_unknown(session, &settle, active.as_ref());
        }
        let Some(attempt) = active else { return Ok(()) };
        if ended {
            let gone = hold(HoldCode::SessionGone, "the session ended before the prompt was typed");
            let event = self.orphaned(furthest(&attempt), attempt.id, unknown_hold(), gone);
            return self.job(attempt.prompt, event, now);
        }
        match due {
            Some(settle) => self.act(&attempt, judge(&attempt, &settle), now),
            None => Ok(()),
        }
    }

    fn act(&mut self, attempt: &Attempt, verdict: Verdict, now: UnixMillis) -> Stored<()> {
        match verdict {
            Verdict::Agreed => {
                let accepted = furthest(attempt) >= Step::Accepted;
                self.job(attempt.prompt, JobEvent::Found(attempt.id, accepted), now)?;
                self.remind(attempt)
            }
            Verdict::OfferAgain => self.offer_again(attempt, now),
            Verdict::Untyped(why) => {
                let refused = JobEvent::Refused(attempt.id, hold(HoldCode::StaleFence, why));
                self.job(attempt.prompt, refused, now)
            }
            Verdict::Unknown => self.job(attempt.prompt, JobEvent::Refused(attempt.id, unknown_hold()), now),
        }
    }

    fn forget_unknown(&mut self, session: &SessionId, settle: &Settle, active: Option<&Attempt>) {
        if let Some(held) = settle.holds
            && active.is_none_or(|a| a.id != held)
            && let Some(line) = self.lines.get(session)
        {
            self.out.say(line, ToWrapper::Forget { attempt: held });
        }
    }

    /// Repeats a person's wish that came while the wrapper was away.
    fn remind(&mut self, attempt: &Attempt) -> Stored<()> {
        let Some(prompt) = self.store.prompt(attempt.prompt)? else { return Ok(()) };
        let wish = prompt.job.lease().map_or(Wish::None, |l| l.wish);
        if wish != Wish::None
            && let Some(line) = self.lines.get(&attempt.session)
        {
            self.out.say(line, ToWrapper::Cancel { attempt: attempt.id });
        }
        Ok(())
    }

    fn offer_again(&mut self, attempt: &Attempt, now: UnixMillis) -> Stored<()> {
        let Some(prompt) = self.store.prompt(attempt.prompt)? else { return Ok(()) };
        let wish = prompt.job.lease().map_or(Wish::None, |l| l.wish);
        if wish == Wish::None {
            // Whether the session has to move is found out anew: the gate is the judge.
            return self.offer(&prompt, attempt, true);
        }
        // It never arrived, and somebody wants it back: there is nothing to wait for.
        let back = hold(HoldCode::SessionGone, "the wrapper never had it");
        self.job(prompt.id, JobEvent::Refused(attempt.id, back), now)
    }
}

/// How far an attempt came.
fn furthest(attempt: &Attempt) -> Step {
    attempt.receipts.iter().map(|r| r.step).max().unwrap_or(Step::Leased)
}

/// Compares an attempt with what a hello said, all earlier reports being in.
///
/// Invariant: an intent without an end is never offered again, and neither is anything whose fence the wrapper has
/// gone beyond (then this database is older than the wrapper's memory).
fn judge(attempt: &Attempt, settle: &Settle) -> Verdict {
    if settle.holds == Some(attempt.id) {
        return Verdict::Agreed;
    }
    if settle.fence > attempt.fence {
        return Verdict::Unknown;
    }
    match furthest(attempt) {
        Step::Leased if settle.fence < attempt.fence => Verdict::OfferAgain,
        Step::Leased | Step::Offered | Step::Prepared => {
            Verdict::Untyped("the wrapper forgot it before it typed anything")
        }
        Step::Intent
        | Step::Written
        | Step::Seen
        | Step::Submitted
        | Step::Accepted
        | Step::Started
        | Step::Ended
        | Step::Verified => Verdict::Unknown,
    }
}

fn hold(code: HoldCode, text: &str) -> Hold {
    Hold { code, text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::prompt::Receipt;
    use wire::{AttemptId, PromptId};

    fn attempt(step: Step) -> Attempt {
        let at = UnixMillis(0);
        Attempt {
            id: AttemptId(4),
            prompt: PromptId(1),
            session: SessionId("s".into()),
            fence: 7,
            number: 1,
            receipts: vec![Receipt { step: Step::Leased, at }, Receipt { step, at }],
            result: None,
            progress: None,
        }
    }

    fn check(step: Step, holds: Option<i64>, fence: u64, verdict: Verdict) {
        let settle = Settle { last_seq: 0, holds: holds.map(AttemptId), fence };
        assert_eq!(judge(&attempt(step), &settle), verdict, "{step} holds {holds:?} fence {fence}");
    }

    #[test]
    fn g6_only_what_the_wrapper_never_saw_is_offered_again() {
        check(Step::Leased, None, 6, Verdict::OfferAgain);
        for step in Step::ALL.iter().copied() {
            check(step, Some(4), 7, Verdict::Agreed);
            let settle = Settle { last_seq: 0, holds: None, fence: 7 };
            assert_ne!(judge(&attempt(step), &settle), Verdict::OfferAgain);
        }
        for step in Step::ALL.iter().copied().filter(|s| *s >= Step::Intent) {
            check(step, None, 6, Verdict::Unknown);
            check(step, None, 7, Verdict::Unknown);
        }
    }

    #[test]
    fn g6_a_database_restored_from_a_backup_cannot_type_again() {
        for step in Step::ALL.iter().copied() {
            check(step, None, 8, Verdict::Unknown);
        }
    }
}
