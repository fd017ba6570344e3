//! Who may do what: tokens, login codes, the slowing of those who guess.
//!
//! Owns: the check of credentials, in memory. Must not: write to the database (the control loop does), or tell a
//! client which part of a credential was wrong.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use wire::admin::{Bounds, Role, TokenRow};
use wire::{SessionId, UnixMillis};

use crate::hub::{Agent, By};
use crate::store::{Scope, StoredToken};
use crate::token::{Token, TokenError, random_hex};

/// How long a login code works.
pub const CODE_LIFE: Duration = Duration::from_secs(60);
/// How long a browser stays logged in, in milliseconds.
pub const COOKIE_LIFE: i64 = 30 * 24 * 60 * 60 * 1000;
/// Codes that may be open at once; the oldest is dropped.
const CODES: usize = 16;
/// Bad tries that cost nothing.
const FREE_TRIES: u32 = 5;
/// To which last uses are kept, in milliseconds.
const MINUTE: i64 = 60_000;
/// How long bad tries are remembered.
const MEMORY: Duration = Duration::from_secs(60);

/// What is said to a caller with the owner's credential that runs inside a session.
pub const WEAKENED: &str = "inside a session, the owner's credential looks and assigns, no more";

/// A caller whose credential is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Whose credential it is.
    pub scope: Scope,
    /// Which token it has.
    pub token: [u8; 32],
    /// What that is called.
    pub name: Arc<str>,
    /// What it allows.
    pub roles: Arc<[Role]>,
    /// Until when it is valid.
    pub expires: Option<UnixMillis>,
    /// How far it goes, when it is an agent.
    pub bounds: Option<Bounds>,
    /// The session that it says it runs in.
    pub session: Option<SessionId>,
}

impl Principal {
    /// Whoever has this token.
    pub fn of(token: &StoredToken) -> Self {
        let (name, roles) = (token.name.as_str().into(), token.roles.as_slice().into());
        let (expires, bounds) = (token.expires, token.bounds);
        Self { scope: token.scope, token: token.hash, name, roles, expires, bounds, session: None }
    }

    /// Leaves the owner's credential what an agent's has: it was used by a process of this session.
    pub fn weaken(&mut self, session: Option<SessionId>) {
        let name = session.as_ref().map_or("unseen", |session| &session.0);
        self.name = format!("session {name}").into();
        self.roles = [Role::Assigner].as_slice().into();
        self.bounds = Some(Bounds::default());
        self.session = session;
    }

    /// Whether that was done.
    pub fn is_weakened(&self) -> bool {
        self.scope == Scope::Admin && self.bounds.is_some()
    }

    /// The word for who it is, in the audit log.
    pub fn by(&self) -> By {
        let (word, token) = match self.scope {
            Scope::Browser => return By::Browser,
            Scope::Token => (format!("token {}", self.name), StoredToken::id_of(&self.token)),
            // The owner's credential inside a session: the session is who asks, and what its bounds are counted by.
            Scope::Admin | Scope::Wrapper => (self.name.to_string(), self.name.to_string()),
        };
        match self.bounds {
            Some(bounds) => {
                let (name, session) = (self.name.to_string(), self.session.clone());
                By::Agent(Box::new(Agent { word, name, token, bounds, session }))
            }
            None if self.scope == Scope::Token => By::Token(word),
            None => By::Cli,
        }
    }

    /// Whether it may do something. Invariant: a wrapper may nothing, and who has no role neither.
    pub fn may(&self, role: Role) -> bool {
        let has = |wanted| self.roles.contains(&wanted);
        let any = !self.roles.is_empty() && self.scope != Scope::Wrapper;
        // Everyone who is let in may look.
        any && (role == Role::Viewer || has(role) || has(Role::Admin))
    }
}

/// The credentials of this server.
pub struct Auth {
    inner: Mutex<Inner>,
}

struct Inner {
    tokens: Vec<StoredToken>,
    codes: Vec<Code>,
    bad: u32,
    last_bad: Option<Instant>,
}

struct Code {
    hash: [u8; 32],
    made: Instant,
}

/// What a try with a login code came to.
pub enum Login {
    /// It was right: this is the browser's new token, to be kept.
    In(Token, StoredToken),
    /// It was wrong, used, or too old.
    Wrong,
    /// Too many were wrong; try again after this.
    Wait(Duration),
}

impl Auth {
    /// With what the database knows.
    pub fn new(tokens: Vec<StoredToken>) -> Self {
        Self { inner: Mutex::new(Inner { tokens, codes: Vec::new(), bad: 0, last_bad: None }) }
    }

    /// Who a token belongs to. Compares with every token, in a time that does not tell where they differ.
    pub fn check(&self, text: &str, now: UnixMillis) -> Option<Principal> {
        let hash = Token::parse(text)?.hash();
        let mut inner = self.lock();
        let mut found = None;
        for (n, token) in inner.tokens.iter().enumerate() {
            if bool::from(token.hash.ct_eq(&hash)) && token.is_valid(now) {
                found = Some(n);
            }
        }
        let token = &mut inner.tokens[found?];
        token.used = Some(UnixMillis(now.0 - now.0.rem_euclid(MINUTE)));
        Some(Principal::of(token))
    }

    /// Whether a token is still there.
    pub fn knows(&self, hash: &[u8; 32]) -> bool {
        self.lock().tokens.iter().any(|token| token.hash == *hash)
    }

    /// The tokens of people, browsers and programs, for somebody who may see them.
    pub fn rows(&self, caller: &Principal, now: UnixMillis) -> Vec<TokenRow> {
        let inner = self.lock();
        let seen = inner.tokens.iter().filter(|token| token.scope != Scope::Wrapper && token.is_valid(now));
        seen.map(|token| token.row(token.hash == caller.token)).collect()
    }

    /// The token of such an id; a wrapper's is nobody's to name.
    pub fn named(&self, id: &str) -> Option<StoredToken> {
        let inner = self.lock();
        inner.tokens.iter().find(|token| token.scope != Scope::Wrapper && token.id() == id).cloned()
    }

    /// The token of this hash.
    pub fn of(&self, hash: &[u8; 32]) -> Option<StoredToken> {
        self.lock().tokens.iter().find(|token| token.hash == *hash).cloned()
    }

    /// When each token was last used, to the minute.
    pub fn used(&self) -> Vec<([u8; 32], UnixMillis)> {
        self.lock().tokens.iter().filter_map(|token| Some((token.hash, token.used?))).collect()
    }

    /// A token is revoked.
    pub fn forget(&self, hash: &[u8; 32]) {
        self.lock().tokens.retain(|token| token.hash != *hash);
    }

    /// How long the answer to a bad credential is held back.
    pub fn bad_try(&self, now: Instant) -> Duration {
        self.lock().bad_try(now)
    }

    /// A new login code.
    pub fn make_code(&self, now: Instant) -> Result<String, TokenError> {
        let code = random_hex()?;
        let mut inner = self.lock();
        inner.codes.retain(|c| now.duration_since(c.made) < CODE_LIFE);
        if inner.codes.len() >= CODES {
            inner.codes.remove(0);
        }
        inner.codes.push(Code { hash: Sha256::digest(&code).into(), made: now });
        Ok(code)
    }

    /// Tries a login code. A code works once.
    pub fn login(&self, code: &str, now: Instant, clock: UnixMillis) -> Result<Login, TokenError> {
        let hash: [u8; 32] = Sha256::digest(code).into();
        let mut inner = self.lock();
        if let Some(wait) = inner.closed(now) {
            return Ok(Login::Wait(wait));
        }
        inner.codes.retain(|c| now.duration_since(c.made) < CODE_LIFE);
        let mut found = None;
        for (n, known) in inner.codes.iter().enumerate() {
            if bool::from(known.hash.ct_eq(&hash)) {
                found = Some(n);
            }
        }
        let Some(n) = found else {
            inner.bad_try(now);
            return Ok(Login::Wrong);
        };
        inner.codes.remove(n);
        inner.bad = 0;
        let token = Token::make(Scope::Browser)?;
        let expires = Some(UnixMillis(clock.0 + COOKIE_LIFE));
        let stored = StoredToken::own(token.hash(), Scope::Browser, clock, expires);
        Ok(Login::In(token, stored))
    }

    /// A token that the database has now.
    pub fn admit(&self, token: StoredToken) {
        self.lock().tokens.push(token);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change under the lock is whole before anything can panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn bad_try(&mut self, now: Instant) -> Duration {
        if self.last_bad.is_some_and(|last| now.duration_since(last) > MEMORY) {
            self.bad = 0;
        }
        self.last_bad = Some(now);
        self.bad = self.bad.saturating_add(1);
        penalty(self.bad)
    }

    fn closed(&self, now: Instant) -> Option<Duration> {
        let until = self.last_bad? + penalty(self.bad);
        until.checked_duration_since(now).filter(|wait| !wait.is_zero())
    }
}

/// Nothing for the first tries, then doubling from a quarter of a second to eight seconds.
fn penalty(bad: u32) -> Duration {
    match bad.saturating_sub(FREE_TRIES) {
        0 => Duration::ZERO,
        over => Duration::from_millis(250) * (1 << (over - 1).min(5)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: UnixMillis = UnixMillis(0);

    #[test]
    fn a11_a_login_code_works_once_and_for_a_minute() {
        let auth = Auth::new(Vec::new());
        let start = Instant::now();
        let code = auth.make_code(start).unwrap();
        assert!(matches!(auth.login(&code, start, CLOCK).unwrap(), Login::In(..)));
        assert!(matches!(auth.login(&code, start, CLOCK).unwrap(), Login::Wrong));
        let code = auth.make_code(start).unwrap();
        let late = start + CODE_LIFE;
        assert!(matches!(auth.login(&code, late, CLOCK).unwrap(), Login::Wrong));
    }

    #[test]
    fn a16_after_five_bad_tries_each_further_one_waits_longer() {
        let auth = Auth::new(Vec::new());
        let start = Instant::now();
        for _ in 0..5 {
            assert!(matches!(auth.login("no", start, CLOCK).unwrap(), Login::Wrong));
        }
        assert!(matches!(auth.login("no", start, CLOCK).unwrap(), Login::Wrong));
        let Login::Wait(wait) = auth.login("no", start, CLOCK).unwrap() else { panic!("not slowed") };
        assert_eq!(wait, Duration::from_millis(250));
        let good = auth.make_code(start).unwrap();
        assert!(matches!(auth.login(&good, start, CLOCK).unwrap(), Login::Wait(_)));
        assert!(matches!(auth.login(&good, start + wait, CLOCK).unwrap(), Login::In(..)));
    }

    #[test]
    fn an_expired_or_unknown_token_is_nobody() {
        let token = Token::make(Scope::Browser).unwrap();
        let stored = StoredToken::own(token.hash(), Scope::Browser, UnixMillis(0), Some(UnixMillis(10)));
        let auth = Auth::new(vec![stored]);
        assert_eq!(auth.check(token.reveal(), UnixMillis(9)).map(|p| p.scope), Some(Scope::Browser));
        assert_eq!(auth.check(token.reveal(), UnixMillis(10)), None);
        assert_eq!(auth.check("muster_web_x", UnixMillis(0)), None);
    }
}
