//! Tokens: made, written to a private file, read back, hashed. Must not: log one, or keep one longer than needed.
//!
//! A token is `muster_<kind>_<64 hex digits>_<8 hex digits>`: 256 random bits and the start of their SHA-256, so that
//! a scanner for leaked secrets finds it and a mistyped one is told apart from a wrong one.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use sha2::{Digest, Sha256};
use wire::text::hex;

use crate::store::Scope;

/// A secret. Has no `Debug`: it must not get into a log.
pub struct Token(String);

/// A token file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The system gave no random bytes.
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
    /// The file cannot be made or read.
    #[error("cannot use the token file {0}: {1}")]
    Io(String, io::Error),
    /// Others could read it.
    #[error("refusing the token file {0}: {1}; remove it, and the server makes a new one")]
    NotPrivate(String, &'static str),
    /// It holds something else.
    #[error("the token file {0} holds no valid token; remove it, and the server makes a new one")]
    Malformed(String),
}

impl Token {
    /// A new token.
    pub fn make(scope: Scope) -> Result<Self, TokenError> {
        let secret = random_hex()?;
        Ok(Self(format!("{}{secret}_{}", prefix(scope), checksum(&secret))))
    }

    /// The token in a text, if it is whole: right prefix, right length, right checksum.
    pub fn parse(text: &str) -> Option<Self> {
        let scope = Scope::ALL.iter().find(|s| text.starts_with(prefix(**s)))?;
        let (secret, sum) = text[prefix(*scope).len()..].split_once('_')?;
        let hex = secret.len() == 64 && secret.chars().all(|c| c.is_ascii_hexdigit());
        (hex && checksum(secret) == sum).then(|| Self(text.to_owned()))
    }

    /// What the database keeps.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.0).into()
    }

    /// The token itself, to hand to whom it belongs.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Reads the token of a file, or makes both. The file is created private, never made private afterwards.
    pub fn of_file(path: &Path, scope: Scope) -> Result<Self, TokenError> {
        let name = path.display().to_string();
        let open = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(path);
        match open {
            Ok(mut file) => {
                let token = Self::make(scope)?;
                let written = writeln!(file, "{}", token.0).and_then(|()| file.sync_all());
                written.map_err(|e| TokenError::Io(name, e))?;
                Ok(token)
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Self::read_file(path),
            Err(e) => Err(TokenError::Io(name, e)),
        }
    }

    /// Reads the token of a file, if the file is ours alone.
    pub fn read_file(path: &Path) -> Result<Self, TokenError> {
        let name = path.display().to_string();
        let fault = |e| TokenError::Io(name.clone(), e);
        let file = OpenOptions::new()
            .read(true)
            .custom_flags((rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK).bits().cast_signed())
            .open(path)
            .map_err(fault)?;
        let meta = file.metadata().map_err(fault)?;
        if !meta.is_file() {
            return Err(TokenError::NotPrivate(name, "it is not a file"));
        }
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return Err(TokenError::NotPrivate(name, "it belongs to another user"));
        }
        if meta.mode() & 0o077 != 0 {
            return Err(TokenError::NotPrivate(name, "others can read it"));
        }
        let mut text = String::new();
        file.take(1024).read_to_string(&mut text).map_err(fault)?;
        Self::parse(text.trim()).ok_or(TokenError::Malformed(name))
    }
}

/// 256 random bits as 64 hex digits.
pub fn random_hex() -> Result<String, TokenError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(TokenError::Random)?;
    Ok(hex(&bytes))
}

fn prefix(scope: Scope) -> &'static str {
    match scope {
        Scope::Admin => "muster_cli_",
        Scope::Wrapper => "muster_wrap_",
        Scope::Browser => "muster_web_",
        Scope::Token => "muster_api_",
    }
}

fn checksum(secret: &str) -> String {
    hex(&Sha256::digest(secret)[..4])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a19_a_token_is_random_recognisable_and_checked() {
        let one = Token::make(Scope::Admin).unwrap();
        let two = Token::make(Scope::Admin).unwrap();
        assert_ne!(one.reveal(), two.reveal());
        assert!(one.reveal().starts_with("muster_cli_"));
        assert!(Token::parse(one.reveal()).is_some());
        let mut wrong = one.reveal().to_owned();
        let last = if wrong.pop() == Some('0') { '1' } else { '0' };
        wrong.push(last);
        assert!(Token::parse(&wrong).is_none());
        assert!(Token::parse("muster_cli_00_00").is_none());
    }

    #[test]
    fn a26_the_file_is_private_from_its_first_moment_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t");
        let made = Token::of_file(&path, Scope::Wrapper).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Token::of_file(&path, Scope::Wrapper).unwrap().reveal(), made.reveal());
    }

    #[test]
    fn a27_a_file_that_others_can_read_or_that_was_planted_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t");
        Token::of_file(&path, Scope::Admin).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Token::read_file(&path), Err(TokenError::NotPrivate(..))));
        let link = dir.path().join("link");
        symlink(dir.path().join("nowhere"), &link).unwrap();
        assert!(matches!(Token::of_file(&link, Scope::Admin), Err(TokenError::Io(..))));
        assert!(matches!(Token::read_file(dir.path()), Err(TokenError::NotPrivate(..))));
    }
}
