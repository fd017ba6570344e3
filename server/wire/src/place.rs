//! Where the processes of one user meet: folders, sockets, token files.
//!
//! Owns: the names, and the creation of private folders. Must not: open sockets or read tokens.
//!
//! `MUSTER_HOME`, when set, holds everything (tests, second instances). Otherwise sockets are under
//! `$XDG_RUNTIME_DIR/muster` (else `~/.muster/run`), data under `$XDG_STATE_HOME/muster` (else
//! `~/.local/state/muster`), configuration under `$XDG_CONFIG_HOME/muster` (else `~/.config/muster`).

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};

use crate::SessionId;

/// The variable with the token that `assign` uses in place of the command line's own. Agents do not inherit it.
pub const TOKEN_VARIABLE: &str = "MUSTER_TOKEN";

/// What gives power or opens another's door: no process that works for a session inherits it.
pub const SECRETS: [&str; 5] = [
    TOKEN_VARIABLE,
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
    "OTEL_EXPORTER_OTLP_LOGS_HEADERS",
];

/// The folders of one user on one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Sockets and what else dies with the machine.
    pub run: PathBuf,
    /// Database, recordings, journals, tokens.
    pub state: PathBuf,
    /// What the user writes.
    pub config: PathBuf,
}

/// A folder that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Neither `MUSTER_HOME` nor `HOME` is set.
    #[error(
        "neither MUSTER_HOME nor HOME is set, so there is no place for sockets and data; set one of them"
    )]
    NoHome,
    /// The folder cannot be made or looked at.
    #[error("cannot use the folder {0}: {1}")]
    Io(PathBuf, io::Error),
    /// It is not a folder of ours alone.
    #[error("refusing the folder {0}: {1}; remove it or set MUSTER_HOME to a folder of your own")]
    NotPrivate(PathBuf, &'static str),
}

/// What the server writes into [`Place::server_file`] once it listens.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ServerFile {
    /// Its process.
    pub pid: i32,
    /// TCP port of the dashboard on loopback.
    pub port: u16,
    /// Its version.
    pub version: String,
}

impl Place {
    /// Finds the folders from the environment; creates nothing.
    pub fn from_env() -> Result<Self, PlaceError> {
        Self::find(|name| std::env::var_os(name).filter(|v| !v.is_empty()))
    }

    /// The same with the variables given, for tests.
    pub fn find(var: impl Fn(&str) -> Option<OsString>) -> Result<Self, PlaceError> {
        if let Some(home) = var("MUSTER_HOME") {
            let home = PathBuf::from(home);
            return Ok(Self {
                run: home.join("run"),
                state: home.join("state"),
                config: home.join("config"),
            });
        }
        let home = PathBuf::from(var("HOME").ok_or(PlaceError::NoHome)?);
        let base = |name: &str, fallback: &str| match var(name).map(PathBuf::from).filter(|p| p.is_absolute())
        {
            Some(dir) => dir.join("muster"),
            None => home.join(fallback),
        };
        Ok(Self {
            run: base("XDG_RUNTIME_DIR", ".muster/run"),
            state: base("XDG_STATE_HOME", ".local/state/muster"),
            config: base("XDG_CONFIG_HOME", ".config/muster"),
        })
    }

    /// Makes the folders for sockets and data, private, or says why they cannot be used.
    pub fn create(&self) -> Result<(), PlaceError> {
        for dir in [&self.run, &self.state, &self.sessions_run(), &self.sessions()] {
            private_dir(dir)?;
        }
        Ok(())
    }

    /// The server's socket for local clients: HTTP and WebSocket, as on TCP.
    pub fn server_socket(&self) -> PathBuf {
        self.run.join("assigner.sock")
    }

    /// Who serves this place, as it says itself; nothing when nobody does, or has not said so whole.
    pub fn serving(&self) -> Option<ServerFile> {
        serde_json::from_slice(&fs::read(self.server_file()).ok()?).ok()
    }

    /// Which process serves, and on which port; see [`ServerFile`].
    pub fn server_file(&self) -> PathBuf {
        self.run.join("assigner.json")
    }

    /// Token of the command line: may do everything.
    pub fn cli_token(&self) -> PathBuf {
        self.state.join("cli.token")
    }

    /// Token of this host's wrappers: may report and receive offers, nothing else.
    pub fn wrapper_token(&self) -> PathBuf {
        self.state.join("wrapper.token")
    }

    /// The server's database.
    pub fn database(&self) -> PathBuf {
        self.state.join("muster.db")
    }

    /// Sockets of the live sessions.
    pub fn sessions_run(&self) -> PathBuf {
        self.run.join("s")
    }

    /// The socket of one session's holder.
    pub fn session_socket(&self, id: &SessionId) -> PathBuf {
        self.sessions_run().join(format!("{id}.sock"))
    }

    /// Folders of all sessions: recordings and journals.
    pub fn sessions(&self) -> PathBuf {
        self.state.join("sessions")
    }

    /// Whether a session's program runs, or somebody watches it still.
    pub fn lives(&self, id: &SessionId) -> bool {
        UnixStream::connect(self.session_socket(id)).is_ok()
    }

    /// The folder of one session.
    pub fn session(&self, id: &SessionId) -> PathBuf {
        self.sessions().join(&id.0)
    }
}

/// Makes `dir` with mode 0700, with its parents, or checks that the one there is a real folder, our own and closed
/// to others. A folder is created private, never made private afterwards.
pub fn private_dir(dir: &Path) -> Result<(), PlaceError> {
    let fault = |e| PlaceError::Io(dir.to_owned(), e);
    if let Some(parent) = dir.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(fault)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(fault(e)),
    }
    let meta = fs::symlink_metadata(dir).map_err(fault)?;
    let refuse = |why| Err(PlaceError::NotPrivate(dir.to_owned(), why));
    if !meta.is_dir() {
        return refuse("it is not a folder");
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return refuse("it belongs to another user");
    }
    if meta.mode() & 0o077 != 0 {
        return refuse("others can look into it (chmod 700 would close it)");
    }
    Ok(())
}

/// Takes the lock in a session's folder that whoever observes the session holds; an error when somebody does.
pub fn observe(folder: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true).mode(0o600).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    let file = options.open(folder.join("journal.lock"))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn place(vars: &[(&str, &str)]) -> Result<Place, PlaceError> {
        Place::find(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)))
    }

    #[test]
    fn one_variable_moves_everything() {
        let found = place(&[("MUSTER_HOME", "/m"), ("HOME", "/h"), ("XDG_RUNTIME_DIR", "/r")]).unwrap();
        assert_eq!((found.run, found.state), (PathBuf::from("/m/run"), PathBuf::from("/m/state")));
    }

    #[test]
    fn relative_xdg_folders_are_ignored_as_the_standard_says() {
        let found = place(&[("HOME", "/h"), ("XDG_RUNTIME_DIR", "r"), ("XDG_STATE_HOME", "/s")]).unwrap();
        assert_eq!((found.run, found.state), (PathBuf::from("/h/.muster/run"), PathBuf::from("/s/muster")));
    }

    #[test]
    fn a25_planted_folders_are_refused() {
        let tmp = tempfile::tempdir().unwrap();
        private_dir(&tmp.path().join("a/b")).unwrap();
        let open = tmp.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        let link = tmp.path().join("link");
        symlink(tmp.path().join("a"), &link).unwrap();
        let file = tmp.path().join("file");
        fs::write(&file, "").unwrap();
        for planted in [open, link, file] {
            assert!(matches!(private_dir(&planted), Err(PlaceError::NotPrivate(..))), "{planted:?}");
        }
    }
}
