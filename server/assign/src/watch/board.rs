//! What is known: a pure reduction of what the server says, and beside it what the user is doing (`desk`).
//!
//! Must not: do I/O, read a clock, or decide anything about sessions and prompts; it only keeps and sorts.

use std::collections::BTreeMap;

use wire::approval::{Approval, ApprovalState};
use wire::feed::ToViewer;
use wire::prompt::{Prompt, PromptState};
use wire::session::{Link, Session, State};
use wire::{ApprovalId, PromptId, SessionId, UnixMillis};

use super::desk::Desk;

/// Final prompts that are kept; the server sends as many at first.
const FINAL: usize = 200;

/// Whether the server is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// It is.
    Open,
    /// No longer; what is shown may be old.
    Lost {
        /// Since when, by this machine's clock.
        since: UnixMillis,
    },
}

/// A state that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A session's.
    Session(SessionId),
    /// A prompt's.
    Prompt(PromptId),
}

/// Everything there is to show.
#[derive(Debug, Clone)]
pub struct Board {
    /// Whether the server has said at least once what there is.
    pub known: bool,
    /// Whether it is heard.
    pub connection: Connection,
    /// This machine's clock, as it was told last.
    pub clock: UnixMillis,
    /// The server's clock minus this machine's, in milliseconds.
    pub skew: i64,
    /// Whether no prompts are given out.
    pub paused: bool,
    /// Live ones, and those that ended a while ago.
    pub sessions: BTreeMap<SessionId, Session>,
    /// All that are not final, and the latest that are.
    pub prompts: BTreeMap<PromptId, Prompt>,
    /// What agents ask and nobody has answered.
    pub approvals: BTreeMap<ApprovalId, Approval>,
    /// What the user is doing.
    pub desk: Desk,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            known: false,
            connection: Connection::Open,
            clock: UnixMillis(0),
            skew: 0,
            paused: false,
            sessions: BTreeMap::new(),
            prompts: BTreeMap::new(),
            approvals: BTreeMap::new(),
            desk: Desk::default(),
        }
    }
}

impl Board {
    /// Takes a message in; gives whose state changed.
    pub fn hear(&mut self, message: ToViewer) -> Vec<Change> {
        match message {
            ToViewer::Hello { now, .. } => self.skew = now.0.saturating_sub(self.clock.0),
            ToViewer::Everything { sessions, prompts, approvals, paused } => {
                return self.everything(sessions, prompts, approvals, paused);
            }
            ToViewer::Routing { paused } => self.paused = paused,
            ToViewer::Session { session } => return self.session(session).into_iter().collect(),
            ToViewer::SessionGone { session } => drop(self.sessions.remove(&session)),
            ToViewer::Prompt { prompt } => {
                let change = self.prompt(prompt);
                self.bound();
                return change.into_iter().collect();
            }
            ToViewer::PromptGone { prompt } => drop(self.prompts.remove(&prompt)),
            ToViewer::Approval { approval } => self.approval(approval),
            ToViewer::Refused { what, why } => self.desk.fail(format!("{what}: {why}"), self.clock),
            ToViewer::Event { .. } => {}
        }
        Vec::new()
    }

    fn everything(
        &mut self,
        sessions: Vec<Session>,
        prompts: Vec<Prompt>,
        approvals: Vec<Approval>,
        paused: bool,
    ) -> Vec<Change> {
        self.known = true;
        self.paused = paused;
        self.sessions.retain(|id, _| sessions.iter().any(|s| s.id == *id));
        self.prompts.retain(|id, _| prompts.iter().any(|p| p.id == *id));
        self.approvals.clear();
        approvals.into_iter().for_each(|a| self.approval(a));
        let mut changes: Vec<Change> = sessions.into_iter().filter_map(|s| self.session(s)).collect();
        changes.extend(prompts.into_iter().filter_map(|p| self.prompt(p)));
        changes
    }

    fn session(&mut self, session: Session) -> Option<Change> {
        let (id, state) = (session.id.clone(), session.claim.state);
        let before = self.sessions.insert(id.clone(), session);
        before.is_none_or(|b| b.claim.state != state).then_some(Change::Session(id))
    }

    /// Answers to requests and the feed race: what changed later wins.
    pub fn prompt(&mut self, prompt: Prompt) -> Option<Change> {
        let (id, state) = (prompt.id, prompt.state);
        if self.prompts.get(&id).is_some_and(|known| known.changed > prompt.changed) {
            return None;
        }
        let before = self.prompts.insert(id, prompt);
        before.is_none_or(|b| b.state != state).then_some(Change::Prompt(id))
    }

    fn approval(&mut self, approval: Approval) {
        match approval.state {
            ApprovalState::Open | ApprovalState::Answering => {
                self.approvals.insert(approval.id, approval);
            }
            ApprovalState::Approved
            | ApprovalState::Denied
            | ApprovalState::Answered
            | ApprovalState::Gone => drop(self.approvals.remove(&approval.id)),
        }
    }

    /// Drops the oldest final prompts beyond those that are kept.
    fn bound(&mut self) {
        let mut last: Vec<(UnixMillis, PromptId)> =
            self.prompts.values().filter(|p| p.state.is_final()).map(|p| (p.changed, p.id)).collect();
        if last.len() > FINAL {
            last.sort_unstable();
            for (_, id) in &last[..last.len() - FINAL] {
                self.prompts.remove(id);
            }
        }
    }

    /// The connection ended.
    pub fn lost(&mut self) {
        if self.connection == Connection::Open {
            self.connection = Connection::Lost { since: self.clock };
        }
    }

    /// There is one again.
    pub fn joined(&mut self) {
        self.connection = Connection::Open;
    }

    /// The server's clock, by which ages are counted.
    pub fn now(&self) -> UnixMillis {
        UnixMillis(self.clock.0.saturating_add(self.skew))
    }

    /// Live sessions by name, then those that ended: an order that does not jump with their states.
    pub fn listed(&self) -> Vec<&Session> {
        let mut all: Vec<&Session> = self.sessions.values().filter(|s| self.desk.keeps(*s)).collect();
        all.sort_by(|a, b| {
            let ended = |s: &Session| s.claim.state == State::Exited;
            ended(a).cmp(&ended(b)).then_with(|| a.name.cmp(&b.name)).then_with(|| a.id.cmp(&b.id))
        });
        all
    }

    /// Prompts by state: waiting ones in the order in which they will be served, final ones newest first.
    pub fn queue(&self) -> Vec<&Prompt> {
        let mut all: Vec<&Prompt> = self.prompts.values().filter(|p| self.desk.keeps(*p)).collect();
        all.sort_by_key(|p| {
            let (first, second) = match p.state.is_final() {
                true => (-p.changed.0, 0),
                false => (-i64::from(p.asked.priority), p.created.0),
            };
            (place(p.state), first, second, p.id)
        });
        all
    }

    /// The name of a session, if it is known.
    pub fn name(&self, id: &SessionId) -> Option<&str> {
        self.sessions.get(id).map(|s| s.name.as_str())
    }

    /// Sessions by what a person has to do about them; kinds that there are none of are left out.
    pub fn counts(&self) -> String {
        let live = self.sessions.values().filter(|s| s.claim.state != State::Exited);
        let (mut asks, mut busy, mut idle, mut unknown) = (0, 0, 0, 0);
        for session in live {
            match (session.link, session.claim.state) {
                (Link::Disconnected, _) | (_, State::Unknown) => unknown += 1,
                (_, State::WaitingPermission | State::WaitingInput) => asks += 1,
                (_, State::Busy | State::Starting) => busy += 1,
                (_, State::Idle) => idle += 1,
                (_, State::Exited) => {}
            }
        }
        let held = self.prompts.values().filter(|p| p.state == PromptState::Held).count();
        let kinds = [(asks, "asks"), (held, "held"), (busy, "busy"), (idle, "idle"), (unknown, "unknown")];
        let some: Vec<_> =
            kinds.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        if some.is_empty() { "no sessions".to_owned() } else { some.join(" · ") }
    }
}

/// The order in which the queue shows states: what stands still first.
fn place(state: PromptState) -> u8 {
    match state {
        PromptState::Held => 0,
        PromptState::InProgress => 1,
        PromptState::Assigned => 2,
        PromptState::Pending => 3,
        PromptState::Failed => 4,
        PromptState::Completed => 5,
        PromptState::Cancelled => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{approval, prompt, session, whole};
    use super::*;

    #[test]
    fn everything_replaces_what_was_known() {
        let mut board = Board::default();
        let first = board.hear(whole(vec![session("a", State::Idle)], vec![prompt(1, PromptState::Pending)]));
        assert_eq!(first.len(), 2);
        board.hear(ToViewer::Approval { approval: approval(3, "a") });
        let again = board.hear(whole(vec![session("b", State::Busy)], vec![prompt(1, PromptState::Pending)]));
        assert_eq!(again, [Change::Session(SessionId("b".into()))], "what is as before is no change");
        assert_eq!((board.sessions.len(), board.prompts.len(), board.approvals.len()), (1, 1, 0));
    }

    #[test]
    fn what_changed_later_wins_over_an_answer_that_came_late() {
        let mut board = Board::default();
        let mut newer = prompt(1, PromptState::Completed);
        newer.changed = UnixMillis(9);
        board.hear(ToViewer::Prompt { prompt: newer });
        assert_eq!(board.prompt(prompt(1, PromptState::Pending)), None);
        assert_eq!(board.prompts[&PromptId(1)].state, PromptState::Completed);
    }

    #[test]
    fn final_prompts_are_bounded_and_open_ones_are_not() {
        let mut board = Board::default();
        for id in 0..FINAL as i64 + 50 {
            let mut done = prompt(id, PromptState::Completed);
            done.changed = UnixMillis(id);
            board.hear(ToViewer::Prompt { prompt: done });
        }
        board.hear(ToViewer::Prompt { prompt: prompt(9_999, PromptState::Held) });
        assert_eq!(board.prompts.len(), FINAL + 1);
        assert!(!board.prompts.contains_key(&PromptId(49)) && board.prompts.contains_key(&PromptId(50)));
    }

    #[test]
    fn the_queue_stands_in_the_order_in_which_it_is_served() {
        let mut board = Board::default();
        let mut urgent = prompt(3, PromptState::Pending);
        urgent.asked.priority = 9;
        for prompt in [prompt(1, PromptState::Completed), prompt(2, PromptState::Pending), urgent] {
            board.hear(ToViewer::Prompt { prompt });
        }
        board.hear(ToViewer::Prompt { prompt: prompt(4, PromptState::Held) });
        let ids: Vec<i64> = board.queue().iter().map(|p| p.id.0).collect();
        assert_eq!(ids, [4, 3, 2, 1]);
    }

    #[test]
    fn an_approval_that_was_answered_is_gone() {
        let mut board = Board::default();
        board.hear(ToViewer::Approval { approval: approval(1, "a") });
        let mut over = approval(1, "a");
        over.state = ApprovalState::Denied;
        board.hear(ToViewer::Approval { approval: over });
        assert!(board.approvals.is_empty());
    }

    #[test]
    fn the_first_loss_of_the_connection_is_the_one_that_counts() {
        let mut board = Board { clock: UnixMillis(5), ..Board::default() };
        board.lost();
        board.clock = UnixMillis(70);
        board.lost();
        assert_eq!(board.connection, Connection::Lost { since: UnixMillis(5) });
        board.joined();
        assert_eq!(board.connection, Connection::Open);
    }
}
