//! The extractor: bytes, keys, sizes and time in; observations out. Must not: do I/O or read a clock.
//!
//! Invariant: observations depend on the bytes and their times, not on how the bytes were split. Signals are taken at
//! the byte that ends them; the screen is read at fixed delays after its first change.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use patterns::{Absent, Agent, Lines, StateWord};

use crate::answer;
use crate::belief::{Belief, Change};
use crate::composer;
use crate::dialog::Asked;
use crate::evidence::{Candidate, Facts};
use crate::lines::Settled;
use crate::observation::{Claim, Composer, Dialog, Exit, Keys, Observation, Seen, Shown, Source, State};
use crate::osc::{Item, Scanner};
use crate::query;
use crate::reading::{self, Reading};
use crate::scan::Scan;
use crate::signal::{self, Mark, Status, StatusWord, Title, Told};
use crate::turn::{Effect, Event, Turn, Verdict};
use crate::vt::{Screen, Vt};

/// How long after its first change the screen is read.
const LOOK: Duration = Duration::from_millis(40);
/// How long an unfinished synchronized frame delays a look.
const FRAME: Duration = Duration::from_millis(150);
/// Output is taken in pieces that end at multiples of this offset, so that buffers are bounded.
const PIECE: u64 = 64 * 1024;
/// How long an end mark must stand while the agent works on before it counts as the end of a queued turn.
const MARK_STANDS: Duration = Duration::from_millis(900);

/// Watches one program.
pub struct Extractor {
    agent: Arc<Agent>,
    vt: Vt,
    scanner: Scanner,
    offset: u64,
    now: Duration,
    screen: Screen,
    reading: Reading,
    settled: Settled,
    scan: Scan,
    belief: Belief,
    turn: Turn,
    title: String,
    version: Option<String>,
    status: Option<Status>,
    told: Option<Title>,
    mark: Option<Mark>,
    code: Option<i32>,
    asked: Option<Dialog>,
    metrics: BTreeMap<String, f64>,
    modes: BTreeMap<u16, bool>,
    frame: Option<Duration>,
    look: Option<Duration>,
    recheck: Option<Duration>,
    output: Duration,
    changed: Duration,
    worked: Duration,
    asked_at: Duration,
    key: Option<Duration>,
    ready: bool,
    entered: bool,
    typed: Option<Typed>,
    marks: Vec<String>,
    marked: Option<Duration>,
    /// The program said that its turn is done.
    done: bool,
    ended: bool,
}

/// An Enter in a prompt that comes back at once: where the prompt stood.
#[derive(Debug, Clone, Copy)]
struct Typed {
    row: u64,
}

impl Extractor {
    /// Watches a program of this kind on a terminal of this size, from its first byte.
    pub fn new(agent: Arc<Agent>, cols: u16, rows: u16) -> Self {
        let vt = Vt::new(cols, rows);
        Self {
            settled: Settled::new(agent.lines),
            scan: Scan::new(agent.lines == Lines::Screen),
            screen: vt.screen(),
            vt,
            agent,
            scanner: Scanner::new(),
            offset: 0,
            now: Duration::ZERO,
            reading: Reading::default(),
            belief: Belief::new(),
            turn: Turn::default(),
            title: String::new(),
            version: None,
            status: None,
            told: None,
            mark: None,
            code: None,
            asked: None,
            metrics: BTreeMap::new(),
            modes: BTreeMap::new(),
            frame: None,
            look: None,
            recheck: None,
            output: Duration::ZERO,
            changed: Duration::ZERO,
            worked: Duration::ZERO,
            asked_at: Duration::ZERO,
            key: None,
            ready: false,
            entered: false,
            typed: None,
            marks: Vec::new(),
            marked: None,
            done: false,
            ended: false,
        }
    }

    /// Takes output.
    pub fn output(&mut self, at: Duration, bytes: &[u8], out: &mut Vec<Observation>) {
        self.pass(at, out);
        self.output = self.now;
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = usize::try_from(PIECE - self.offset % PIECE).unwrap_or(usize::MAX);
            let (piece, after) = rest.split_at(rest.len().min(room));
            self.piece(piece, out);
            rest = after;
            if self.offset.is_multiple_of(PIECE) {
                self.drain(out);
            }
        }
        if !bytes.is_empty() && self.look.is_none() {
            self.look = Some(self.now + LOOK);
        }
    }

    /// Takes what was written to the program.
    pub fn input(&mut self, at: Duration, keys: Keys, out: &mut Vec<Observation>) {
        self.pass(at, out);
        if keys.reply || self.ended {
            return;
        }
        if keys.enter {
            let holds = self.reading.composer.as_ref().is_some_and(|field| !field.text.is_empty());
            let queued = self.claim().state == State::Busy && holds;
            self.turn(if queued { Event::Queued } else { Event::Enter }, out);
        }
        self.entered |= keys.enter;
        self.key = Some(self.now);
        let state = self.belief.claim().state;
        if (keys.escape || keys.interrupt)
            && matches!(state, State::Busy | State::WaitingPermission | State::WaitingInput)
        {
            self.turn(Event::Interrupt, out);
        }
        if keys.enter && state == State::Idle && self.mark.is_none() {
            let first = self.reading.composer.as_ref().map(|field| field.first as u64);
            self.typed = first.map(|first| Typed { row: self.settled.scrolled() + first });
        }
    }

    /// Takes a new size of the terminal.
    pub fn resize(&mut self, at: Duration, cols: u16, rows: u16, out: &mut Vec<Observation>) {
        self.pass(at, out);
        self.vt.resize(cols, rows);
        self.look.get_or_insert(self.now + LOOK);
    }

    /// Takes the end of the program.
    pub fn exit(&mut self, at: Duration, exit: Exit, out: &mut Vec<Observation>) {
        self.pass(at, out);
        if self.ended {
            return;
        }
        if self.look.take().is_some() {
            self.read(out);
        }
        self.ended = true;
        self.recheck = None;
        let evidence = match exit {
            Exit::Code(code) => format!("exit status {code}"),
            Exit::Signal(signal) => format!("signal {signal}"),
        };
        let candidate = Candidate {
            state: State::Exited,
            source: Source::Exit,
            rule: "process.exit".into(),
            evidence,
            background: false,
            hold: Duration::ZERO,
        };
        let change = self.belief.believe(self.now, candidate);
        self.follow(change, out);
    }

    /// Takes the passing of time.
    pub fn tick(&mut self, at: Duration, out: &mut Vec<Observation>) {
        self.pass(at, out);
    }

    /// When [`Self::tick`] must be called at the latest.
    pub fn due(&self) -> Option<Duration> {
        if self.ended {
            return None;
        }
        [self.look, self.recheck].into_iter().flatten().min()
    }

    /// The state.
    pub fn claim(&self) -> &Claim {
        self.belief.claim()
    }

    /// The dialog that is open.
    pub fn dialog(&self) -> Option<&Dialog> {
        self.asked.as_ref()
    }

    /// What stands where a prompt would be typed, as of the last look.
    pub fn composer(&self) -> Composer {
        match (&self.agent.composer, &self.reading.composer) {
            (None, _) => Composer::Unreadable,
            (Some(_), None) => Composer::Absent,
            (Some(_), Some(field)) => field.composer(),
        }
    }

    /// Whether this prompt stands in the composer.
    pub fn shows(&self, text: &str) -> Shown {
        match (&self.agent.composer, &self.reading.composer) {
            (Some(rule), Some(field)) => composer::shows(rule, field, text),
            _ => Shown::No,
        }
    }

    /// Whether the program asked for bracketed paste.
    pub fn bracketed_paste(&self) -> bool {
        self.vt.bracketed_paste()
    }

    /// Whether the agent compacts its context.
    pub fn compacting(&self) -> bool {
        self.reading.compacting
    }

    /// The window title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The last row above the composer that is not blank.
    pub fn last_line(&self) -> &str {
        let body = self.body();
        self.screen.rows[..body].iter().rev().find(|row| !row.trim().is_empty()).map_or("", |row| row.trim())
    }

    /// Numbers that the agent shows, by name.
    pub fn metrics(&self) -> &BTreeMap<String, f64> {
        &self.metrics
    }

    /// The agent's version, when its screen told.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Bytes of output taken so far.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        self.vt.size()
    }

    /// Bytes that draw the present screen, its modes and title on a fresh terminal.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = self.vt.redraw();
        for mode in self.modes.iter().filter(|(_, on)| **on).map(|(mode, _)| mode) {
            out.extend_from_slice(format!("\x1b[?{mode}h").as_bytes());
        }
        out.extend_from_slice(format!("\x1b]2;{}\x07", self.title).as_bytes());
        out
    }

    /// The rows of the present screen.
    pub fn screen_text(&self) -> Vec<String> {
        self.vt.screen().rows
    }

    /// Lets time pass: everything that was due happens at its own time, in order.
    fn pass(&mut self, at: Duration, out: &mut Vec<Observation>) {
        while let Some(due) = self.due().filter(|due| *due <= at) {
            self.now = self.now.max(due);
            if self.look.is_some_and(|look| look <= due) {
                self.look = None;
                match self.frame {
                    Some(since) if since + FRAME > self.now => self.look = Some(since + FRAME),
                    Some(_) | None => self.read(out),
                }
            }
            self.judge(out);
        }
        self.now = self.now.max(at);
    }

    fn piece(&mut self, piece: &[u8], out: &mut Vec<Observation>) {
        let mut rest = piece;
        while let Some((used, item)) = self.scanner.next(rest) {
            self.vt.feed(&rest[..used]);
            self.offset += used as u64;
            rest = &rest[used..];
            self.item(item, out);
        }
        self.vt.feed(rest);
        self.offset += rest.len() as u64;
    }

    fn item(&mut self, item: Item, out: &mut Vec<Observation>) {
        match item {
            Item::Title(text) => {
                let told = signal::title(&self.agent, self.version.as_deref(), &text, self.now);
                let same = |told: &Title, old: &Title| told.state == old.state;
                let since =
                    self.told.as_ref().filter(|old| told.as_ref().is_some_and(|told| same(told, old)));
                let since = since.map_or(self.now, |old| old.since);
                let told = told.map(|told| Title { since, ..told });
                self.flash(told.as_ref(), out);
                self.told = told;
                if text != self.title {
                    self.title.clone_from(&text);
                    self.emit(Seen::Title(text), out);
                }
                self.judge(out);
            }
            Item::Status(body) => {
                match signal::status(&body, self.now) {
                    Told::Status(status) => {
                        let rest = |s: &Status| matches!(s.word, StatusWord::Done | StatusWord::Error);
                        let next =
                            status.word == StatusWord::Working && self.status.as_ref().is_some_and(rest);
                        if next && self.claim().state == State::Busy {
                            // The next prompt followed at once.
                            let verdict = self.verdict();
                            self.turn(Event::Next { verdict }, out);
                        }
                        self.done = match status.word {
                            StatusWord::Done => true,
                            StatusWord::Working => false,
                            StatusWord::Idle | StatusWord::Blocked | StatusWord::Error => self.done,
                        };
                        self.status = Some(status);
                    }
                    Told::Clear => {
                        // The program says goodbye: what it said last was its last word.
                        if let Some(change) = self.belief.settle(self.now, Source::Status) {
                            self.follow(change, out);
                        }
                        self.status = None;
                    }
                    Told::Nothing => {}
                }
                self.judge(out);
            }
            Item::Mark(letter, rest) => {
                if let Some(mark) = signal::mark(letter, &rest) {
                    if let Mark::Ended(code) = mark {
                        self.code = code;
                    }
                    self.mark = Some(mark);
                    self.judge(out);
                }
            }
            Item::Query(asked) => {
                let reply = query::reply(asked, &self.vt);
                self.emit(Seen::Query(reply), out);
            }
            Item::Frame(true) => self.frame = Some(self.now),
            Item::Frame(false) => {
                self.frame = None;
                self.look = self.look.map(|look| look.min(self.now + LOOK));
            }
            Item::Mode(mode, on) => {
                self.modes.insert(mode, on);
            }
            Item::Notice(_) => {}
        }
    }

    /// Reads the screen.
    fn read(&mut self, out: &mut Vec<Observation>) {
        self.drain(out);
        let screen = self.vt.screen();
        if screen.rows != self.screen.rows {
            self.changed = self.now;
        }
        self.screen = screen;
        self.find_version();
        let reading = reading::read(&self.agent, self.version.as_deref(), &self.screen, &self.vt);
        if reading.working != self.reading.working {
            self.worked = self.now;
        }
        let id = |asked: &Option<Asked>| asked.as_ref().map(|asked| asked.dialog.id.clone());
        if id(&reading.dialog) != id(&self.reading.dialog) {
            self.asked_at = self.now;
        }
        self.reading = reading;
        self.metrics.extend(self.reading.metrics.clone());
        let body = self.body();
        let origins = answer::origins(self.agent.answer.as_ref(), &self.screen.rows[..body]);
        if self.settled.look(self.now, &self.screen, body, &origins) {
            self.belief.restart(self.now, Source::Screen);
        }
        self.events(out);
        let asked = self.reading.dialog.as_ref().map(|asked| asked.dialog.clone());
        if asked != self.asked {
            self.asked.clone_from(&asked);
            self.emit(Seen::Dialog(asked), out);
        }
    }

    /// Weighs the evidence and follows what it says.
    fn judge(&mut self, out: &mut Vec<Observation>) {
        if self.ended {
            return;
        }
        let (candidate, recheck) = {
            let facts = self.facts();
            (facts.weigh(), facts.recheck())
        };
        let unknown = Duration::from_millis(self.agent.timing.unknown_ms);
        let before = (self.belief.claim().source, self.belief.claim().background);
        let candidate = candidate.or_else(|| (!self.ready && self.agent.composer.is_some()).then(starting));
        let change = self.belief.weigh(self.now, candidate, unknown);
        match change {
            Some(change) => self.follow(change, out),
            None => {
                let claim = self.belief.claim();
                if before != (claim.source, claim.background) {
                    self.emit(Seen::State(claim.clone()), out);
                }
                self.between(out);
            }
        }
        let due = self.belief.due(unknown);
        let settle = self.settled.due();
        let marked = self.marked.map(|at| at + MARK_STANDS);
        let turn = self.turn.due();
        self.recheck =
            [recheck, due, settle, marked, turn].into_iter().flatten().filter(|at| *at > self.now).min();
        if settle.is_some_and(|at| self.recheck == Some(at)) && self.look.is_none() {
            self.look = self.recheck;
        }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            agent: &self.agent,
            status: self.status.as_ref(),
            title: self.told.as_ref(),
            mark: self.mark,
            reading: &self.reading,
            ready: self.ready,
            entered: self.entered,
            expected: self.turn.expected(),
            output: self.output,
            changed: self.changed,
            worked: self.worked,
            asked: self.asked_at,
            key: self.key,
            now: self.now,
        }
    }

    fn follow(&mut self, change: Change, out: &mut Vec<Observation>) {
        let Change { from, to } = change;
        if matches!(to, State::Idle | State::Busy | State::WaitingPermission) {
            self.ready = true;
        }
        if to == State::Busy {
            self.typed = None;
        }
        let claim = self.belief.claim().clone();
        let source = claim.source;
        self.emit(Seen::State(claim), out);
        let verdict = if to == State::Idle { self.verdict() } else { Verdict::default() };
        self.turn(Event::State { from, to, source, verdict }, out);
    }

    /// A title that rested for a moment and goes back to work: between a turn and the prompt that was queued in it.
    fn flash(&mut self, told: Option<&Title>, out: &mut Vec<Observation>) {
        let works = told.is_some_and(|told| told.state == StateWord::Busy);
        let rested = self.told.as_ref().is_some_and(|old| old.state == StateWord::Idle);
        let queued = matches!(self.turn, Turn::Running { queued: true, began, .. } if began < self.now);
        if works && rested && queued && self.claim().state == State::Busy && self.reading.dialog.is_none() {
            let verdict = self.verdict();
            self.turn(Event::Next { verdict }, out);
        }
    }

    /// What may happen between two changes of state: an end mark while the next turn runs, a command that was over
    /// before anybody looked.
    fn between(&mut self, out: &mut Vec<Observation>) {
        let state = self.belief.claim().state;
        if self.turn.due().is_some_and(|due| due <= self.now) {
            self.turn(Event::Time, out);
        }
        if matches!(self.turn, Turn::Running { .. }) && state == State::Busy {
            let new = self.end_marks().into_iter().any(|mark| !self.marks.contains(&mark));
            match (new, self.marked) {
                (true, None) => self.marked = Some(self.now),
                (true, Some(at)) if self.now >= at + MARK_STANDS => {
                    self.turn(Event::Next { verdict: Verdict { ended: true, ..Verdict::default() } }, out);
                }
                (true, Some(_)) => {}
                (false, _) => self.marked = None,
            }
        }
        let short = self.agent.composer.as_ref().is_some_and(|rule| rule.absent == Absent::Busy);
        if let (Some(typed), true, State::Idle, Some(field)) =
            (self.typed, short, state, &self.reading.composer)
        {
            let row = self.settled.scrolled() + field.first as u64;
            if row > typed.row && field.text.is_empty() {
                self.typed = None;
                let verdict = self.verdict();
                self.turn(Event::Short { verdict }, out);
            }
        }
    }

    fn turn(&mut self, event: Event, out: &mut Vec<Observation>) {
        let (turn, effects) = std::mem::take(&mut self.turn).on(self.now, event);
        self.turn = turn;
        for effect in effects {
            match effect {
                Effect::Began(source) => {
                    self.marks = self.end_marks();
                    self.marked = None;
                    self.emit(Seen::TurnBegan { source }, out);
                }
                Effect::Ended { outcome, reason, source } => {
                    let answer = self.answer().answer;
                    self.emit(Seen::TurnEnded { outcome, reason, source, answer }, out);
                    self.settled.begin_turn();
                }
            }
        }
    }

    fn verdict(&self) -> Verdict {
        let mut verdict = self.answer().verdict;
        verdict.ended |= self.done;
        let told = self.status.as_ref().filter(|status| {
            status.word == StatusWord::Error || (status.word == StatusWord::Blocked && status.kind == "auth")
        });
        if let Some(status) = told
            && verdict.failed.is_none()
        {
            let reason =
                if status.message.is_empty() { "the agent reported an error" } else { &status.message };
            verdict.failed = Some(reason.to_owned());
        }
        if self.mark.is_some()
            && let Some(code) = self.code.filter(|code| *code != 0)
        {
            match code {
                130 => verdict.interrupted = Some("exit status 130".to_owned()),
                code => verdict.failed = Some(format!("exit status {code}")),
            }
        }
        verdict
    }

    fn answer(&self) -> answer::Read {
        let rows = self.settled.with_transcript(&self.screen.rows[..self.body()]);
        answer::read(&self.agent, &rows)
    }

    fn end_marks(&self) -> Vec<String> {
        let rows = &self.screen.rows[..self.body()];
        let ends = |row: &&String| self.agent.turn_ends.iter().any(|rule| rule.pattern.is_match(row));
        rows.iter().filter(ends).cloned().collect()
    }

    fn body(&self) -> usize {
        let rows = self.screen.rows.len();
        let composer = self.reading.composer.as_ref().map(|field| field.outer.0);
        let dialog = self.reading.dialog.as_ref().map(|asked| asked.first);
        composer.or(dialog).unwrap_or(rows).min(rows)
    }

    fn find_version(&mut self) {
        if self.version.is_some() {
            return;
        }
        let Some(rule) = &self.agent.version else { return };
        let found = self.screen.rows.iter().find_map(|row| rule.captures(row));
        self.version = found.and_then(|groups| groups.name("version").map(|m| m.as_str().to_owned()));
    }

    fn drain(&mut self, out: &mut Vec<Observation>) {
        let (rows, lost) = self.vt.take_gone();
        self.settled.scroll(rows, lost);
        self.events(out);
    }

    fn events(&mut self, out: &mut Vec<Observation>) {
        let lines = self.settled.take();
        for event in self.scan.run(&lines) {
            self.emit(Seen::Event(event), out);
        }
    }

    fn emit(&self, what: Seen, out: &mut Vec<Observation>) {
        out.push(Observation { at: self.now, offset: self.offset, what });
    }
}

fn starting() -> Candidate {
    Candidate {
        state: State::Starting,
        source: Source::Silence,
        rule: "start".into(),
        evidence: String::new(),
        background: false,
        hold: Duration::ZERO,
    }
}

impl std::fmt::Debug for Extractor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let claim = self.belief.claim();
        f.debug_struct("Extractor")
            .field("agent", &self.agent.name)
            .field("claim", claim)
            .finish_non_exhaustive()
    }
}
