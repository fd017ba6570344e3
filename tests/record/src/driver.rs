//! Drives one agent through one scenario and keeps what happened. Must not: label it.

use std::num::NonZeroU16;
use std::time::{Duration, Instant};

use actors::model::{Entry, Model};
use actors::setup::Driver as Manners;
use anyhow::{Context, bail, ensure};
use regex::Regex;
use serde_json::{Value, json};

use crate::labels::{Action, Did};
use crate::pty::Pty;
use crate::scenario::Step;
use crate::tape::Tape;
use crate::terminal::Terminal;

/// How long a driver waits for what it expects.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long an agent that is ready is left alone: the border between starting and idle is soft, and a score leaves out
/// what is near it.
const REST: Duration = Duration::from_millis(8500);
/// How long it waits for an end that it asked for.
const EXIT_PATIENCE: Duration = Duration::from_secs(20);

/// A number of rows or columns, which is never none.
fn cells(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap_or(NonZeroU16::MIN)
}

/// A running agent and what is known of it.
pub struct Driver<'a> {
    pty: Pty,
    terminal: Terminal,
    model: &'a Model,
    manners: &'a Manners,
    project: &'a std::path::Path,
    screen: vt100::Parser,
    started: Instant,
    size: (u16, u16),
    /// All output, for what is looked for in its bytes.
    raw: Vec<u8>,
    shown: String,
    /// When the screen last changed.
    changed: Duration,
    /// Entries of the server's log that were waited for.
    read: usize,
    /// When the driver last submitted or answered.
    replied: Duration,
    /// What was recorded.
    pub tape: Tape,
    /// What was done and seen.
    pub actions: Vec<Action>,
    /// Keys and questions, as lines of the labels.
    pub notes: Vec<Value>,
    /// Exit status.
    pub code: Option<i32>,
}

impl<'a> Driver<'a> {
    /// A driver for a program that was just started.
    pub fn new(
        pty: Pty,
        terminal: Terminal,
        model: &'a Model,
        manners: &'a Manners,
        project: &'a std::path::Path,
        size: (u16, u16),
    ) -> Self {
        Self {
            pty,
            terminal,
            model,
            manners,
            project,
            screen: vt100::Parser::new(cells(size.1), cells(size.0), 0),
            started: Instant::now(),
            size,
            raw: Vec::new(),
            shown: String::new(),
            changed: Duration::ZERO,
            read: 0,
            replied: Duration::ZERO,
            tape: Tape::default(),
            actions: Vec::new(),
            notes: Vec::new(),
            code: None,
        }
    }

    /// Does all steps.
    pub fn run(&mut self, steps: &[Step]) -> anyhow::Result<()> {
        for step in steps {
            let done = self.step(step).with_context(|| format!("step {step:?}"));
            if let Err(fault) = done {
                bail!("{fault:#}; the screen showed:\n{}", self.shown);
            }
        }
        Ok(())
    }

    /// The server's log with the times of this recording.
    pub fn log(&self) -> Vec<(Duration, Entry)> {
        let at = |entry: &Entry| self.model.started() + Duration::from_micros(entry.at_us);
        let log = self.model.log().into_iter();
        log.map(|entry| (at(&entry).saturating_duration_since(self.started), entry)).collect()
    }

    /// When the recording ends.
    pub fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn step(&mut self, step: &Step) -> anyhow::Result<()> {
        match step {
            Step::Ready => self.ready(),
            Step::Prompt(text) => self.submit(text, false),
            Step::Queue(text) => self.submit(text, true),
            Step::Until(what) if what == "given_up" => self.given_up(),
            Step::Until(what) => self.until(what),
            Step::File { name, outcome } => {
                let path = self.project.join(name);
                self.wait("the file", PATIENCE, |_| path.exists())?;
                self.did(Did::File { outcome: outcome.clone() });
                Ok(())
            }
            Step::Dialog(kind) => self.dialog(kind),
            Step::Approve => self.reply("approve", Did::Approve),
            Step::Deny => self.reply("deny", Did::Deny),
            Step::Answer => self.reply("answer", Did::Answer),
            Step::Interrupt => self.interrupt(),
            Step::Keys(keys) => self.keys(keys).map(drop),
            Step::See(pattern) => {
                let pattern = Regex::new(pattern)?;
                self.wait("what is to be seen", PATIENCE, |d| pattern.is_match(&d.shown))
            }
            Step::Resize(cols, rows) => self.resize((*cols, *rows)),
            Step::Hold(ms) => self.hold(Duration::from_millis(*ms)),
            Step::Exit => self.exit(),
            Step::Ended => self.ended(),
        }
    }

    fn ready(&mut self) -> anyhow::Result<()> {
        let seen = Regex::new(&self.manners.ready)?;
        let in_bytes = regex::bytes::Regex::new(&self.manners.ready_output)?;
        let not = Some(&self.manners.not_ready).filter(|p| !p.is_empty());
        let not = not.map(|p| Regex::new(p)).transpose()?;
        let settled = Duration::from_millis(self.manners.settle_ms);
        self.wait("the agent to take a prompt", PATIENCE, |d| {
            seen.is_match(&d.shown)
                && not.as_ref().is_none_or(|p| !p.is_match(&d.shown))
                && in_bytes.is_match(&d.raw)
                && d.now() > d.changed + settled
        })?;
        self.actions.push(Action { at: self.changed, what: Did::Ready });
        self.hold(REST)
    }

    fn submit(&mut self, text: &str, queued: bool) -> anyhow::Result<()> {
        let pasted = self.screen.screen().bracketed_paste();
        let keys = if pasted { format!("\x1b[200~{text}\x1b[201~") } else { text.to_owned() };
        let from = self.log().len();
        self.write(&keys, if pasted { "paste" } else { "text" })?;
        let end: String = text.lines().last().unwrap_or_default().split_whitespace().collect();
        let end: String = end.chars().rev().take(10).collect::<Vec<_>>().into_iter().rev().collect();
        self.wait("the prompt's echo", PATIENCE, |d| {
            let shown: String = d.shown.split_whitespace().collect();
            shown.contains(&end) || shown.contains("[Pasted")
        })?;
        self.hold(Duration::from_millis(400))?;
        let name = if queued && self.manners.keys.contains_key("queue") { "queue" } else { "enter" };
        for _ in 0..3 {
            let at = self.press(name)?;
            let mut took = true;
            if !queued && !self.manners.serverless {
                let request = |d: &Self| d.entry("request", from).is_some();
                took = self.wait("the request", Duration::from_secs(8), request).is_ok();
            }
            let prompt = text.to_owned();
            self.actions.push(Action { at, what: Did::Submit { prompt, queued, took } });
            self.replied = at;
            if took {
                self.read = if queued { self.read } else { from };
                return Ok(());
            }
        }
        bail!("no request reached the server")
    }

    /// The first entry of the task's that is new and says this.
    fn entry(&self, what: &str, from: usize) -> Option<usize> {
        let log = self.model.log();
        log.iter().enumerate().skip(from).find(|(_, e)| !e.side && e.what == what).map(|(n, _)| n)
    }

    fn until(&mut self, what: &str) -> anyhow::Result<()> {
        self.wait(what, PATIENCE, |d| d.entry(what, d.read).is_some())?;
        self.read = self.entry(what, self.read).map_or(self.read, |n| n + 1);
        Ok(())
    }

    /// Waits until the server's last word to the agent is an error and no further try came for some time.
    fn given_up(&mut self) -> anyhow::Result<()> {
        self.wait("the agent to give up", PATIENCE * 2, |d| {
            let log = d.log();
            let last = log.iter().rev().find(|(_, e)| !e.side);
            last.is_some_and(|(at, e)| e.what == "error" && d.now() > *at + Duration::from_secs(6))
        })?;
        self.read = self.log().len();
        Ok(())
    }

    fn dialog(&mut self, kind: &str) -> anyhow::Result<()> {
        let pattern = self.manners.dialog.get(kind).context("the agent's file does not say how it looks")?;
        let pattern = Regex::new(pattern)?;
        let begun = self.actions.iter().any(|a| matches!(a.what, Did::Submit { .. }));
        let asks = |entry: &Entry| !entry.side && (entry.what == "tool" || entry.what == "answered");
        let (replied, anytime) = (self.replied, self.manners.asks_after || self.manners.serverless);
        self.wait(kind, PATIENCE, |d| {
            // What was asked before may still be on the screen.
            let new = !begun || anytime || d.log().iter().any(|(at, e)| asks(e) && *at > replied);
            new && pattern.is_match(d.shown.trim_end())
        })?;
        self.did(Did::Saw(kind.to_owned()));
        Ok(())
    }

    fn reply(&mut self, keys: &str, did: Did) -> anyhow::Result<()> {
        let kind = self.actions.iter().rev().find_map(|a| match &a.what {
            Did::Saw(kind) => Some(kind.clone()),
            _ => None,
        });
        let own = kind.filter(|kind| keys == "answer" && self.manners.keys.contains_key(kind));
        let at = self.press(own.as_deref().unwrap_or(keys))?;
        self.replied = at;
        self.actions.push(Action { at, what: did });
        Ok(())
    }

    /// Presses the key, and makes sure that the agent heard it: it hangs up, or says so.
    fn interrupt(&mut self) -> anyhow::Result<()> {
        let from = self.log().len();
        let says = self.manners.dialog.get("interrupted").map(|p| Regex::new(p)).transpose()?;
        let at = self.press("interrupt")?;
        self.actions.push(Action { at, what: Did::Interrupt });
        if self.manners.serverless {
            return Ok(());
        }
        self.wait("the agent to hear the interrupt", Duration::from_secs(8), |d| {
            d.entry("closed", from).is_some() || says.as_ref().is_some_and(|p| p.is_match(&d.shown))
        })
    }

    fn resize(&mut self, size: (u16, u16)) -> anyhow::Result<()> {
        self.size = size;
        self.pty.resize(size)?;
        self.screen.screen_mut().set_size(cells(size.1), cells(size.0));
        self.tape.resize(self.now(), size);
        Ok(())
    }

    fn exit(&mut self) -> anyhow::Result<()> {
        let keys = self.manners.keys.get("exit").context("the agent's file has no key that exits")?.clone();
        let at = if keys.starts_with('/') {
            self.write(&keys, "text")?;
            self.wait("the command's echo", PATIENCE, |d| d.shown.contains(&keys))?;
            self.hold(Duration::from_millis(600))?;
            self.press("enter")?
        } else {
            self.keys(&keys)?
        };
        self.actions.push(Action { at, what: Did::Exit });
        // Some ask whether they may, when work goes on.
        let asks = self.manners.dialog.get("exit").map(|p| Regex::new(p)).transpose()?;
        let asked = |d: &Self| asks.as_ref().is_some_and(|p| p.is_match(&d.shown));
        let until = self.now() + EXIT_PATIENCE;
        let mut sure = false;
        while self.code.is_none() {
            ensure!(self.now() < until, "the program did not end when it was asked to");
            self.pump()?;
            if !sure && asked(self) {
                sure = true;
                self.hold(Duration::from_millis(800))?;
                self.press("enter")?;
            }
        }
        self.did(Did::Exited(self.code.unwrap_or(-1)));
        Ok(())
    }

    fn ended(&mut self) -> anyhow::Result<()> {
        let until = self.now() + PATIENCE;
        while self.code.is_none() {
            ensure!(self.now() < until, "the program did not end");
            self.pump()?;
        }
        self.did(Did::Exited(self.code.unwrap_or(-1)));
        Ok(())
    }

    fn did(&mut self, what: Did) {
        self.actions.push(Action { at: self.now(), what });
    }

    /// Presses keys by what they do; the time of the last.
    fn press(&mut self, name: &str) -> anyhow::Result<Duration> {
        let keys = match self.manners.keys.get(name) {
            Some(keys) => keys.clone(),
            None if name == "enter" || name == "answer" => "\r".to_owned(),
            None => bail!("the agent's file has no key named {name}"),
        };
        self.keys(&keys)
    }

    /// Presses keys; the time just before the last, which everything that follows from it comes after.
    fn keys(&mut self, keys: &str) -> anyhow::Result<Duration> {
        let mut at = self.now();
        for (number, key) in keys.split('|').enumerate() {
            if number > 0 {
                self.hold(Duration::from_millis(600))?;
            }
            at = self.now();
            self.write(key, "key")?;
        }
        Ok(at)
    }

    fn write(&mut self, text: &str, kind: &str) -> anyhow::Result<()> {
        let at = self.now();
        self.tape.input(at, text);
        let data: String = text.chars().take(200).collect();
        let t = (at.as_secs_f64() * 1e4).round() / 1e4;
        self.notes.push(json!({"type": "input", "t": t, "kind": kind, "n": text.len(), "data": data}));
        self.pty.write(text.as_bytes()).context("the terminal takes no keys")
    }

    fn hold(&mut self, length: Duration) -> anyhow::Result<()> {
        let until = self.now() + length;
        while self.now() < until && self.code.is_none() {
            self.pump()?;
        }
        Ok(())
    }

    fn wait(
        &mut self,
        what: &str,
        patience: Duration,
        condition: impl Fn(&Self) -> bool,
    ) -> anyhow::Result<()> {
        let until = self.now() + patience;
        while !condition(self) {
            if self.now() > until {
                bail!("waited in vain for {what}");
            }
            if self.code.is_some() {
                bail!("the program ended while the driver waited for {what}");
            }
            self.pump()?;
        }
        Ok(())
    }

    /// Takes what the program writes within a moment, and answers as its terminal.
    fn pump(&mut self) -> anyhow::Result<()> {
        let Some(bytes) = self.pty.read(Duration::from_millis(15))? else {
            // The end of the output may come before the program's own.
            let until = Instant::now() + Duration::from_secs(10);
            while self.code.is_none() && Instant::now() < until {
                self.code = self.pty.ended()?;
                std::thread::sleep(Duration::from_millis(5));
            }
            self.code = self.code.or(Some(-1));
            return Ok(());
        };
        if bytes.is_empty() {
            return Ok(());
        }
        let at = self.now();
        self.tape.output(at, &bytes);
        self.raw.extend_from_slice(&bytes);
        self.screen.process(&bytes);
        let shown = self.screen.screen().contents();
        if shown != self.shown {
            (self.shown, self.changed) = (shown, at);
        }
        let (row, col) = self.screen.screen().cursor_position();
        for asked in self.terminal.asked(&bytes, (row + 1, col + 1), self.size) {
            let t = (at.as_secs_f64() * 1e4).round() / 1e4;
            self.notes.push(json!({"type": "terminal_query", "t": t, "q": asked.question}));
            if !asked.answer.is_empty() {
                self.write(&asked.answer, "reply")?;
            }
        }
        Ok(())
    }
}
