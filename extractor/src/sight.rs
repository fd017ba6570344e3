//! What the screen shows: the last picture, what the rules read off it, and since when. Must not: decide a state.

use std::collections::BTreeMap;
use std::time::Duration;

use patterns::{Agent, Lines};

use crate::answer;
use crate::batch::Batch;
use crate::dialog::Asked;
use crate::lines::Settled;
use crate::memo::Memo;
use crate::observation::{Dialog, Event};
use crate::reading::{self, Reading, Retry};
use crate::scan::Scan;
use crate::shelf::Shelf;
use crate::vt::{Screen, Vt};

/// The last look at the screen.
#[derive(Debug)]
pub struct Sight {
    /// The picture.
    pub screen: Screen,
    /// What the rules read.
    pub reading: Reading,
    /// The dialog on it, as it was last told.
    pub dialog: Option<Dialog>,
    /// The agent's version, once the screen told it.
    pub version: Option<String>,
    /// Numbers, by name.
    pub metrics: BTreeMap<String, f64>,
    /// The program was seen to switch bracketed paste on for its prompt.
    pub pastes: bool,
    /// Its last thing is the mark of a turn's end.
    pub over: bool,
    /// When its text last changed.
    pub changed: Duration,
    /// When its signs of work last changed.
    pub worked: Duration,
    /// When its dialog was first seen.
    pub asked: Duration,
    /// Settled lines that nobody has taken as text.
    pub shelf: Shelf,
    settled: Settled,
    scan: Scan,
    /// What the rules said of the picture's rows.
    memo: Memo,
    /// Whether it is used: without it there must be no difference.
    remembers: bool,
    /// What the emulator had drawn at the last look.
    drawn: u64,
}

/// A prompt at the moment at which Enter was pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompted {
    /// Its characters that are not blank.
    pub text: String,
    /// The rows above the composer.
    above: Vec<String>,
}

/// What a look found to be new.
#[derive(Debug, Default)]
pub struct Looked {
    /// The rows above the composer changed.
    pub moved: bool,
    /// The dialog opened, changed or closed.
    pub dialog: bool,
    /// Found in lines that settled.
    pub events: Vec<Event>,
}

impl Sight {
    /// Before the first look.
    pub fn new(agent: &Agent, vt: &Vt) -> Self {
        Self {
            screen: vt.screen(),
            reading: Reading::default(),
            dialog: None,
            version: None,
            metrics: BTreeMap::new(),
            pastes: false,
            over: false,
            changed: Duration::ZERO,
            worked: Duration::ZERO,
            asked: Duration::ZERO,
            settled: Settled::new(agent.lines),
            shelf: Shelf::default(),
            scan: Scan::new(agent.lines == Lines::Screen),
            memo: Memo::NOTHING,
            remembers: vt.bypasses(),
            drawn: 0,
        }
    }

    /// Looks.
    pub fn look(&mut self, agent: &Agent, vt: &mut Vt, now: Duration) -> Looked {
        let mut events = self.drain(vt);
        self.picture(vt, now);
        self.find_version(agent);
        let mut reading = reading::read(agent, self.version.as_deref(), &self.screen, vt, &self.memo);
        if agent.composer.as_ref().is_some_and(|rule| rule.bracketed) {
            self.pastes |= reading.composer.is_some() && vt.bracketed_paste();
            if self.pastes && !vt.bracketed_paste() {
                reading.composer = None;
            }
        }
        if reading.working != self.reading.working {
            self.worked = now;
        }
        if reading.retrying != self.reading.retrying {
            events.extend(reading.retrying.as_ref().map(Retry::event));
        }
        let id = |asked: &Option<Asked>| asked.as_ref().map(|asked| asked.dialog.id.clone());
        if id(&reading.dialog) != id(&self.reading.dialog) {
            self.asked = now;
        }
        self.reading = reading;
        self.metrics.extend(self.reading.metrics.clone());
        let body = self.body();
        self.over = answer::is_over(agent, &self.screen.rows[..body], &self.memo);
        let origins = answer::origins(agent.answer.as_ref(), &self.screen.rows[..body], &self.memo);
        let moved = self.settled.look(now, &self.screen, body, &origins);
        events.extend(self.events());
        let dialog = self.reading.dialog.as_ref().map(|asked| asked.dialog.clone());
        let changed = dialog != self.dialog;
        self.dialog = dialog;
        Looked { moved, dialog: changed, events }
    }

    /// Takes the picture, if anything was drawn since the last one.
    fn picture(&mut self, vt: &Vt, now: Duration) {
        let Some(screen) = vt.redrawn(&mut self.drawn) else { return };
        let old = std::mem::replace(&mut self.screen, screen);
        if self.screen.rows != old.rows {
            self.changed = now;
        }
        if self.remembers {
            let rows = &self.screen.rows;
            self.memo.look(rows.len(), |at| old.rows.get(at) != rows.get(at));
        }
    }

    /// Takes what scrolled away, so that it need not be kept.
    pub fn drain(&mut self, vt: &mut Vt) -> Vec<Event> {
        let settled = &mut self.settled;
        let lost = vt.lost();
        settled.lose(lost);
        vt.take_gone(|row| settled.scroll(row));
        self.events()
    }

    /// Events of what a tool printed, as the agent told it.
    pub fn told(&mut self, output: &Batch) -> Vec<Event> {
        self.scan.told(output)
    }

    /// When a row will have settled although nothing happens.
    pub fn due(&self) -> Option<Duration> {
        self.settled.due()
    }

    /// Where the composer stands, counted from the first row of the session.
    pub fn prompt_row(&self) -> Option<u64> {
        self.reading.composer.as_ref().map(|field| self.settled.scrolled() + field.first as u64)
    }

    /// The last turn, read off its rows.
    pub fn answer(&self, agent: &Agent) -> answer::Read {
        answer::read(agent, &self.settled.with_transcript(&self.screen.rows[..self.body()]))
    }

    /// The answer to this prompt.
    pub fn answer_to(&self, agent: &Agent, prompt: &str) -> String {
        answer::to(agent, &self.settled.with_transcript(&self.screen.rows[..self.body()]), prompt)
    }

    /// A turn is over: its rows are not needed any more.
    pub fn forget_turn(&mut self) {
        self.settled.begin_turn();
    }

    /// The prompt that stands in the composer, and what stands above it; nothing when it is empty.
    pub fn prompted(&self, agent: &Agent) -> Option<Prompted> {
        let text = answer::squeeze(&self.reading.composer.as_ref()?.text);
        let speaks = agent.answer.as_ref().is_some_and(|rule| rule.begin.is_some());
        (speaks && !text.is_empty())
            .then(|| Prompted { text, above: self.screen.rows[..self.body()].to_vec() })
    }

    /// The characters of the last prompt in the conversation.
    pub fn last_prompt(&self, agent: &Agent) -> Option<String> {
        answer::last_prompt(agent, &self.screen.rows[..self.body()])
    }

    /// Whether this prompt has moved into the conversation, and the mark of its turn's end stands under it.
    pub fn is_over(&self, agent: &Agent, prompted: &Prompted) -> bool {
        let above = &self.screen.rows[..self.body()];
        above != prompted.above && answer::ends_with(agent, above, &prompted.text)
    }

    /// The answer above the last prompt, when the mark of a turn's end stands right above it and it is another prompt
    /// than the running turn's own.
    pub fn answer_before_prompt(&self, agent: &Agent, own: &str) -> Option<String> {
        answer::before_prompt(agent, own, &self.settled.with_transcript(&self.screen.rows[..self.body()]))
    }

    /// Lines on the screen that end a turn.
    pub fn end_marks(&self, agent: &Agent) -> Vec<String> {
        let rows = &self.screen.rows[..self.body()];
        let ends = |row: &&String| agent.turn_ends.iter().any(|rule| rule.pattern.is_match(row));
        rows.iter().filter(ends).cloned().collect()
    }

    /// The last row above the composer that is not blank.
    pub fn last_line(&self) -> &str {
        let rows = &self.screen.rows[..self.body()];
        // A border says nothing.
        rows.iter().rev().find(|row| row.contains(char::is_alphanumeric)).map_or("", |row| row.trim())
    }

    /// How many rows stand above the composer or the dialog.
    fn body(&self) -> usize {
        let rows = self.screen.rows.len();
        let composer = self.reading.composer.as_ref().map(|field| field.outer.0);
        let dialog = self.reading.dialog.as_ref().map(|asked| asked.first);
        composer.or(dialog).unwrap_or(rows).min(rows)
    }

    fn events(&mut self) -> Vec<Event> {
        let lines = self.settled.ready();
        let events = self.scan.run(lines);
        self.shelf.put(lines.text());
        lines.clear();
        events
    }

    fn find_version(&mut self, agent: &Agent) {
        if self.version.is_some() {
            return;
        }
        let Some(rule) = &agent.version else { return };
        let found = self.screen.rows.iter().find_map(|row| rule.captures(row));
        self.version = found.and_then(|groups| groups.name("version").map(|m| m.as_str().to_owned()));
    }
}
