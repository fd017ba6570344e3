//! Which request stands on the screen, as which dialog, and whether all of it was there: what an answer is bound to.
//!
//! Must not: answer, or move anything. Invariant: what is known here was drawn; the loop looks before each picture.

use wire::session::Dialog;
use wire::{ApprovalId, UnixMillis};

use super::board::Board;
use super::desk::{Mode, Pane};
use super::draw;
use super::inbox::Mark;
use super::whole;

/// Milliseconds that a request stands on the screen before it is answered: a finger was meant for what stood there.
const GRACE: u64 = 500;

/// A request on the screen.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    approval: ApprovalId,
    /// As it was drawn: the same request can come to ask something else.
    dialog: Dialog,
    since: UnixMillis,
    /// Whether its end was on the screen since.
    whole: bool,
}

/// Whether an answer may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// It may.
    Whole,
    /// It has just come, or just changed.
    JustNow,
    /// Its end was not on the screen.
    InPart,
    /// It is not on the screen.
    No,
}

/// Takes note of what the next picture shows.
pub fn look(board: &mut Board) {
    let now = visible(board);
    let before = board.desk.shown.take();
    board.desk.shown = now.map(|(approval, dialog, whole)| match before {
        Some(b) if b.approval == approval && b.dialog == dialog => Shown { whole: b.whole || whole, ..b },
        Some(_) | None => Shown { approval, dialog, since: board.clock, whole },
    });
}

/// How much of a request, as it is now, was on the screen.
pub fn read(board: &Board, id: ApprovalId) -> Read {
    // Keys may have turned away from it since the picture.
    let Some((_, dialog, _)) = visible(board).filter(|(there, ..)| *there == id) else { return Read::No };
    let Some(shown) = board.desk.shown.as_ref().filter(|s| s.approval == id) else { return Read::JustNow };
    let same = dialog == shown.dialog;
    match shown.whole {
        _ if !same || board.clock.since(shown.since) < GRACE => Read::JustNow,
        true => Read::Whole,
        false => Read::InPart,
    }
}

fn visible(board: &Board) -> Option<(ApprovalId, Dialog, bool)> {
    let size = board.desk.size;
    if draw::is_too_small(size) {
        return None;
    }
    let (mark, first, rows, width) = match &board.desk.mode {
        Mode::Whole { mark, scroll } => (mark, *scroll, draw::page_height(size), size.0),
        Mode::Browse => {
            let (rows, width) = draw::request_room(board);
            (board.desk.chosen_in(Pane::Inbox).filter(|_| rows > 0)?, 0, rows, width)
        }
        Mode::Line(_) | Mode::Sure { .. } | Mode::Tail { .. } | Mode::Help { .. } => return None,
    };
    let Mark::Approval(id) = mark else { return None };
    let dialog = board.approvals.get(id)?.dialog.clone();
    Some((*id, dialog, first + rows >= whole::lines(board, mark, width).len()))
}
