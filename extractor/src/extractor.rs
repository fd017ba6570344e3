//! The extractor: bytes, keys, sizes and time in; observations out. Must not: do I/O or read a clock.
//!
//! Invariant: observations depend on the bytes and their times, not on how the bytes were split. Signals are taken at
//! the byte that ends them; the screen is read at fixed delays after its first change.

use std::sync::Arc;
use std::time::Duration;

use patterns::fact::From;
use patterns::{Absent, Agent};

use crate::appearance::Appearance;
use crate::belief::{Belief, Change};
use crate::ending::{self, Before};
use crate::evidence::{Candidate, Facts};
use crate::fact::Telling;
use crate::hearing::{Heard, Hearing};
use crate::observation::{Dialog, Doing, EventKind, Keys, Observation, Seen, Source, State};
use crate::osc::{Item, Scanner};
use crate::query;
use crate::sight::{Prompted, Sight};
use crate::turn::{Event, Turn, Verdict};
use crate::vt::Vt;

/// How long after its first change the screen is read.
const LOOK: Duration = Duration::from_millis(40);
/// How long an unfinished synchronized frame delays a look.
const FRAME: Duration = Duration::from_millis(150);
/// Output is taken in pieces that end at multiples of this offset, so that buffers are bounded.
const PIECE: u64 = 64 * 1024;

/// Events of an agent's own doing.
const TOOLS: [EventKind; 4] =
    [EventKind::Command, EventKind::FileEdit, EventKind::FileRead, EventKind::ToolCall];

/// Watches one program.
pub struct Extractor {
    pub(crate) agent: Arc<Agent>,
    pub(crate) vt: Vt,
    scanner: Scanner,
    pub(crate) sight: Sight,
    pub(crate) heard: Hearing,
    pub(crate) telling: Telling,
    doing: Option<Doing>,
    /// The last mark that came while a job had the terminal.
    late: Option<Item>,
    /// The shell was seen to mark its prompt while it had the terminal.
    marks_itself: bool,
    pub(crate) belief: Belief,
    pub(crate) turn: Turn,
    pub(crate) offset: u64,
    pub(crate) now: Duration,
    /// The last output, the last key.
    pub(crate) output: Duration,
    key: Option<Duration>,
    enter: Option<Duration>,
    /// When to look at the screen, and when to weigh anew although nothing happens.
    pub(crate) look: Option<Duration>,
    pub(crate) recheck: Option<Duration>,
    /// Whether anything was drawn since the last look.
    pub(crate) unseen: bool,
    /// Whether it was idle or busy before, whether Enter was pressed before, whether the program has ended.
    ready: bool,
    entered: bool,
    pub(crate) ended: bool,
    /// Where the prompt stood in which Enter was pressed; it may come back before anybody looked.
    pub(crate) typed: Option<u64>,
    /// The prompt that Enter was pressed in, and what stood above it, of a program that draws a screen.
    pub(crate) prompted: Option<Prompted>,
    /// The characters of the running turn's prompt, when it was seen.
    pub(crate) own: Option<String>,
    /// The running turn called a tool or asked for something.
    pub(crate) acted: bool,
    /// The dialog as it was last told, and where it appeared.
    pub(crate) asked: Option<Dialog>,
    pub(crate) appearance: Appearance,
    /// What stood on the screen when the turn began, and since when there is another end mark.
    pub(crate) before: Before,
    pub(crate) marked: Option<Duration>,
}

impl Extractor {
    /// Watches a program of this kind on a terminal of this size, from its first byte.
    pub fn new(agent: Arc<Agent>, cols: u16, rows: u16) -> Self {
        Self::on(Vt::new(cols, rows), agent)
    }

    /// The same without a short cut for plain lines: only to show that it makes no difference.
    #[doc(hidden)]
    pub fn without_bypass(agent: Arc<Agent>, cols: u16, rows: u16) -> Self {
        Self::on(Vt::without_bypass(cols, rows), agent)
    }

    fn on(vt: Vt, agent: Arc<Agent>) -> Self {
        Self {
            sight: Sight::new(&agent, &vt),
            agent,
            vt,
            scanner: Scanner::new(),
            heard: Hearing::default(),
            telling: Telling::default(),
            doing: None,
            late: None,
            marks_itself: false,
            belief: Belief::new(),
            turn: Turn::default(),
            offset: 0,
            now: Duration::ZERO,
            output: Duration::ZERO,
            key: None,
            enter: None,
            look: None,
            recheck: None,
            unseen: false,
            ready: false,
            entered: false,
            ended: false,
            typed: None,
            prompted: None,
            own: None,
            acted: false,
            asked: None,
            appearance: Appearance::default(),
            before: Before::default(),
            marked: None,
        }
    }

    /// The program is not new: what it shows is not its start.
    pub fn assume_ready(&mut self) {
        self.ready = true;
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
        if !bytes.is_empty() {
            self.drawn();
        }
    }

    fn drawn(&mut self) {
        self.unseen = true;
        // A look that was due only because rows settle must not put this one off.
        let soon = self.now + LOOK;
        self.look = Some(self.look.map_or(soon, |look| look.min(soon)));
    }

    /// Takes what was written to the program.
    pub fn input(&mut self, at: Duration, keys: Keys, out: &mut Vec<Observation>) {
        self.pass(at, out);
        if keys.reply || self.ended {
            return;
        }
        let answers = self.asked.is_some() && !matches!(self.turn, Turn::Running { .. });
        if keys.enter && !answers {
            let holds = self.sight.reading.composer.as_ref().is_some_and(|field| !field.text.is_empty());
            let queued = self.claim().state == State::Busy && holds;
            self.turn(if queued { Event::Queued } else { Event::Enter }, out);
        }
        self.entered |= keys.enter && !answers;
        if keys.enter {
            self.enter = Some(self.now);
        }
        self.key = Some(self.now);
        self.appearance.pressed(keys, self.now);
        let state = self.belief.claim().state;
        if (keys.escape || keys.interrupt)
            && matches!(state, State::Busy | State::WaitingPermission | State::WaitingInput)
        {
            self.turn(Event::Interrupt, out);
        }
        if keys.enter {
            self.judge(out);
        }
        if keys.enter && state == State::Idle && self.heard.mark.is_none() {
            self.typed = self.sight.prompt_row();
            self.prompted = self.sight.prompted(&self.agent);
            self.own = self.prompted.as_ref().map(|prompted| prompted.text.clone());
        }
    }

    /// Takes what the agent told outside its terminal: a hook's payload, a line of its transcript.
    pub fn fact(&mut self, at: Duration, from: From, payload: &[u8], out: &mut Vec<Observation>) {
        self.pass(at, out);
        if self.ended {
            return;
        }
        let news = self.telling.take(&self.agent, from, self.now, payload);
        if news.accepted {
            match self.turn {
                // The turn that ended and the one that begins look like one on the terminal.
                Turn::Running { began, .. } if news.before.is_some_and(|ended| began < ended) => {
                    self.next_turn(out);
                }
                Turn::Running { .. } => {}
                Turn::None { .. } | Turn::Unasked { .. } => self.turn(Event::Enter, out),
            }
        }
        for event in news.events.into_iter().chain(self.sight.told(&news.output)) {
            self.acted = true;
            self.emit(Seen::Event(event), out);
        }
        if news.ended && self.claim().state == State::Idle && self.turn.expected() {
            let verdict = self.verdict();
            self.turn(Event::Short { verdict }, out);
        }
        if !matches!(self.turn, Turn::Running { .. }) {
            // The end of a turn that is over already says nothing of the next.
            self.telling.end = None;
        }
        if self.telling.request.is_some() {
            self.ask(out);
        }
        self.judge(out);
    }

    /// Takes what the program's processes do, when that changes.
    pub fn processes(&mut self, at: Duration, doing: Doing, out: &mut Vec<Observation>) {
        self.pass(at, out);
        let back = !doing.away && self.doing.as_ref().is_some_and(|before| before.away);
        self.doing = Some(doing);
        if let Some(item) = self.late.take_if(|_| back && self.marks_itself) {
            self.item(item, out);
        }
        self.judge(out);
    }

    /// Takes a new size of the terminal.
    pub fn resize(&mut self, at: Duration, cols: u16, rows: u16, out: &mut Vec<Observation>) {
        self.pass(at, out);
        self.vt.resize(cols, rows);
        self.drawn();
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

    /// Lets time pass: everything that was due happens at its own time, in order.
    pub(crate) fn pass(&mut self, at: Duration, out: &mut Vec<Observation>) {
        while let Some(due) = self.due().filter(|due| *due <= at) {
            self.now = self.now.max(due);
            if self.look.is_some_and(|look| look <= due) {
                self.look = None;
                match self.heard.frame {
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
        if matches!(item, Item::Mark(..)) {
            // A job may print marks as well; a marking shell's own come last, when it has the terminal back, of which
            // is heard a moment later.
            match &self.doing {
                Some(doing) if doing.away => return self.late = Some(item),
                Some(_) => self.marks_itself = true,
                None => {}
            }
        }
        match self.heard.take(&self.agent, self.sight.version.as_deref(), self.now, item) {
            Heard::Title { new, flash } => {
                let queued =
                    matches!(self.turn, Turn::Running { queued: true, began, .. } if began < self.now);
                let alone = queued && self.heard.status.is_none();
                if flash && alone && self.sight.reading.dialog.is_none() {
                    // Between a turn and the prompt that was queued in it the title rests for a moment.
                    self.next_turn(out);
                }
                if let Some(title) = new {
                    self.emit(Seen::Title(title), out);
                }
                self.judge(out);
            }
            Heard::Status { next, rest } => {
                if next {
                    self.next_turn(out);
                    self.heard.done = false;
                }
                if rest && matches!(self.turn, Turn::Unasked { entered: true, .. }) {
                    // What looked like its start was a turn: it says so itself.
                    self.turn(Event::Enter, out);
                }
                if rest && self.claim().state == State::Idle && self.turn.expected() {
                    // The turn was over before it was ever seen at work.
                    self.read(out);
                    let verdict = self.verdict();
                    self.turn(Event::Short { verdict }, out);
                }
                self.judge(out);
            }
            Heard::Clear => {
                // The program says goodbye: what it said last was its last word.
                if let Some(change) = self.belief.settle(self.now, Source::Status) {
                    self.follow(change, out);
                }
                self.heard.clear();
                self.judge(out);
            }
            Heard::Mark => self.judge(out),
            Heard::Query(asked) => {
                let reply = query::reply(asked, &self.vt);
                self.emit(Seen::Query(reply), out);
            }
            Heard::Frame => self.look = self.look.map(|look| look.min(self.now + LOOK)),
            Heard::Nothing => {}
        }
    }

    /// Looks at the screen.
    pub(crate) fn read(&mut self, out: &mut Vec<Observation>) {
        self.unseen = false;
        let looked = self.sight.look(&self.agent, &mut self.vt, self.now);
        if looked.moved {
            self.belief.restart(self.now, Source::Screen);
        }
        self.found(looked.events, out);
        if looked.dialog {
            self.ask(out);
        }
    }

    /// Tells what was found on the screen, except what the agent itself tells of its tools.
    fn found(&mut self, events: Vec<crate::observation::Event>, out: &mut Vec<Observation>) {
        let told = |event: &crate::observation::Event| self.telling.tools && TOOLS.contains(&event.kind);
        let new: Vec<_> = events.into_iter().filter(|event| !told(event)).collect();
        for event in new {
            self.acted |= TOOLS.contains(&event.kind);
            self.emit(Seen::Event(event), out);
        }
    }

    /// Weighs the evidence and follows what it says.
    pub(crate) fn judge(&mut self, out: &mut Vec<Observation>) {
        if self.ended {
            return;
        }
        if self.appearance.due().is_some_and(|due| due <= self.now) {
            self.ask(out);
        }
        let (candidate, recheck) = {
            let facts = self.facts();
            (facts.weigh(), facts.recheck())
        };
        let unknown = Duration::from_millis(self.agent.timing.unknown_ms);
        let before = (self.belief.claim().source, self.belief.claim().background);
        let candidate =
            candidate.or_else(|| (!self.ready && self.agent.composer.is_some()).then(Candidate::starting));
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
        let settle = self.sight.due();
        let marked = self.marked.map(|at| at + ending::MARK_STANDS);
        let turn = self.turn.due();
        let another = self.appearance.due();
        self.recheck = [recheck, due, settle, marked, turn, another]
            .into_iter()
            .flatten()
            .filter(|at| *at > self.now)
            .min();
        if settle.is_some_and(|at| self.recheck == Some(at)) && self.look.is_none() {
            self.look = self.recheck;
        }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            agent: &self.agent,
            status: self.heard.status.as_ref(),
            processes: self.doing.as_ref(),
            telling: &self.telling,
            title: self.heard.told.as_ref(),
            mark: self.heard.mark,
            reading: &self.sight.reading,
            ready: self.ready,
            entered: self.entered,
            expected: self.turn.expected(),
            running: matches!(self.turn, Turn::Running { .. }),
            away: self.sight.pastes && !self.vt.bracketed_paste(),
            over: self.sight.over,
            output: self.output,
            changed: self.sight.changed,
            worked: self.sight.worked,
            asked: self.sight.asked,
            key: self.key,
            enter: self.enter,
            now: self.now,
        }
    }

    pub(crate) fn follow(&mut self, change: Change, out: &mut Vec<Observation>) {
        let Change { from, to } = change;
        if matches!(to, State::Idle | State::Busy | State::WaitingPermission) {
            self.ready = true;
        }
        if to == State::Busy {
            self.typed = None;
            self.prompted = None;
        }
        let claim = self.belief.claim().clone();
        let source = claim.source;
        self.emit(Seen::State(claim), out);
        let verdict = if to == State::Idle { self.verdict() } else { Verdict::default() };
        // A command that asks for something was begun, although nothing else was seen of it.
        let shell = self.agent.composer.as_ref().is_some_and(|rule| rule.absent == Absent::Busy);
        let to = if shell && from == State::Idle && to == State::WaitingInput { State::Busy } else { to };
        self.turn(Event::State { from, to, source, verdict }, out);
    }

    fn drain(&mut self, out: &mut Vec<Observation>) {
        let events = self.sight.drain(&mut self.vt);
        self.found(events, out);
    }

    pub(crate) fn emit(&self, what: Seen, out: &mut Vec<Observation>) {
        out.push(Observation { at: self.now, offset: self.offset, what });
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
