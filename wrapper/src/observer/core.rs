//! What an observer knows of its session, and what follows from it.
//!
//! Owns: the extractor, the delivery, the journal and the order between them. Must not: wait, read a clock, or talk
//! to anybody; the loop in `mod` does that. Live and after a restart the same code reads the same recording.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use extractor::{Extractor, Observation, Seen};
use jiff::tz::TimeZone;
use patterns::Agent;
use wire::prompt::{Hold, PromptResult};
use wire::session::{Claim, Context, Dialog, Exit, Size, State};
use wire::wrapper::{Choice, Now, Report};
use wire::{AttemptId, UnixMillis};

use super::calendar::{Calendar, Time};
use super::counting::Counting;
use super::fault;
use super::launch::Launch;
use super::progress::Progress;
use super::question::{By, Question};
use super::texts::Texts;
use crate::chore::Chore;
use crate::context::Asked;
use crate::control::Relaunch;
use crate::delivery::{Delivery, Input};
use crate::holder::is_person;
use crate::journal::Journal;
use crate::recording::{Begun, From, Moment, Record};
use crate::redaction::Redaction;
use crate::{drive, report, until};

/// Reports that wait for a disk that is full.
const BATCH_MAX: usize = 10_000;

/// What the loop is to do.
#[derive(Debug, PartialEq)]
pub enum Out {
    /// Have the holder write bytes.
    Type {
        /// The bytes.
        bytes: Vec<u8>,
        /// For this attempt, and only if nothing has happened that is not in the recording yet; [`Core::typed`] is
        /// awaited. Without one: in any case.
        only_for: Option<AttemptId>,
    },
    /// Answer a terminal query, if no terminal is attached.
    Reply(Vec<u8>),
    /// Begin a chore of an attempt.
    Run(AttemptId, Chore),
    /// Call the chores of an attempt off.
    Abort(AttemptId),
    /// Have the holder start the program anew.
    Relaunch(Relaunch),
}

/// What an observer knows.
pub struct Core {
    /// The recording's output up to here has been read.
    pub output: u64,
    /// A person's reads of keys up to here.
    pub keys: u64,
    /// Reports and promises.
    pub journal: Journal,
    /// The present has changed since it was last told.
    pub changed: bool,
    /// How the program was started, and can be again.
    pub(super) launch: Launch,
    /// Variables that tasks asked for.
    pub(super) asked: Asked,
    pub(super) agent: Arc<Agent>,
    pub(super) extractor: Extractor,
    pub(super) redaction: Redaction,
    pub(super) delivery: Delivery,
    pub(super) context: Context,
    pub(super) attached: bool,
    /// The user's own terminal keeps the keyboard.
    pub(super) kept: bool,
    /// When a person last typed.
    pub(super) person: Option<Duration>,
    /// When there was last a sign that a turn gets on.
    pub(super) progress: Progress,
    /// What is still to come of what a turn used.
    pub(super) counting: Counting,
    pid: i32,
    dir: PathBuf,
    pub(super) calendar: Calendar,
    zone: TimeZone,
    quarantined: bool,
    told: Option<(Claim, Option<Dialog>)>,
    /// What the agent asks.
    pub question: Question,
    /// Bytes of output that the extractor has not been given: of removed segments, and lost ones.
    unread: u64,
    /// Settled text that was not told yet.
    pub(super) texts: Texts,
    exit: Option<Exit>,
    /// Reports of the moments since the last commit.
    batch: Vec<Report>,
    pub(super) at: Duration,
    /// When the delivery last looked at the screen.
    looked: Duration,
    /// The attempt for which something was to be typed while output was there that nobody had looked at.
    pub(super) unseen: Option<AttemptId>,
}

impl Core {
    /// Begins at the start of the recording; what the journal says was reported is not reported again.
    pub fn new(
        agent: Arc<Agent>,
        pid: i32,
        dir: PathBuf,
        journal: Journal,
        start: UnixMillis,
        redaction: Redaction,
    ) -> Self {
        let asked = Asked::default();
        let context = crate::context::read(pid, &dir, &asked);
        Self {
            launch: Launch::default(),
            asked,
            progress: Progress::new(),
            counting: Counting::default(),
            output: 0,
            keys: 0,
            delivery: Delivery::new(journal.fence()),
            journal,
            changed: true,
            pid,
            dir,
            extractor: Extractor::new(Arc::clone(&agent), 80, 24),
            redaction,
            agent,
            calendar: Calendar::new(start),
            zone: TimeZone::system(),
            quarantined: false,
            context,
            attached: false,
            kept: false,
            person: None,
            told: None,
            question: Question::default(),
            unread: 0,
            texts: Texts::new(),
            exit: None,
            batch: Vec::new(),
            at: Duration::ZERO,
            looked: Duration::ZERO,
            unseen: None,
        }
    }

    /// Leaves the output alone, as reading it crashed the observers before this one.
    pub fn quarantine(&mut self) {
        self.quarantined = true;
    }

    /// Takes one moment of the recording; `now` may be long after it.
    pub fn moment(&mut self, moment: Moment, now: Time, out: &mut Vec<Out>) {
        let mut seen = Vec::new();
        let at = moment.at.max(self.at);
        if !self.quarantined {
            self.make_room(at);
            fault::poison(&moment.record);
            drive::apply(&mut self.extractor, at, &moment.record, &mut seen);
        }
        self.at = at;
        if self.delivery.holds().is_some() {
            self.progress.shows(&self.agent, self.extractor.last_line(), at);
        }
        self.collect();
        self.note(&moment.record, now);
        self.observed(seen, now, out);
    }

    /// Keeps what the extractor does not: counts, times, who is there.
    fn note(&mut self, record: &Record, now: Time) {
        match record {
            Record::Header(header) => {
                self.calendar = Calendar::new(UnixMillis(header.started_ms));
                self.unread += header.offset.saturating_sub(self.output);
                self.output = header.offset;
            }
            Record::Output(bytes) => self.output += bytes.len() as u64,
            Record::Input(keys, _) => {
                if keys.queue {
                    self.question.written();
                }
                if is_person(*keys) {
                    self.keys += 1;
                    if keys.text || keys.enter || keys.escape || keys.interrupt {
                        self.person = Some(self.at);
                    }
                }
            }
            Record::Told(from, payload) => {
                self.progress.heard(self.at);
                match from {
                    From::Hook => self.launch.heard(&self.agent, payload),
                    From::Transcript(_) if self.extractor.is_written_down() => {
                        self.counting.transcript.speaks();
                    }
                    From::Telemetry => self.counting.telemetry.speaks(),
                    From::Transcript(_) | From::Processes => {}
                }
            }
            Record::Relaunched(begun) => self.relaunched(begun),
            Record::Resize(..) => {}
            Record::Attached(attached) => self.attached = *attached,
            Record::Kept(kept) => self.kept = *kept,
            Record::Gap(lost) => {
                self.output += lost;
                self.unread += lost;
            }
            Record::Exit(exit) => self.ended(report::exit(*exit), now),
        }
        self.changed = true;
    }

    /// The program was started anew.
    fn relaunched(&mut self, begun: &Begun) {
        if self.journal.until().is_none_or(|until| self.at > until) {
            self.pid = begun.pid;
        }
        self.dir = PathBuf::from(&begun.dir);
        // What was typed into the program before is forgotten with it.
        self.asked.typed.clear();
        let given = |name: &String| (name.clone(), self.launch.given.get(name).cloned().unwrap_or_default());
        self.asked.given = begun.env.iter().map(given).collect();
    }

    /// Time passes without anything new in the recording.
    pub fn time(&mut self, now: Time, out: &mut Vec<Out>) {
        let at = now.at;
        self.calendar.keep(now);
        if at <= self.at || self.exit.is_some() {
            return;
        }
        if !self.quarantined {
            let mut seen = Vec::new();
            self.make_room(at);
            drive::advance(&mut self.extractor, at, &mut seen);
            if let Some(last) = seen.last() {
                self.at = self.at.max(last.at);
                self.changed = true;
            }
            self.observed(seen, now, out);
            self.collect();
            self.tell_text(at);
        }
        self.looked = at;
        if let Some(attempt) = self.unseen.take_if(|_| !self.extractor.has_unseen()) {
            self.typed(attempt, false, now, out);
        }
        self.step(Input::Look, now, out);
    }

    /// Whether the agent wrote anything that has not been looked at yet.
    pub fn has_unseen(&self) -> bool {
        self.extractor.has_unseen()
    }

    /// Path of the agent's transcript, when it told that.
    pub fn transcript(&self) -> Option<&str> {
        self.extractor.transcript()
    }

    /// Whether a turn may be running, or lines about it are still to come.
    pub fn works(&self) -> bool {
        let rests = matches!(self.extractor.claim().state, extractor::State::Idle | extractor::State::Exited);
        !rests || self.delivery.is_counting()
    }

    /// When [`Core::time`] has something to do by itself, since the start of the recording.
    pub fn due(&self) -> Option<Duration> {
        let own = self.delivery.patience_ms().map(|ms| self.looked + Duration::from_millis(ms));
        let text = self.texts.due();
        self.extractor.due().filter(|_| !self.quarantined).into_iter().chain(own).chain(text).min()
    }

    fn observed(&mut self, seen: Vec<Observation>, now: Time, out: &mut Vec<Out>) {
        let mut state_changed = false;
        for Observation { at, offset, what } in seen {
            if !matches!(what, Seen::Query(_) | Seen::Title(_)) {
                self.progress.heard(at);
            }
            let fresh = self.journal.until().is_none_or(|until| at > until);
            match what {
                Seen::State(_) => state_changed = true,
                Seen::Dialog(dialog) => {
                    let dir = Path::new(&self.context.dir);
                    let since = self.steady(now);
                    self.question.changed(dialog.as_ref(), self.unread, dir, since);
                    state_changed = true;
                }
                Seen::Event(event) if fresh => {
                    let event = report::event(&event, self.calendar.wall(at), offset);
                    self.report(Report::Event { event });
                }
                Seen::TurnBegan { .. } if fresh => self.step(Input::Began, now, out),
                Seen::TurnEnded { outcome, reason, cause, until, source, answer } if fresh => {
                    let result = PromptResult {
                        cause: cause.map(report::cause),
                        until_at: until
                            .as_deref()
                            .and_then(|text| until::instant(text, self.calendar.wall(at), &self.zone)),
                        until,
                        evidence: self.evidence(),
                        answer,
                        ..PromptResult::new(report::outcome(outcome), reason, source.as_str())
                    };
                    self.step(Input::Ended(result), now, out);
                }
                Seen::Query(bytes) if fresh && !self.attached => out.push(Out::Reply(bytes)),
                Seen::Event(_)
                | Seen::TurnBegan { .. }
                | Seen::TurnEnded { .. }
                | Seen::Query(_)
                | Seen::Title(_) => {}
            }
        }
        if state_changed {
            self.state_changed();
        }
    }

    fn state_changed(&mut self) {
        let claim = self.claim();
        let dialog = self.question.open().cloned();
        let same =
            |(c, d): &(Claim, Option<Dialog>)| c.state == claim.state && c.rule == claim.rule && *d == dialog;
        if self.told.as_ref().is_some_and(same) {
            return;
        }
        if claim.state == State::Idle {
            self.look_around();
        }
        self.told = Some((claim.clone(), dialog.clone()));
        if self.journal.until().is_none_or(|until| self.at > until) {
            self.report(Report::State { claim, dialog });
        }
    }

    /// The one way into the journal for what was observed: without secrets.
    pub(super) fn report(&mut self, report: Report) {
        let report = self.redaction.report(report);
        self.batch.push(report);
    }

    /// Reads the context again; a change is reported.
    pub fn look_around(&mut self) {
        let context = crate::context::read(self.pid, &self.dir, &self.asked);
        if context != self.context && self.exit.is_none() {
            self.context = context;
            self.changed = true;
            let context = self.told_context();
            self.report(Report::Context { context });
        }
    }

    /// The context without the secrets in its variables.
    fn told_context(&self) -> Context {
        crate::context::without_secrets(&self.context, self.redaction.redactor())
    }

    /// Writes down what the moments up to now gave; what cannot be written stays for the next time.
    pub fn commit(&mut self, now: Time) -> io::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let until = self.journal.until().map_or(self.at, |until| until.max(self.at));
        if let Err(fault) = self.journal.append(now.day, &self.batch, Some(until)) {
            if self.batch.len() > BATCH_MAX {
                // A state and an attempt's steps must not be lost; what was found in the output may.
                self.batch.retain(|report| !matches!(report, Report::Event { .. } | Report::Text { .. }));
            }
            return Err(fault);
        }
        self.batch.clear();
        Ok(())
    }

    /// The holder counted keys that the recording does not hold (a full disk): a person is there.
    pub fn missed_keys(&mut self, keys: u64) {
        self.keys = keys;
        self.person = Some(self.at.max(self.looked));
    }

    /// The bytes that answer a dialog, if it may be answered.
    pub fn answer(&mut self, id: &str, choice: &Choice, by: By, now: Time) -> Result<Vec<u8>, Hold> {
        let dir = Path::new(&self.context.dir);
        self.question.answer(self.extractor.dialog(), id, choice, by, (dir, self.steady(now)))
    }

    /// The program ended.
    fn ended(&mut self, exit: Exit, now: Time) {
        let fresh = self.journal.until().is_none_or(|until| self.at > until);
        self.over(exit, fresh, now);
    }

    /// The holder is gone and with it the program, but the recording does not tell of the end: nothing that it holds
    /// says whether that was reported before.
    pub fn hung_up(&mut self, exit: Exit, now: Time) {
        let fresh = !self.journal.has_exited();
        self.over(exit, fresh, now);
    }

    fn over(&mut self, exit: Exit, fresh: bool, now: Time) {
        if self.exit.replace(exit).is_some() {
            return;
        }
        self.changed = true;
        if fresh {
            self.tell_text(Duration::MAX);
            self.state_changed();
            self.step(Input::Exited(exit.status()), now, &mut Vec::new());
            self.report(Report::Exited { exit });
        }
    }

    /// How the program ended, if it did.
    pub fn exit(&self) -> Option<Exit> {
        self.exit
    }

    /// The attempt that is held.
    pub fn holds(&self) -> Option<AttemptId> {
        self.delivery.holds()
    }

    /// The highest fence that was taken.
    pub fn fence(&self) -> u64 {
        self.delivery.fence()
    }

    /// When the session started.
    pub fn started(&self) -> UnixMillis {
        self.calendar.steady(Duration::ZERO)
    }

    /// Terminal size.
    pub fn size(&self) -> Size {
        let (cols, rows) = self.extractor.size();
        Size { cols, rows }
    }

    /// Bytes that redraw the screen as it is after [`Core::output`].
    pub fn snapshot(&self) -> Vec<u8> {
        self.extractor.snapshot()
    }

    /// Everything that is true now.
    pub fn now(&self) -> Now {
        Now {
            claim: self.claim(),
            context: self.told_context(),
            title: self.extractor.title().to_owned(),
            dialog: self.question.open().cloned(),
            size: self.size(),
            attached: self.attached,
            kept: self.kept,
            moves: self.launch.moves(&self.agent, self.attached),
            interpreter: self.agent.input.interpreter,
            last_line: self.extractor.last_line().to_owned(),
            metrics: self.extractor.metrics(),
            exit: self.exit,
        }
    }

    fn claim(&self) -> Claim {
        match self.exit {
            Some(exit) => report::ended(exit, self.calendar.wall(self.at)),
            None if self.quarantined => report::quarantined(self.calendar.steady(Duration::ZERO)),
            None => {
                let claim = report::claim(self.extractor.claim(), self.calendar.wall(Duration::ZERO));
                // It asks nobody who may not answer: a prompt at rest, in somebody's own pane.
                let rests = self.launch.watched
                    && claim.state == State::WaitingInput
                    && self.question.open().is_none();
                if rests { Claim { state: State::Idle, ..claim } } else { claim }
            }
        }
    }

    /// What told the state; a rule that saw no text is named instead.
    fn evidence(&self) -> String {
        let claim = self.extractor.claim();
        let seen = if claim.evidence.is_empty() { &claim.rule } else { &claim.evidence };
        seen.chars().take(200).collect()
    }

    /// Now, as limits are counted. What was read last is not later, whatever is known of the recording's beginning.
    pub(super) fn steady(&self, now: Time) -> UnixMillis {
        self.calendar.steady(now.at.max(self.at))
    }
}
