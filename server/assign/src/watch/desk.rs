//! What the user is doing: which pane, which item, what is being written. Must not: know keys, or draw.

use std::collections::BTreeSet;

use wire::approval::{Approval, ApprovalState};
use wire::prompt::Prompt;
use wire::session::Session;
use wire::{PromptId, SessionId, UnixMillis};

use super::board::Board;
use super::command::{Line, Sent};
use super::inbox::{self, Mark};
use super::keys::Effect;
use super::shown::Shown;

/// Milliseconds after the choice moved by itself in which no answer is given: a finger was meant for what is gone.
const GRACE: u64 = 500;
/// Milliseconds that a notice stays; a failure stays until a key.
const NOTICE: u64 = 6_000;
/// Lines that were sent and can be had again.
const PAST: usize = 50;

/// What can have the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// What needs the user.
    #[default]
    Inbox,
    /// Sessions.
    Sessions,
    /// Prompts.
    Queue,
}

impl Pane {
    /// In the order in which they stand.
    pub const ALL: [Pane; 3] = [Pane::Inbox, Pane::Sessions, Pane::Queue];
}

/// What keys mean now.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Mode {
    /// They move and act.
    #[default]
    Browse,
    /// They write a line.
    Line(Line),
    /// They answer a question of ours.
    Sure {
        /// What is asked.
        question: String,
        /// What is done after a yes.
        effect: Effect,
    },
    /// One item is shown whole.
    Whole {
        /// Which: it stays, also when the choice in its list moves.
        mark: Mark,
        /// Lines above the first that is shown.
        scroll: usize,
    },
    /// The tail is shown alone.
    Tail {
        /// Rows above what it would show.
        up: u16,
        /// Columns to the right.
        right: u16,
    },
    /// The keys are explained.
    Help {
        /// Lines above the first that is shown.
        scroll: usize,
    },
}

/// How a notice is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It was done.
    Done,
    /// It was not.
    Failed,
}

/// A word to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    at: UnixMillis,
}

/// The choice in one list.
#[derive(Debug, Clone, Default)]
struct Spot {
    chosen: Option<Mark>,
    /// The list as it was when the choice was looked at last.
    order: Vec<Mark>,
    /// When the choice moved by itself.
    moved: Option<UnixMillis>,
}

/// Everything the user does.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Who has the keys.
    pub pane: Pane,
    /// What they mean.
    pub mode: Mode,
    /// Words that must be in everything that is listed.
    pub filter: String,
    /// Prompts of which several are chosen at once.
    pub marked: BTreeSet<PromptId>,
    /// What to say.
    pub notice: Option<Notice>,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Whose terminal is shown.
    pub tailed: Option<SessionId>,
    /// The request that the last picture showed.
    pub shown: Option<Shown>,
    /// Lines that were sent, the last one last.
    pub past: Vec<Sent>,
    spots: [Spot; 3],
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            pane: Pane::default(),
            mode: Mode::default(),
            filter: String::new(),
            marked: BTreeSet::new(),
            notice: None,
            size: (80, 24),
            tailed: None,
            shown: None,
            past: Vec::new(),
            spots: Default::default(),
        }
    }
}

/// What the filter looks at.
pub trait Worded {
    /// Its texts.
    fn words(&self) -> Vec<&str>;
}

impl Worded for Session {
    fn words(&self) -> Vec<&str> {
        let branch = self.context.branch.as_deref().unwrap_or_default();
        vec![&self.name, &self.agent, self.claim.state.as_str(), &self.context.dir, branch, &self.title]
    }
}

impl Worded for Prompt {
    fn words(&self) -> Vec<&str> {
        let mut words = vec![self.asked.text.as_str(), self.state.as_str()];
        words.extend(self.asked.target.as_deref());
        words.extend(self.asked.tags.iter().map(String::as_str));
        words
    }
}

impl Desk {
    /// Whether the filter leaves it.
    pub fn keeps(&self, thing: &impl Worded) -> bool {
        if self.filter.is_empty() {
            return true;
        }
        let text = thing.words().join("\n").to_lowercase();
        self.filter.to_lowercase().split_whitespace().all(|word| text.contains(word))
    }

    /// What is chosen in the pane that has the keys.
    pub fn chosen(&self) -> Option<&Mark> {
        self.chosen_in(self.pane)
    }

    /// What a pane lists, as it was settled last.
    pub fn listed(&self, pane: Pane) -> &[Mark] {
        &self.spots[pane as usize].order
    }

    /// What is chosen in a pane.
    pub fn chosen_in(&self, pane: Pane) -> Option<&Mark> {
        self.spots[pane as usize].chosen.as_ref()
    }

    /// What keys that act are about: what is shown whole, or what is chosen.
    pub fn subject(&self) -> Option<&Mark> {
        match &self.mode {
            Mode::Whole { mark, .. } => Some(mark),
            Mode::Browse | Mode::Line(_) | Mode::Sure { .. } | Mode::Tail { .. } | Mode::Help { .. } => {
                self.chosen()
            }
        }
    }

    /// Moves the choice by so many items.
    pub fn step(&mut self, by: isize) {
        let spot = &mut self.spots[self.pane as usize];
        let Some(last) = spot.order.len().checked_sub(1) else { return };
        let at = spot.chosen.as_ref().and_then(|mark| spot.order.iter().position(|m| m == mark));
        let next = at.map_or(0, |at| at.saturating_add_signed(by).min(last));
        spot.chosen = spot.order.get(next).cloned();
        spot.moved = None;
    }

    /// Whether the choice has just moved by itself.
    pub fn is_settling(&self, clock: UnixMillis) -> bool {
        let browsing = matches!(self.mode, Mode::Browse);
        browsing && self.spots[self.pane as usize].moved.is_some_and(|at| clock.since(at) < GRACE)
    }

    /// Says that something was done.
    pub fn tell(&mut self, text: impl Into<String>, clock: UnixMillis) {
        self.notice = Some(Notice { text: text.into(), tone: Tone::Done, at: clock });
    }

    /// Says that something was not done.
    pub fn fail(&mut self, text: impl Into<String>, clock: UnixMillis) {
        self.notice = Some(Notice { text: text.into(), tone: Tone::Failed, at: clock });
    }

    /// Takes back a notice that was there to be read long enough.
    pub fn age(&mut self, clock: UnixMillis) {
        let over = |n: &Notice| n.tone == Tone::Done && clock.since(n.at) >= NOTICE;
        if self.notice.as_ref().is_some_and(over) {
            self.notice = None;
        }
    }

    /// Keeps a line that was sent.
    pub fn remember(&mut self, line: &str) {
        self.past.retain(|known| known.text != line);
        self.past.push(Sent { text: line.to_owned(), key: None });
        let surplus = self.past.len().saturating_sub(PAST);
        self.past.drain(..surplus);
    }

    /// Keeps the key of a line that was sent and may have arrived.
    pub fn may_have_arrived(&mut self, line: &str, key: &str) {
        if let Some(sent) = self.past.iter_mut().find(|sent| sent.text == line) {
            sent.key = Some(key.to_owned());
        }
    }
}

/// What a pane lists.
pub fn marks(board: &Board, pane: Pane) -> Vec<Mark> {
    match pane {
        Pane::Inbox => inbox::items(board).iter().map(inbox::Item::mark).collect(),
        Pane::Sessions => board.listed().iter().map(|s| Mark::Session(s.id.clone())).collect(),
        Pane::Queue => board.queue().iter().map(|p| Mark::Prompt(p.id)).collect(),
    }
}

/// Brings the choices in line with the lists: what took the place of something that is gone is chosen instead.
pub fn settle(board: &mut Board) {
    for pane in Pane::ALL {
        let now = marks(board, pane);
        let spot = &mut board.desk.spots[pane as usize];
        if spot.chosen.as_ref().is_none_or(|mark| !now.contains(mark)) {
            let after = spot.order.iter().skip_while(|m| Some(*m) != spot.chosen.as_ref()).skip(1);
            let next = after.into_iter().find(|m| now.contains(m)).or(match spot.chosen {
                Some(_) => now.last(),
                None => now.first(),
            });
            spot.chosen = next.cloned();
            spot.moved = Some(board.clock);
        }
        spot.order = now;
    }
    let alone = matches!(board.desk.mode, Mode::Tail { .. });
    if let Some(session) = followed(board).filter(|_| !alone) {
        board.desk.tailed = Some(session);
    }
    let gone = board.desk.tailed.as_ref().is_some_and(|id| !board.sessions.contains_key(id));
    if gone && board.known {
        board.desk.tailed = None;
    }
}

/// The session whose terminal belongs to what is chosen.
fn followed(board: &Board) -> Option<SessionId> {
    let mark = board.desk.subject().or_else(|| board.desk.chosen_in(Pane::Sessions))?;
    let id = match mark {
        Mark::Approval(id) => board.approvals.get(id)?.session.clone(),
        Mark::Session(id) => id.clone(),
        Mark::Prompt(id) => board.prompts.get(id)?.session.clone()?,
    };
    board.sessions.contains_key(&id).then_some(id)
}

/// What is asked behind a mark and can be answered.
pub fn asked<'a>(board: &'a Board, mark: &Mark) -> Option<&'a Approval> {
    match mark {
        Mark::Approval(id) => board.approvals.get(id),
        Mark::Session(id) => {
            let open = |a: &&Approval| a.session == *id && a.state == ApprovalState::Open;
            board.approvals.values().find(open)
        }
        Mark::Prompt(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{approval, prompt, session, whole};
    use super::*;
    use wire::ApprovalId;
    use wire::feed::ToViewer;
    use wire::prompt::PromptState;
    use wire::session::State;

    fn board() -> Board {
        let mut board = Board { clock: UnixMillis(10_000), ..Board::default() };
        let prompts = (1..=3).map(|id| prompt(id, PromptState::Held)).collect();
        board.hear(whole(vec![session("a", State::Idle), session("b", State::Idle)], prompts));
        settle(&mut board);
        board
    }

    fn chosen(board: &Board) -> i64 {
        match board.desk.chosen() {
            Some(Mark::Prompt(id)) => id.0,
            other => panic!("no prompt: {other:?}"),
        }
    }

    #[test]
    fn what_took_the_place_of_what_is_gone_is_chosen_and_not_answered_at_once() {
        let mut board = board();
        board.desk.step(1);
        assert_eq!((chosen(&board), board.desk.is_settling(board.clock)), (2, false));
        board.hear(ToViewer::PromptGone { prompt: PromptId(2) });
        settle(&mut board);
        assert_eq!((chosen(&board), board.desk.is_settling(board.clock)), (3, true));
        board.clock = UnixMillis(10_500);
        assert!(!board.desk.is_settling(board.clock));
        board.hear(ToViewer::PromptGone { prompt: PromptId(3) });
        settle(&mut board);
        assert_eq!(chosen(&board), 1, "behind the last there is the last");
    }

    #[test]
    fn the_choice_stays_with_its_item_and_within_the_list() {
        let mut board = board();
        board.desk.step(-1);
        assert_eq!(chosen(&board), 1);
        board.desk.step(99);
        assert_eq!(chosen(&board), 3);
        board.hear(ToViewer::Prompt { prompt: prompt(9, PromptState::Held) });
        settle(&mut board);
        assert_eq!(chosen(&board), 3);
    }

    #[test]
    fn the_tail_follows_the_choice() {
        let mut board = board();
        board.desk.pane = Pane::Sessions;
        board.desk.step(1);
        settle(&mut board);
        assert_eq!(board.desk.tailed, Some(SessionId("b".into())));
        board.hear(ToViewer::Approval { approval: approval(1, "a") });
        board.desk.pane = Pane::Inbox;
        settle(&mut board);
        board.desk.step(-9);
        assert_eq!(board.desk.chosen(), Some(&Mark::Approval(ApprovalId(1))));
        settle(&mut board);
        assert_eq!(board.desk.tailed, Some(SessionId("a".into())));
    }

    #[test]
    fn a_filter_leaves_what_has_all_its_words() {
        let mut board = board();
        board.desk.filter = "IDLE b".into();
        settle(&mut board);
        assert_eq!(marks(&board, Pane::Sessions), [Mark::Session(SessionId("b".into()))]);
        assert!(marks(&board, Pane::Queue).is_empty());
    }

    #[test]
    fn lines_that_were_sent_are_kept_once_each_and_bounded() {
        let mut desk = Desk::default();
        (0..PAST + 9).for_each(|n| desk.remember(&n.to_string()));
        desk.remember("20");
        assert_eq!((desk.past.len(), desk.past.last().map(|l| l.text.as_str())), (PAST, Some("20")));
        assert_eq!(desk.past.iter().filter(|l| l.text == "20").count(), 1);
    }
}
