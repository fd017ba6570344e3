//! The line that a prompt is written on, and what it says. Must not: send it.
//!
//! What stands before the text says for whom and how urgent: `> text` goes to the best session, `>5: text` has
//! priority 5, `>@api text` goes to one session, `>@api 5: text` is both. After a blank, everything is text.

use wire::prompt::NewPrompt;

use super::keys::Key;

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A prompt to be sent; it begins after the `>`.
    Send,
    /// Words that must be in everything that is listed.
    Filter,
}

/// A line that is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What for.
    pub purpose: Purpose,
    /// What was written.
    pub text: String,
    /// Where the next character goes, in bytes.
    pub at: usize,
    /// The idempotency key of a line that was sent and may have arrived; any change makes it another line.
    pub key: Option<String>,
    /// Which line of the past it shows, counted from the last.
    back: Option<usize>,
}

/// A line that was sent and can be had again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// As it was written.
    pub text: String,
    /// The idempotency key, when nobody knows whether it arrived.
    pub key: Option<String>,
}

/// What a key made of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It goes on.
    On,
    /// It is whole.
    Whole,
    /// It is given up.
    Dropped,
}

impl Line {
    /// A line with this in it.
    pub fn new(purpose: Purpose, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { purpose, at: text.len(), text, key: None, back: None }
    }

    /// A line that was sent without an answer: sent again as it is, it is the same prompt.
    pub fn again(text: String, key: String) -> Self {
        Self { key: Some(key), ..Self::new(Purpose::Send, text) }
    }

    /// Takes a key in; `past` are lines that can be had again.
    pub fn press(&mut self, key: Key, past: &[Sent]) -> Written {
        match key {
            Key::Enter => return Written::Whole,
            Key::Esc | Key::Ctrl('c' | 'g') => return Written::Dropped,
            // As in shells: on an empty line nothing is left to take away.
            Key::Backspace if self.text.is_empty() => return Written::Dropped,
            Key::Char(c) => {
                let typed = c.to_string();
                // What could not be shown as it is, is not taken.
                if wire::text::escape(&typed) == typed {
                    self.insert(&typed);
                }
            }
            // Line breaks of a paste are part of the prompt.
            Key::Paste(text) => self.insert(&wire::text::clean_prompt(&text)),
            Key::Backspace => self.cut(self.before()),
            Key::Delete => {
                let end = self.after();
                self.replace(self.at, end);
            }
            Key::Ctrl('u') => self.cut(0),
            Key::Ctrl('w') => self.cut(self.word()),
            Key::Left => self.at = self.before(),
            Key::Right => self.at = self.after(),
            Key::Home | Key::Ctrl('a') => self.at = 0,
            Key::End | Key::Ctrl('e') => self.at = self.text.len(),
            Key::Up => self.leaf(past, 1),
            Key::Down => self.leaf(past, -1),
            Key::Tab | Key::BackTab | Key::PageUp | Key::PageDown | Key::Ctrl(_) => {}
        }
        Written::On
    }

    fn insert(&mut self, text: &str) {
        self.key = None;
        self.text.insert_str(self.at, text);
        self.at += text.len();
    }

    fn cut(&mut self, from: usize) {
        self.replace(from, self.at);
    }

    fn replace(&mut self, from: usize, to: usize) {
        self.key = None;
        self.text.replace_range(from..to, "");
        self.at = from;
    }

    fn before(&self) -> usize {
        self.text[..self.at].char_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.text[self.at..].chars().next().map_or(self.at, |c| self.at + c.len_utf8())
    }

    /// Where the word before begins.
    fn word(&self) -> usize {
        let before = self.text[..self.at].trim_end();
        let blank = before.char_indices().rev().find(|(_, c)| c.is_whitespace());
        blank.map_or(0, |(at, c)| at + c.len_utf8())
    }

    fn leaf(&mut self, past: &[Sent], by: isize) {
        if self.purpose != Purpose::Send || past.is_empty() {
            return;
        }
        let next = match (self.back, by) {
            (None, 1) => Some(0),
            (Some(back), 1) => Some((back + 1).min(past.len() - 1)),
            (Some(back), _) => back.checked_sub(1),
            (None, _) => return,
        };
        let sent = next.and_then(|back| past.iter().rev().nth(back)).cloned();
        let (text, key) = sent.map_or_else(Default::default, |sent| (sent.text, sent.key));
        *self = Self { back: next, key, ..Self::new(self.purpose, text) };
    }
}

/// The prompt that a line is, or what is wrong with it.
pub fn prompt(line: &str) -> Result<NewPrompt, String> {
    let (target, rest) = match line.strip_prefix('@') {
        None => (None, line),
        Some(rest) => {
            let (name, rest) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
            let name = name.strip_suffix(':').unwrap_or(name);
            if name.is_empty() {
                return Err("after @ stands the name of a session, as in `>@api 5: text`".to_owned());
            }
            (Some(name.to_owned()), rest.trim_start())
        }
    };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (priority, text) = match (digits, rest[digits..].strip_prefix(':')) {
        (1.., Some(text)) => (Some(priority(&rest[..digits])?), text),
        _ => (None, rest),
    };
    let text = text.trim();
    if text.is_empty() {
        return Err("what is to be done? Write it after the `>`, as in `>5: text`".to_owned());
    }
    if text.len() > wire::PROMPT_MAX {
        return Err(format!(
            "a prompt has at most {} bytes; `assign --file` reads none longer",
            wire::PROMPT_MAX
        ));
    }
    let mut new = NewPrompt::new(text);
    new.target = target;
    new.priority = priority.unwrap_or(new.priority);
    Ok(new)
}

fn priority(digits: &str) -> Result<u8, String> {
    let priority = digits.parse::<u8>().ok().filter(|p| *p <= 10);
    priority
        .ok_or_else(|| "a priority is 0 (last) to 10 (first); a blank after the `>` makes it text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> (Option<String>, u8, String) {
        let new = prompt(line).unwrap_or_else(|why| panic!("{line:?}: {why}"));
        (new.target, new.priority, new.text)
    }

    #[test]
    fn a_line_says_for_whom_and_how_urgent() {
        let api = || Some("api".to_owned());
        for (line, target, priority, text) in [
            (" fix it", None, 5, "fix it"),
            ("fix it", None, 5, "fix it"),
            ("5: fix it", None, 5, "fix it"),
            ("10:fix it", None, 10, "fix it"),
            (" 3: a list", None, 5, "3: a list"),
            ("3 blind mice", None, 5, "3 blind mice"),
            ("@api fix it", api(), 5, "fix it"),
            ("@api: fix it", api(), 5, "fix it"),
            ("@api 9: fix it", api(), 9, "fix it"),
            ("0: later", None, 0, "later"),
            (" @someone said so", None, 5, "@someone said so"),
        ] {
            assert_eq!(parsed(line), (target, priority, text.to_owned()), "{line:?}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        for line in ["", "   ", "5:", "5:  ", "@", "@ x", "@api", "@api 5:", "11: x", "999: x"] {
            assert!(prompt(line).is_err(), "{line:?}");
        }
        assert!(prompt(&"x".repeat(wire::PROMPT_MAX + 1)).is_err());
    }

    #[test]
    fn a_line_is_written_as_in_a_shell() {
        let mut line = Line::new(Purpose::Send, "");
        for key in "fix thé bug".chars().map(Key::Char) {
            assert_eq!(line.press(key, &[]), Written::On);
        }
        line.press(Key::Ctrl('w'), &[]);
        assert_eq!(line.text, "fix thé ");
        line.press(Key::Left, &[]);
        line.press(Key::Backspace, &[]);
        assert_eq!(line.text, "fix th ");
        line.press(Key::Char('e'), &[]);
        line.press(Key::Home, &[]);
        line.press(Key::Delete, &[]);
        line.press(Key::Paste("mi\u{1b}[201~\r\nx".into()), &[]);
        assert_eq!(line.text, "mi[201~\nxix the ");
        line.press(Key::End, &[]);
        line.press(Key::Ctrl('u'), &[]);
        assert_eq!((line.text.as_str(), line.at), ("", 0));
        assert_eq!(line.press(Key::Backspace, &[]), Written::Dropped);
        assert_eq!(line.press(Key::Enter, &[]), Written::Whole);
    }

    #[test]
    fn lines_of_the_past_come_back() {
        let past = ["one", "two"].map(|text| Sent { text: text.into(), key: None });
        let mut line = Line::new(Purpose::Send, "");
        let mut shown = |key| {
            line.press(key, &past);
            line.text.clone()
        };
        assert_eq!([shown(Key::Up), shown(Key::Up), shown(Key::Up)], ["two", "one", "one"]);
        assert_eq!([shown(Key::Down), shown(Key::Down)], ["two", ""]);
    }

    #[test]
    fn a_line_that_was_changed_is_another_prompt() {
        let mut line = Line::again("fix it".into(), "k".into());
        line.press(Key::Left, &[]);
        assert_eq!(line.key.as_deref(), Some("k"));
        line.press(Key::Char('s'), &[]);
        assert_eq!(line.key, None);
    }
}
