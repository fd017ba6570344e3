//! The one way to standard output, and to standard error. Must not: print what is not escaped, or complain about a closed
//! pipe.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use wire::text::escape;

use crate::failure::Failure;

/// Says something beside the output, a line or several. Whoever does not listen is no reason to end.
macro_rules! note {
    ($($text:tt)*) => { $crate::print::beside(format_args!($($text)*)) };
}
pub(crate) use note;

/// What [`note`] does.
pub fn beside(text: std::fmt::Arguments) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Writes for people or for programs.
#[derive(Debug, Clone, Copy)]
pub struct Printer {
    /// For programs.
    pub json: bool,
    /// Goes on when nobody reads any more.
    lasting: bool,
}

impl Printer {
    /// For programs when `json`.
    pub fn new(json: bool) -> Self {
        Self { json, lasting: false }
    }

    /// For what has more to do than to print: it goes on when nobody reads any more, and its exit code stays true.
    pub fn lasting(self) -> Self {
        Self { lasting: true, ..self }
    }

    /// A write that came to this.
    fn written(&self, done: io::Result<()>) -> Result<(), Failure> {
        match done {
            Err(e) if self.lasting && e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => done.map_err(Failure::output),
        }
    }

    /// Whether a person looks at a terminal.
    pub fn on_terminal(&self) -> bool {
        !self.json && io::stdout().is_terminal()
    }

    /// A line, or several.
    pub fn line(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        self.written(writeln!(out, "{text}").and_then(|()| out.flush()))
    }

    /// Bytes as they are: made here, or escaped before.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        self.written(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// One JSON object, on one line.
    pub fn object<T: Serialize>(&self, value: &T) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(|e| Failure::failed(e.to_string()))?;
        self.line(&plain(&text))
    }

    /// A JSON object for programs, text for people.
    pub fn object_or<T: Serialize>(&self, value: &T, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json { self.object(value) } else { self.line(&text()) }
    }

    /// One JSON object a line for programs, text for people.
    pub fn objects_or<T: Serialize>(
        &self,
        values: &[T],
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json { values.iter().try_for_each(|v| self.object(v)) } else { self.line(&text()) }
    }
}

/// The same JSON without anything that a terminal obeys or that cannot be seen: such characters stand only within
/// strings, where `\uXXXX` means the same.
fn plain(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_control) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if is_control(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// A word for a shell, on one line whatever is in it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    escape(&format!("'{}'", word.replace('\'', r"'\''")))
}

/// Blanks of scripts and joiners stay: they do nothing to a terminal.
fn is_control(c: char) -> bool {
    c.is_control() || wire::text::is_hidden(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a56_json_moves_no_terminal_and_means_the_same() {
        let text = "a\u{9b}2J\u{7f}\u{202e}b\u{e0069}\u{2028}\"\\ 👩\u{200d}💻\n\u{1b}[2J";
        let json = serde_json::to_string(&[text]).unwrap();
        let shown = plain(&json);
        assert!(!shown.chars().any(|c| c.is_control() || matches!(c, '\u{202e}' | '\u{e0069}')), "{shown}");
        assert!(shown.contains("\\udb40\\udc69"), "{shown}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&shown).unwrap(), [text]);
        assert!(matches!(plain("[\"as it is\"]"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_word_for_a_shell_is_one_word() {
        assert_eq!(quoted("a=b/c.toml"), "a=b/c.toml");
        assert_eq!(quoted("it's $x"), r"'it'\''s $x'");
    }
}
