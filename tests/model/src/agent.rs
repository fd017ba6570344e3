//! A simulated agent: draws as the scripted agent does, and remembers what it was given. Must not: know the product.

/// What it is doing.
#[derive(Debug, Clone, PartialEq)]
pub enum Doing {
    /// Waits for a prompt.
    Idle,
    /// Works until this moment, in milliseconds of the world.
    Working(i64),
    /// Shows a dialog, and goes on afterwards with what it did.
    Asking(Box<Doing>),
}

/// The agent.
#[derive(Debug)]
pub struct Agent {
    /// What it is doing.
    pub doing: Doing,
    /// What stands in its composer.
    pub composer: String,
    /// Everything that was submitted to it, in order.
    pub submitted: Vec<String>,
    /// What reached it while a dialog was open, but for interrupts.
    pub answered: usize,
    /// Whether the last turn was done, and has to be told.
    done: Option<&'static str>,
    /// How long the next turn will take, in milliseconds.
    pub turn_ms: i64,
    /// Whether the next turn will fail.
    pub fails: bool,
    /// Enters that it will not notice.
    pub loses: usize,
    /// Whether it ends at an interrupt.
    pub heeds: bool,
    said: Vec<String>,
}

const COLS: usize = 60;
const ROWS: usize = 20;

impl Agent {
    /// An idle one.
    pub fn new() -> Self {
        Self {
            doing: Doing::Idle,
            composer: String::new(),
            submitted: Vec::new(),
            answered: 0,
            done: None,
            turn_ms: 500,
            fails: false,
            loses: 0,
            heeds: true,
            said: Vec::new(),
        }
    }

    /// What it writes when it starts.
    pub fn begin(&self) -> Vec<u8> {
        b"\x1b[?1049h\x1b[2J\x1b[H\x1b[?2004h".to_vec()
    }

    /// Takes bytes.
    pub fn take(&mut self, bytes: &[u8], now: i64) {
        let text = String::from_utf8_lossy(bytes).into_owned();
        match (text.as_str(), &self.doing) {
            // An interrupt says no, which is what it is for; nothing else may reach a dialog.
            (keys, Doing::Asking(_)) => self.answered += usize::from(keys != "\u{1b}"),
            ("\r", Doing::Idle) => self.submit(now),
            ("\u{1b}", Doing::Working(_)) if self.heeds => {
                self.said.push("Interrupted".to_owned());
                self.done = Some("idle");
                self.doing = Doing::Idle;
            }
            ("\r" | "\u{1b}", _) => {}
            (paste, _) => {
                let paste = paste.trim_start_matches("\u{1b}[200~").trim_end_matches("\u{1b}[201~");
                self.composer.push_str(paste);
            }
        }
    }

    fn submit(&mut self, now: i64) {
        if self.composer.is_empty() {
            return;
        }
        if self.loses > 0 {
            self.loses -= 1;
            return;
        }
        let text = std::mem::take(&mut self.composer);
        self.said.push(format!("> {}", text.lines().next().unwrap_or_default()));
        self.submitted.push(text);
        self.doing = Doing::Working(now + self.turn_ms);
    }

    /// Does what is due.
    pub fn work(&mut self, now: i64) {
        if let Doing::Working(until) = self.doing
            && until <= now
        {
            if std::mem::take(&mut self.fails) {
                self.said.push("● API Error: 529 Overloaded".to_owned());
                self.done = Some("error");
            } else {
                self.said.push("● Done as asked.".to_owned());
                self.done = Some("done");
            }
            self.doing = Doing::Idle;
        }
    }

    /// Opens a dialog.
    pub fn ask(&mut self) {
        if !matches!(self.doing, Doing::Asking(_)) {
            self.doing = Doing::Asking(Box::new(self.doing.clone()));
        }
    }

    /// Its person answers the dialog in its own terminal.
    pub fn unask(&mut self) {
        if let Doing::Asking(before) = &self.doing {
            self.doing = (**before).clone();
        }
    }

    /// The time of day is another one, and nothing else.
    pub fn clock_set(&mut self, ms: i64) {
        let mut doing = &mut self.doing;
        while let Doing::Asking(before) = doing {
            doing = before;
        }
        if let Doing::Working(until) = doing {
            *until += ms;
        }
    }

    /// When it has something to do by itself.
    pub fn due(&self) -> Option<i64> {
        match self.doing {
            Doing::Working(until) => Some(until),
            Doing::Idle | Doing::Asking(_) => None,
        }
    }

    /// Its whole screen with title and status, as bytes.
    pub fn draw(&mut self) -> Vec<u8> {
        let rule = "─".repeat(COLS);
        let mut below = vec![rule.clone()];
        let asks = matches!(self.doing, Doing::Asking(_));
        let busy = matches!(self.doing, Doing::Working(_));
        if asks {
            let lines = [" Run command", " Do you want to proceed?", " ❯ 1. Yes", "   2. No"];
            below.extend(lines.map(str::to_owned));
            below.push(" Enter to confirm · Esc to cancel".to_owned());
        } else {
            let mut lines = self.composer.split('\n');
            below.push(format!("❯ {}", lines.next().unwrap_or_default()));
            below.extend(lines.map(|line| format!("  {line}")));
            below.push(rule);
            below.push(if busy { "  esc to interrupt" } else { "  ready" }.to_owned());
        }
        let room = ROWS.saturating_sub(below.len());
        let above = &self.said[self.said.len().saturating_sub(room)..];
        let blank = room - above.len();
        let rows = above.iter().cloned().chain(std::iter::repeat_n(String::new(), blank)).chain(below);
        let mut frame = String::from("\x1b[?2026h\x1b[?25l");
        for (row, line) in rows.enumerate() {
            frame.push_str(&format!("\x1b[{};1H{line}\x1b[K", row + 1));
        }
        let column = 3 + self.composer.split('\n').next_back().unwrap_or_default().chars().count();
        frame.push_str(&format!("\x1b[{};{column}H\x1b[?25h\x1b[?2026l", ROWS - 2));
        let (title, state) = match (asks, busy) {
            (true, _) => ("[!] Scripted agent", "blocked:kind=permission"),
            (false, true) => ("⠋ Scripted agent", "working"),
            (false, false) => ("Scripted agent", self.done.take().unwrap_or("idle")),
        };
        frame.push_str(&format!("\x1b]0;{title}\x07\x1b]7501;state={state}:app=scripted\x1b\\"));
        frame.into_bytes()
    }
}

impl Default for Agent {
    fn default() -> Self {
        Self::new()
    }
}

/// The terminal's size.
pub const SIZE: (u16, u16) = (COLS as u16, ROWS as u16);
