//! Tokens in the database: only their SHA-256. Must not: see a token itself.

use rusqlite::params;
use wire::UnixMillis;

use super::{Store, StoreError, Stored};

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everything: the command line of this user.
    Admin,
    /// To be a wrapper, nothing else.
    Wrapper,
    /// What the dashboard does: a browser that was logged in.
    Browser,
}

/// A token as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredToken {
    /// SHA-256 of the whole token.
    pub hash: [u8; 32],
    /// What it allows.
    pub scope: Scope,
    /// When it ends; `None`: not by itself.
    pub expires: Option<UnixMillis>,
}

impl Scope {
    /// Every member.
    pub const ALL: &[Self] = &[Scope::Admin, Scope::Wrapper, Scope::Browser];

    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Admin => "admin",
            Scope::Wrapper => "wrapper",
            Scope::Browser => "browser",
        }
    }
}

impl Store {
    /// Keeps a token; an admin or wrapper token replaces the one before it.
    pub fn save_token(&self, token: &StoredToken, now: UnixMillis) -> Stored<()> {
        if token.scope != Scope::Browser {
            self.db.execute("DELETE FROM tokens WHERE scope = ?1", [token.scope.as_str()])?;
        }
        let mut sql = self
            .db
            .prepare_cached("INSERT INTO tokens (hash, scope, created, expires) VALUES (?1, ?2, ?3, ?4)")?;
        sql.execute(params![token.hash, token.scope.as_str(), now.0, token.expires.map(|t| t.0)])?;
        Ok(())
    }

    /// All tokens that have not expired; forgets the others.
    pub fn tokens(&self, now: UnixMillis) -> Stored<Vec<StoredToken>> {
        self.db.execute("DELETE FROM tokens WHERE expires <= ?1", [now.0])?;
        let mut sql = self.db.prepare("SELECT hash, scope, expires FROM tokens")?;
        let rows = sql.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)))?;
        rows.map(|row| {
            let (hash, word, expires): ([u8; 32], String, Option<i64>) = row?;
            let scope = Scope::ALL.iter().copied().find(|s| s.as_str() == word);
            let scope = scope.ok_or(StoreError::Unreadable("scope", word))?;
            Ok(StoredToken { hash, scope, expires: expires.map(UnixMillis) })
        })
        .collect()
    }
}
