//! Lines that have settled, each once however often it was drawn. Must not: know what a line means.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

use patterns::Lines;

use crate::batch::{Batch, Transcript};
use crate::hash::quick;
use crate::observation::Origin;
use crate::rows::Gone;
use crate::vt::Screen;

/// How long a row must stand unchanged to count as settled.
const STANDS: Duration = Duration::from_millis(400);
/// How many texts of a drawn screen are remembered.
const REMEMBERED: usize = 8_192;
/// Rows that must agree for a shift of the screen to be a scroll.
const AGREE: usize = 4;

/// Longest line that is put together from rows; a longer one is told in parts.
const LONGEST: usize = 4_000;

/// Takes numbers that are hashes already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// Finds settled lines.
#[derive(Debug)]
pub struct Settled {
    mode: Lines,
    /// Stream: rows that scrolled away since the start, and the first row not counted yet.
    gone: u64,
    next: u64,
    /// Screen: texts that were counted, oldest first.
    seen: HashSet<u64, BuildHasherDefault<Hashed>>,
    order: VecDeque<u64>,
    /// Screen: the rows above the composer at the last look, and since when each stands.
    body: Vec<(String, Origin, Duration)>,
    /// Rows of the running turn that left the screen.
    transcript: Transcript,
    /// Lines that settled and were not taken yet.
    ready: Batch,
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
            seen: HashSet::default(),
            order: VecDeque::new(),
            body: Vec::new(),
            transcript: Transcript::default(),
            ready: Batch::default(),
            open: String::new(),
        }
    }

    /// The lines that settled since they were last cleared.
    pub fn ready(&mut self) -> &mut Batch {
        &mut self.ready
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
        self.transcript.rows().map(str::to_owned).chain(body.iter().cloned()).collect()
    }

    /// Takes a row that left the screen at its top.
    pub fn scroll(&mut self, row: Gone<'_>) {
        if row.alternate {
            return;
        }
        let index = self.gone;
        self.gone += 1;
        self.transcript.push(row.text);
        match self.mode {
            Lines::Screen => self.count(row.text, Origin::Unknown),
            Lines::Stream if index >= self.next => {
                self.next = index + 1;
                if !row.continues {
                    self.close();
                }
                self.open.push_str(row.text);
                if self.open.len() > LONGEST {
                    self.close();
                }
            }
            Lines::Stream => {}
        }
    }

    /// Rows left the screen that nobody kept.
    pub fn lose(&mut self, rows: usize) {
        self.gone += rows as u64;
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
                self.transcript.push(&text);
                self.count(&text, origin);
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
        if !self.open.trim().is_empty() {
            self.ready.push(&self.open, Origin::Tool);
        }
        self.open.clear();
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
            self.count(&text, origin);
        }
    }

    /// Counts a text of a drawn screen unless it was counted before.
    fn count(&mut self, text: &str, origin: Origin) {
        if self.mode == Lines::Stream || text.trim().is_empty() {
            return;
        }
        let key = quick(text.trim());
        if !self.seen.insert(key) {
            return;
        }
        self.order.push_back(key);
        if self.order.len() > REMEMBERED
            && let Some(old) = self.order.pop_front()
        {
            self.seen.remove(&old);
        }
        self.ready.push(text, origin);
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
