//! Tokens in the database: only their SHA-256. Must not: see a token itself.

use rusqlite::{Row, params};
use wire::UnixMillis;
use wire::admin::{Bounds, Role, TokenRow};

use super::rows::{json, json_or_none, to_json};
use super::{Store, StoreError, Stored};

/// Whose a token is: how it came to be, and from where it may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The command line of this user.
    Admin,
    /// To be a wrapper, nothing else.
    Wrapper,
    /// A browser that was logged in.
    Browser,
    /// Made for a program or a person, with roles of its own.
    Token,
}

/// A token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredToken {
    /// SHA-256 of the whole token.
    pub hash: [u8; 32],
    /// Whose it is.
    pub scope: Scope,
    /// What it is called.
    pub name: String,
    /// What it allows; a wrapper's has none.
    pub roles: Vec<Role>,
    /// Since when there is one.
    pub created: UnixMillis,
    /// When it ends; `None`: not by itself.
    pub expires: Option<UnixMillis>,
    /// When it was last used.
    pub used: Option<UnixMillis>,
    /// How far it goes, when it is an agent's.
    pub bounds: Option<Bounds>,
}

impl Scope {
    /// Every member.
    pub const ALL: &[Self] = &[Scope::Admin, Scope::Wrapper, Scope::Browser, Scope::Token];

    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::Admin => "admin",
            Scope::Wrapper => "wrapper",
            Scope::Browser => "browser",
            Scope::Token => "token",
        }
    }
}

impl StoredToken {
    /// One that the server makes by itself: this user's command line and browsers may do everything.
    pub fn own(hash: [u8; 32], scope: Scope, created: UnixMillis, expires: Option<UnixMillis>) -> Self {
        let (name, roles) = match scope {
            Scope::Admin => ("cli", vec![Role::Admin]),
            Scope::Browser => ("browser", vec![Role::Admin]),
            Scope::Wrapper => ("wrapper", Vec::new()),
            Scope::Token => ("token", Vec::new()),
        };
        Self { hash, scope, name: name.to_owned(), roles, created, expires, used: None, bounds: None }
    }

    /// Whether it has not expired.
    pub fn is_valid(&self, now: UnixMillis) -> bool {
        self.expires.is_none_or(|end| end > now)
    }

    /// What names it: enough to find it, useless to use it.
    pub fn id(&self) -> String {
        Self::id_of(&self.hash)
    }

    /// The same of a token with this hash.
    pub fn id_of(hash: &[u8; 32]) -> String {
        wire::text::hex(&hash[..6])
    }

    /// As those see it who may; `own`: it is the one that they use.
    pub fn row(&self, own: bool) -> TokenRow {
        TokenRow {
            id: self.id(),
            name: self.name.clone(),
            roles: self.roles.clone(),
            created: self.created,
            expires: self.expires,
            used: self.used,
            own,
            bounds: self.bounds,
        }
    }
}

impl Store {
    /// Keeps a token; the command line's or a wrapper's replaces the one before it.
    pub fn save_token(&self, token: &StoredToken) -> Stored<()> {
        if matches!(token.scope, Scope::Admin | Scope::Wrapper) {
            self.db.execute("DELETE FROM tokens WHERE scope = ?1", [token.scope.as_str()])?;
        }
        let roles = to_json("roles", &token.roles)?;
        let bounds = token.bounds.map(|bounds| to_json("bounds", &bounds)).transpose()?;
        let (created, expires) = (token.created.0, token.expires.map(|end| end.0));
        self.db
            .prepare_cached(
                "INSERT INTO tokens (hash, scope, name, roles, created, expires, bounds)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                token.hash,
                token.scope.as_str(),
                token.name,
                roles,
                created,
                expires,
                bounds
            ])?;
        Ok(())
    }

    /// All tokens that have not expired, oldest first; forgets the others.
    pub fn tokens(&self, now: UnixMillis) -> Stored<Vec<StoredToken>> {
        self.db.execute("DELETE FROM tokens WHERE expires <= ?1", [now.0])?;
        let mut sql = self.db.prepare("SELECT * FROM tokens ORDER BY created, hash")?;
        sql.query_map([], |row| Ok(read(row)))?.map(|r| r?).collect()
    }

    /// Deletes a token. True: it was there.
    pub fn delete_token(&self, hash: &[u8; 32]) -> Stored<bool> {
        Ok(self.db.execute("DELETE FROM tokens WHERE hash = ?1", [hash])? == 1)
    }

    /// When tokens were last used; what is known already is not written again.
    pub fn tokens_used(&self, used: &[([u8; 32], UnixMillis)]) -> Stored<()> {
        let mut sql =
            self.db.prepare_cached("UPDATE tokens SET used = ?2 WHERE hash = ?1 AND used IS NOT ?2")?;
        used.iter().try_for_each(|(hash, at)| sql.execute(params![hash, at.0]).map(drop))?;
        Ok(())
    }
}

fn read(row: &Row<'_>) -> Stored<StoredToken> {
    let word: String = row.get("scope")?;
    let scope = Scope::ALL.iter().copied().find(|scope| scope.as_str() == word);
    Ok(StoredToken {
        hash: row.get("hash")?,
        scope: scope.ok_or(StoreError::Unreadable("scope", word))?,
        name: row.get("name")?,
        roles: json(row, "roles")?,
        created: UnixMillis(row.get("created")?),
        expires: row.get::<_, Option<i64>>("expires")?.map(UnixMillis),
        used: row.get::<_, Option<i64>>("used")?.map(UnixMillis),
        bounds: json_or_none(row, "bounds")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::MIGRATIONS;
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn credentials_from_before_there_were_roles_allow_what_they_did() {
        let mut db = Connection::open_in_memory().unwrap();
        MIGRATIONS.to_version(&mut db, 5).unwrap();
        for (n, scope) in [(1_u8, "admin"), (2, "wrapper"), (3, "browser"), (4, "browser")] {
            let sql = "INSERT INTO tokens (hash, scope, created, expires) VALUES (?1, ?2, ?3, 99)";
            db.execute(sql, params![[n; 32], scope, n]).unwrap();
        }
        MIGRATIONS.to_latest(&mut db).unwrap();
        let kept = Store { db }.tokens(UnixMillis(50)).unwrap();
        let own = |n: u8, scope| StoredToken::own([n; 32], scope, UnixMillis(n.into()), Some(UnixMillis(99)));
        let browser = Scope::Browser;
        assert_eq!(kept, [own(1, Scope::Admin), own(2, Scope::Wrapper), own(3, browser), own(4, browser)]);
    }
}
