//! Names of live sessions: unique on this machine, found again when their owner died.
//!
//! A name is a file `NAME.name` beside the sessions' sockets that holds the session's id.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use wire::SessionId;
use wire::place::Place;

/// A name that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// Not a name.
    #[error(
        "'{0}' cannot be a session's name: use 1 to 64 letters, digits, '.', '_' or '-', not beginning with '-'"
    )]
    Invalid(String),
    /// A live session has it.
    #[error("a session named '{0}' is running; choose another name, or look with: wrap ls")]
    Taken(String),
    /// The file system refused.
    #[error("cannot register the name '{0}': {1}")]
    Io(String, io::Error),
}

/// Takes `name` for a session.
pub fn claim(place: &Place, name: &str, session: &str) -> Result<(), NameError> {
    let valid = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.len() > 64 || name.starts_with(['-', '.']) || !name.chars().all(valid) {
        return Err(NameError::Invalid(name.to_owned()));
    }
    let path = path(place, name);
    loop {
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(mut file) => {
                return file.write_all(session.as_bytes()).map_err(|e| NameError::Io(name.to_owned(), e));
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                if owner(place, name).is_some_and(|id| lives(place, &id)) {
                    return Err(NameError::Taken(name.to_owned()));
                }
                // Its session died without cleaning up. Whoever removes the file first goes on.
                let _ = std::fs::remove_file(&path);
            }
            Err(e) => return Err(NameError::Io(name.to_owned(), e)),
        }
    }
}

/// Takes the first free of `base-1`, `base-2`, ….
pub fn claim_any(place: &Place, base: &str, session: &str) -> Result<String, NameError> {
    let mut number = 1u32;
    loop {
        let name = format!("{base}-{number}");
        match claim(place, &name, session) {
            Err(NameError::Taken(_)) => number += 1,
            other => return other.map(|()| name),
        }
    }
}

/// Gives a name back.
pub fn release(place: &Place, name: &str, session: &str) {
    if owner(place, name).is_some_and(|id| id.0 == session) {
        let _ = std::fs::remove_file(path(place, name));
    }
}

/// The session that has a name, dead or alive.
pub fn owner(place: &Place, name: &str) -> Option<SessionId> {
    std::fs::read_to_string(path(place, name)).ok().map(SessionId)
}

/// Whether a session's holder answers its socket. A session that is just starting has none yet, but its starter
/// holds the name: a name without a socket counts as taken for its first seconds.
fn lives(place: &Place, id: &SessionId) -> bool {
    if place.lives(id) {
        return true;
    }
    let begun = std::fs::metadata(place.session(id)).and_then(|m| m.created());
    begun.is_ok_and(|t| t.elapsed().is_ok_and(|age| age.as_secs() < 5))
        && !place.session(id).join("000001.mrec").exists()
}

fn path(place: &Place, name: &str) -> PathBuf {
    place.sessions_run().join(format!("{name}.name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> (tempfile::TempDir, Place) {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let place = Place { run: at("run"), state: at("state"), config: at("config") };
        place.create().unwrap();
        (dir, place)
    }

    #[test]
    fn a_living_sessions_name_is_taken_and_a_dead_ones_is_free() {
        let (_dir, place) = place();
        claim(&place, "api", "one").unwrap();
        let socket =
            std::os::unix::net::UnixListener::bind(place.session_socket(&SessionId("one".into()))).unwrap();
        assert!(matches!(claim(&place, "api", "two"), Err(NameError::Taken(_))));
        drop(socket);
        claim(&place, "api", "two").unwrap();
        release(&place, "api", "one");
        assert_eq!(owner(&place, "api"), Some(SessionId("two".into())));
    }

    #[test]
    fn a63_names_that_could_be_paths_or_options_are_refused() {
        let (_dir, place) = place();
        for bad in ["", "-d", "a/b", "..", "a b", "\u{1b}[31m"] {
            assert!(matches!(claim(&place, bad, "x"), Err(NameError::Invalid(_))), "{bad:?}");
        }
    }
}
