//! Pauses, and the holds and results that the server itself comes to. Must not: change a life.

use wire::prompt::{Hold, HoldCode, Outcome, PromptResult};

use super::{RETRY_PAUSE, RETRY_PAUSE_MAX};

/// Pause before the next try after `tried` tries: doubling, capped, spread by up to a quarter.
pub fn retry_pause(tried: u32, spread: f64) -> u64 {
    let base = RETRY_PAUSE.saturating_mul(1 << tried.saturating_sub(1).min(16)).min(RETRY_PAUSE_MAX);
    base + (base as f64 / 4.0 * spread.clamp(0.0, 1.0)) as u64
}

/// The hold of a prompt of which nobody knows whether it was typed.
pub fn unknown_hold() -> Hold {
    Hold {
        code: HoldCode::Unknown,
        text: "nobody knows whether it was typed: look at the session, then retry or cancel it".to_owned(),
    }
}

/// A result that the server itself came to.
pub fn server_result(outcome: Outcome, reason: &str) -> PromptResult {
    PromptResult::new(outcome, reason, "server")
}

pub(super) fn gone_hold() -> Hold {
    Hold {
        code: HoldCode::SessionGone,
        text: "its session is out of reach and may still have it: it is settled when the session is back; \
               asking once more gives the session up"
            .to_owned(),
    }
}

pub(super) fn cancelled(reason: &str) -> PromptResult {
    server_result(Outcome::Cancelled, reason)
}

pub(super) fn given_up() -> PromptResult {
    server_result(Outcome::Unknown, "a person gave the session up while it was out of reach")
}

/// What a refusal says about the attempt.
pub(super) fn refusal_result(hold: &Hold) -> PromptResult {
    let outcome = match hold.code {
        code if code.untyped() => Outcome::NotTyped,
        HoldCode::Person => Outcome::Cancelled,
        _ => Outcome::Unknown,
    };
    PromptResult { source: "wrapper".to_owned(), ..server_result(outcome, &hold.text) }
}
