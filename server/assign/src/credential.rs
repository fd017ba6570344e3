//! Whose right a command uses: the owner's own, or a credential that was given. Must not: print a secret.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use wire::place::{Place, TOKEN_VARIABLE};

use crate::failure::Failure;

/// Longer than any token.
const MOST: u64 = 1024;

/// A credential.
pub enum Credential {
    /// The command line's own, in its file: it may do everything.
    Owner,
    /// One that `assign token add` made.
    Given(String),
}

impl Credential {
    /// That of a file, else of the variable, else the owner's.
    pub fn find(file: Option<&Path>) -> Result<Self, Failure> {
        if let Some(path) = file {
            let text = read(path)?;
            return sound(&text, &format!("the file {}", path.display()));
        }
        match std::env::var_os(TOKEN_VARIABLE).filter(|value| !value.is_empty()) {
            None => Ok(Self::Owner),
            Some(value) => sound(&value.to_string_lossy(), TOKEN_VARIABLE),
        }
    }

    /// The secret.
    pub fn token(&self, place: &Place) -> Result<String, Failure> {
        match self {
            Self::Given(token) => Ok(token.clone()),
            Self::Owner => {
                let path = place.cli_token();
                let text = std::fs::read_to_string(&path).map_err(|e| {
                    Failure::Unreachable(format!("cannot read the server's token {}: {e}", path.display()))
                })?;
                Ok(text.trim().to_owned())
            }
        }
    }
}

/// Reads a token's file, which others must not be able to read.
fn read(path: &Path) -> Result<String, Failure> {
    let bad = |why: String| Failure::Usage(format!("cannot use the token in {}: {why}", path.display()));
    let file = File::open(path).map_err(|e| bad(e.to_string()))?;
    let meta = file.metadata().map_err(|e| bad(e.to_string()))?;
    if !meta.is_file() {
        return Err(bad("it is not a file".to_owned()));
    }
    if meta.mode() & 0o077 != 0 {
        return Err(bad("others can read it; chmod 600 closes it, and a new token is safer".to_owned()));
    }
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text).map_err(|e| bad(e.to_string()))?;
    Ok(text)
}

fn sound(text: &str, whence: &str) -> Result<Credential, Failure> {
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::Usage(format!("{whence} holds no token; `assign token add` makes one")));
    }
    Ok(Credential::Given(token.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_token_is_read_from_a_file_that_nobody_else_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let with = |text: &str, mode| {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            Credential::find(Some(&file))
        };
        assert!(
            matches!(with("muster_tok_1\n", 0o600), Ok(Credential::Given(token)) if token == "muster_tok_1")
        );
        for (text, mode) in [("muster_tok_1", 0o644), ("", 0o600), ("a b", 0o600), ("a\u{7f}", 0o600)] {
            assert!(matches!(with(text, mode), Err(Failure::Usage(_))), "{text:?} {mode:o}");
        }
        assert!(matches!(Credential::find(Some(folder.path())), Err(Failure::Usage(_))));
        assert!(matches!(Credential::find(Some(&folder.path().join("no"))), Err(Failure::Usage(_))));
    }
}
