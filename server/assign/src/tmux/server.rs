//! The one way to a tmux server. Must not: hand anything to a shell, or believe what a pane prints.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use wire::text::escape;

use crate::failure::Failure;

/// The oldest tmux that does what is asked of it here.
const LEAST: (u32, u32) = (3, 3);

/// A tmux server that runs.
#[derive(Debug)]
pub struct Server {
    socket: Option<PathBuf>,
}

impl Server {
    /// The one that is named, else the one that this runs in, else the user's own. It must run, and be no older than 3.3.
    pub fn find(socket: Option<PathBuf>) -> Result<Self, Failure> {
        let server = Self { socket: socket.or_else(|| inside(std::env::var("TMUX").ok()?.as_str())) };
        let version = server.run(&["display-message", "-p", "#{version}"])?;
        match read_version(version.trim()) {
            Some(version) if version < LEAST => Err(Failure::Refused(format!(
                "this tmux server is of version {}.{}; Muster needs {}.{} or newer: install it, and start tmux anew",
                version.0, version.1, LEAST.0, LEAST.1
            ))),
            // Builds between releases are called `next-3.6` or `master`.
            _ => Ok(server),
        }
    }

    /// Where it listens.
    pub fn socket(&self) -> Result<String, Failure> {
        let told = self.run(&["display-message", "-p", "#{socket_path}"])?;
        Ok(told.trim_end_matches('\n').to_owned())
    }

    /// Runs a command of tmux, and gives what it prints.
    pub fn run(&self, arguments: &[&str]) -> Result<String, Failure> {
        self.tmux(arguments.iter().map(|argument| whole(argument)), None)
    }

    /// The same with a text on its standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Result<String, Failure> {
        self.tmux(arguments.iter().map(|argument| whole(argument)), Some(input))
    }

    /// Several commands by one process; when one fails, those after it are left out.
    pub fn run_all(&self, commands: &[Vec<String>]) -> Result<(), Failure> {
        let whole = commands.iter().map(|command| command.iter().map(|argument| whole(argument)).collect());
        let arguments = whole.collect::<Vec<Vec<_>>>().join(&";".to_owned());
        self.tmux(arguments, None).map(|_| ())
    }

    fn tmux(
        &self,
        arguments: impl IntoIterator<Item = String>,
        input: Option<&str>,
    ) -> Result<String, Failure> {
        // `-u`: what is not ASCII stays what it is, whatever the locale says.
        let mut command = Command::new("tmux");
        command.arg("-u");
        if let Some(socket) = &self.socket {
            command.arg("-S").arg(socket);
        }
        command.args(arguments);
        command.stdin(input.map_or_else(Stdio::null, |_| Stdio::piped()));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let done = command.spawn().and_then(|mut child| {
            if let (Some(text), Some(mut to)) = (input, child.stdin.take()) {
                to.write_all(text.as_bytes())?;
            }
            child.wait_with_output()
        });
        let output = done.map_err(|e| {
            Failure::failed(format!("cannot run tmux: {e}; install tmux {}.{} or newer", LEAST.0, LEAST.1))
        })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(self.complaint(&output))
    }

    fn complaint(&self, output: &Output) -> Failure {
        let text = String::from_utf8_lossy(&output.stderr);
        let text = text.trim();
        if text.starts_with("can't find pane") {
            return Failure::NotFound(format!("tmux: {}; `assign tmux ls` lists the panes", escape(text)));
        }
        let absent = ["no server running", "error connecting", "server exited", "lost server"];
        if absent.iter().any(|beginning| text.starts_with(beginning)) {
            let which = self.socket.as_deref().map(shown).unwrap_or_default();
            return Failure::Unreachable(format!(
                "no tmux server runs{which}; start tmux, or name the socket of one: assign tmux --socket PATH"
            ));
        }
        Failure::failed(format!("tmux: {}", escape(text)))
    }
}

fn shown(socket: &Path) -> String {
    format!(" at {}", escape(&socket.display().to_string()))
}

/// The socket in tmux's variable: `SOCKET,PID,SESSION`.
fn inside(variable: &str) -> Option<PathBuf> {
    variable.split(',').next().filter(|socket| !socket.is_empty()).map(PathBuf::from)
}

/// An argument that tmux takes as it is: a `;` at its end would begin another command.
fn whole(argument: &str) -> String {
    match argument.strip_suffix(';') {
        Some(rest) => format!("{rest}\\;"),
        None => argument.to_owned(),
    }
}

/// The first two numbers of a version such as `3.3a`.
fn read_version(text: &str) -> Option<(u32, u32)> {
    let (major, rest) = text.split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_those_between_releases_are_not_refused() {
        assert_eq!(["3.3a", "3.10", "2.9"].map(read_version), [Some((3, 3)), Some((3, 10)), Some((2, 9))]);
        assert_eq!(["master", "next-3.6", ""].map(read_version), [None; 3]);
        assert!(read_version("3.10") > Some(LEAST));
    }

    #[test]
    fn no_argument_becomes_a_second_command() {
        assert_eq!(["a;", "a\\;", ";", "a;b", ""].map(whole), ["a\\;", "a\\\\;", "\\;", "a;b", ""]);
    }

    #[test]
    fn the_socket_is_what_stands_before_the_first_comma() {
        assert_eq!(inside("/tmp/t/default,12,0"), Some(PathBuf::from("/tmp/t/default")));
        assert_eq!(inside(""), None);
    }
}
