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
use wire::prompt::{Hold, HoldCode, PromptResult, Step};
use wire::session::{Claim, Context, Dialog, Exit, Moves, Size, Source, State};
use wire::wrapper::{Choice, Now, Offer, Report};
use wire::{AttemptId, UnixMillis};

use super::question::{By, Question};
use crate::delivery::{Delivery, Effect, Input};
use crate::gate::View;
use crate::holder::is_person;
use crate::journal::Journal;
use crate::recording::{Moment, Record};
use crate::redaction::Redaction;
use crate::{drive, report, until};

/// Reports that wait for a disk that is full.
const BATCH_MAX: usize = 10_000;

/// What the loop is to do.
#[derive(Debug, PartialEq)]
pub enum Out {
    /// Have the holder write bytes; when guarded, only if nothing has happened that is not in the recording yet.
    Type { bytes: Vec<u8>, guarded: bool },
    /// Answer a terminal query, if no terminal is attached.
    Reply(Vec<u8>),
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
    pid: i32,
    dir: PathBuf,
    agent: Arc<Agent>,
    start: UnixMillis,
    zone: TimeZone,
    quarantined: bool,
    extractor: Extractor,
    redaction: Redaction,
    delivery: Delivery,
    context: Context,
    attached: bool,
    person: Option<UnixMillis>,
    told: Option<(Claim, Option<Dialog>)>,
    /// What the agent asks.
    pub question: Question,
    /// Bytes of output that the extractor has not been given: of removed segments, and lost ones.
    unread: u64,
    exit: Option<Exit>,
    /// Reports of the moments since the last commit.
    batch: Vec<Report>,
    at: Duration,
    /// When the delivery last looked at the screen.
    looked: Duration,
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
        let context = crate::context::read(pid, &dir);
        Self {
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
            start,
            zone: TimeZone::system(),
            quarantined: false,
            context,
            attached: false,
            person: None,
            told: None,
            question: Question::default(),
            unread: 0,
            exit: None,
            batch: Vec::new(),
            at: Duration::ZERO,
            looked: Duration::ZERO,
        }
    }

    /// Leaves the output alone, as reading it crashed the observers before this one.
    pub fn quarantine(&mut self) {
        self.quarantined = true;
    }

    /// Takes the attempt over that the observer before this one held.
    pub fn take_over(&mut self, now: UnixMillis) -> io::Result<()> {
        let Some(open) = self.journal.open_attempt().cloned() else { return Ok(()) };
        let attempt = open.offer.attempt;
        if let Some(accepted) = open.reached(Step::Accepted) {
            self.delivery.resume(&open.offer, accepted);
            return Ok(());
        }
        let (code, text) = if open.reached(Step::Intent).is_some() {
            (
                HoldCode::Unknown,
                "the wrapper was interrupted while it typed; look at the session, then retry or cancel",
            )
        } else {
            (HoldCode::NotIdle, "the wrapper was restarted before it typed anything")
        };
        let hold = Hold { code, text: text.to_owned() };
        self.journal.append(now, &[Report::Held { attempt, hold }], None)
    }

    /// Takes one moment of the recording; `now` is the time of day, and decides what is too old to be acted on.
    pub fn moment(&mut self, moment: Moment, now: UnixMillis, out: &mut Vec<Out>) {
        let mut seen = Vec::new();
        let at = moment.at.max(self.at);
        if !self.quarantined {
            drive::apply(&mut self.extractor, at, &moment.record, &mut seen);
        }
        self.at = at;
        self.note(&moment.record, now);
        self.observed(seen, now, out);
    }

    /// Keeps what the extractor does not: counts, times, who is there.
    fn note(&mut self, record: &Record, now: UnixMillis) {
        match record {
            Record::Header(header) => {
                self.start = UnixMillis(header.started_ms);
                self.unread += header.offset.saturating_sub(self.output);
                self.output = header.offset;
            }
            Record::Output(bytes) => self.output += bytes.len() as u64,
            Record::Input(keys, _) => {
                if is_person(*keys) {
                    self.keys += 1;
                    if keys.text || keys.enter || keys.escape || keys.interrupt {
                        self.person = Some(self.wall(self.at));
                    }
                }
            }
            Record::Resize(..) | Record::Told(..) => {}
            Record::Attached(attached) => self.attached = *attached,
            Record::Gap(lost) => {
                self.output += lost;
                self.unread += lost;
            }
            Record::Exit(exit) => self.ended(report::exit(*exit), now),
        }
        self.changed = true;
    }

    /// Time passes without anything new in the recording.
    pub fn time(&mut self, at: Duration, now: UnixMillis, out: &mut Vec<Out>) {
        if at <= self.at || self.exit.is_some() {
            return;
        }
        if !self.quarantined {
            let mut seen = Vec::new();
            drive::advance(&mut self.extractor, at, &mut seen);
            if let Some(last) = seen.last() {
                self.at = self.at.max(last.at);
                self.changed = true;
            }
            self.observed(seen, now, out);
        }
        self.looked = at;
        self.step(Input::Look, now, out);
    }

    /// Path of the agent's transcript, when it told that.
    pub fn transcript(&self) -> Option<&str> {
        self.extractor.transcript()
    }

    /// Whether a turn may be running.
    pub fn works(&self) -> bool {
        !matches!(self.extractor.claim().state, extractor::State::Idle | extractor::State::Exited)
    }

    /// When [`Core::time`] has something to do by itself, since the start of the recording.
    pub fn due(&self) -> Option<Duration> {
        let own = self.delivery.patience_ms().map(|ms| self.looked + Duration::from_millis(ms));
        self.extractor.due().filter(|_| !self.quarantined).into_iter().chain(own).min()
    }

    fn observed(&mut self, seen: Vec<Observation>, now: UnixMillis, out: &mut Vec<Out>) {
        let mut state_changed = false;
        for Observation { at, offset, what } in seen {
            let fresh = self.journal.until().is_none_or(|until| at > until);
            match what {
                Seen::State(_) => state_changed = true,
                Seen::Dialog(dialog) => {
                    let dir = Path::new(&self.context.dir);
                    self.question.changed(dialog.as_ref(), self.unread, dir, now);
                    state_changed = true;
                }
                Seen::Event(event) if fresh => {
                    let event = report::event(&event, self.wall(at), offset);
                    self.report(Report::Event { event });
                }
                Seen::TurnBegan { .. } if fresh => self.step(Input::Began, now, out),
                Seen::TurnEnded { outcome, reason, cause, until, source, answer } if fresh => {
                    let result = PromptResult {
                        cause: cause.map(report::cause),
                        until_at: until
                            .as_deref()
                            .and_then(|text| until::instant(text, self.wall(at), &self.zone)),
                        until,
                        evidence: self.extractor.claim().evidence.chars().take(200).collect(),
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
    fn report(&mut self, report: Report) {
        let report = self.redaction.report(report);
        self.batch.push(report);
    }

    /// Reads the context again; a change is reported.
    pub fn look_around(&mut self) {
        let context = crate::context::read(self.pid, &self.dir);
        if context != self.context && self.exit.is_none() {
            self.context = context.clone();
            self.changed = true;
            self.report(Report::Context { context });
        }
    }

    /// Writes down what the moments up to now gave; what cannot be written stays for the next time.
    pub fn commit(&mut self, now: UnixMillis) -> io::Result<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let until = self.journal.until().map_or(self.at, |until| until.max(self.at));
        if let Err(fault) = self.journal.append(now, &self.batch, Some(until)) {
            if self.batch.len() > BATCH_MAX {
                // A state and an attempt's steps must not be lost; what was found in the output may.
                self.batch.retain(|report| !matches!(report, Report::Event { .. }));
            }
            return Err(fault);
        }
        self.batch.clear();
        Ok(())
    }

    /// The server offers a prompt.
    pub fn offer(&mut self, offer: Offer, now: UnixMillis, out: &mut Vec<Out>) {
        self.look_around();
        self.step(Input::Offer(offer), now, out);
    }

    /// The server calls an attempt off.
    pub fn cancel(&mut self, attempt: AttemptId, now: UnixMillis, out: &mut Vec<Out>) {
        self.step(Input::Cancel(attempt), now, out);
    }

    /// The server has decided otherwise about an attempt.
    pub fn forget(&mut self, attempt: AttemptId, now: UnixMillis, out: &mut Vec<Out>) {
        self.journal.forget();
        self.step(Input::Forget(attempt), now, out);
    }

    /// The holder wrote what the delivery asked for, or refused.
    pub fn typed(&mut self, written: bool, now: UnixMillis, out: &mut Vec<Out>) {
        self.step(Input::Typed(written), now, out);
    }

    /// The holder counted keys that the recording does not hold (a full disk): a person is there.
    pub fn missed_keys(&mut self, keys: u64, now: UnixMillis) {
        self.keys = keys;
        self.person = Some(now);
    }

    /// The bytes that answer a dialog, if it may be answered.
    pub fn answer(&mut self, id: &str, choice: &Choice, by: By, now: UnixMillis) -> Result<Vec<u8>, Hold> {
        let dir = Path::new(&self.context.dir);
        self.question.answer(self.extractor.dialog(), id, choice, by, (dir, now))
    }

    fn step(&mut self, input: Input, now: UnixMillis, out: &mut Vec<Out>) {
        if input == Input::Look && self.delivery.patience_ms().is_none() {
            return;
        }
        let shows = |text: &str| self.extractor.shows(text);
        let view = View {
            state: self.extractor.claim().state,
            composer: self.extractor.composer(),
            shows: &shows,
            dialog: self.extractor.dialog().is_some(),
            compacting: self.extractor.compacting(),
            bracketed_paste: self.extractor.bracketed_paste(),
            person: self.person,
            context: &self.context,
            recipe: &self.agent.input,
        };
        let effects = self.delivery.apply(now, &view, input);
        for effect in effects {
            if let Err(fault) = self.effect(effect, now, out) {
                tracing::error!(%fault, "the journal cannot be written; nothing is typed");
                return self.give_back(now);
            }
        }
    }

    /// Invariant: nothing is typed before everything that precedes it is written down.
    fn effect(&mut self, effect: Effect, now: UnixMillis, out: &mut Vec<Out>) -> io::Result<()> {
        match effect {
            Effect::Lease(offer) => self.journal.lease(&self.redaction.offer(&offer))?,
            Effect::Report(report) => self.report(report),
            Effect::Type(bytes) => {
                self.commit(now)?;
                out.push(Out::Type { bytes, guarded: true });
            }
            Effect::Interrupt(bytes) => out.push(Out::Type { bytes, guarded: false }),
        }
        Ok(())
    }

    /// The disk is full: an attempt that was not typed yet goes back.
    fn give_back(&mut self, now: UnixMillis) {
        let Some(attempt) = self.delivery.holds() else { return };
        let hold = Hold {
            code: HoldCode::Storage,
            text: "the wrapper cannot write its journal; is the disk full?".into(),
        };
        self.report(Report::Held { attempt, hold });
        let _ = self.commit(now);
        self.delivery = Delivery::new(self.delivery.fence());
    }

    /// The program ended.
    pub fn ended(&mut self, exit: Exit, now: UnixMillis) {
        if self.exit.replace(exit).is_some() {
            return;
        }
        self.changed = true;
        let fresh = self.journal.until().is_none_or(|until| self.at > until);
        if fresh {
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
        self.start
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
            context: self.context.clone(),
            title: self.extractor.title().to_owned(),
            dialog: self.question.open().cloned(),
            size: self.size(),
            attached: self.attached,
            moves: Moves::None,
            last_line: self.extractor.last_line().to_owned(),
            metrics: self.extractor.metrics().clone(),
            exit: self.exit,
        }
    }

    fn claim(&self) -> Claim {
        match self.exit {
            Some(exit) => Claim {
                state: State::Exited,
                source: Source::Exit,
                rule: "process.exit".to_owned(),
                evidence: format!("ended with status {}", exit.status()),
                since: self.wall(self.at),
                background: false,
            },
            None if self.quarantined => Claim {
                state: State::Unknown,
                source: Source::Silence,
                rule: "observer.quarantined".to_owned(),
                evidence: "reading the output crashed the observer; only the session's life is reported"
                    .to_owned(),
                since: self.start,
                background: false,
            },
            None => report::claim(self.extractor.claim(), self.start),
        }
    }

    fn wall(&self, at: Duration) -> UnixMillis {
        UnixMillis(self.start.0 + at.as_millis() as i64)
    }
}
