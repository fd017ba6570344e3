//! Whether an agent's provider can be used from a host: limits of use, and a circuit breaker. Pure.
//!
//! Owns: when a provider is left alone and when it is tried again. Must not: know sessions or prompts.

use wire::prompt::{Cause, Outcome, PromptResult};
use wire::text::counted;
use wire::{AttemptId, UnixMillis};

/// Failures in a row that open the breaker.
pub const FAILURES: u32 = 5;
/// How long it stays open, in milliseconds.
pub const OPEN: u64 = 60_000;
/// How long a limit is taken to last when nobody says so, in milliseconds; doubles with each in a row.
const LIMIT: u64 = 5 * 60_000;
/// Longest such guess.
const LIMIT_MAX: u64 = 60 * 60_000;

/// What the breaker does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Breaker {
    /// It lets everything through; so many failed in a row.
    #[default]
    Closed,
    /// It lets nothing through before this instant, then one.
    Open(UnixMillis),
    /// One is on its way, whose end decides.
    Probing(AttemptId),
}

/// A provider as seen from one host.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Provider {
    failures: u32,
    breaker: Breaker,
    limited: Option<UnixMillis>,
    /// Limits in a row of which nobody said how long they last.
    guesses: u32,
}

impl Provider {
    /// An attempt was given to one of its sessions.
    pub fn leased(&mut self, attempt: AttemptId) {
        if let Breaker::Open(_) = self.breaker {
            self.breaker = Breaker::Probing(attempt);
        }
    }

    /// An attempt ended.
    pub fn ended(&mut self, attempt: AttemptId, result: &PromptResult, now: UnixMillis) {
        if result.cause == Some(Cause::RateLimited) {
            self.limit(result.until_at, now);
        }
        let failed = match (result.outcome, result.cause) {
            (Outcome::Completed, _) => {
                *self = Self::default();
                return;
            }
            (Outcome::Failed, Some(Cause::ApiError | Cause::Auth | Cause::Exited)) => true,
            _ => false,
        };
        let probed = self.breaker == Breaker::Probing(attempt);
        match (failed, probed) {
            (true, _) => {
                self.failures += 1;
                if probed || self.failures >= FAILURES {
                    self.breaker = Breaker::Open(UnixMillis(now.0.saturating_add_unsigned(OPEN)));
                }
            }
            // It says nothing about the provider: the next one is let through.
            (false, true) => self.breaker = Breaker::Open(now),
            (false, false) => {}
        }
    }

    /// A limit of use was reached.
    pub fn limit(&mut self, until: Option<UnixMillis>, now: UnixMillis) {
        let until = match until.filter(|until| *until > now) {
            Some(until) => {
                self.guesses = 0;
                until
            }
            None => {
                let guess = LIMIT.saturating_mul(1 << self.guesses.min(8)).min(LIMIT_MAX);
                self.guesses += 1;
                UnixMillis(now.0.saturating_add_unsigned(guess))
            }
        };
        self.limited = Some(until);
    }

    /// Until when its limit lasts, if it does.
    pub fn limited(&self, now: UnixMillis) -> Option<UnixMillis> {
        self.limited.filter(|until| *until > now)
    }

    /// Why it takes nothing now.
    pub fn refusal(&self, agent: &str, now: UnixMillis) -> Option<String> {
        if let Some(until) = self.limited(now) {
            let minutes = until.since(now).div_ceil(60_000);
            let left = counted(minutes, "more minute");
            return Some(format!("the limit of use of {agent} is reached, for about {left}"));
        }
        match self.breaker {
            Breaker::Closed => None,
            Breaker::Open(until) if until <= now => None,
            Breaker::Open(_) => Some(format!(
                "{agent} failed {} times in a row; it is tried again within a minute",
                self.failures
            )),
            Breaker::Probing(_) => {
                Some(format!("{agent} failed often; one prompt tries whether it works again"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000);

    fn later(ms: u64) -> UnixMillis {
        UnixMillis(NOW.0.saturating_add_unsigned(ms))
    }

    fn result(outcome: Outcome, cause: Option<Cause>) -> PromptResult {
        PromptResult { cause, ..PromptResult::new(outcome, "", "test") }
    }

    fn failing() -> Provider {
        let mut provider = Provider::default();
        for n in 0..i64::from(FAILURES) {
            assert_eq!(provider.refusal("a", NOW), None, "after {n}");
            provider.ended(AttemptId(n), &result(Outcome::Failed, Some(Cause::ApiError)), NOW);
        }
        provider
    }

    #[test]
    fn five_failures_open_it_for_a_minute_and_then_one_is_let_through() {
        let mut provider = failing();
        assert!(provider.refusal("a", NOW).is_some());
        assert!(provider.refusal("a", later(OPEN - 1)).is_some());
        assert_eq!(provider.refusal("a", later(OPEN)), None);
        provider.leased(AttemptId(9));
        assert!(provider.refusal("a", later(OPEN)).is_some(), "only one");
        provider.ended(AttemptId(9), &result(Outcome::Failed, Some(Cause::ApiError)), later(OPEN));
        assert!(provider.refusal("a", later(2 * OPEN - 1)).is_some());
        provider.leased(AttemptId(10));
        provider.ended(AttemptId(10), &result(Outcome::Completed, None), later(2 * OPEN));
        assert_eq!(provider.refusal("a", later(2 * OPEN)), None);
    }

    #[test]
    fn a_probe_that_says_nothing_lets_the_next_through() {
        let mut provider = failing();
        provider.leased(AttemptId(9));
        provider.ended(AttemptId(9), &result(Outcome::Cancelled, None), later(OPEN));
        assert_eq!(provider.refusal("a", later(OPEN)), None);
    }

    #[test]
    fn what_the_task_did_wrong_is_not_the_providers_fault() {
        let mut provider = Provider::default();
        for cause in [Cause::VerifyFailed, Cause::Refused, Cause::Empty, Cause::Silent] {
            (0..9).for_each(|n| provider.ended(AttemptId(n), &result(Outcome::Failed, Some(cause)), NOW));
        }
        assert_eq!(provider.refusal("a", NOW), None);
    }

    #[test]
    fn a_limit_lasts_as_long_as_was_said_and_else_a_growing_while() {
        let limited =
            |until_at| PromptResult { until_at, ..result(Outcome::Failed, Some(Cause::RateLimited)) };
        let mut provider = Provider::default();
        provider.ended(AttemptId(1), &limited(Some(later(90_000))), NOW);
        assert!(provider.refusal("a", later(89_999)).is_some());
        assert_eq!(provider.refusal("a", later(90_000)), None);
        provider.ended(AttemptId(2), &limited(None), NOW);
        assert_eq!(provider.limited(NOW), Some(later(LIMIT)));
        provider.ended(AttemptId(3), &limited(None), NOW);
        assert_eq!(provider.limited(NOW), Some(later(2 * LIMIT)));
    }
}
