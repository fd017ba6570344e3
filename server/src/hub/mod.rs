//! The control loop: decides and saves, one batch of commands in one transaction.
//!
//! Owns: the database, the live sessions, the list of viewers. Must not: wait for anything but its commands; every
//! message it sends either fits a queue or is given up, see the table in [`crate::feed`].
//!
//! When a batch cannot be saved, nobody is told anything but that: the wrappers are cut off (they resume from the last
//! ack), what is in memory is read anew, and the viewers get everything again.

mod admin;
mod agents;
mod alerts;
mod approvals;
pub mod check;
mod command;
mod deadlines;
mod hosts;
mod notes;
mod outbox;
mod pause;
mod pools;
mod prompts;
mod purge;
mod queries;
mod reports;
mod results;
mod routing;
mod rules;
mod selecting;
mod settle;
mod tokens;
mod traces;
mod viewers;
mod wrappers;

pub use admin::Admin;
pub use agents::Own;
pub use alerts::Alerts;
pub use command::{Agent, Ask, By, Change, Command, Given, Line, Listing, People, Reply, Said, ViewerSaid};
pub use pools::Pools;
pub use purge::{Forgotten, Purging};
pub use traces::Traces;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};
use wire::http::RecordingPart;
use wire::prompt::Cause;
use wire::{HostId, SessionId, UnixMillis};

use crate::alert::Limits;
use crate::clock::Clock;
use crate::fault::Fault;
use crate::feed::{Outlet, Terminals};
use crate::metrics::Metrics;
use crate::policy;
use crate::pool::Pool;
use crate::queue::Queue;
use crate::route::plan;
use crate::route::provider::Provider;
use crate::session::{Leased, Live};
use crate::store::{Store, StoreError, Stored};

use outbox::Outbox;

/// How many commands may wait for the loop.
pub const BOUND: usize = 1024;
/// How many are decided in one transaction.
const BATCH: usize = 256;
/// How many requests to wrappers may wait for a reply; the oldest is given up.
const REQUESTS: usize = 4096;
/// Prompts from which the pasts of sessions are read at the start.
const REMEMBERED: u32 = 2_000;
/// How long a session that has ended is listed, in milliseconds.
const LISTED: u64 = 60 * 60_000;

/// What the loop is told once.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// What the router may weigh.
    pub rules: plan::Rules,
    /// Preferred agent.
    pub prefer: Option<String>,
    /// Hash of the dashboard's files.
    pub build: String,
    /// This server's host, if a session was ever started on it.
    pub host: Option<HostId>,
    /// From when on something is worth an alert.
    pub limits: Limits,
    /// Where it counts what it committed.
    pub metrics: Metrics,
    /// What tells this installation from others.
    pub install: String,
    /// Whether a collector is to be told of prompts.
    pub traces: bool,
}

/// The way to the loop.
#[derive(Clone)]
pub struct Hub {
    to: mpsc::Sender<Command>,
}

/// The loop has ended: the server is going down.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the control loop has ended")]
pub struct Ended;

impl Hub {
    /// Starts the loop on a thread of its own. The receiver resolves when it ends, for whatever reason.
    pub fn start(
        store: Store,
        settings: Settings,
        terminals: Arc<Terminals>,
    ) -> anyhow::Result<(Self, oneshot::Receiver<()>)> {
        let (to, from) = mpsc::channel(BOUND);
        let (ending, ended) = oneshot::channel();
        let mut control = Control::new(store, settings, terminals, now())?;
        std::thread::Builder::new().name("control".to_owned()).spawn(move || {
            control.serve(from);
            // The database is closed, and its log of writes emptied, before anybody hears of the end.
            drop(control);
            // Dropped also when the loop panics; nobody may listen any more.
            drop(ending);
        })?;
        Ok((Self { to }, ended))
    }

    /// Sends a command; waits while the loop has more than it can take.
    pub async fn send(&self, command: Command) -> Result<(), Ended> {
        self.to.send(command).await.map_err(|_| Ended)
    }

    /// Asks and waits for the answer, which comes after the commit.
    pub async fn ask<T>(&self, ask: impl FnOnce(Reply<T>) -> Ask) -> Result<T, Fault> {
        let (reply, answer) = oneshot::channel();
        let asked = Command::Within(tracing::Span::current(), ask(reply));
        self.send(asked).await.map_err(|_| Fault::internal())?;
        answer.await.unwrap_or_else(|_| Err(Fault::not_saved()))
    }
}

/// The loop's own state.
pub struct Control {
    store: Store,
    settings: Settings,
    terminals: Arc<Terminals>,
    sessions: BTreeMap<SessionId, Live>,
    lines: HashMap<SessionId, Line>,
    viewers: HashMap<u64, Outlet>,
    /// The prompts that wait for a session; the database has them too.
    queue: Queue,
    /// By host and agent.
    providers: HashMap<(HostId, String), Provider>,
    /// By name.
    pools: BTreeMap<String, Pool>,
    /// Those that were forgotten while sessions were started for them.
    forgotten_pools: BTreeMap<String, Pool>,
    /// What hosts can spare.
    spare: BTreeMap<HostId, hosts::Spare>,
    /// The rules over requests that are in force.
    rules: policy::Rules,
    /// Answers to dialogs and keys that wrappers have not replied to.
    requests: BTreeMap<u64, Request>,
    next_request: u64,
    /// Connections that are told to the terminals after their welcome was sent, as that must come first.
    welcomed: Vec<(SessionId, Line)>,
    /// Whether anything happened that could let a prompt find a session.
    stirred: bool,
    /// Whether no prompts are given out.
    paused: bool,
    /// When conditions were last looked at.
    looked: UnixMillis,
    started: UnixMillis,
    out: Outbox,
}

/// Who waits for a wrapper's reply.
struct Request {
    session: SessionId,
    asker: Asker,
}

enum Asker {
    /// Whoever answered a dialog.
    Answer(approvals::Answered),
    /// Whoever wants a part of a recording.
    Recording(Reply<RecordingPart>),
    /// Whoever typed.
    Viewer(u64),
    /// A pool, for the start of a session under this name.
    Start(String, String),
    /// A pool, for the end of the session.
    End(String),
}

impl Control {
    /// Reads what is kept.
    pub fn new(store: Store, settings: Settings, terminals: Arc<Terminals>, now: UnixMillis) -> Stored<Self> {
        let mut control = Self {
            store,
            settings,
            terminals,
            sessions: BTreeMap::new(),
            lines: HashMap::new(),
            viewers: HashMap::new(),
            queue: Queue::default(),
            providers: HashMap::new(),
            pools: BTreeMap::new(),
            forgotten_pools: BTreeMap::new(),
            spare: BTreeMap::new(),
            rules: policy::Rules::default(),
            requests: BTreeMap::new(),
            next_request: 1,
            welcomed: Vec::new(),
            stirred: true,
            paused: false,
            looked: UnixMillis(0),
            started: now,
            out: Outbox::default(),
        };
        control.read(now)?;
        Ok(control)
    }

    fn serve(&mut self, mut from: mpsc::Receiver<Command>) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut clock = Clock::new(Instant::now(), now());
        while from.blocking_recv_many(&mut batch, BATCH) > 0 {
            let last = batch.iter().any(|c| matches!(c, Command::Stop(_)));
            let now = now();
            let set = clock.keep(Instant::now(), now).map(Command::ClockSet);
            self.run(set.into_iter().chain(batch.drain(..)).collect(), now);
            if last {
                return;
            }
        }
    }

    /// Decides a batch, saves it, and only then answers.
    pub fn run(&mut self, batch: Vec<Command>, now: UnixMillis) {
        let mut stops = Vec::new();
        match self.decide(batch, &mut stops, now) {
            Ok(()) => {
                self.out.release(&self.settings.metrics);
                for (session, line) in self.welcomed.drain(..) {
                    self.terminals.wrapper_up(&session, &line);
                }
            }
            Err(e) => self.give_up(&e, now),
        }
        for stop in stops {
            let _ = stop.send(());
        }
    }

    fn decide(
        &mut self,
        batch: Vec<Command>,
        stops: &mut Vec<oneshot::Sender<()>>,
        now: UnixMillis,
    ) -> Stored<()> {
        self.store.begin()?;
        for command in batch {
            match command {
                Command::Ask(ask) => self.ask(ask, now)?,
                Command::Within(span, ask) => span.in_scope(|| self.ask(ask, now))?,
                Command::Connect { hello, line } => self.connect(*hello, line, now)?,
                Command::Wrapper { session, conn, said } => self.wrapper(&session, conn, said, now)?,
                Command::Viewer { viewer, said } => self.viewer(viewer, said, now)?,
                Command::Tick => self.tick(now)?,
                Command::ClockSet(ms) => self.clock_set(ms)?,
                Command::Stop(done) => {
                    self.save_present()?;
                    stops.push(done);
                }
            }
        }
        self.assign(now)?;
        let messages = self.news()?;
        self.store.commit()?;
        self.tell(&messages);
        Ok(())
    }

    /// Nothing of the batch happened: says so, cuts the wrappers off, and starts over from what is kept.
    fn give_up(&mut self, error: &StoreError, now: UnixMillis) {
        tracing::error!(%error, "a batch could not be saved; starting over from what is kept");
        self.store.rollback();
        let fault = if error.is_disk() { Fault::storage() } else { Fault::internal() };
        self.out.fail(&fault);
        self.welcomed.clear();
        for (session, line) in self.lines.drain() {
            line.close();
            self.terminals.wrapper_down(&session, line.conn);
        }
        self.requests.clear();
        if let Err(error) = self.read(now) {
            tracing::error!(%error, "what is kept cannot be read either");
            self.sessions.values_mut().for_each(|live| live.part(now));
        }
        let viewers: Vec<u64> = self.viewers.keys().copied().collect();
        for viewer in viewers {
            if let Err(error) = self.everything(viewer, now) {
                tracing::error!(%error, viewer, "a viewer could not be told everything");
            }
        }
    }

    fn read(&mut self, now: UnixMillis) -> Stored<()> {
        let since = UnixMillis(now.0 - LISTED as i64);
        let mut sessions = BTreeMap::new();
        for kept in self.store.sessions_since(since)? {
            let mut live = Live::from_kept(kept);
            live.lease = self.leased(live.id())?;
            sessions.insert(live.id().clone(), live);
        }
        self.sessions = sessions;
        self.remember(now)?;
        self.paused = self.store.paused()?;
        self.read_pools(now)?;
        self.read_queue()?;
        self.rules = match self.store.policies()?.map(|stored| policy::Rules::parse(&stored.text)) {
            Some(Ok(rules)) => rules,
            None => policy::Rules::default(),
            Some(Err(error)) => {
                // Rules that an older version took: nothing is answered by itself until they are set anew.
                tracing::error!(%error, "the rules that are kept cannot be used; a person is asked for everything");
                policy::Rules::default()
            }
        };
        self.stirred = true;
        Ok(())
    }

    fn read_queue(&mut self) -> Stored<()> {
        self.queue = Queue::default();
        for prompt in self.store.waiting_prompts()? {
            self.index(&prompt);
        }
        Ok(())
    }

    /// What sessions did before, and which providers are limited, from what is kept.
    fn remember(&mut self, now: UnixMillis) -> Stored<()> {
        self.providers.clear();
        for prompt in self.store.had_prompts(REMEMBERED)?.into_iter().rev() {
            let Some(live) = prompt.session.as_ref().and_then(|s| self.sessions.get_mut(s)) else { continue };
            live.past.given(prompt.asked.thread.as_deref(), &prompt.asked.tags, prompt.changed);
            let last = self.store.latest_attempt(prompt.id)?.and_then(|attempt| attempt.result);
            let Some(result) = last else { continue };
            live.past.ended(&prompt.asked.tags, result.outcome, result.duration_ms);
            if result.cause == Some(Cause::RateLimited) && result.until_at.is_some_and(|until| until > now) {
                let key = routing::provider_key(live);
                self.providers.entry(key.clone()).or_default().limit(result.until_at, now);
                self.show_limits(&key, now);
            }
        }
        Ok(())
    }

    /// The attempt that holds a session, as the memory has it.
    fn leased(&self, session: &SessionId) -> Stored<Option<Leased>> {
        let Some(attempt) = self.store.active_attempt(session)? else { return Ok(None) };
        Ok(self.store.prompt(attempt.prompt)?.map(|prompt| Leased::new(&attempt, &prompt.asked)))
    }

    /// Adds to the audit log.
    fn audit(
        &self,
        by: &str,
        what: &str,
        on: &str,
        detail: &serde_json::Value,
        now: UnixMillis,
    ) -> Stored<()> {
        self.store.audit(now, by, what, on, &detail.to_string())
    }

    /// Numbers a request to a wrapper and remembers who asked.
    fn request(&mut self, session: SessionId, asker: Asker) -> u64 {
        if self.requests.len() >= REQUESTS {
            self.requests.pop_first();
        }
        let request = self.next_request;
        self.next_request += 1;
        self.requests.insert(request, Request { session, asker });
        request
    }

    fn save_present(&self) -> Stored<()> {
        self.sessions.values().filter(|l| l.link.is_some()).try_for_each(|l| self.store.save_session(&l.kept))
    }
}

/// The clock.
pub fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
