//! One session: its agent, its recording, the observer's core over a real journal, and what the holder does. Must not:
//! decide what to type.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use patterns::Library;
use server::hub::{Command, Control, Line, Said};
use tokio::sync::mpsc;
use wire::place::Place;
use wire::wrapper::{Hello, ToWrapper};
use wire::{AttemptId, HostId, SessionId, UnixMillis};
use wrapper::journal::Journal;
use wrapper::observer::calendar::Time;
use wrapper::observer::core::{Core, Out};
use wrapper::recording::{Header, Moment, Record};
use wrapper::redaction::Redaction;

use crate::agent::{Agent, Doing, SIZE};

/// One session.
pub struct Rig {
    /// Its identity.
    pub id: SessionId,
    /// The agent in it.
    pub agent: Agent,
    /// How often the holder wrote a text for an attempt: the oracle.
    pub typed: HashMap<AttemptId, usize>,
    /// The recording, all of it.
    recording: Vec<Moment>,
    /// How much of it the observer has read.
    read: usize,
    /// Bytes that the program wrote, and keys that a person pressed, as the holder counts.
    output: u64,
    keys: u64,
    core: Option<Core>,
    /// What the holder was asked and has not answered: for which attempt, and whether it wrote.
    answers: VecDeque<(AttemptId, bool)>,
    line: Option<(u64, mpsc::Receiver<ToWrapper>, u64)>,
    epoch: u64,
    folder: PathBuf,
    started: i64,
    /// When it would have started had the clock never been set.
    began: i64,
    place: Place,
}

impl Rig {
    /// Starts a session in a folder of its own.
    pub fn new(n: usize, folder: PathBuf, now: i64) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        let home = folder.join("home").into_os_string();
        let place = Place::find(|name| (name == "MUSTER_HOME").then(|| home.clone())).unwrap();
        let mut rig = Self {
            id: SessionId(format!("s{n}")),
            agent: Agent::new(),
            typed: HashMap::new(),
            recording: Vec::new(),
            read: 0,
            output: 0,
            keys: 0,
            core: None,
            answers: VecDeque::new(),
            line: None,
            epoch: 0,
            folder,
            started: now,
            began: now,
            place,
        };
        let header = Header {
            session: rig.id.0.clone(),
            name: rig.id.0.clone(),
            agent: "scripted".into(),
            argv: Vec::new(),
            term: "xterm".into(),
            started_ms: now,
            started_mono_us: 0,
            at_us: 0,
            offset: 0,
            cols: SIZE.0,
            rows: SIZE.1,
        };
        rig.record(Record::Header(Box::new(header)), now);
        let first = rig.agent.begin();
        rig.wrote(first, now);
        rig.draw(now);
        rig.start(now);
        rig
    }

    /// The present, told both ways.
    fn clock(&self, now: i64) -> Time {
        let at = Duration::from_millis((now - self.began).max(0).unsigned_abs());
        Time { at, day: UnixMillis(now) }
    }

    fn record(&mut self, record: Record, now: i64) {
        let at = self.clock(now).at;
        self.recording.push(Moment { at, record });
    }

    fn wrote(&mut self, bytes: Vec<u8>, now: i64) {
        self.output += bytes.len() as u64;
        self.record(Record::Output(bytes), now);
    }

    /// The agent shows its present.
    pub fn draw(&mut self, now: i64) {
        let frame = self.agent.draw();
        self.wrote(frame, now);
    }

    /// A new observer: reads the recording from its beginning, and takes over what the journal says.
    pub fn start(&mut self, now: i64) {
        self.core = None;
        self.answers.clear();
        self.line = None;
        self.epoch += 1;
        let agent = Arc::clone(&Library::builtin().agent("scripted").unwrap());
        let journal = Journal::open(&self.folder).unwrap();
        let redaction = Redaction::start(&self.place, std::iter::empty()).unwrap();
        let dir = self.folder.clone();
        self.core = Some(Core::new(agent, 0, dir, journal, UnixMillis(self.started), redaction));
        self.read = 0;
        let time = self.clock(now);
        let mut out = Vec::new();
        if let Some(core) = &mut self.core {
            for moment in &self.recording {
                core.moment(moment.clone(), time, &mut out);
            }
            core.commit(time).unwrap();
            core.take_over(time, &mut out).unwrap();
        }
        self.read = self.recording.len();
        self.carry_out(out, now);
    }

    /// kill -9 of the observer: what it was about to do is not done.
    pub fn kill(&mut self, control: &mut Control, now: i64) {
        self.cut(control, now);
        self.start(now);
    }

    /// Reads what the recording has that is new.
    pub fn read(&mut self, now: i64) {
        let time = self.clock(now);
        let mut out = Vec::new();
        let Some(core) = &mut self.core else { return };
        for moment in &self.recording[self.read..] {
            core.moment(moment.clone(), time, &mut out);
        }
        self.read = self.recording.len();
        core.commit(time).unwrap();
        self.carry_out(out, now);
    }

    /// Lets time pass: the agent works, the observer looks.
    pub fn time(&mut self, now: i64) {
        let time = self.clock(now);
        let before = self.agent.doing.clone();
        self.agent.work(now);
        if self.agent.doing != before {
            self.draw(now);
        }
        self.read(now);
        for (attempt, written) in std::mem::take(&mut self.answers) {
            // What the write brought about is in the recording before the holder's answer is heard.
            self.read(now);
            let mut out = Vec::new();
            if let Some(core) = &mut self.core {
                core.typed(attempt, written, time, &mut out);
            }
            self.carry_out(out, now);
        }
        let mut out = Vec::new();
        if let Some(core) = &mut self.core {
            core.time(time, &mut out);
            core.commit(time).unwrap();
        }
        self.carry_out(out, now);
    }

    /// The time of day is another one, and nothing else.
    pub fn clock_set(&mut self, ms: i64) {
        self.began += ms;
        self.agent.clock_set(ms);
    }

    /// When it has something to do by itself.
    pub fn due(&self) -> Option<i64> {
        let own = self.core.as_ref().and_then(Core::due);
        let own = own.map(|due| self.began + i64::try_from(due.as_millis()).unwrap_or(i64::MAX));
        own.into_iter().chain(self.agent.due()).min()
    }

    fn carry_out(&mut self, out: Vec<Out>, now: i64) {
        for out in out {
            if let Out::Type { bytes, only_for } = out {
                self.write(&bytes, only_for, now);
            }
        }
    }

    /// What the holder does: it writes, unless anything happened that the observer had not read.
    fn write(&mut self, bytes: &[u8], only_for: Option<AttemptId>, now: i64) {
        let core = self.core.as_ref().expect("only a core asks");
        let same = core.output == self.output && core.keys == self.keys;
        if let Some(attempt) = only_for {
            self.answers.push_back((attempt, same));
            if !same {
                return;
            }
        }
        if bytes.starts_with(b"\x1b[200~") {
            let attempt = only_for.expect("a text is written for an attempt");
            *self.typed.entry(attempt).or_default() += 1;
        }
        self.agent.take(bytes, now);
        let mut keys = wrapper::keys::classify(bytes);
        keys.queue = true;
        self.record(Record::Input(keys, Vec::new()), now);
        self.draw(now);
    }

    /// A person types into the agent's own terminal.
    pub fn person(&mut self, text: &str, now: i64) {
        if matches!(self.agent.doing, Doing::Asking(_)) {
            return;
        }
        self.keys += 1;
        self.agent.take(text.as_bytes(), now);
        let mut keys = wrapper::keys::classify(text.as_bytes());
        keys.queue = false;
        self.record(Record::Input(keys, Vec::new()), now);
        self.draw(now);
    }

    /// Connects to the server, with a hello as the observer makes one.
    pub fn connect(&mut self, control: &mut Control, conn: u64, now: i64) {
        let Some(core) = &self.core else { return };
        let hello = Hello {
            protocol: wire::PROTOCOL,
            protocol_oldest: wire::PROTOCOL_OLDEST,
            version: "0".into(),
            session: self.id.clone(),
            name: self.id.0.clone(),
            host: HostId("h".into()),
            host_name: "here".into(),
            agent: "scripted".into(),
            argv: Vec::new(),
            role: None,
            caps: Vec::new(),
            pool: None,
            started: UnixMillis(self.began),
            epoch: self.epoch,
            last_seq: core.journal.last_seq(),
            fence: core.fence(),
            holds: core.holds(),
            now: core.now(),
        };
        let (line, from, _closed) = Line::new(conn);
        control.run(vec![Command::Connect { hello: Box::new(hello), line }], UnixMillis(now));
        self.line = Some((conn, from, u64::MAX));
    }

    /// The connection is lost, with all that was on its way.
    pub fn cut(&mut self, control: &mut Control, now: i64) {
        if let Some((conn, ..)) = self.line.take() {
            let session = self.id.clone();
            control.run(vec![Command::Wrapper { session, conn, said: Said::Gone }], UnixMillis(now));
        }
    }

    /// The server is gone; it said nothing.
    pub fn lost(&mut self) {
        self.line = None;
    }

    /// Whether it is connected.
    pub fn is_connected(&self) -> bool {
        self.line.is_some()
    }

    /// Hears the server and tells it what is new. True: something was said, so there may be more.
    pub fn talk(&mut self, control: &mut Control, now: i64) -> bool {
        let mut spoke = false;
        let mut heard = Vec::new();
        if let Some((_, from, _)) = &mut self.line {
            while let Ok(message) = from.try_recv() {
                heard.push(message);
            }
        }
        for message in heard {
            spoke = true;
            self.obey(message, now);
        }
        let (Some(core), Some((conn, _, sent))) = (&mut self.core, &mut self.line) else { return spoke };
        if *sent == u64::MAX {
            return spoke;
        }
        let reports: Vec<_> = core.journal.after(*sent).cloned().collect();
        let mut commands = Vec::new();
        let (session, conn) = (self.id.clone(), *conn);
        if let Some(last) = reports.last() {
            *sent = last.seq;
            commands.push(Command::Wrapper { session: session.clone(), conn, said: Said::Reports(reports) });
        }
        if std::mem::take(&mut core.changed) {
            commands.push(Command::Wrapper { session, conn, said: Said::Now(Box::new(core.now())) });
        }
        if !commands.is_empty() {
            spoke = true;
            control.run(commands, UnixMillis(now));
        }
        spoke
    }

    /// Renews the lease.
    pub fn beat(&mut self, control: &mut Control, now: i64) {
        if let (Some(core), Some((conn, _, sent))) = (&self.core, &self.line)
            && *sent != u64::MAX
        {
            let (session, said) = (self.id.clone(), Said::Heartbeat(core.holds(), None));
            control.run(vec![Command::Wrapper { session, conn: *conn, said }], UnixMillis(now));
        }
    }

    fn obey(&mut self, message: ToWrapper, now: i64) {
        let at = self.clock(now);
        let mut out = Vec::new();
        let Some(core) = &mut self.core else { return };
        match message {
            ToWrapper::Welcome { ack, .. } => {
                core.journal.acked(ack).unwrap();
                if let Some((_, _, sent)) = &mut self.line {
                    *sent = ack;
                }
            }
            ToWrapper::Ack { seq } => core.journal.acked(seq).unwrap(),
            ToWrapper::Offer(offer) => core.offer(offer, at, &mut out),
            ToWrapper::Cancel { attempt } => core.cancel(attempt, at, &mut out),
            ToWrapper::Forget { attempt } => core.forget(attempt, at, &mut out),
            ToWrapper::Refused { text } => panic!("a wrapper was refused: {text}"),
            ToWrapper::Answer { .. }
            | ToWrapper::Recording { .. }
            | ToWrapper::Watch
            | ToWrapper::Unwatch
            | ToWrapper::Snapshot
            | ToWrapper::Keys { .. }
            | ToWrapper::End { .. }
            | ToWrapper::Start { .. } => {}
        }
        core.commit(at).unwrap();
        self.carry_out(out, now);
    }

    /// The attempt that the observer holds.
    pub fn holds(&self) -> Option<AttemptId> {
        self.core.as_ref().and_then(Core::holds)
    }
}
