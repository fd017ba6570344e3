//! What becomes of a prompt by a person's word. Must not: end a lease that a wrapper may still hold, but at a second
//! word while it is out of reach.

use wire::UnixMillis;

use super::words::{cancelled, given_up, gone_hold};
use super::{Effect, Job, NotNow, Phase, Reach, Then, Wish};

impl Job {
    pub(super) fn cancel(&mut self, reach: Reach) -> Result<Vec<Effect>, NotNow> {
        match &mut self.phase {
            Phase::Blocked
            | Phase::Pending { .. }
            | Phase::Held { then: Then::Again { .. } | Then::Person, .. } => {
                self.phase = Phase::Cancelled(cancelled("cancelled while it waited"));
                Ok(Vec::new())
            }
            Phase::Assigned { .. } | Phase::InProgress { .. } => Ok(self.ask(Wish::Cancel, reach)),
            Phase::Held { then: Then::Leased(lease), .. } => match reach {
                Reach::Connected => Ok(self.ask(Wish::Cancel, reach)),
                Reach::Gone => {
                    let attempt = lease.attempt;
                    self.phase = Phase::Cancelled(cancelled("given up while its session was out of reach"));
                    Ok(vec![Effect::EndLease(attempt, given_up())])
                }
            },
            Phase::Completed(_) | Phase::Failed(_) | Phase::Cancelled(_) => {
                Err(NotNow { why: "it has ended already" })
            }
        }
    }

    pub(super) fn retry(&mut self, reach: Reach, now: UnixMillis) -> Result<Vec<Effect>, NotNow> {
        let effects = match &self.phase {
            Phase::Held { then: Then::Leased(lease), .. } if reach == Reach::Gone => {
                vec![Effect::EndLease(lease.attempt, given_up())]
            }
            Phase::Held { then: Then::Again { .. } | Then::Person, .. } => Vec::new(),
            Phase::Failed(_) | Phase::Cancelled(_) | Phase::Blocked | Phase::Pending { .. } => Vec::new(),
            Phase::Held { .. } | Phase::Assigned { .. } | Phase::InProgress { .. } => {
                return Err(NotNow { why: "a session still has it; cancel or reassign it instead" });
            }
            Phase::Completed(_) => {
                return Err(NotNow {
                    why: "it was completed; send its text as a new prompt to run it again",
                });
            }
        };
        self.again(now);
        Ok(effects)
    }

    pub(super) fn reassign(&mut self, reach: Reach, now: UnixMillis) -> Result<Vec<Effect>, NotNow> {
        match &self.phase {
            Phase::Assigned { .. } | Phase::InProgress { .. } => Ok(self.ask(Wish::Reassign, reach)),
            Phase::Held { then: Then::Leased(_), .. } if reach == Reach::Connected => {
                Ok(self.ask(Wish::Reassign, reach))
            }
            Phase::Completed(_) => Err(NotNow { why: "it was completed" }),
            // It goes on waiting for the others.
            Phase::Blocked => Ok(Vec::new()),
            Phase::Held { .. } | Phase::Pending { .. } | Phase::Failed(_) | Phase::Cancelled(_) => {
                self.retry(reach, now)
            }
        }
    }

    /// Queues it again on a person's word, with one try at least.
    fn again(&mut self, now: UnixMillis) {
        self.phase = self.wait(now, now);
        self.refusals = 0;
        self.attempts = self.attempts.max(self.tried + 1);
    }

    /// Asks the wrapper to let go, or notes the wish until it is back.
    fn ask(&mut self, wish: Wish, reach: Reach) -> Vec<Effect> {
        let Some(mut lease) = self.lease() else { return Vec::new() };
        lease.wish = wish;
        match reach {
            Reach::Connected => {
                match &mut self.phase {
                    Phase::Assigned { lease: l, .. } | Phase::InProgress { lease: l } => *l = lease,
                    Phase::Held { then, .. } => *then = Then::Leased(lease),
                    Phase::Blocked
                    | Phase::Pending { .. }
                    | Phase::Completed(_)
                    | Phase::Failed(_)
                    | Phase::Cancelled(_) => {}
                }
                vec![Effect::AskCancel(lease.attempt)]
            }
            Reach::Gone => {
                self.phase = Phase::Held { hold: gone_hold(), then: Then::Leased(lease) };
                Vec::new()
            }
        }
    }
}
