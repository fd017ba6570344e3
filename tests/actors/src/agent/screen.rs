//! The scripted agent's screen: what was said, and the composer or a dialog below it. Must not: decide.

use std::io::{self, Write};

/// Sent before and after each frame.
const FRAME: (&str, &str) = ("\x1b[?2026h\x1b[?25l", "\x1b[?25h\x1b[?2026l");

/// The screen.
pub struct Screen {
    /// The last turn ended well; told once.
    pub done: bool,
    /// The last turn failed; told once.
    pub failed: bool,
    silent: bool,
    lines: Vec<String>,
    drawn: String,
    told: &'static str,
}

impl Screen {
    /// An empty one; `silent` leaves OSC 7501 out.
    pub fn new(silent: bool) -> Self {
        Self { done: false, failed: false, silent, lines: Vec::new(), drawn: String::new(), told: "" }
    }

    /// Takes the terminal.
    pub fn begin(&mut self) -> io::Result<()> {
        write("\x1b[?1049h\x1b[2J\x1b[H\x1b[?2004h")
    }

    /// Gives it back.
    pub fn end(&mut self) -> io::Result<()> {
        if !self.silent {
            write("\x1b]7501;state=clear:app=scripted\x1b\\")?;
        }
        write("\x1b]0;\x07\x1b[?2004l\x1b[?25h\x1b[?1049l")
    }

    /// Adds lines to what was said.
    pub fn say(&mut self, text: &str) {
        self.lines.extend(text.lines().map(str::to_owned));
    }

    /// Adds words to the last line.
    pub fn add(&mut self, words: &str) {
        for (i, part) in words.split('\n').enumerate() {
            match self.lines.last_mut() {
                Some(last) if i == 0 => last.push_str(part),
                _ => self.lines.push(format!("  {part}")),
            }
        }
    }

    /// Shows the present, if it changed.
    pub fn draw(&mut self, composer: &str, busy: bool, dialog: Option<&[String]>) -> io::Result<()> {
        let size = rustix::termios::tcgetwinsize(io::stdout())?;
        let (cols, rows) = (usize::from(size.ws_col.max(20)), usize::from(size.ws_row.max(8)));
        let mut below = vec!["─".repeat(cols)];
        match dialog {
            Some(lines) => {
                below.extend(lines.iter().map(|line| format!(" {line}")));
                below.extend(
                    [" ❯ 1. Yes", "   2. No", " Enter to confirm · Esc to cancel"].map(str::to_owned),
                );
            }
            None => {
                let mut lines = composer.split('\n');
                below.push(format!("❯ {}", lines.next().unwrap_or_default()));
                below.extend(lines.map(|line| format!("  {line}")));
                below.push("─".repeat(cols));
                below.push(if busy { "  esc to interrupt".to_owned() } else { "  ready".to_owned() });
            }
        }
        let mut status = Vec::new();
        if busy {
            status.push("✻ Working… (esc to interrupt)".to_owned());
        }
        let fold = |line: &String| -> Vec<String> {
            let chars: Vec<char> = line.chars().collect();
            if chars.is_empty() {
                vec![String::new()]
            } else {
                chars.chunks(cols).map(|c| c.iter().collect()).collect()
            }
        };
        let bottom: Vec<String> = status.iter().chain(&below).flat_map(fold).collect();
        let above: Vec<String> = self.lines.iter().flat_map(fold).collect();
        let room = rows.saturating_sub(bottom.len());
        let mut frame = String::from(FRAME.0);
        let shown = above[above.len().saturating_sub(room)..].iter().map(Some);
        let blank = room.saturating_sub(above.len());
        for (row, line) in
            shown.chain(std::iter::repeat_n(None, blank)).chain(bottom.iter().map(Some)).enumerate()
        {
            frame.push_str(&format!("\x1b[{};1H{}\x1b[K", row + 1, line.map_or("", String::as_str)));
        }
        if dialog.is_none() {
            let column = 3 + composer.split('\n').next_back().unwrap_or_default().chars().count();
            let row = rows - 2;
            frame.push_str(&format!("\x1b[{row};{column}H"));
        }
        frame.push_str(FRAME.1);
        if frame != self.drawn {
            write(&frame)?;
            self.drawn = frame;
        }
        self.tell(busy, dialog.is_some())
    }

    /// Tells the state, by title and by the status protocol.
    fn tell(&mut self, busy: bool, asks: bool) -> io::Result<()> {
        let (title, state) = match (busy, asks) {
            (_, true) => ("[!] Scripted agent", "blocked:kind=permission"),
            (true, false) => ("⠋ Scripted agent", "working"),
            (false, false) if std::mem::take(&mut self.failed) => ("Scripted agent", "error"),
            (false, false) if std::mem::take(&mut self.done) => ("Scripted agent", "done"),
            (false, false) if matches!(self.told, "done" | "error") => ("Scripted agent", self.told),
            (false, false) => ("Scripted agent", "idle"),
        };
        if state == self.told {
            return Ok(());
        }
        self.told = state;
        write(&format!("\x1b]0;{title}\x07"))?;
        if self.silent { Ok(()) } else { write(&format!("\x1b]7501;state={state}:app=scripted\x1b\\")) }
    }
}

fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
