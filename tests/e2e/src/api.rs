//! The server's HTTP interface over its Unix socket, for tests that ask more often than a process can be started.
//! Must not: be used where the command line is what is tested.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(30);

/// A client of one place.
#[derive(Debug, Clone)]
pub struct Api {
    socket: PathBuf,
    token: PathBuf,
}

impl Api {
    /// The server of the place `home`, which need not run yet.
    pub fn new(home: &Path) -> Self {
        Self { socket: home.join("run/assigner.sock"), token: home.join("state/cli.token") }
    }

    /// Reads.
    pub fn get(&self, path: &str) -> Result<Value, String> {
        self.ask("GET", path, "")
    }

    /// Changes.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.ask("POST", path, &body.to_string())
    }

    /// One request on a connection of its own; what went wrong, when there is no answer of success.
    fn ask(&self, method: &str, path: &str, body: &str) -> Result<Value, String> {
        let said = |fault: std::io::Error| format!("{method} {path}: {fault}");
        let token = std::fs::read_to_string(&self.token).map_err(said)?;
        let mut stream = UnixStream::connect(&self.socket).map_err(said)?;
        stream.set_read_timeout(Some(ANSWER)).map_err(said)?;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            token.trim(),
            body.len()
        );
        stream.write_all(request.as_bytes()).map_err(said)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map_err(said)?;
        let text = String::from_utf8_lossy(&answer);
        let (head, body) =
            text.split_once("\r\n\r\n").ok_or_else(|| format!("{method} {path}: the answer is cut"))?;
        match head.split(' ').nth(1).is_some_and(|status| status.starts_with('2')) {
            true => serde_json::from_str(body).map_err(|e| format!("{method} {path}: {e}: {body}")),
            false => Err(format!("{method} {path}: {body}")),
        }
    }
}
