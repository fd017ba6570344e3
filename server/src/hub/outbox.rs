//! What is to be sent once the transaction is committed. Must not: send anything before that.

use std::collections::{BTreeMap, BTreeSet};

use wire::approval::Approval;
use wire::event::Event;
use wire::wrapper::ToWrapper;
use wire::{ApprovalId, PromptId, SessionId};

use super::command::{Line, Reply};
use super::notes::Note;
use crate::fault::Fault;
use crate::metrics::{Count, Metrics};

type Send1 = Box<dyn FnOnce(Option<&Fault>) + Send>;

/// Everything a batch of commands wants said.
///
/// Invariant: nothing leaves it before the commit, so nobody is told what a crash could undo.
#[derive(Default)]
pub struct Outbox {
    replies: Vec<Send1>,
    lines: Vec<(Line, ToWrapper)>,
    /// What is logged.
    pub notes: Vec<Note>,
    /// What is counted.
    pub counts: Vec<Count>,
    /// Prompts that changed.
    pub prompts: BTreeSet<PromptId>,
    /// Sessions that changed.
    pub sessions: BTreeSet<SessionId>,
    /// Prompts that were forgotten.
    pub prompts_gone: BTreeSet<PromptId>,
    /// What agents ask, new or answered.
    pub approvals: BTreeMap<ApprovalId, Approval>,
    /// Whether prompts are given out was changed.
    pub routing: bool,
    /// Sessions that are no longer listed.
    pub gone: BTreeSet<SessionId>,
    /// Events that were reported.
    pub events: Vec<(SessionId, u64, Event)>,
}

impl Outbox {
    /// Answers a request.
    pub fn answer<T: Send + 'static>(&mut self, reply: Reply<T>, value: Result<T, Fault>) {
        self.replies.push(Box::new(move |failed| {
            let value = match failed {
                Some(fault) => Err(fault.clone()),
                None => value,
            };
            // Nobody listening means that the client went away.
            let _ = reply.send(value);
        }));
    }

    /// Says something to a wrapper.
    pub fn say(&mut self, line: &Line, message: ToWrapper) {
        self.lines.push((line.clone(), message));
    }

    /// Forgets what only viewers would be told: there are none.
    pub fn forget_news(&mut self) {
        self.prompts.clear();
        self.sessions.clear();
        self.prompts_gone.clear();
        self.approvals.clear();
        self.routing = false;
        self.gone.clear();
        self.events.clear();
    }

    /// Logs, counts, and sends replies and messages to wrappers: the commit succeeded.
    pub fn release(&mut self, metrics: &Metrics) {
        self.notes.drain(..).for_each(Note::tell);
        self.counts.drain(..).for_each(|count| metrics.count(count));
        for (line, message) in self.lines.drain(..) {
            line.say(message);
        }
        for reply in self.replies.drain(..) {
            reply(None);
        }
    }

    /// Tells everyone who asked that nothing was saved, and forgets the rest.
    pub fn fail(&mut self, fault: &Fault) {
        for reply in self.replies.drain(..) {
            reply(Some(fault));
        }
        *self = Self::default();
    }
}
