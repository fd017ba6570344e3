//! Lines that have settled, each once however often it was drawn. Must not: know what a line means.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use patterns::Lines;

use crate::hash::hash;
use crate::observation::Origin;
use crate::vt::{Gone, Screen};

/// How long a row must stand unchanged to count as settled.
const STANDS: Duration = Duration::from_millis(400);
/// How many texts of a drawn screen are remembered.
const REMEMBERED: usize = 8_192;
/// Most rows of a turn that are kept for its answer.
const TRANSCRIPT: usize = 3_000;
/// Rows that must agree for a shift of the screen to be a scroll.
const AGREE: usize = 4;

/// A settled line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its text.
    pub text: String,
    /// Who says it.
    pub origin: Origin,
}

/// Finds settled lines.
#[derive(Debug)]
pub struct Settled {
    mode: Lines,
    /// Stream: rows that scrolled away since the start, and the first row not counted yet.
    gone: u64,
    next: u64,
    /// Screen: texts that were counted, oldest first.
    seen: HashSet<u64>,
    order: VecDeque<u64>,
    /// Screen: the rows above the composer at the last look, and since when each stands.
    body: Vec<(String, Origin, Duration)>,
    /// Rows of the running turn that left the screen.
    transcript: VecDeque<String>,
    /// Lines that settled and were not taken yet.
    ready: Vec<Line>,
    /// A row that goes on in the next one.
    open: String,
}

impl Settled {
    /// At the start of a program.
    pub fn new(mode: Lines) -> Self {
        Self {
            mode,
            gone: 0,
            next: 0,
            seen: HashSet::new(),
            order: VecDeque::new(),
            body: Vec::new(),
            transcript: VecDeque::new(),
            ready: Vec::new(),
            open: String::new(),
        }
    }

    /// Takes the lines that settled since the last call.
    pub fn take(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.ready)
    }

    /// Number of rows that scrolled off the main screen.
    pub fn scrolled(&self) -> u64 {
        self.gone
    }

    /// A new turn begins: its rows are collected from here.
    pub fn begin_turn(&mut self) {
        self.transcript.clear();
    }

    /// Rows of this turn that scrolled away, then the rows given.
    pub fn with_transcript(&self, body: &[String]) -> Vec<String> {
        self.transcript.iter().chain(body).cloned().collect()
    }

    /// Takes rows that left the screen at its top.
    pub fn scroll(&mut self, rows: Vec<Gone>, lost: usize) {
        self.gone += lost as u64;
        for row in rows.into_iter().filter(|row| !row.alternate) {
            let index = self.gone;
            self.gone += 1;
            self.remember(&row.text);
            match self.mode {
                Lines::Screen => self.count(row.text, Origin::Unknown),
                Lines::Stream if index >= self.next => {
                    self.next = index + 1;
                    if !row.continues {
                        self.close();
                    }
                    self.open.push_str(&row.text);
                    if self.open.len() > 4_000 {
                        self.close();
                    }
                }
                Lines::Stream => {}
            }
        }
    }

    /// Looks at the screen. `body` is how many rows stand above the composer, `origins` who says each.
    /// Returns whether the rows above the composer changed.
    pub fn look(&mut self, now: Duration, screen: &Screen, body: usize, origins: &[Origin]) -> bool {
        match self.mode {
            Lines::Stream => self.look_at_stream(screen),
            Lines::Screen => {}
        }
        let rows = &screen.rows[..body.min(screen.rows.len())];
        if rows.len() == self.body.len() && rows.iter().zip(&self.body).all(|(row, (old, ..))| row == old) {
            self.settle(now);
            return false;
        }
        if screen.alternate
            && let Some(shift) = self.shift(rows)
        {
            for (text, origin, _) in self.body.drain(..shift).collect::<Vec<_>>() {
                self.remember(&text);
                self.count(text, origin);
            }
        }
        let old = std::mem::take(&mut self.body);
        self.body = rows
            .iter()
            .enumerate()
            .map(|(i, row)| {
                let since = old.get(i).filter(|(text, ..)| text == row).map_or(now, |(_, _, since)| *since);
                (row.clone(), origins.get(i).copied().unwrap_or(Origin::Unknown), since)
            })
            .collect();
        self.settle(now);
        true
    }

    /// When a row will have settled although nothing happens.
    pub fn due(&self) -> Option<Duration> {
        if self.mode == Lines::Stream {
            return None;
        }
        let newest =
            self.body.iter().filter(|(text, ..)| !text.is_empty()).map(|(_, _, since)| *since).max()?;
        Some(newest + STANDS)
    }

    fn look_at_stream(&mut self, screen: &Screen) {
        if screen.alternate {
            return;
        }
        let cursor = self.gone + screen.cursor.0 as u64;
        if cursor < self.next {
            // The program cleared its screen or went up to draw anew.
            self.next = cursor;
        }
        while self.next < cursor {
            let Ok(row) = usize::try_from(self.next - self.gone.min(self.next)) else { return };
            let Some(text) = screen.rows.get(row) else { return };
            let continues = row > 0 && screen.wrapped.get(row - 1) == Some(&true);
            if !continues {
                self.close();
            }
            self.open.push_str(text);
            self.next += 1;
        }
        if screen.wrapped.get(screen.cursor.0.saturating_sub(1)) != Some(&true) {
            self.close();
        }
    }

    fn close(&mut self) {
        let text = std::mem::take(&mut self.open);
        if !text.trim().is_empty() {
            self.ready.push(Line { text, origin: Origin::Tool });
        }
    }

    fn settle(&mut self, now: Duration) {
        if self.mode == Lines::Stream {
            return;
        }
        let due: Vec<(String, Origin)> = self
            .body
            .iter()
            .filter(|(text, _, since)| now >= *since + STANDS && !text.trim().is_empty())
            .map(|(text, origin, _)| (text.clone(), *origin))
            .collect();
        for (text, origin) in due {
            self.count(text, origin);
        }
    }

    /// Counts a text of a drawn screen unless it was counted before.
    fn count(&mut self, text: String, origin: Origin) {
        if self.mode == Lines::Stream || text.trim().is_empty() {
            return;
        }
        let key = hash(std::iter::once(text.trim()));
        if !self.seen.insert(key) {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > REMEMBERED
            && let Some(old) = self.order.pop_front()
        {
            self.seen.remove(&old);
        }
        self.ready.push(Line { text, origin });
    }

    fn remember(&mut self, text: &str) {
        if self.transcript.len() >= TRANSCRIPT {
            self.transcript.pop_front();
        }
        self.transcript.push_back(text.to_owned());
    }

    /// By how many rows the body moved up, if it did: the new top rows stood further down before.
    fn shift(&self, rows: &[String]) -> Option<usize> {
        let agree = AGREE.min(rows.len());
        let top = &rows[..agree];
        if top.iter().filter(|row| !row.trim().is_empty()).count() < 2 || self.body.len() <= agree {
            return None;
        }
        let stands = self.body.iter().zip(top).take(agree).all(|((old, ..), new)| old == new);
        if stands {
            return None;
        }
        (1..=self.body.len() - agree)
            .find(|&k| self.body[k..].iter().zip(top).all(|((old, ..), new)| old == new))
    }
}
