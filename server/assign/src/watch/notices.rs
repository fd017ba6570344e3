//! Which of the things that wait for a person are told as a notice: each once, when it has stood for a moment. Pure. Must
//! not: tell what an agent wrote.

use std::collections::BTreeMap;

use wire::UnixMillis;

use super::board::Board;
use super::inbox::{self, Item, Mark};

/// How long a thing must have stood before it is told: what a rule or another person answers at once is nothing to come
/// for.
const STANDS_MS: u64 = 1_000;
/// Shortest time between two notices.
const PAUSE_MS: u64 = 5_000;
/// Things that one notice names.
const NAMED: usize = 3;

/// What was told.
#[derive(Debug, Default)]
pub struct Notices {
    /// The things that wait now: since when they do, when they were first seen, and whether they were told.
    known: BTreeMap<(Mark, UnixMillis), Seen>,
    /// When something was last told.
    last: Option<UnixMillis>,
    /// What stood there at the beginning was seen: the user has just looked.
    began: bool,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    at: UnixMillis,
    told: bool,
}

impl Notices {
    /// Whether what stood there at the beginning was seen.
    pub fn has_begun(&self) -> bool {
        self.began
    }

    /// The text of a notice that is due now. To be asked whenever something changed, and every second.
    pub fn due(&mut self, board: &Board, now: UnixMillis) -> Option<String> {
        if !board.known {
            return None;
        }
        let waiting: Vec<Item<'_>> = inbox::all(board).into_iter().filter(Item::waits).collect();
        let key = |item: &Item<'_>| (item.mark(), item.since());
        let first = Seen { at: now, told: !self.began };
        self.began = true;
        let known = waiting.iter().map(key).map(|key| {
            let seen = self.known.get(&key).copied().unwrap_or(first);
            (key, seen)
        });
        self.known = known.collect();
        if self.last.is_some_and(|last| now.since(last) < PAUSE_MS) {
            return None;
        }
        let stands = |seen: &Seen| !seen.told && now.since(seen.at) >= STANDS_MS;
        let due: Vec<&Item<'_>> = waiting.iter().filter(|item| stands(&self.known[&key(item)])).collect();
        let text = text(board, &due)?;
        for item in due {
            self.known.insert(key(item), Seen { at: now, told: true });
        }
        self.last = Some(now);
        Some(text)
    }
}

/// Kinds and names.
fn text(board: &Board, due: &[&Item<'_>]) -> Option<String> {
    let named: Vec<String> = due.iter().take(NAMED).map(|item| name(board, item)).collect();
    match due.len() {
        0 => None,
        number if number > NAMED => Some(format!("{}, and {} more", named.join(", "), number - NAMED)),
        _ => Some(named.join(", ")),
    }
}

fn name(board: &Board, item: &Item<'_>) -> String {
    let session = |session: &wire::session::Session| session.name.clone();
    match item {
        Item::Ask(asks, _) => format!("{} asks for you", session(asks)),
        Item::Stuck(waits) => format!("{} waits for you", session(waits)),
        Item::Held(prompt) => format!("prompt {} is held{}", prompt.id, place(board, prompt)),
        Item::Failed(prompt) => format!("prompt {} failed{}", prompt.id, place(board, prompt)),
        Item::Done(prompt) => format!("prompt {} is done{}", prompt.id, place(board, prompt)),
    }
}

fn place(board: &Board, prompt: &wire::prompt::Prompt) -> String {
    let session = prompt.session.as_ref().and_then(|id| board.sessions.get(id));
    session.map(|session| format!(" in {}", session.name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{approval, prompt, session, whole};
    use super::*;
    use wire::feed::ToViewer;
    use wire::prompt::PromptState;
    use wire::session::State;

    fn board(sessions: &[(&str, State)]) -> Board {
        let mut board = Board::default();
        board.hear(whole(sessions.iter().map(|(name, state)| session(name, *state)).collect(), Vec::new()));
        board
    }

    fn set(board: &mut Board, name: &str, state: State, since: i64) {
        let mut session = session(name, state);
        session.claim.since = UnixMillis(since);
        board.sessions.insert(session.id.clone(), session);
    }

    #[test]
    fn each_thing_is_told_once_when_it_has_stood_for_a_moment() {
        let mut notices = Notices::default();
        let mut board = board(&[("a", State::Idle)]);
        let mut due = |board: &Board, ms: i64| notices.due(board, UnixMillis(ms));
        assert_eq!(due(&board, 0), None);
        set(&mut board, "a", State::WaitingInput, 100);
        assert_eq!(due(&board, 100), None);
        assert_eq!(due(&board, 1_099), None, "it may be gone in a moment");
        assert_eq!(due(&board, 1_100).as_deref(), Some("a waits for you"));
        assert_eq!(due(&board, 60_000), None, "once");
        set(&mut board, "a", State::Idle, 61_000);
        assert_eq!(due(&board, 61_000), None);
        set(&mut board, "a", State::WaitingInput, 62_000);
        assert_eq!(due(&board, 62_000), None);
        assert_eq!(due(&board, 64_000).as_deref(), Some("a waits for you"), "it waits anew");
    }

    #[test]
    fn what_was_answered_at_once_or_stood_there_at_the_beginning_is_not_told() {
        let mut notices = Notices::default();
        let mut board = board(&[("old", State::WaitingInput), ("quick", State::Idle)]);
        assert_eq!(notices.due(&board, UnixMillis(0)), None);
        set(&mut board, "quick", State::WaitingInput, 10);
        assert_eq!(notices.due(&board, UnixMillis(10)), None);
        set(&mut board, "quick", State::Busy, 500);
        assert_eq!(notices.due(&board, UnixMillis(500)), None);
        assert_eq!(notices.due(&board, UnixMillis(90_000)), None);
    }

    #[test]
    fn what_comes_together_is_one_notice_of_kinds_and_names() {
        let mut notices = Notices::default();
        let names = ["a", "b", "c"];
        let mut board = board(&names.map(|name| (name, State::Idle)));
        assert_eq!(notices.due(&board, UnixMillis(0)), None);
        names.iter().for_each(|name| set(&mut board, name, State::WaitingInput, 10));
        board.hear(ToViewer::Approval { approval: approval(7, "a") });
        let mut failed = prompt(3, PromptState::Failed);
        failed.asked.text = "a secret plan".into();
        board.prompts.insert(failed.id, failed);
        assert_eq!(notices.due(&board, UnixMillis(10)), None);
        let told = notices.due(&board, UnixMillis(2_000)).unwrap();
        assert!(told.contains("a asks for you") && told.ends_with(", and 1 more"), "{told}");
        assert!(!told.contains("secret") && !told.contains("proceed"), "{told}");
        set(&mut board, "b", State::WaitingInput, 3_000);
        assert_eq!(notices.due(&board, UnixMillis(3_000)), None);
        assert_eq!(notices.due(&board, UnixMillis(5_000)), None, "not one after the other");
        assert_eq!(notices.due(&board, UnixMillis(7_000)).as_deref(), Some("b waits for you"));
    }
}
