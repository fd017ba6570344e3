//! Tokens that people make: checked, kept, revoked, each time in the audit log. Must not: see a token itself.

use wire::UnixMillis;
use wire::admin::{Bounds, NewToken, Role};
use wire::http::{Done, ErrorCode};

use super::Control;
use super::admin::named;
use super::command::By;
use crate::fault::Fault;
use crate::store::{Scope, Stored, StoredToken};

/// Most tokens that people may have made: each request is compared with all.
const TOKENS: usize = 500;
/// How deep agents' prompts may be.
const DEPTH: std::ops::RangeInclusive<u32> = 1..=100;
/// How many of an agent may be open.
const FAN_OUT: std::ops::RangeInclusive<u32> = 1..=10_000;
/// How many an agent may queue within an hour.
const PER_HOUR: std::ops::RangeInclusive<u32> = 1..=100_000;
/// Shortest and longest life, in milliseconds: a minute, ten years.
const LIFE: std::ops::RangeInclusive<u64> = 60_000..=10 * 366 * 24 * 60 * 60_000;

impl Control {
    pub(super) fn make_token(
        &mut self,
        hash: [u8; 32],
        asked: NewToken,
        by: &By,
        now: UnixMillis,
    ) -> Stored<Result<StoredToken, Fault>> {
        let asked = match checked(asked) {
            Ok(asked) => asked,
            Err(fault) => return Ok(Err(fault)),
        };
        let there = self.store.tokens(now)?;
        let mut made = there.iter().filter(|token| token.scope == Scope::Token);
        if made.clone().count() >= TOKENS {
            return Ok(Err(Fault::conflict(format!("there are {TOKENS} tokens"), "revoke some")));
        }
        if made.any(|token| token.name == asked.name) {
            return Ok(Err(Fault::conflict(
                format!("a token is called '{}' already", wire::text::escape(&asked.name)),
                "choose another name, or revoke that one first",
            )));
        }
        let expires = asked.life_ms.map(|life| UnixMillis(now.0.saturating_add_unsigned(life)));
        let token = StoredToken {
            name: asked.name,
            roles: asked.roles,
            bounds: asked.bounds,
            ..StoredToken::own(hash, Scope::Token, now, expires)
        };
        self.store.save_token(&token)?;
        let detail = serde_json::json!({ "id": token.id(), "roles": token.roles, "expires": token.expires, "bounds": token.bounds });
        self.audit(by.as_str(), "token.add", &format!("token {}", token.name), &detail, now)?;
        Ok(Ok(token))
    }

    pub(super) fn revoke_token(
        &mut self,
        token: &StoredToken,
        by: &By,
        now: UnixMillis,
    ) -> Stored<Result<Done, Fault>> {
        if !self.store.delete_token(&token.hash)? {
            let text = format!("there is no token '{}'", token.id());
            return Ok(Err(Fault::new(ErrorCode::NotFound, text, "it was revoked before, or has expired")));
        }
        let detail = serde_json::json!({ "id": token.id() });
        self.audit(by.as_str(), "token.revoke", &format!("token {}", token.name), &detail, now)?;
        Ok(Ok(Done { done: true }))
    }
}

/// What can be made: with a name, something that it allows, and an end that can be written down.
fn checked(mut asked: NewToken) -> Result<NewToken, Fault> {
    named("token", &asked.name)?;
    asked.roles.sort_unstable();
    asked.roles.dedup();
    if asked.roles.is_empty() {
        let words: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
        return Err(Fault::bad(
            "a token without a role opens nothing",
            format!("give it some: {}", words.join(", ")),
        ));
    }
    if asked.life_ms.is_some_and(|life| !LIFE.contains(&life)) {
        return Err(Fault::bad(
            "the token's life is shorter than a minute or longer than ten years",
            "leave it out for one without an end",
        ));
    }
    if let Some(bounds) = asked.bounds {
        check_bounds(&bounds, &asked.roles)?;
    }
    Ok(asked)
}

/// An agent's credential only looks and assigns, and goes a way that can be followed.
fn check_bounds(bounds: &Bounds, roles: &[Role]) -> Result<(), Fault> {
    if roles.iter().any(|role| !matches!(role, Role::Viewer | Role::Assigner)) {
        return Err(Fault::bad(
            "an agent's credential cannot type, approve or administer",
            "give it the role viewer or assigner",
        ));
    }
    let sound = DEPTH.contains(&bounds.depth)
        && FAN_OUT.contains(&bounds.fan_out)
        && PER_HOUR.contains(&bounds.per_hour);
    if sound {
        return Ok(());
    }
    let text = format!(
        "an agent's bounds are a depth of 1 to {}, 1 to {} open prompts, and 1 to {} within an hour",
        DEPTH.end(),
        FAN_OUT.end(),
        PER_HOUR.end()
    );
    Err(Fault::bad(text, "leave them out for 2, 10 and 60"))
}
