//! A real tmux server of the test's own. Must not: touch the user's.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::PATIENCE;

/// A tmux server with one window.
pub struct Tmux {
    socket: String,
    /// tmux gives a new window the search path of who asked for it, so all commands are run with the same.
    env: Vec<(String, OsString)>,
}

impl Tmux {
    /// Starts a server whose only window runs `command`. `None` when there is no tmux on this machine.
    pub fn start(folder: &Path, env: &[(&str, &Path)], command: &str) -> Option<Self> {
        let socket = folder.join("tmux.sock").to_string_lossy().into_owned();
        let env =
            env.iter().map(|(name, value)| ((*name).to_owned(), value.as_os_str().to_owned())).collect();
        let tmux = Self { socket, env };
        let mut start = tmux.command(&["-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30"]);
        start.env_remove("TMUX").current_dir(folder).arg(command);
        start.status().is_ok_and(|status| status.success()).then_some(tmux)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-S", &self.socket]).args(arguments).envs(self.env.iter().map(|(n, v)| (n, v)));
        command
    }

    /// Its socket.
    pub fn socket(&self) -> &str {
        &self.socket
    }

    /// Runs a tmux command; its output.
    pub fn run(&self, arguments: &[&str]) -> String {
        let out = self.command(arguments).output().expect("tmux runs");
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// Types keys, by tmux's names.
    pub fn keys(&self, keys: &[&str]) {
        self.run(&[&["send-keys"], keys].concat());
    }

    /// What the active pane shows.
    pub fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"])
    }

    /// Waits until the active pane shows a text.
    #[track_caller]
    pub fn await_text(&self, text: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.screen().contains(text) {
            assert!(
                Instant::now() < until,
                "waited in vain for {text:?} in tmux; it shows:\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}
