//! What is done with several prompts at once, after a yes that names them. Must not: answer what agents ask: that is read one
//! by one.

use wire::PromptId;
use wire::prompt::{Prompt, PromptState};
use wire::text::counted;

use super::board::Board;
use super::desk::{Mode, Pane};
use super::inbox::Mark;
use super::keys::Effect;

/// Numbers that the question names.
const NAMED: usize = 8;

/// What is done with them; the words are those of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Try them again.
    Retry,
    /// Call them off.
    Cancel,
    /// Take note of how they ended.
    Seen,
}

impl Deed {
    /// Its route, below that of prompts.
    pub fn route(self) -> &'static str {
        match self {
            Deed::Retry => "retry",
            Deed::Cancel => "cancel",
            Deed::Seen => "seen",
        }
    }

    /// What was done.
    pub fn done(self, number: u32) -> String {
        let prompts = counted(number, "prompt");
        match self {
            Deed::Retry => format!("tried again: {prompts}"),
            Deed::Cancel => format!("cancelled: {prompts}"),
            Deed::Seen => format!("taken note of: {prompts}"),
        }
    }

    fn fits(self, prompt: &Prompt) -> bool {
        match self {
            Deed::Retry => {
                matches!(prompt.state, PromptState::Held | PromptState::Failed | PromptState::Cancelled)
            }
            Deed::Cancel => !prompt.state.is_final(),
            Deed::Seen => matches!(prompt.state, PromptState::Completed | PromptState::Failed),
        }
    }

    fn question(self, prompts: &[&Prompt]) -> String {
        let named: Vec<String> = prompts.iter().take(NAMED).map(|p| format!("#{}", p.id)).collect();
        let more = if prompts.len() > NAMED { ", …" } else { "" };
        let which = format!("{}, {}{more}", counted(prompts.len(), "prompt"), named.join(", "));
        let typed = |p: &&&Prompt| p.hold.as_ref().is_some_and(|hold| !hold.code.untyped());
        let works = |p: &&&Prompt| matches!(p.state, PromptState::Assigned | PromptState::InProgress);
        let warning = match self {
            Deed::Retry => (prompts.iter().filter(typed).count(), "may have been typed already"),
            Deed::Cancel => (prompts.iter().filter(works).count(), "worked on"),
            Deed::Seen => (0, ""),
        };
        let warning = if warning.0 > 0 { format!(" ({} {})", warning.0, warning.1) } else { String::new() };
        match self {
            Deed::Retry => format!("Try again: {which}{warning}?"),
            Deed::Cancel => format!("Cancel {which}{warning}?"),
            Deed::Seen => format!("Take note of {which}?"),
        }
    }
}

/// Marks what is chosen, or takes the mark away, and goes to the next.
pub fn mark(board: &mut Board) {
    let clock = board.clock;
    let Some(Mark::Prompt(id)) = board.desk.chosen().cloned() else {
        let why = match board.desk.pane {
            Pane::Inbox => "what agents ask is answered one by one; prompts can be marked",
            Pane::Sessions | Pane::Queue => "prompts can be marked",
        };
        return board.desk.fail(why, clock);
    };
    if !board.desk.marked.remove(&id) {
        board.desk.marked.insert(id);
    }
    board.desk.step(1);
}

/// The marked ones that there are, seen or not by the filter.
pub fn marked(board: &Board) -> Vec<&Prompt> {
    board.desk.marked.iter().filter_map(|id| board.prompts.get(id)).collect()
}

/// Asks whether it is to be done with those of the marked with which it can. `false` when none are marked, or one thing is
/// shown whole, which the key is about then.
pub fn ask(board: &mut Board, deed: Deed) -> bool {
    let all = marked(board);
    if all.is_empty() || matches!(board.desk.mode, Mode::Whole { .. }) {
        return false;
    }
    let fit: Vec<&Prompt> = all.into_iter().filter(|prompt| deed.fits(prompt)).collect();
    if fit.is_empty() {
        let clock = board.clock;
        board.desk.fail("that cannot be done with any of the marked", clock);
        return true;
    }
    let question = deed.question(&fit);
    let ids: Vec<PromptId> = fit.iter().map(|prompt| prompt.id).collect();
    board.desk.mode = Mode::Sure { question, effect: Effect::Several { deed, ids } };
    true
}
