//! Which part of the terminal belongs to whom. Must not: know what is shown there.

use ratatui::layout::Rect;

use super::super::desk::Pane;

/// Terminals that are narrower or lower show one pane at a time.
const ROOMY: (u16, u16) = (60, 18);

/// The parts; what has no room is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rooms {
    /// The first row.
    pub header: Rect,
    /// What needs the user.
    pub inbox: Option<Rect>,
    /// Sessions.
    pub sessions: Option<Rect>,
    /// Prompts.
    pub queue: Option<Rect>,
    /// The live terminal.
    pub tail: Option<Rect>,
    /// Everything between the first and the last row.
    pub body: Rect,
    /// The last row.
    pub footer: Rect,
}

/// Parts a terminal of this size; the pane that has the keys gets most of it.
pub fn rooms((cols, rows): (u16, u16), pane: Pane) -> Rooms {
    let row = |y, height| Rect::new(0, y, cols, height);
    let body = row(1.min(rows), rows.saturating_sub(2));
    let (header, footer) = (row(0, rows.min(1)), row(rows.saturating_sub(1), rows.saturating_sub(1).min(1)));
    let none = Rooms { header, inbox: None, sessions: None, queue: None, tail: None, body, footer };
    if cols < ROOMY.0 || rows < ROOMY.1 {
        return match pane {
            Pane::Inbox => Rooms { inbox: Some(body), ..none },
            Pane::Sessions => Rooms { sessions: Some(body), ..none },
            Pane::Queue => Rooms { queue: Some(body), ..none },
        };
    }
    let part =
        |percent: u16, least: u16| (u32::from(body.height) * u32::from(percent) / 100).max(least.into());
    let (inbox, sessions, queue) = match pane {
        Pane::Inbox => (part(45, 7), part(18, 3), part(16, 3)),
        Pane::Sessions => (part(20, 3), part(28, 5), part(16, 3)),
        Pane::Queue => (part(20, 3), part(18, 3), part(32, 5)),
    };
    let mut y = body.y;
    let mut take = |height: u32| {
        let height = u16::try_from(height).unwrap_or(0);
        let room = row(y, height);
        y += height;
        room
    };
    let (inbox, sessions, queue) = (take(inbox), take(sessions), take(queue));
    let tail = row(y, body.bottom().saturating_sub(y));
    Rooms { inbox: Some(inbox), sessions: Some(sessions), queue: Some(queue), tail: Some(tail), ..none }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_any_terminal_are_within_it_and_do_not_overlap() {
        for cols in [0, 1, 20, 40, 59, 60, 80, 300] {
            for rows in 0..60 {
                for pane in Pane::ALL {
                    let rooms = rooms((cols, rows), pane);
                    let panes = [rooms.inbox, rooms.sessions, rooms.queue, rooms.tail];
                    let parts = [Some(rooms.header), Some(rooms.footer)].into_iter().chain(panes).flatten();
                    let mut taken = vec![false; rows.into()];
                    for part in parts {
                        for y in part.top()..part.bottom() {
                            assert!(
                                !std::mem::replace(&mut taken[usize::from(y)], true),
                                "{cols}x{rows} {y}"
                            );
                        }
                    }
                    let whole = taken.iter().all(|t| *t);
                    assert!(whole, "{cols}x{rows}: no row is left over");
                }
            }
        }
    }

    #[test]
    fn each_pane_of_a_usual_terminal_shows_something() {
        for rows in [18, 24, 50] {
            for pane in Pane::ALL {
                let rooms = rooms((80, rows), pane);
                for part in [rooms.inbox, rooms.sessions, rooms.queue, rooms.tail] {
                    assert!(part.unwrap().height >= 2, "{rows} {pane:?} {rooms:?}");
                }
            }
        }
    }
}
