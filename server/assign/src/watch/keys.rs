//! What a key means: a pure function from what is there and a key to what is there then, and what is to be done.
//!
//! The keys are those of the dashboard. Must not: do anything, or answer what was not shown.

use wire::approval::ApprovalState;
use wire::prompt::{NewPrompt, Prompt, PromptState};
use wire::wrapper::Choice;
use wire::{ApprovalId, PromptId};

use super::board::Board;
use super::command::{self, Line, Purpose, Written};
use super::desk::{self, Mode, Pane};
use super::draw;
use super::inbox::Mark;
use super::several::{self, Deed};
use super::shown::{self, Read};
use super::whole;

/// A key, whatever terminal it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Char(char),
    /// A character with Ctrl.
    Ctrl(char),
    /// Text that was pasted.
    Paste(String),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift-Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
}

/// What is to be done beside the board.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Leave.
    Quit,
    /// Stop until the shell says otherwise.
    Suspend,
    /// Draw everything anew.
    Repaint,
    /// Answer what an agent asks.
    Answer {
        /// Which.
        approval: ApprovalId,
        /// The dialog that was shown.
        dialog: String,
        /// What is answered.
        choice: Choice,
    },
    /// Try a prompt again.
    Retry(PromptId),
    /// Call a prompt off.
    Cancel(PromptId),
    /// Take note of how a prompt ended.
    Seen(PromptId),
    /// The same with several at once.
    Several {
        /// What.
        deed: Deed,
        /// With which.
        ids: Vec<PromptId>,
    },
    /// Give out no prompts any longer, or again.
    Pause(bool),
    /// Send a prompt.
    Send {
        /// As it was written, to be put back when it cannot be sent.
        line: String,
        /// The idempotency key, when it was tried before.
        key: Option<String>,
        /// The prompt.
        prompt: Box<NewPrompt>,
    },
}

/// The keys with what they do, for the help.
pub const HELP: [(&str, &str); 20] = [
    ("j k ↓ ↑", "next, previous item"),
    ("Tab  i g q", "next pane; inbox, sessions, queue"),
    ("o Enter", "the item whole; of a session its terminal"),
    ("a d", "approve, deny what it asks"),
    ("1 … 9", "choose from what it offers"),
    ("r", "try it again"),
    ("c", "cancel it"),
    ("e", "take note of it: it leaves the inbox"),
    ("x", "mark a prompt: r, c, e are about all marked"),
    ("z", "the terminal alone; arrows move in it"),
    ("s >", "write a prompt:"),
    ("> text", "  to the best session"),
    (">5: text", "  with priority 5 of 0 to 10"),
    (">@api 5: text", "  to one session"),
    ("@", "write a prompt to the chosen session"),
    ("/", "list only what has these words"),
    ("P", "give out no prompts, or again"),
    ("Esc", "back"),
    ("Ctrl-L Ctrl-Z", "draw anew, suspend"),
    ("Q Ctrl-C", "quit; sessions and prompts go on"),
];

/// Takes a key in.
pub fn press(mut board: Board, key: Key) -> (Board, Option<Effect>) {
    desk::settle(&mut board);
    // A failure stays until it can be taken for read.
    board.desk.notice = None;
    let effect = match std::mem::take(&mut board.desk.mode) {
        Mode::Browse => browse(&mut board, key),
        Mode::Line(line) => write(&mut board, line, key),
        Mode::Sure { effect, .. } => match key {
            Key::Char('y' | 'Y') => {
                if matches!(effect, Effect::Several { .. }) {
                    board.desk.marked.clear();
                }
                Some(effect)
            }
            _ => None,
        },
        Mode::Whole { mark, scroll } => read(&mut board, mark, scroll, key),
        Mode::Tail { up, right } => look(&mut board, up, right, key),
        Mode::Help { scroll } => explain(&mut board, scroll, key),
    };
    desk::settle(&mut board);
    (board, effect)
}

fn browse(board: &mut Board, key: Key) -> Option<Effect> {
    let page = isize::try_from(board.desk.size.1 / 2).unwrap_or(1);
    let desk = &mut board.desk;
    match key {
        Key::Char('j') | Key::Down => desk.step(1),
        Key::Char('k') | Key::Up => desk.step(-1),
        Key::PageDown => desk.step(page),
        Key::PageUp => desk.step(-page),
        Key::Home => desk.step(isize::MIN),
        Key::End => desk.step(isize::MAX),
        Key::Tab | Key::Right | Key::Char('l') => turn(board, 1),
        Key::BackTab | Key::Left | Key::Char('h') => turn(board, Pane::ALL.len() - 1),
        Key::Char('i') => desk.pane = Pane::Inbox,
        Key::Char('g') => desk.pane = Pane::Sessions,
        Key::Char('q') => desk.pane = Pane::Queue,
        // The last thing first.
        Key::Esc if !desk.marked.is_empty() => desk.marked.clear(),
        Key::Esc => desk.filter.clear(),
        Key::Char('x') => several::mark(board),
        Key::Char('o') | Key::Enter => open(board),
        key => return both(board, key),
    }
    None
}

/// Keys that mean the same wherever an item is shown.
fn both(board: &mut Board, key: Key) -> Option<Effect> {
    match key {
        Key::Char('Q') | Key::Ctrl('c' | 'd') => return Some(Effect::Quit),
        Key::Ctrl('z') => return Some(Effect::Suspend),
        Key::Ctrl('l') => return Some(Effect::Repaint),
        Key::Char('?') => board.desk.mode = Mode::Help { scroll: 0 },
        Key::Char('z') => board.desk.mode = Mode::Tail { up: 0, right: 0 },
        Key::Char('s' | '>') => board.desk.mode = Mode::Line(Line::new(Purpose::Send, "")),
        Key::Char('@') => board.desk.mode = Mode::Line(Line::new(Purpose::Send, address(board))),
        Key::Char('/') => board.desk.mode = Mode::Line(Line::new(Purpose::Filter, board.desk.filter.clone())),
        Key::Char('P') => return Some(Effect::Pause(!board.paused)),
        Key::Char('a') => return answer(board, Choice::Approve),
        Key::Char('d') => return answer(board, Choice::Deny),
        Key::Char(c @ '1'..='9') => {
            return answer(board, Choice::Option { index: u32::from(c) - u32::from('1') });
        }
        Key::Char('r') if several::ask(board, Deed::Retry) => {}
        Key::Char('c') if several::ask(board, Deed::Cancel) => {}
        Key::Char('e') if several::ask(board, Deed::Seen) => {}
        Key::Char('r') => return on_prompt(board, retry),
        Key::Char('c') => return on_prompt(board, cancel),
        Key::Char('e') => return on_prompt(board, seen),
        _ => {}
    }
    None
}

fn turn(board: &mut Board, by: usize) {
    let at = board.desk.pane as usize;
    board.desk.pane = Pane::ALL[(at + by) % Pane::ALL.len()];
}

fn open(board: &mut Board) {
    let Some(mark) = board.desk.chosen().cloned() else { return };
    board.desk.mode = match (board.desk.pane, &mark) {
        (Pane::Sessions, Mark::Session(_)) => Mode::Tail { up: 0, right: 0 },
        (Pane::Inbox | Pane::Sessions | Pane::Queue, _) => Mode::Whole { mark, scroll: 0 },
    };
}

/// The chosen session, as a line begins that is for it.
fn address(board: &Board) -> String {
    let id = match board.desk.subject() {
        Some(Mark::Session(id)) => Some(id.clone()),
        Some(Mark::Approval(id)) => board.approvals.get(id).map(|a| a.session.clone()),
        Some(Mark::Prompt(id)) => board.prompts.get(id).and_then(|p| p.session.clone()),
        None => None,
    };
    id.and_then(|id| board.name(&id).map(|name| format!("@{name} "))).unwrap_or_else(|| "@".to_owned())
}

fn read(board: &mut Board, mark: Mark, scroll: usize, key: Key) -> Option<Effect> {
    let page = usize::from(board.desk.size.1 / 2);
    let size = board.desk.size;
    let last = whole::lines(board, &mark, size.0).len().saturating_sub(draw::page_height(size));
    let scrolled = match key {
        Key::Esc | Key::Char('o') | Key::Enter => return None,
        Key::Char('j') | Key::Down => scroll + 1,
        Key::Char('k') | Key::Up => scroll.saturating_sub(1),
        Key::PageDown | Key::Char(' ') => scroll + page,
        Key::PageUp => scroll.saturating_sub(page),
        Key::Home => 0,
        Key::End => last,
        key => {
            board.desk.mode = Mode::Whole { mark, scroll };
            return both(board, key);
        }
    };
    board.desk.mode = Mode::Whole { mark, scroll: scrolled.min(last) };
    None
}

fn look(board: &mut Board, up: u16, right: u16, key: Key) -> Option<Effect> {
    let page = board.desk.size.1 / 2;
    let (up, right) = match key {
        Key::Esc | Key::Char('o' | 'z') | Key::Enter => return None,
        Key::Char('k') | Key::Up => (up.saturating_add(1), right),
        Key::Char('j') | Key::Down => (up.saturating_sub(1), right),
        Key::PageUp => (up.saturating_add(page), right),
        Key::PageDown => (up.saturating_sub(page), right),
        Key::Char('h') | Key::Left => (up, right.saturating_sub(8)),
        Key::Char('l') | Key::Right => (up, right.saturating_add(8)),
        Key::Home | Key::End => (0, 0),
        // Nothing is answered here: what a key would be about is not shown.
        Key::Char('Q' | '?' | 's' | '>' | '@') | Key::Ctrl(_) => {
            board.desk.mode = Mode::Tail { up, right };
            return both(board, key);
        }
        _ => (up, right),
    };
    // Further than any terminal is large nothing is found.
    board.desk.mode = Mode::Tail { up: up.min(1_000), right: right.min(1_000) };
    None
}

fn explain(board: &mut Board, scroll: usize, key: Key) -> Option<Effect> {
    let size = board.desk.size;
    let last = draw::help_lines(size.0).len().saturating_sub(draw::page_height(size));
    let scroll = match key {
        Key::Ctrl('c' | 'd') | Key::Char('Q') => return Some(Effect::Quit),
        Key::Char('j') | Key::Down | Key::PageDown => (scroll + 1).min(last),
        Key::Char('k') | Key::Up | Key::PageUp => scroll.saturating_sub(1),
        _ => return None,
    };
    board.desk.mode = Mode::Help { scroll };
    None
}

fn write(board: &mut Board, mut line: Line, key: Key) -> Option<Effect> {
    let past = std::mem::take(&mut board.desk.past);
    let written = line.press(key, &past);
    board.desk.past = past;
    match (written, line.purpose) {
        (Written::On, Purpose::Filter) => {
            board.desk.filter.clone_from(&line.text);
            board.desk.mode = Mode::Line(line);
        }
        (Written::On, Purpose::Send) => board.desk.mode = Mode::Line(line),
        (Written::Dropped, Purpose::Filter) => board.desk.filter.clear(),
        (Written::Whole, Purpose::Filter) | (Written::Dropped, Purpose::Send) => {}
        (Written::Whole, Purpose::Send) => match command::prompt(&line.text) {
            Ok(prompt) => {
                board.desk.remember(&line.text);
                let prompt = Box::new(prompt);
                return Some(Effect::Send { line: line.text, key: line.key, prompt });
            }
            Err(why) => {
                board.desk.fail(why, board.clock);
                board.desk.mode = Mode::Line(line);
            }
        },
    }
    None
}

/// An answer is given to what was shown whole, as it was shown, and only if it was there for a moment.
fn answer(board: &mut Board, choice: Choice) -> Option<Effect> {
    let clock = board.clock;
    let mark = board.desk.subject().cloned()?;
    let Some(approval) = desk::asked(board, &mark).cloned() else {
        let stuck = match &mark {
            Mark::Session(id) => board.sessions.get(id).filter(|s| s.claim.state.waits()),
            Mark::Approval(_) | Mark::Prompt(_) => None,
        };
        let text = match stuck {
            Some(s) => format!("what it asks cannot be read; answer in its terminal: wrap attach {}", s.name),
            None => "nothing is asked here".to_owned(),
        };
        board.desk.fail(text, clock);
        return None;
    };
    // From here on it is about the request, also when its session was chosen.
    let mark = Mark::Approval(approval.id);
    if board.desk.is_settling(clock) {
        board.desk.fail("the list has just moved; look again", clock);
        return None;
    }
    let unread = match (shown::read(board, approval.id), &board.desk.mode) {
        (Read::Whole, _) => None,
        (Read::JustNow, _) => Some("it has just come or changed; look again"),
        (Read::InPart, Mode::Whole { .. }) => Some("there is more of it below; answer at its end"),
        (Read::No | Read::InPart, _) => {
            board.desk.mode = Mode::Whole { mark, scroll: 0 };
            // It is to be read anew, wherever it stood before.
            board.desk.shown = None;
            board.desk.tell("this is what it asks; read to its end, the same key again answers", clock);
            return None;
        }
    };
    if let Some(why) = unread {
        board.desk.fail(why, clock);
        return None;
    }
    let refused = match (&choice, approval.state) {
        (_, ApprovalState::Answering) => Some("an answer is on its way"),
        (Choice::Approve | Choice::Deny, _) if !approval.dialog.answerable => {
            Some("how to say yes or no to this is not known; choose by its number")
        }
        (Choice::Option { index }, _) if !approval.dialog.options.iter().any(|o| o.index == *index) => {
            Some("there is no such option")
        }
        _ => None,
    };
    if let Some(why) = refused {
        board.desk.fail(why, clock);
        return None;
    }
    if matches!(board.desk.mode, Mode::Whole { .. }) {
        board.desk.mode = Mode::Browse;
    }
    Some(Effect::Answer { approval: approval.id, dialog: approval.dialog.id, choice })
}

/// What is done with a prompt: at once, after a yes, or not, with the reason.
enum Wish {
    Now(Effect),
    Sure(String, Effect),
    No(&'static str),
}

fn on_prompt(board: &mut Board, wish: impl Fn(&Prompt) -> Wish) -> Option<Effect> {
    let id = match board.desk.subject()? {
        Mark::Prompt(id) => Some(*id),
        Mark::Session(id) => board.sessions.get(id).and_then(|s| s.prompt),
        Mark::Approval(_) => None,
    };
    let clock = board.clock;
    let Some(prompt) = id.and_then(|id| board.prompts.get(&id)) else {
        board.desk.fail("that is for prompts", clock);
        return None;
    };
    match wish(prompt) {
        Wish::Now(_) if board.desk.is_settling(clock) => {
            board.desk.fail("the list has just moved; look again", clock);
            None
        }
        Wish::Now(effect) => Some(effect),
        Wish::Sure(question, effect) => {
            board.desk.mode = Mode::Sure { question, effect };
            None
        }
        Wish::No(why) => {
            board.desk.fail(why, clock);
            None
        }
    }
}

fn retry(prompt: &Prompt) -> Wish {
    match (prompt.state, &prompt.hold) {
        (PromptState::Held, Some(hold)) if !hold.code.untyped() => Wish::Sure(
            format!("Prompt {} may have been typed already. Try it again?", prompt.id),
            Effect::Retry(prompt.id),
        ),
        (PromptState::Held | PromptState::Failed | PromptState::Cancelled, _) => {
            Wish::Now(Effect::Retry(prompt.id))
        }
        (
            PromptState::Pending | PromptState::Assigned | PromptState::InProgress | PromptState::Completed,
            _,
        ) => Wish::No("only what is held, failed or cancelled is tried again"),
    }
}

fn cancel(prompt: &Prompt) -> Wish {
    let id = prompt.id;
    match prompt.state {
        PromptState::Assigned | PromptState::InProgress => {
            Wish::Sure(format!("Cancel prompt {id} while it is worked on?"), Effect::Cancel(id))
        }
        PromptState::Pending | PromptState::Held => {
            Wish::Sure(format!("Cancel prompt {id}?"), Effect::Cancel(id))
        }
        PromptState::Completed | PromptState::Failed | PromptState::Cancelled => Wish::No("it has ended"),
    }
}

fn seen(prompt: &Prompt) -> Wish {
    match prompt.state {
        PromptState::Completed | PromptState::Failed => Wish::Now(Effect::Seen(prompt.id)),
        PromptState::Pending
        | PromptState::Assigned
        | PromptState::InProgress
        | PromptState::Held
        | PromptState::Cancelled => Wish::No("note is taken of what is completed or failed"),
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
