//! What the control loop promises, driven without threads, sockets or a clock.

mod admin;
mod clock;
mod dashboard;
mod queue;
mod random;
mod traces;

use super::*;
use crate::sample;
use std::collections::HashSet;
use tokio::sync::mpsc::Receiver;
use wire::prompt::{Hold, HoldCode, NewPrompt, Outcome, PromptState, Receipt, Step};
use wire::session::{Exit, Moves, State};
use wire::wrapper::{Numbered, Offer, Report, ToWrapper};
use wire::{AttemptId, PromptId};

use crate::job::server_result;

/// The loop with scripted wrappers, each with the memory a real one has on disk.
struct World {
    control: Control,
    now: UnixMillis,
    wrappers: Vec<Scripted>,
    conn: u64,
    prompts: Vec<PromptId>,
    /// Attempts of which a wrapper said how they ended.
    closed: HashSet<AttemptId>,
    /// Prompts that a person had a word about.
    touched: HashSet<PromptId>,
    /// Prompts that were typed, with the attempts.
    typed: Vec<(PromptId, AttemptId)>,
}

struct Scripted {
    id: SessionId,
    line: Option<(u64, Receiver<ToWrapper>)>,
    journal: Vec<Numbered>,
    holds: Option<Offer>,
    fence: u64,
    exited: bool,
    /// The last attempt that the agent took.
    accepted: Option<AttemptId>,
    agent: &'static str,
    moves: Moves,
    busy: bool,
    /// Answers that it was told to give: request, dialog, whether by a rule.
    answers: Vec<(u64, String, bool)>,
}

/// What a random run does.
#[derive(Debug, Clone)]
enum Op {
    Enqueue(Option<usize>),
    Connect(usize),
    Cut(usize),
    Step(usize, Step),
    Refuse(usize, usize),
    End(usize, usize),
    LoseTrack(usize),
    Exit(usize),
    Change(usize, usize),
    Wait(u64),
    Restart,
}

const WRAPPERS: usize = 3;

impl World {
    fn new() -> Self {
        let settings = Settings::default();
        let now = UnixMillis(1_000_000);
        let control = Control::new(Store::in_memory(), settings, Arc::default(), now).unwrap();
        let scripted = |n: usize| Scripted {
            id: SessionId(format!("s{n}")),
            line: None,
            journal: Vec::new(),
            holds: None,
            fence: 0,
            exited: false,
            accepted: None,
            agent: "claude",
            moves: Moves::None,
            busy: false,
            answers: Vec::new(),
        };
        let wrappers = (0..WRAPPERS).map(scripted).collect();
        let (closed, touched) = (HashSet::new(), HashSet::new());
        Self { control, now, wrappers, conn: 1, prompts: Vec::new(), closed, touched, typed: Vec::new() }
    }

    fn run(&mut self, command: Command) {
        self.now = UnixMillis(self.now.0 + 1);
        self.control.run(vec![command], self.now);
        for n in 0..WRAPPERS {
            self.listen(n);
        }
    }

    /// A wrapper takes in what it was told, as its own rules say.
    fn listen(&mut self, n: usize) {
        let wrapper = &mut self.wrappers[n];
        let Some((_, from)) = &mut wrapper.line else { return };
        while let Ok(message) = from.try_recv() {
            match message {
                ToWrapper::Offer(offer) => {
                    assert!(offer.fence > wrapper.fence, "a fence that is not newer");
                    assert!(wrapper.holds.is_none(), "an offer while another is held");
                    let open = |(_, a): &&(PromptId, AttemptId)| !self.closed.contains(a);
                    let before = self.typed.iter().filter(|(p, _)| *p == offer.prompt).find(open);
                    let person = self.touched.contains(&offer.prompt);
                    assert!(before.is_none() || person, "{before:?} may have been typed; offered again");
                    wrapper.fence = offer.fence;
                    wrapper.holds = Some(offer);
                }
                ToWrapper::Answer { request, dialog, rule, .. } => {
                    wrapper.answers.push((request, dialog, rule));
                }
                ToWrapper::Forget { attempt } => {
                    wrapper.holds.take_if(|h| h.attempt == attempt);
                }
                _ => {}
            }
        }
    }

    fn report(&mut self, n: usize, report: Report) {
        let wrapper = &mut self.wrappers[n];
        let numbered = Numbered { seq: wrapper.journal.len() as u64 + 1, at: self.now, report };
        wrapper.journal.push(numbered.clone());
        if let Some((conn, _)) = wrapper.line {
            let session = wrapper.id.clone();
            self.run(Command::Wrapper { session, conn, said: Said::Reports(vec![numbered]) });
        }
    }

    fn connect(&mut self, n: usize) {
        let wrapper = &mut self.wrappers[n];
        let state = if wrapper.busy { State::Busy } else { State::Idle };
        let mut hello = sample::hello(&wrapper.id.0, state);
        hello.agent = wrapper.agent.into();
        hello.now.moves = wrapper.moves;
        hello.last_seq = wrapper.journal.len() as u64;
        hello.fence = wrapper.fence;
        hello.holds = wrapper.holds.as_ref().map(|h| h.attempt);
        let (line, mut from, _closed) = Line::new(self.conn);
        let conn = self.conn;
        self.conn += 1;
        self.now = UnixMillis(self.now.0 + 1);
        self.control.run(vec![Command::Connect { hello: Box::new(hello), line }], self.now);
        let Ok(ToWrapper::Welcome { ack, .. }) = from.try_recv() else { panic!("not welcomed") };
        let wrapper = &mut self.wrappers[n];
        wrapper.line = Some((conn, from));
        let rest: Vec<_> = wrapper.journal.iter().filter(|r| r.seq > ack).cloned().collect();
        let session = wrapper.id.clone();
        self.run(Command::Wrapper { session, conn, said: Said::Reports(rest) });
    }

    fn cut(&mut self, n: usize) {
        if let Some((conn, _)) = self.wrappers[n].line.take() {
            let session = self.wrappers[n].id.clone();
            self.run(Command::Wrapper { session, conn, said: Said::Gone });
        }
    }

    /// kill -9: what is only in memory is gone, and all connections with it.
    fn restart(&mut self) {
        self.wrappers.iter_mut().for_each(|w| w.line = None);
        let store = std::mem::replace(&mut self.control.store, Store::in_memory());
        let settings = self.control.settings.clone();
        self.control = Control::new(store, settings, Arc::default(), self.now).unwrap();
    }

    fn act(&mut self, op: Op) {
        match op {
            Op::Enqueue(target) => self.enqueue(target),
            Op::Connect(n) => self.connect(n),
            Op::Cut(n) => self.cut(n),
            Op::Step(n, step) => self.step(n, step),
            Op::Refuse(n, code) => {
                if let Some(offer) = self.wrappers[n].holds.take() {
                    let hold = Hold { code: HoldCode::ALL[code], text: "so".into() };
                    if hold.code.untyped() {
                        self.closed.insert(offer.attempt);
                    }
                    self.report(n, Report::Held { attempt: offer.attempt, hold });
                }
            }
            Op::End(n, outcome) => {
                if let Some(offer) = self.wrappers[n].holds.take() {
                    let result = server_result(Outcome::ALL[outcome], "so");
                    if result.outcome != Outcome::Unknown {
                        self.closed.insert(offer.attempt);
                    }
                    self.report(n, Report::Ended { attempt: offer.attempt, result });
                }
            }
            Op::LoseTrack(n) => {
                self.cut(n);
                self.wrappers[n].holds = None;
            }
            Op::Exit(n) => {
                if !self.wrappers[n].exited {
                    self.wrappers[n].exited = true;
                    self.wrappers[n].holds = None;
                    // A turn that the agent took ends with the program.
                    self.closed.extend(self.wrappers[n].accepted);
                    self.report(n, Report::Exited { exit: Exit::Code { code: 0 } });
                }
            }
            Op::Change(prompt, change) => self.change(prompt, change),
            Op::Wait(ms) => {
                self.now = UnixMillis(self.now.0 + ms.cast_signed());
                let beats: Vec<_> = self
                    .wrappers
                    .iter()
                    .filter_map(|w| {
                        Some((w.id.clone(), w.line.as_ref()?.0, w.holds.as_ref().map(|h| h.attempt)))
                    })
                    .collect();
                for (session, conn, holds) in beats {
                    self.run(Command::Wrapper { session, conn, said: Said::Heartbeat(holds, None) });
                }
                self.run(Command::Tick);
            }
            Op::Restart => self.restart(),
        }
    }

    fn step(&mut self, n: usize, step: Step) {
        let Some(offer) = self.wrappers[n].holds.clone() else { return };
        if step >= Step::Accepted {
            self.wrappers[n].accepted = Some(offer.attempt);
        }
        if step == Step::Written {
            self.typed.push((offer.prompt, offer.attempt));
        }
        let receipt = Receipt { step, at: self.now };
        self.report(n, Report::Receipt { attempt: offer.attempt, receipt });
    }

    fn enqueue(&mut self, target: Option<usize>) {
        let mut asked: NewPrompt = serde_json::from_str(r#"{"text":"x"}"#).unwrap();
        asked.target = target.map(|n| format!("s{n}"));
        let (reply, mut answer) = oneshot::channel();
        self.run(Command::Ask(Ask::Enqueue(Box::new(asked), Given::default(), By::Cli, reply)));
        self.prompts.push(answer.try_recv().unwrap().unwrap().1.id);
    }

    fn change(&mut self, prompt: usize, change: usize) {
        let Some(id) = self.prompts.get(prompt % self.prompts.len().max(1)).copied() else { return };
        self.touched.insert(id);
        let change = [Change::Cancel, Change::Retry, Change::Reassign(None)][change].clone();
        let (reply, _answer) = oneshot::channel();
        self.run(Command::Ask(Ask::Change(id, change, By::Cli, reply)));
    }

    /// The tables agree with each other and with the memory.
    fn check(&self) {
        self.control.store.check().unwrap();
        for id in &self.prompts {
            let stored = self.control.store.prompt(*id).unwrap().expect("no prompt vanishes");
            let lease = stored.job.lease().map(|l| l.attempt);
            let queued = self.control.queue.get(*id).map(|w| w.due);
            assert_eq!(queued, stored.job.due(), "the queue in memory knows what waits: {:?}", stored.job);
            let attempts = self.control.store.attempts_of(*id).unwrap();
            let active: Vec<_> = attempts.iter().filter(|a| a.result.is_none()).map(|a| a.id).collect();
            assert_eq!(active, lease.into_iter().collect::<Vec<_>>(), "prompt {id}: {:?}", stored.job);
            if let Some(attempt) = lease {
                let session = stored.session.clone().expect("a lease has a session");
                let live = self.control.sessions.get(&session).expect("a leased session is listed");
                assert_eq!(live.lease.map(|l| (l.attempt, l.prompt)), Some((attempt, *id)));
            }
        }
        for live in self.control.sessions.values() {
            let kept = self.control.store.session(live.id()).unwrap().expect("a session is kept");
            assert_eq!((kept.ack, kept.fence), (live.kept.ack, live.kept.fence));
        }
    }

    /// Lets everything come to rest: all wrappers connect and play by the rules.
    fn settle(&mut self) {
        for n in 0..WRAPPERS {
            self.connect(n);
        }
        for _ in 0..200 {
            for n in 0..WRAPPERS {
                for step in [Step::Offered, Step::Intent, Step::Accepted] {
                    self.step(n, step);
                }
                let completed = Outcome::ALL.iter().position(|o| *o == Outcome::Completed).unwrap();
                self.act(Op::End(n, completed));
            }
            self.act(Op::Wait(10_000));
        }
    }
}

#[test]
fn a_batch_that_cannot_be_saved_is_told_and_leaves_nothing_behind() {
    let mut world = World::new();
    world.connect(0);
    // The schema refuses it, as a full disk would refuse everything.
    world.control.store.break_for_test();
    let asked: NewPrompt = serde_json::from_str(r#"{"text":"x"}"#).unwrap();
    let (reply, mut answer) = oneshot::channel();
    world.run(Command::Ask(Ask::Enqueue(Box::new(asked), Given::default(), By::Cli, reply)));
    assert!(!matches!(answer.try_recv(), Ok(Ok(_))), "nobody is told that it was saved");
    world.control.store.mend_for_test();
    assert!(world.control.lines.is_empty(), "the wrappers are cut off, so that they resume");
    world.connect(0);
    world.enqueue(None);
    assert!(world.wrappers[0].holds.is_some());
    world.check();
}
