//! What a person is asked to look at, and in which order. Must not: do it, or judge what is asked.

use std::collections::BTreeSet;

use wire::approval::Approval;
use wire::prompt::{Prompt, PromptState};
use wire::session::Session;
use wire::{ApprovalId, PromptId, SessionId, UnixMillis};

use super::board::Board;

/// One thing, whatever becomes of the list it stands in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Something that an agent asks.
    Approval(ApprovalId),
    /// A session.
    Session(SessionId),
    /// A prompt.
    Prompt(PromptId),
}

/// What the agent waits for, or what came of a prompt.
#[derive(Debug, Clone, Copy)]
pub enum Item<'a> {
    /// A request or a question.
    Ask(&'a Session, &'a Approval),
    /// A session that waits for something that could not be read.
    Stuck(&'a Session),
    /// A prompt that stands still.
    Held(&'a Prompt),
    /// One that failed, and nobody has taken note.
    Failed(&'a Prompt),
    /// One that is finished, and nobody has looked.
    Done(&'a Prompt),
}

impl Item<'_> {
    /// What it is about.
    pub fn mark(&self) -> Mark {
        match self {
            Item::Ask(_, approval) => Mark::Approval(approval.id),
            Item::Stuck(session) => Mark::Session(session.id.clone()),
            Item::Held(prompt) | Item::Failed(prompt) | Item::Done(prompt) => Mark::Prompt(prompt.id),
        }
    }

    /// Since when it waits.
    pub fn since(&self) -> UnixMillis {
        match self {
            Item::Ask(_, approval) => approval.opened,
            Item::Stuck(session) => session.claim.since,
            Item::Held(prompt) | Item::Failed(prompt) | Item::Done(prompt) => prompt.changed,
        }
    }

    /// What waits for a person comes before what failed, and that before what is merely finished.
    fn section(&self) -> u8 {
        match self {
            Item::Ask(..) | Item::Stuck(_) | Item::Held(_) => 0,
            Item::Failed(_) => 1,
            Item::Done(_) => 2,
        }
    }

    /// Whether it waits for a person.
    pub fn waits(&self) -> bool {
        self.section() < 2
    }
}

/// Everything that wants a person's eye and that the filter leaves, oldest first in each section.
pub fn items(board: &Board) -> Vec<Item<'_>> {
    let mut items = all(board);
    items.retain(|item| match item {
        Item::Ask(session, _) | Item::Stuck(session) => board.desk.keeps(*session),
        Item::Held(prompt) | Item::Failed(prompt) | Item::Done(prompt) => board.desk.keeps(*prompt),
    });
    items
}

/// The same whatever the filter says.
pub fn all(board: &Board) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    let mut asking = BTreeSet::new();
    for approval in board.approvals.values() {
        let session = board.sessions.get(&approval.session).filter(|s| s.exit.is_none());
        if let Some(session) = session {
            asking.insert(&session.id);
            items.push(Item::Ask(session, approval));
        }
    }
    let stuck = |s: &&Session| s.claim.state.waits() && s.exit.is_none() && !asking.contains(&s.id);
    items.extend(board.sessions.values().filter(stuck).map(Item::Stuck));
    items.extend(board.prompts.values().filter_map(of_prompt));
    items.sort_by_key(|item| (item.section(), item.since()));
    items
}

fn of_prompt(prompt: &Prompt) -> Option<Item<'_>> {
    match prompt.state {
        PromptState::Held => Some(Item::Held(prompt)),
        PromptState::Failed if prompt.seen.is_none() => Some(Item::Failed(prompt)),
        PromptState::Completed if prompt.seen.is_none() => Some(Item::Done(prompt)),
        PromptState::Failed
        | PromptState::Completed
        | PromptState::Cancelled
        | PromptState::Pending
        | PromptState::Assigned
        | PromptState::InProgress => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{approval, prompt, session, whole};
    use super::*;
    use wire::feed::ToViewer;
    use wire::session::State;

    #[test]
    fn what_waits_for_a_person_stands_first_and_what_was_seen_does_not_stand_there() {
        let mut board = Board::default();
        let sessions = vec![
            session("a", State::WaitingPermission),
            session("b", State::WaitingInput),
            session("c", State::Idle),
        ];
        let mut seen = prompt(4, PromptState::Failed);
        seen.seen = Some(UnixMillis(1));
        let prompts = vec![
            prompt(1, PromptState::Completed),
            prompt(2, PromptState::Failed),
            prompt(3, PromptState::Held),
            seen,
            prompt(5, PromptState::Pending),
        ];
        board.hear(whole(sessions, prompts));
        board.hear(ToViewer::Approval { approval: approval(7, "a") });
        let marks: Vec<Mark> = items(&board).iter().map(Item::mark).collect();
        let prompt = |id| Mark::Prompt(PromptId(id));
        assert_eq!(marks.len(), 5);
        assert!(marks[..3].contains(&Mark::Approval(ApprovalId(7))));
        assert!(marks[..3].contains(&Mark::Session(SessionId("b".into()))), "it asks what cannot be read");
        assert!(marks[..3].contains(&prompt(3)));
        assert_eq!(marks[3..], [prompt(2), prompt(1)]);
        assert_eq!(items(&board).iter().filter(|i| i.waits()).count(), 4);
    }
}
