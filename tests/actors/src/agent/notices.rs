//! Dialogs that open at random moments around prompts, and what keys reached them. Must not: draw.
//!
//! What is told, one line each: `opened empty` or `opened holding` (a text stood in the composer), and
//! `key NAME MICROSECONDS`, the time since the dialog had been written to the terminal.

use std::fs::File;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::keys::Key;

/// Longest time until one opens.
const LATEST: Duration = Duration::from_millis(300);

/// Shortest and longest time that one stays open, in milliseconds.
const OPEN_MS: (u64, u64) = (30, 150);

/// The dialogs to come.
pub struct Notices {
    /// State of the generator; `None`: none come.
    random: Option<u64>,
    told: Option<File>,
    opens: Option<Instant>,
    closes: Option<Instant>,
    drawn: Instant,
}

impl Notices {
    /// Those of a seed; without one none come.
    pub fn new(seed: Option<u64>, told: Option<File>) -> Self {
        Self { random: seed, told, opens: None, closes: None, drawn: Instant::now() }
    }

    /// Something happened before or after which a prompt may come: every second time a dialog follows.
    pub fn plan(&mut self) {
        let Some((coin, part)) = self.roll().zip(self.roll()) else { return };
        if coin < 0.5 && self.closes.is_none() {
            // As many within the first ten microseconds as within the last two hundred milliseconds, nearly.
            let most = LATEST.as_micros() as f64;
            self.opens = Some(Instant::now() + Duration::from_micros(most.powf(part) as u64));
        }
    }

    /// When something is due.
    pub fn due(&self) -> Option<Instant> {
        self.opens.into_iter().chain(self.closes).min()
    }

    /// Whether one is to be opened (`true`) or closed now. It is not opened when the agent is at work by then.
    pub fn look(&mut self, open: bool, may: bool) -> Option<bool> {
        let now = Instant::now();
        if self.opens.take_if(|at| *at <= now).is_some() && may {
            let (least, most) = OPEN_MS;
            let length = least + (self.roll()? * (most - least) as f64) as u64;
            self.closes = Some(now + Duration::from_millis(length));
            return Some(true);
        }
        // A key may have closed it before.
        self.closes.take_if(|at| *at <= now || !open).and(open.then_some(false))
    }

    /// It has been drawn.
    pub fn shown(&mut self, holding: bool) -> io::Result<()> {
        self.drawn = Instant::now();
        self.tell(&format!("opened {}", if holding { "holding" } else { "empty" }))
    }

    /// A key reached it.
    pub fn reached(&mut self, key: &Key) -> io::Result<()> {
        let name = match key {
            Key::Text(_) => "text",
            Key::Paste(_) => "paste",
            Key::Enter => "enter",
            Key::Escape => "escape",
            Key::Interrupt => "interrupt",
            Key::End => "end",
            Key::Erase => "erase",
            Key::EraseAll => "erase-all",
        };
        self.tell(&format!("key {name} {}", self.drawn.elapsed().as_micros()))
    }

    fn tell(&mut self, line: &str) -> io::Result<()> {
        self.told.as_mut().map_or(Ok(()), |told| writeln!(told, "{line}"))
    }

    /// The next number from 0 to 1 (SplitMix64).
    fn roll(&mut self) -> Option<f64> {
        let state = self.random.as_mut()?;
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64)
    }
}
