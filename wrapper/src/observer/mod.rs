//! The observer: follows the recording, reports to the server, types prompts through the holder.
//!
//! Invariant: it may end at any byte, by any cause; the holder starts another, which reads the recording from its
//! beginning, knows from the journal what was reported, and never types what its forerunner may have typed.

mod act;
mod aside;
pub mod calendar;
mod carry;
mod chores;
pub mod core;
mod counting;
#[cfg(test)]
mod dialog_tests;
pub mod ear;
#[cfg(test)]
mod end_tests;
mod fault;
mod holder;
mod launch;
mod link;
mod orphans;
mod progress;
mod question;
mod requests;
#[cfg(test)]
mod secret_tests;
mod subject;
mod tell;
mod texts;
pub mod transcript;
mod watch;

use std::collections::VecDeque;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::net::unix::pipe;
use wire::place::Place;
use wire::prompt::{Hold, HoldCode};
use wire::session::Exit;
use wire::wrapper::{Report, ToServer, ToWrapper};
use wire::{AttemptId, HostId, SessionId};

use self::core::{Core, Out};
use crate::chore::Done;
use crate::control::{Spec, ToHolder};
use crate::journal::Journal;
use crate::recording::{Follow, Reader, Record};
use crate::redaction::Redaction;
use crate::spare::Spare;
use crate::{clock, host, log, profiles};
use aside::Aside;
use calendar::Time;
use chores::Chores;
use ear::{Ear, Export};
use holder::Holder;
use launch::Launch;
use link::{Event, Link};
use orphans::Reading;
use requests::{Answer, Asked, Part};
use subject::Subject;
use watch::Watched;

/// Records that are read before anything else gets its turn.
const TURN: usize = 256;

/// Leases are renewed this often.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// The present is told at most this often.
const NOW_EVERY: Duration = Duration::from_millis(100);

/// Directory and branch are looked at this often while the program lives.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Reports in one message.
const REPORTS_MAX: usize = 100;

/// Bytes of reports in one message, as JSON.
const REPORTS_BYTES: usize = wire::MESSAGE_MAX / 2;

/// How often answers that wait for their moment are looked at.
const ANSWERS_EVERY: Duration = Duration::from_millis(20);

/// How long after the program's end the server is waited for, so that it learns of it.
const LINGER: Duration = Duration::from_secs(600);

/// The observer's process: standard input is the conversation with the holder.
///
/// With `orphan`, the id of a session that ended without being reported, there is no holder any more.
pub fn main(place: Place, orphan: Option<&str>) -> anyhow::Result<()> {
    rustix::process::setsid().context("cannot leave the starter's session")?;
    log::to_stderr();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let subject = match orphan {
            Some(id) => orphans::subject(&place, id)?,
            None => Subject::hear()?,
        };
        // Of this thread's one runtime all lines are about this session.
        let _within = tracing::info_span!("observer", session = subject.spec.session).entered();
        Observer::start(place, subject)?.run().await
    })
}

struct Observer {
    spec: Spec,
    epoch: u64,
    host: (HostId, String),
    spare: Spare,
    core: Core,
    holder: Option<Holder>,
    reader: Reader,
    /// An orphan's recording that was not read to its end yet.
    reading: Option<Reading>,
    /// The recording's beginning on the monotonic clock.
    began: Duration,
    /// More can be read at once.
    more: bool,
    link: Option<Link>,
    /// Version that the server chose.
    protocol: u32,
    /// The server answered the hello: reports after this number are to be sent.
    sent: Option<u64>,
    watched: Watched,
    redaction: Redaction,
    aside: Aside,
    /// Hears the agent's telemetry, if it was asked for that.
    ear: Option<Ear>,
    chores: Chores,
    asked: VecDeque<(u64, Asked)>,
    /// The program is being ended for the session's pool: nothing is typed any more.
    ending: bool,
    /// Answers to dialogs that wait for the screen to be looked at.
    answers: Vec<Answer>,
    part: Part,
    next_type: u64,
    screen_wanted: Option<u64>,
    next_heartbeat: Instant,
    next_now: Instant,
    next_look: Instant,
    ended: Option<Instant>,
    /// The journal could not be written the last time.
    full: bool,
    /// The recording could not be read on.
    damaged: bool,
}

/// What woke the loop.
enum Wake {
    Grown,
    Holder,
    Link(Option<Event>),
    Done(AttemptId, Done),
    Measured(Export),
    Time,
}

impl Observer {
    fn start(place: Place, subject: Subject) -> anyhow::Result<Waiting> {
        let Subject { spec, pid, epoch, quarantined, conversation, ear } = subject;
        let id = SessionId(spec.session.clone());
        let folder = place.session(&id);
        let journal = Journal::open(&folder).context("cannot open the session's journal")?;
        // A profile that was damaged since the start must not end the observation.
        let agent =
            profiles::named(&place, &spec.agent).or_else(|_| profiles::for_command(&place, "", "")).or_else(
                |_| patterns::Library::builtin().agent("any").context("no profile for any program"),
            )?;
        let dir = PathBuf::from(std::ffi::OsString::from_vec(spec.dir.clone()));
        let now = Instant::now();
        let aside = Aside::new(&agent, pid, |name| std::env::var_os(name));
        let redaction = Redaction::start(&place, std::env::vars_os()).context("no key can be made")?;
        let ear = ear.and_then(|(listener, secret)| Ear::open(listener, &secret, Arc::clone(&agent)).ok());
        let mut core = Core::new(agent, pid, dir, journal, spec.started, redaction.clone());
        core.launch = Launch::new(&spec);
        core.counting.telemetry.heard = ear.is_some();
        if quarantined {
            core.quarantine();
        }
        if epoch == 1
            && let Err(fault) = orphans::adopt(&place, &id)
        {
            tracing::warn!(%fault, "sessions that ended unreported could not be looked for");
        }
        let reading =
            (conversation.is_none() && !quarantined).then(|| Reading::begin(&folder).ok()).flatten();
        let (holder, grown) = conversation.unzip();
        let host = host::identity(&place)?;
        let chores = Chores::new(place.state.join("worktrees"));
        let link = (!spec.no_server).then(|| Link::start(place.clone()));
        let observer = Self {
            host,
            epoch,
            core,
            holder,
            reader: Reader::open(&folder),
            reading,
            spare: Spare::new(folder),
            began: clock::monotonic(),
            more: true,
            spec,
            link,
            protocol: wire::PROTOCOL,
            sent: None,
            watched: Watched::new(redaction.redactor()),
            redaction,
            aside,
            ear,
            chores,
            asked: VecDeque::new(),
            ending: false,
            answers: Vec::new(),
            part: Part::new(place),
            next_type: 1,
            screen_wanted: None,
            next_heartbeat: now,
            next_now: now,
            next_look: now + LOOK_EVERY,
            ended: None,
            full: false,
            damaged: false,
        };
        Ok(Waiting { observer, grown })
    }

    fn now(&self) -> Time {
        Time { at: clock::monotonic().saturating_sub(self.began), day: clock::now() }
    }

    /// Reads the recording on, at most a turn's worth.
    fn read(&mut self) {
        let now = self.now();
        let mut out = Vec::new();
        self.more = true;
        for _ in 0..TURN {
            let moment = match self.reader.next() {
                Ok(Follow::Moment(moment)) => moment,
                Ok(Follow::End) => {
                    self.more = false;
                    break;
                }
                Err(fault) => {
                    // What was concluded so far stands; the session's life is still reported.
                    if !std::mem::replace(&mut self.damaged, true) {
                        tracing::error!(%fault, "the recording cannot be read on");
                    }
                    self.more = false;
                    break;
                }
            };
            match &moment.record {
                Record::Header(header) => self.began = Duration::from_micros(header.started_mono_us),
                Record::Told(from, _) => self.aside.recorded(*from),
                Record::Relaunched(begun) => self.aside.restart(&self.core.agent, begun.pid),
                Record::Output(bytes) => self.watched.output(self.core.output, self.core.size(), bytes),
                _ => {}
            }
            let resized = matches!(moment.record, Record::Resize(..) | Record::Relaunched(_));
            self.core.moment(moment, now, &mut out);
            if resized {
                self.watched.resized();
            }
        }
        if let Some(reading) = self.reading.take_if(|_| !self.more) {
            reading.through();
        }
        self.keep(now);
        self.act(out);
        if self.screen_wanted.is_some_and(|offset| self.core.output >= offset) {
            self.screen_wanted = None;
            let screen = ToHolder::Screen(self.core.output, self.core.snapshot());
            self.tell_holder(&screen);
        }
    }

    /// Writes down what follows from the last moments. A full disk is waited out: nothing is typed meanwhile.
    fn keep(&mut self, now: Time) {
        match self.core.commit(now) {
            Ok(()) => self.full = false,
            Err(fault) if self.full => tracing::debug!(%fault, "the journal still cannot be written"),
            Err(fault) => {
                self.full = true;
                tracing::error!(%fault, "the journal cannot be written; is the disk full?");
            }
        }
    }

    fn hear_server(&mut self, event: Event) {
        let now = self.now();
        let mut out = Vec::new();
        match event {
            Event::Up => {
                let hello = self.hello();
                self.say(ToServer::Hello(hello));
            }
            Event::Down => {
                self.sent = None;
                self.watched.stop();
            }
            Event::Message(message) => self.obey(message, now, &mut out),
        }
        self.act(out);
        self.keep(now);
    }

    fn acked(&mut self, seq: u64) {
        // A word that cannot be kept costs a repetition, no more.
        if let Err(fault) = self.core.journal.acked(seq) {
            tracing::warn!(%fault, "the server's word cannot be kept");
        }
    }

    fn obey(&mut self, message: ToWrapper, now: Time, out: &mut Vec<Out>) {
        match message {
            ToWrapper::Welcome { ack, protocol, .. } => {
                self.protocol = protocol;
                self.acked(ack);
                self.sent = Some(ack);
                self.next_heartbeat = Instant::now();
            }
            ToWrapper::Refused { text } => {
                tracing::error!(text, "the server refuses this wrapper");
                self.link = None;
            }
            ToWrapper::Ack { seq } => self.acked(seq),
            ToWrapper::Offer(offer) if self.ending => {
                let hold = Hold { code: HoldCode::NotIdle, text: "its session is being ended".to_owned() };
                self.core.report(Report::Held { attempt: offer.attempt, hold });
            }
            ToWrapper::Offer(offer) => self.core.offer(offer, now, out),
            ToWrapper::Cancel { attempt } => self.core.cancel(attempt, now, out),
            ToWrapper::Forget { attempt } => self.core.forget(attempt, now, out),
            ToWrapper::Answer { request, dialog, choice, rule } => {
                self.answer(Answer { request, dialog, choice, rule }, now);
            }
            ToWrapper::Recording { request, session, from, length } => {
                self.fetch(request, session, from, length);
            }
            ToWrapper::Keys { request, text } => {
                self.ask(text.into_bytes(), false, true, Asked::Request(request));
            }
            ToWrapper::End { request } => self.end(request, now),
            ToWrapper::Start { request, name, pool } => self.start_another(request, name, pool),
            ToWrapper::Watch | ToWrapper::Snapshot => self.watched.start(),
            ToWrapper::Unwatch => self.watched.stop(),
        }
    }

    /// Time until something is due.
    fn patience(&self) -> Duration {
        if self.more {
            return Duration::ZERO;
        }
        let now = Instant::now();
        let mut soon = self.next_look.min(now + LOOK_EVERY);
        let aside = self.aside.due().filter(|_| self.core.works());
        soon = aside.into_iter().chain(self.watched.due()).fold(soon, Instant::min);
        if !self.answers.is_empty() {
            soon = soon.min(now + ANSWERS_EVERY);
        }
        if self.sent.is_some() {
            soon = soon.min(self.next_heartbeat);
            if self.core.changed {
                soon = soon.min(self.next_now);
            }
            if self.has_unsent() {
                soon = soon.min(now + Duration::from_millis(10));
            }
        }
        let due = self.core.due().map(|due| due.saturating_sub(self.now().at).max(Duration::from_millis(1)));
        soon.saturating_duration_since(now).min(due.unwrap_or(Duration::MAX))
    }

    fn time(&mut self) {
        let now = self.now();
        if !self.more {
            let mut out = Vec::new();
            self.core.time(now, &mut out);
            self.act(out);
            self.give_answers(now);
        }
        for told in self.aside.look(self.core.transcript()) {
            self.tell_holder(&ToHolder::Told(told));
        }
        self.core.counting.transcript.heard = self.aside.reads();
        if Instant::now() >= self.next_look {
            self.next_look = Instant::now() + LOOK_EVERY;
            self.core.look_around();
            if let Some(told) = self.aside.look_slowly() {
                self.tell_holder(&ToHolder::Told(told));
            }
        }
        self.keep(now);
    }

    /// Whether nothing is left to do for this session.
    fn is_over(&mut self) -> bool {
        if self.core.exit().is_none() && self.holder.is_none() && !self.more {
            // The holder was killed, and the kernel hung up on the program.
            let now = self.now();
            self.core.hung_up(Exit::Signal { signal: 1 }, now);
            let _ = self.core.commit(now);
        }
        if self.core.exit().is_none() || self.more {
            return false;
        }
        if !self.chores.is_idle() {
            // A verdict is still being found, or a work tree removed.
            return false;
        }
        let ended = *self.ended.get_or_insert_with(Instant::now);
        let told = self.sent.is_some() && self.core.journal.is_acked() && !self.core.changed;
        if told || self.link.is_none() {
            self.core.journal.close();
            return true;
        }
        ended.elapsed() > LINGER || self.core.journal.is_gone()
    }
}

/// An observer and what wakes it.
struct Waiting {
    observer: Observer,
    /// Gets a byte whenever the recording has grown; `None` once the holder has ended.
    grown: Option<pipe::Receiver>,
}

impl Waiting {
    async fn run(self) -> anyhow::Result<()> {
        let Self { mut observer, mut grown } = self;
        let mut out = Vec::new();
        let now = observer.now();
        observer.core.take_over(now, &mut out)?;
        observer.act(out);
        // What the holder said together with its first message is already here, and nothing will announce it.
        observer.hear_holder()?;
        // The server hears nothing before the recording has been read to its present end.
        while observer.more {
            observer.read();
        }
        loop {
            observer.send_due();
            if observer.is_over() {
                return Ok(());
            }
            let patience = observer.patience();
            let wake = tokio::select! {
                ready = async { grown.as_ref().expect("guarded").readable().await }, if grown.is_some() => {
                    ready?;
                    if !drain(grown.as_ref().expect("guarded")) {
                        grown = None;
                    }
                    Wake::Grown
                }
                ready = async { observer.holder.as_ref().expect("guarded").ready.readable().await },
                        if observer.holder.is_some() => {
                    ready?;
                    Wake::Holder
                }
                event = async { observer.link.as_mut().expect("guarded").events.recv().await },
                        if observer.link.is_some() => Wake::Link(event),
                (attempt, done) = observer.chores.next() => Wake::Done(attempt, done),
                Some(export) = async { observer.ear.as_mut().expect("guarded").exports.recv().await },
                        if observer.ear.is_some() => Wake::Measured(export),
                () = tokio::time::sleep(patience) => Wake::Time,
            };
            match wake {
                Wake::Grown => observer.more = true,
                Wake::Holder => observer.hear_holder()?,
                Wake::Link(Some(event)) => observer.hear_server(event),
                Wake::Link(None) => observer.link = None,
                Wake::Done(attempt, done) => observer.done(attempt, done),
                Wake::Measured(export) => observer.measured(export),
                Wake::Time => {}
            }
            if observer.more {
                observer.read();
            }
            observer.time();
        }
    }
}

/// Empties the pipe. `false` when nobody will write to it any more.
fn drain(pipe: &pipe::Receiver) -> bool {
    loop {
        match pipe.try_read(&mut [0; 4096]) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(fault) => return fault.kind() == io::ErrorKind::WouldBlock,
        }
    }
}
