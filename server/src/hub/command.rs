//! What the control loop can be asked. Must not: hold logic.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use wire::admin::{Bounds, Resources, Routing};
use wire::approval::{Approval, ApprovalState, Policies, Verdict};
use wire::http::{
    Answer, Audit, ContextRow, Counted, Done, Edit, EventRow, Plan, Planned, PromptDetail, RecordingPart,
    Selection, Status,
};
use wire::prompt::{Attempt, NewPrompt, Outcome, Prompt};
use wire::session::{Claim, Session};
use wire::wrapper::{Hello, Now, Numbered, ToWrapper};
use wire::{ApprovalId, AttemptId, PromptId, SessionId, UnixMillis};

use super::admin::Admin;
use super::agents::Own;
use super::alerts::Alerts;
use super::pools::Pools;
use super::purge::Purging;
use super::traces::Traces;
use crate::fault::Fault;
use crate::feed::Outlet;
use crate::metrics::Present;
use crate::store::StoredToken;

/// Where an answer goes; it is sent only after the commit.
pub type Reply<T> = oneshot::Sender<Result<T, Fault>>;

/// One command.
pub enum Command {
    /// A client asks.
    Ask(Ask),
    /// The same for a request: what is logged of it is logged within this.
    Within(tracing::Span, Ask),
    /// A wrapper says hello on a new connection. The answer goes down its line.
    Connect {
        /// What it said, already cut to size.
        hello: Box<Hello>,
        /// Its connection.
        line: Line,
    },
    /// A wrapper says something on a connection that was welcomed.
    Wrapper {
        /// Which session.
        session: SessionId,
        /// Which connection.
        conn: u64,
        /// What.
        said: Said,
    },
    /// A viewer says something.
    Viewer {
        /// Which.
        viewer: u64,
        /// What.
        said: ViewerSaid,
    },
    /// Time has passed.
    Tick,
    /// The time of day is another one by so many milliseconds: the clock was set, or the machine slept.
    ClockSet(i64),
    /// The server ends: save what is only in memory, then answer.
    Stop(oneshot::Sender<()>),
}

/// What clients ask.
pub enum Ask {
    /// The server in numbers; the URL is filled in by the asker.
    Status(Reply<Status>),
    /// Sessions, live ones or all.
    Sessions(bool, Reply<Vec<Session>>),
    /// One session, by name or id.
    Session(String, Reply<Session>),
    /// Events of a session: after a number, or the latest.
    Events(String, Option<u64>, u32, Reply<Vec<EventRow>>),
    /// States of a session, newest first.
    States(String, u32, Reply<Vec<Claim>>),
    /// Where a session worked, newest first.
    Contexts(String, u32, Reply<Vec<ContextRow>>),
    /// A part of a session's recording: from a byte, so many.
    Recording(String, u64, u32, Reply<RecordingPart>),
    /// An answer to a session's dialog.
    Answer(String, Answer, By, Reply<Done>),
    /// A new prompt, with what came beside it. True: it is new.
    Enqueue(Box<NewPrompt>, Given, By, Reply<(bool, Prompt)>),
    /// Prompts, newest first.
    Prompts(Box<Listing>, Reply<Vec<Prompt>>),
    /// One prompt with its history.
    Prompt(PromptId, Reply<PromptDetail>),
    /// A person's wish about a prompt.
    Change(PromptId, Change, By, Reply<Prompt>),
    /// The same about many; those that it does not fit stay as they are.
    ChangeAll(Selection, Change, By, Reply<Counted>),
    /// What a prompt asks for, anew.
    Edit(PromptId, Box<Edit>, By, Reply<Prompt>),
    /// Prompts that are final are to be forgotten.
    Clear(Selection, By, Reply<Counted>),
    /// A person took note of how these ended.
    See(Selection, By, Reply<Counted>),
    /// What the queue would do now.
    Plan(u32, Reply<Plan>),
    /// Who would get a prompt, without queueing it.
    Foresee(Box<NewPrompt>, Reply<Planned>),
    /// Prompts are to be given out no longer, or again: to all sessions or to one.
    Pause(Option<String>, bool, By, Reply<Routing>),
    /// Attempts, newest first: of a session, before one of them.
    Attempts(Option<String>, Option<AttemptId>, u32, Reply<Vec<Attempt>>),
    /// One attempt.
    Attempt(AttemptId, Reply<Attempt>),
    /// What agents ask, the rules that answer, and the audit log.
    People(People),
    /// Alerts, and the sinks that they are told to.
    Alerts(Alerts),
    /// What administrators keep.
    Admin(Admin),
    /// What is true now, to be measured.
    Present(Reply<Present>),
    /// Pools of sessions.
    Pools(Pools),
    /// A step of deleting for good.
    Purge(Purging),
    /// Traces of prompts, for a collector.
    Traces(Traces),
    /// What agents say of themselves.
    Own(Own),
    /// A browser was logged in.
    KeepToken(StoredToken, Reply<()>),
}

/// What comes with a new prompt but is no part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// The sender's key: a repeat under it is the same prompt.
    pub key: Option<String>,
    /// The trace that it continues, as W3C writes it.
    pub trace: Option<String>,
}

/// A page of prompts: which, and how many.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// What a wish about many can say too.
    pub which: Selection,
    /// Queued before this one.
    pub before: Option<PromptId>,
    /// At most.
    pub limit: u32,
    /// Last changed not before this.
    pub since: Option<UnixMillis>,
    /// Last changed before this.
    pub until: Option<UnixMillis>,
    /// Ended so.
    pub outcome: Option<Outcome>,
    /// Of this agent.
    pub agent: Option<String>,
    /// Of this repository or directory.
    pub project: Option<String>,
}

/// What clients ask about approvals, rules and the audit log.
pub enum People {
    /// What agents asked, newest first: of a session, in a state, before one of them.
    Approvals(Option<String>, Option<ApprovalState>, Option<ApprovalId>, u32, Reply<Vec<Approval>>),
    /// One of them.
    Approval(ApprovalId, Reply<Approval>),
    /// An answer to one of them.
    AnswerApproval(ApprovalId, Answer, By, Reply<Done>),
    /// The rules in force.
    Policies(Reply<Policies>),
    /// New rules.
    SetPolicies(String, By, Reply<Policies>),
    /// What rules, or those in force, say of what was asked lately.
    TestPolicies(Option<String>, u32, Reply<Vec<Verdict>>),
    /// The audit log: before an entry, how many, and whether its chain is to be checked.
    Audit(Option<u64>, u32, bool, Reply<Audit>),
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// The command line.
    Cli,
    /// A browser.
    Browser,
    /// Whoever has the token of this name; begins with `token `, so that no name can pass for another.
    Token(String),
    /// Who wrote to a bot; the word begins with `telegram `.
    Chat(String),
    /// An agent, by its credential.
    Agent(Box<Agent>),
}

/// An agent that speaks for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The word in the audit log: that of [`By::Token`].
    pub word: String,
    /// What its credential is called.
    pub name: String,
    /// Which credential it has.
    pub token: String,
    /// How far it goes.
    pub bounds: Bounds,
    /// The session that it says it runs in.
    pub session: Option<SessionId>,
}

impl By {
    /// The word in the audit log.
    pub fn as_str(&self) -> &str {
        match self {
            By::Cli => "cli",
            By::Browser => "browser",
            By::Token(word) | By::Chat(word) => word,
            By::Agent(agent) => &agent.word,
        }
    }
}

/// A person's wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// End it.
    Cancel,
    /// Try again.
    Retry,
    /// Give it to another session: this one, or the router's choice.
    Reassign(Option<String>),
}

/// What a wrapper says after its hello.
pub enum Said {
    /// Durable reports.
    Reports(Vec<Numbered>),
    /// The present.
    Now(Box<Now>),
    /// It lives, holds this, and its host can spare that.
    Heartbeat(Option<AttemptId>, Option<Resources>),
    /// It answered a request.
    Reply(u64, Option<wire::prompt::Hold>),
    /// It sends a part of a recording.
    Recording(u64, RecordingPart),
    /// The connection is closed.
    Gone,
}

/// What a viewer says to the control loop; its terminals are not the loop's matter.
pub enum ViewerSaid {
    /// It is new.
    Join(Outlet),
    /// It has read all that was queued, after something was dropped.
    CaughtUp,
    /// It wants a keyboard, and has this credential.
    Take(SessionId, By),
    /// It gives a keyboard back.
    Release(SessionId),
    /// It types.
    Keys(SessionId, String),
    /// Its connection is closed.
    Leave,
}

/// The way to one wrapper's connection.
#[derive(Debug, Clone)]
pub struct Line {
    /// Number of the connection, unique in this process.
    pub conn: u64,
    to: mpsc::Sender<ToWrapper>,
    close: Arc<watch::Sender<bool>>,
}

impl Line {
    /// How many messages may wait for a wrapper that does not read.
    pub const BOUND: usize = 64;

    /// A line, the messages that come down it, and the word that it is to be closed.
    pub fn new(conn: u64) -> (Self, mpsc::Receiver<ToWrapper>, watch::Receiver<bool>) {
        let (to, from) = mpsc::channel(Self::BOUND);
        let (close, closed) = watch::channel(false);
        (Self { conn, to, close: Arc::new(close) }, from, closed)
    }

    /// Sends, never waits. A wrapper that does not read is cut off: it resumes when it is back.
    pub fn say(&self, message: ToWrapper) {
        if self.to.try_send(message).is_err() {
            self.close();
        }
    }

    /// Closes the connection.
    pub fn close(&self) {
        self.close.send_replace(true);
    }
}
