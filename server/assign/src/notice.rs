//! Desktop notices that the user's own terminal shows: which way it understands, and the bytes. Pure. Must not: write, or
//! carry a word of an agent's.
//!
//! OSC 9: iTerm2, <https://iterm2.com/documentation-escape-codes.html>. OSC 777: rxvt-unicode's notify. OSC 99: kitty,
//! <https://sw.kovidgoyal.net/kitty/desktop-notifications/>. Through tmux: `allow-passthrough` in its manual.

use clap::ValueEnum;
use wire::text::cut;

/// Longest text, in characters.
const TEXT_MAX: usize = 200;
/// Who says it.
const TITLE: &str = "Muster";

/// What a user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Wish {
    /// The way that the terminal is known to understand; none if it is not known
    Auto,
    /// As iTerm2 and Windows Terminal understand it
    Osc9,
    /// As WezTerm, foot, Ghostty and rxvt-unicode understand it
    Osc777,
    /// As kitty understands it
    Osc99,
}

/// A way in which a terminal is told of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A text.
    Osc9,
    /// Title and text.
    Osc777,
    /// Title and text under a name, so that the next takes the place of the one before.
    Osc99,
}

/// What a terminal says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terminal {
    /// What it calls itself: `TERM_PROGRAM`, or its answer to tmux.
    pub program: String,
    /// `TERM`.
    pub term: String,
    /// It is Windows Terminal, which says so by a variable of its own.
    pub windows: bool,
}

impl Wish {
    /// The way to take, if there is one.
    pub fn way(self, terminal: &Terminal) -> Option<Way> {
        match self {
            Wish::Auto => terminal.way(),
            Wish::Osc9 => Some(Way::Osc9),
            Wish::Osc777 => Some(Way::Osc777),
            Wish::Osc99 => Some(Way::Osc99),
        }
    }
}

impl Terminal {
    /// The way that it is known to understand. A wrong one would print the text among what it shows.
    fn way(&self) -> Option<Way> {
        let is = |names: &[&str]| {
            let said = [&self.program, &self.term].map(|text| text.to_lowercase());
            names.iter().any(|name| said.iter().any(|text| text.contains(name)))
        };
        if is(&["kitty"]) {
            Some(Way::Osc99)
        } else if is(&["wezterm", "foot", "rxvt", "ghostty"]) {
            Some(Way::Osc777)
        } else if self.windows || is(&["iterm", "conemu"]) {
            Some(Way::Osc9)
        } else {
            None
        }
    }
}

impl Way {
    /// The bytes that show a text.
    pub fn bytes(self, text: &str) -> Vec<u8> {
        let text = plain(text);
        match self {
            Way::Osc9 => format!("\x1b]9;{TITLE}: {text}\x07"),
            Way::Osc777 => format!("\x1b]777;notify;{TITLE};{text}\x07"),
            Way::Osc99 => {
                format!("\x1b]99;i=muster:d=0:p=title;{TITLE}\x1b\\\x1b]99;i=muster:d=1:p=body;{text}\x1b\\")
            }
        }
        .into_bytes()
    }
}

/// The same bytes, handed through tmux to the terminal that shows it.
pub fn through_tmux(bytes: &[u8]) -> Vec<u8> {
    let mut out = b"\x1bPtmux;".to_vec();
    for byte in bytes {
        if *byte == 0x1b {
            out.push(0x1b);
        }
        out.push(*byte);
    }
    out.extend_from_slice(b"\x1b\\");
    out
}

/// What neither ends a sequence nor begins another field of it.
fn plain(text: &str) -> String {
    let escaped = wire::text::escape(text);
    cut(&escaped.replace(';', ","), TEXT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(program: &str, term: &str) -> Option<Way> {
        Wish::Auto.way(&Terminal { program: program.into(), term: term.into(), windows: false })
    }

    #[test]
    fn a_terminal_is_told_in_its_own_way_and_an_unknown_one_not_at_all() {
        assert_eq!(auto("", "xterm-kitty"), Some(Way::Osc99));
        assert_eq!(auto("kitty(0.36.4)", "xterm-256color"), Some(Way::Osc99));
        for (program, term) in
            [("WezTerm", "xterm-256color"), ("", "foot"), ("ghostty", "x"), ("", "rxvt-unicode-256color")]
        {
            assert_eq!(auto(program, term), Some(Way::Osc777), "{program} {term}");
        }
        assert_eq!(auto("iTerm.app", "xterm-256color"), Some(Way::Osc9));
        let windows = Terminal { windows: true, ..Terminal::default() };
        assert_eq!(Wish::Auto.way(&windows), Some(Way::Osc9));
        assert_eq!(
            [auto("Apple_Terminal", "xterm-256color"), auto("", "linux"), auto("vscode", "x")],
            [None; 3]
        );
        assert_eq!(Wish::Osc9.way(&Terminal::default()), Some(Way::Osc9), "whoever names one gets it");
    }

    #[test]
    fn the_bytes_of_each_way() {
        assert_eq!(Way::Osc9.bytes("a, b"), b"\x1b]9;Muster: a, b\x07");
        assert_eq!(Way::Osc777.bytes("a"), b"\x1b]777;notify;Muster;a\x07");
        let kitty = b"\x1b]99;i=muster:d=0:p=title;Muster\x1b\\\x1b]99;i=muster:d=1:p=body;a\x1b\\";
        assert_eq!(Way::Osc99.bytes("a"), kitty);
        assert_eq!(through_tmux(b"\x1b]9;a\x07"), b"\x1bPtmux;\x1b\x1b]9;a\x07\x1b\\");
    }

    #[test]
    fn no_name_ends_a_sequence_or_begins_another() {
        let hostile = "4;1;50\u{7}\u{1b}\\\u{9c}\u{1b}]0;title\u{202e}\n";
        for way in [Way::Osc9, Way::Osc777, Way::Osc99] {
            let bytes = way.bytes(hostile);
            let text = String::from_utf8(bytes.clone()).unwrap();
            let harmless = String::from_utf8(way.bytes("x")).unwrap();
            let controls = |text: &str| text.chars().filter(|c| c.is_control()).count();
            assert_eq!(controls(&text), controls(&harmless), "{text:?}");
            assert_eq!(text.matches(';').count(), harmless.matches(';').count(), "{text:?}");
            assert!(!text.contains('\u{202e}'));
        }
        assert!(Way::Osc9.bytes(&"x".repeat(100_000)).len() < 1_000);
    }
}
