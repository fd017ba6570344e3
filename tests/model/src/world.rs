//! A server, some sessions, people, faults and time. Must not: judge but by what the simulated agents saw.

use std::path::PathBuf;
use std::sync::Arc;

use server::feed::Terminals;
use server::hub::{Ask, By, Change, Command, Control, Given, Settings};
use server::store::Store;
use tempfile::TempDir;
use tokio::sync::oneshot;
use wire::http::PromptDetail;
use wire::prompt::{NewPrompt, Outcome, Prompt, PromptState, Step};
use wire::{PromptId, UnixMillis};

use crate::rig::Rig;

/// How many sessions there are.
pub const SESSIONS: usize = 3;
/// How long settling may take, in milliseconds of the world: beyond all limits of time that are asked for here. It begins
/// when a clock that was set back is where it was before, as limits count the time of day.
const SETTLE: i64 = 60 * 60_000;

/// What happens to a world.
#[derive(Debug, Clone)]
pub enum Op {
    /// A prompt is queued.
    Send {
        /// For this session.
        target: Option<usize>,
        /// After this one.
        after: Option<usize>,
        /// Its urgency.
        priority: u8,
    },
    /// A person's wish about one.
    Wish {
        /// Which.
        prompt: usize,
        /// 0 cancel, 1 retry, 2 reassign.
        wish: usize,
    },
    /// Time passes, in milliseconds.
    Pass(i64),
    /// The wall clock is set, or the machines sleep: by so many milliseconds.
    Jump(i64),
    /// A fault of a session.
    Fault {
        /// Which.
        session: usize,
        /// What.
        fault: Fault,
    },
    /// kill -9 of the server.
    KillServer,
}

/// What goes wrong, or otherwise than planned, in one session.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// kill -9 of the observer.
    KillObserver,
    /// The connection breaks.
    Cut,
    /// A dialog opens.
    Dialog,
    /// Its person answers it.
    Answered,
    /// A person types a draft.
    Draft,
    /// A person sends or clears the draft.
    Undraft,
    /// The next turn fails.
    Fail,
    /// The next turn takes this long, in milliseconds.
    Slow(u16),
    /// The agent loses an Enter.
    LoseEnter,
    /// The agent writes something just now, which the observer has not read when it acts next.
    Flicker,
}

/// A world.
pub struct World {
    now: i64,
    control: Option<Control>,
    rigs: Vec<Rig>,
    conn: u64,
    prompts: Vec<(PromptId, String)>,
    beat: i64,
    tick: i64,
    _folder: TempDir,
    database: PathBuf,
}

impl World {
    /// A new one, with sessions that are connected and idle.
    pub fn new() -> Self {
        // Memory, where there is such a place: what is lost at a power cut is not the matter here.
        let shm = std::path::Path::new("/dev/shm");
        let folder = if shm.is_dir() { TempDir::new_in(shm) } else { TempDir::new() }.unwrap();
        let database = folder.path().join("muster.sqlite");
        let now = 1_800_000_000_000;
        let rigs = (0..SESSIONS).map(|n| Rig::new(n, folder.path().join(format!("s{n}")), now)).collect();
        let mut world = Self {
            now,
            control: None,
            rigs,
            conn: 1,
            prompts: Vec::new(),
            beat: now,
            tick: now,
            _folder: folder,
            database,
        };
        world.serve();
        world.pass(2_000);
        world
    }

    fn serve(&mut self) {
        self.control = None;
        let settings = Settings::default();
        let store = Store::open(&self.database).unwrap();
        let terminals = Arc::new(Terminals::default());
        self.control = Some(Control::new(store, settings, terminals, UnixMillis(self.now)).unwrap());
    }

    fn ask<T>(&mut self, ask: impl FnOnce(server::hub::Reply<T>) -> Ask) -> Option<T> {
        let (reply, mut answer) = oneshot::channel();
        let now = UnixMillis(self.now);
        self.control.as_mut().unwrap().run(vec![Command::Ask(ask(reply))], now);
        answer.try_recv().ok()?.ok()
    }

    /// Does one thing, and holds the world to its promises.
    pub fn act(&mut self, op: &Op) {
        match op {
            Op::Send { target, after, priority } => self.send(*target, *after, *priority),
            Op::Wish { prompt, wish } => self.wish(*prompt, *wish),
            Op::Pass(ms) => self.pass(*ms),
            Op::Jump(ms) => {
                self.now += ms;
                self.tick += ms;
                self.beat += ms;
                self.rigs.iter_mut().for_each(|rig| rig.clock_set(*ms));
                self.control.as_mut().unwrap().run(vec![Command::ClockSet(*ms)], UnixMillis(self.now));
            }
            Op::Fault { session, fault } => self.fault(*session, *fault),
            Op::KillServer => {
                self.rigs.iter_mut().for_each(Rig::lost);
                self.serve();
            }
        }
        self.talk();
        self.check();
    }

    fn send(&mut self, target: Option<usize>, after: Option<usize>, priority: u8) {
        let text = format!("Task number {} of this world", self.prompts.len() + 1);
        let after = after.and_then(|n| self.prompts.get(n % self.prompts.len().max(1))).map(|(id, _)| *id);
        let asked = NewPrompt {
            target: target.map(|n| format!("s{n}")),
            after: after.into_iter().collect(),
            priority,
            wait_ms: Some(20 * 60_000),
            accept_ms: Some(3 * 60_000),
            timeout_ms: Some(5 * 60_000),
            silence_ms: Some(5 * 60_000),
            attempts: Some(2),
            ..NewPrompt::new(text.as_str())
        };
        let sent = self.ask(|reply| Ask::Enqueue(Box::new(asked), Given::default(), By::Cli, reply));
        self.prompts.push((sent.expect("it is queued").1.id, text));
    }

    fn wish(&mut self, prompt: usize, wish: usize) {
        let Some((id, _)) = self.prompts.get(prompt % self.prompts.len().max(1)).cloned() else { return };
        let change = [Change::Cancel, Change::Retry, Change::Reassign(None)][wish % 3].clone();
        let _ = self.ask(|reply| Ask::Change(id, change, By::Cli, reply));
    }

    fn fault(&mut self, session: usize, fault: Fault) {
        let now = self.now;
        let rig = &mut self.rigs[session];
        let control = self.control.as_mut().unwrap();
        match fault {
            Fault::KillObserver => rig.kill(control, now),
            Fault::Cut => rig.cut(control, now),
            Fault::Dialog => {
                rig.agent.ask();
                rig.draw(now);
            }
            Fault::Answered => {
                rig.agent.unask();
                rig.draw(now);
            }
            Fault::Draft => rig.person("a draft of mine", now),
            Fault::Undraft => {
                rig.agent.composer.clear();
                rig.person("\u{1b}", now);
            }
            Fault::Fail => rig.agent.fails = true,
            Fault::Slow(ms) => rig.agent.turn_ms = i64::from(ms) + 1,
            Fault::LoseEnter => rig.agent.loses = 1,
            Fault::Flicker => rig.draw(now),
        }
    }

    /// Lets time pass, moment by moment: what is due happens when it is due.
    pub fn pass(&mut self, ms: i64) {
        let end = self.now + ms;
        while self.now < end {
            let soon = self.rigs.iter().filter_map(Rig::due).filter(|due| *due > self.now).min();
            let own = self.tick.min(self.beat).max(self.now + 1);
            self.now = soon.unwrap_or(own).min(own).min(end);
            self.step();
        }
    }

    fn step(&mut self) {
        let now = self.now;
        for n in 0..self.rigs.len() {
            if !self.rigs[n].is_connected() {
                self.conn += 1;
                self.rigs[n].connect(self.control.as_mut().unwrap(), self.conn, now);
            }
            self.rigs[n].time(now);
        }
        self.talk();
        if now >= self.beat {
            self.beat = now + 5_000;
            for rig in &mut self.rigs {
                rig.beat(self.control.as_mut().unwrap(), now);
            }
        }
        if now >= self.tick {
            self.tick = now + 2_000;
            self.control.as_mut().unwrap().run(vec![Command::Tick], UnixMillis(now));
        }
        self.talk();
    }

    /// Both sides speak until nobody has anything to say.
    fn talk(&mut self) {
        let now = self.now;
        for _ in 0..100 {
            let control = self.control.as_mut().unwrap();
            let spoke = self.rigs.iter_mut().map(|rig| rig.talk(control, now)).filter(|spoke| *spoke).count();
            if spoke == 0 {
                return;
            }
        }
        panic!("they never stop to talk");
    }

    /// What holds at every moment.
    fn check(&self) {
        for rig in &self.rigs {
            assert_eq!(rig.agent.answered, 0, "a dialog of {} was answered", rig.id);
            for (attempt, times) in &rig.typed {
                assert!(*times <= 1, "attempt {attempt} was typed {times} times into {}", rig.id);
            }
            for text in &rig.agent.submitted {
                let ours = self.prompts.iter().any(|(_, prompt)| text.starts_with(prompt.as_str()));
                assert!(ours && !text.contains("draft"), "{} was sent {text:?}", rig.id);
            }
        }
    }

    /// Lets all faults end and time pass, until every prompt has come to rest; then compares what is told with what
    /// the agents saw.
    pub fn settle(&mut self) {
        for n in 0..self.rigs.len() {
            for fault in [Fault::Answered, Fault::Undraft, Fault::Slow(200)] {
                self.fault(n, fault);
            }
            self.rigs[n].agent.loses = 0;
        }
        let end = self.now + SETTLE;
        while self.now < end && !self.rest() {
            self.pass(10_000);
            for n in 0..self.rigs.len() {
                // What a refused attempt left in the composer is cleared by the person who was asked to look.
                if self.rigs[n].holds().is_none() && !self.rigs[n].agent.composer.is_empty() {
                    self.fault(n, Fault::Undraft);
                }
            }
        }
        self.check();
        for (id, text) in self.prompts.clone() {
            let detail = self.ask(|reply| Ask::Prompt(id, reply)).expect("no prompt vanishes");
            self.compare(&detail, &text);
        }
    }

    fn rest(&mut self) -> bool {
        let ids: Vec<_> = self.prompts.iter().map(|(id, _)| *id).collect();
        ids.into_iter().all(|id| {
            let prompt = self.ask(|reply| Ask::Prompt(id, reply)).expect("no prompt vanishes").prompt;
            self.is_at_rest(&prompt)
        })
    }

    /// Final, held for a person, or waiting for one that is.
    fn is_at_rest(&self, prompt: &Prompt) -> bool {
        match prompt.state {
            PromptState::Completed | PromptState::Failed | PromptState::Cancelled => true,
            PromptState::Held => prompt.due.is_none(),
            PromptState::Pending => prompt.due.is_none(),
            PromptState::Assigned | PromptState::InProgress => false,
        }
    }

    fn compare(&mut self, detail: &PromptDetail, text: &str) {
        let prompt = &detail.prompt;
        assert!(self.is_at_rest(prompt), "prompt {} never came to rest: {prompt:?}", prompt.id);
        if matches!(prompt.state, PromptState::Held | PromptState::Pending) {
            let reason = prompt.hold.as_ref().map(|hold| hold.text.as_str()).unwrap_or_default();
            assert!(!reason.is_empty(), "prompt {} rests without a reason: {prompt:?}", prompt.id);
        }
        for attempt in &detail.attempts {
            let rig = self.rigs.iter().find(|rig| rig.id == attempt.session).unwrap();
            let typed = rig.typed.get(&attempt.id).copied().unwrap_or_default();
            let submitted = rig.agent.submitted.iter().filter(|sent| sent.starts_with(text)).count();
            let outcome = attempt.result.as_ref().map(|result| result.outcome);
            match outcome {
                Some(Outcome::Completed) => {
                    assert_eq!(typed, 1, "attempt {} is told as completed: {attempt:?}", attempt.id);
                    assert!(submitted >= 1, "attempt {} was never submitted: {attempt:?}", attempt.id);
                }
                Some(Outcome::NotTyped) => {
                    assert_eq!(typed, 0, "attempt {} was typed: {attempt:?}", attempt.id)
                }
                _ => {}
            }
            let written = attempt.receipts.iter().any(|receipt| receipt.step == Step::Written);
            assert!(!written || typed == 1, "a receipt for what was not done: {attempt:?}");
        }
    }

    /// How many prompts there are.
    pub fn sent(&self) -> usize {
        self.prompts.len()
    }

    /// How many texts were typed.
    pub fn typed(&self) -> usize {
        self.rigs.iter().map(|rig| rig.typed.len()).sum()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
