//! Tells notices on the user's terminal. Must not: decide what is told, or when.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::Command;

use wire::UnixMillis;

use super::board::Board;
use super::notices::Notices;
use crate::failure::Failure;
use crate::notice::{Terminal, Way, Wish, through_tmux};
use crate::print::note;

/// A terminal that shows notices.
pub struct Herald {
    notices: Notices,
    way: Way,
    tmux: bool,
    /// The terminal itself: the output may go elsewhere.
    terminal: File,
}

impl Herald {
    /// Finds out what the terminal understands. `None` when that is to be found out and it is not known to understand
    /// anything, which is told.
    pub fn new(wish: Wish) -> Result<Option<Self>, Failure> {
        let tmux = std::env::var_os("TMUX").is_some_and(|value| !value.is_empty());
        if tmux {
            passes_on(&asked(&["show-options", "-Apv", "allow-passthrough"]))?;
        }
        let Some(way) = wish.way(&present(tmux)) else {
            note!(
                "assign: no notices: this terminal is not known to show any; --notify osc9 tries the usual way"
            );
            return Ok(None);
        };
        let terminal = OpenOptions::new().write(true).open("/dev/tty");
        let terminal =
            terminal.map_err(|e| Failure::failed(format!("there is no terminal to show notices on: {e}")))?;
        Ok(Some(Self { notices: Notices::default(), way, tmux, terminal }))
    }

    /// The server said something: at first, what there is.
    pub fn hear(&mut self, board: &Board, now: UnixMillis) {
        if !self.notices.has_begun() {
            self.look(board, now);
        }
    }

    /// Tells what is due, in one piece.
    pub fn look(&mut self, board: &Board, now: UnixMillis) {
        let Some(text) = self.notices.due(board, now) else { return };
        let bytes = self.way.bytes(&text);
        let bytes = if self.tmux { through_tmux(&bytes) } else { bytes };
        // Who closed the terminal reads no notices.
        let _ = self.terminal.write_all(&bytes);
    }
}

/// Whether tmux hands on what is meant for the terminal around it.
fn passes_on(option: &str) -> Result<(), Failure> {
    match option {
        "on" | "all" => Ok(()),
        _ => Err(Failure::Refused(
            "tmux keeps notices from the terminal around it; let them through: tmux set -g allow-passthrough on"
                .to_owned(),
        )),
    }
}

/// What the terminal that shows this says of itself.
fn present(tmux: bool) -> Terminal {
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    if !tmux {
        let windows = !var("WT_SESSION").is_empty();
        let program = [var("TERM_PROGRAM"), var("LC_TERMINAL")].join(" ");
        return Terminal { program, term: var("TERM"), windows };
    }
    // Inside, the variables tell of tmux; it knows who shows it.
    Terminal {
        program: asked(&["display-message", "-p", "#{client_termtype}"]),
        term: asked(&["display-message", "-p", "#{client_termname}"]),
        windows: false,
    }
}

/// What tmux answers; nothing when it cannot be asked.
fn asked(arguments: &[&str]) -> String {
    let said = Command::new("tmux").args(arguments).output();
    said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tmux_that_keeps_notices_is_told_what_lets_them_through() {
        assert!(passes_on("on").is_ok() && passes_on("all").is_ok());
        let refused = passes_on("off").unwrap_err();
        assert!(refused.text().unwrap().contains("tmux set -g allow-passthrough on"));
        assert!(passes_on("").is_err(), "an option that an older tmux does not know");
    }
}
