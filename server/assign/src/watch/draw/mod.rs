//! The picture of a board: pure, from what is known to cells.
//!
//! Must not: change anything, or leave any text from elsewhere unescaped; what a session's terminal shows comes through
//! the emulator alone (`tail`).

mod lists;
mod look;
mod rooms;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::Line as Text;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use wire::session::Link;
use wire::text::escape;

use super::board::{Board, Connection};
use super::command::{Line, Purpose};
use super::desk::{self, Mode, Pane, Tone};
use super::inbox::{self, Mark};
use super::keys::HELP;
use super::several;
use super::tail::Tail;
use super::whole;
use crate::tables::age;

pub use look::Look;
pub use rooms::{Rooms, rooms};

/// Below this nothing can be told.
const SMALLEST: (u16, u16) = (20, 4);
/// What keys can be pressed, as long as nothing else is to be said.
const HINT: &str = "Q quit  ? keys  > prompt  j k move  Tab pane  o open  a d answer  r retry";

/// Draws everything; gives where the cursor stands, if it is to be seen.
pub fn draw(
    board: &Board,
    tail: Option<&Tail>,
    look: Look,
    area: Rect,
    buf: &mut Buffer,
) -> Option<Position> {
    if is_too_small((area.width, area.height)) {
        put(buf, area, 0, "muster: too small", look.strong());
        return None;
    }
    let rooms = rooms((area.width, area.height), board.desk.pane);
    header(board, look, rooms.header, buf);
    match &board.desk.mode {
        Mode::Whole { mark, scroll } => page(board, mark, *scroll, look, rooms.body, buf),
        Mode::Tail { up, right } => show_tail(board, tail, (*up, *right), look, rooms.body, buf),
        Mode::Help { scroll } => help(*scroll, look, rooms.body, buf),
        Mode::Browse | Mode::Line(_) | Mode::Sure { .. } => panes(board, tail, look, &rooms, buf),
    }
    footer(board, look, rooms.footer, buf)
}

/// Whether a terminal of so many columns and rows shows nothing.
pub fn is_too_small((columns, rows): (u16, u16)) -> bool {
    columns < SMALLEST.0 || rows < SMALLEST.1
}

fn panes(board: &Board, tail: Option<&Tail>, look: Look, rooms: &Rooms, buf: &mut Buffer) {
    if let Some(room) = rooms.inbox {
        show_inbox(board, look, room, buf);
    }
    if let Some(room) = rooms.sessions {
        let listed = board.listed();
        let room = title(Pane::Sessions, &format!("Sessions {}", listed.len()), board, look, room, buf);
        let row = |n: usize| listed.get(n).map(|s| lists::session(board, s, look));
        list(board, Pane::Sessions, row, "no sessions; `wrap claude` starts one", look, room, buf);
    }
    if let Some(room) = rooms.queue {
        let queue = board.queue();
        let open = queue.iter().filter(|p| !p.state.is_final()).count();
        let room = title(Pane::Queue, &format!("Queue {open}"), board, look, room, buf);
        let row = |n: usize| queue.get(n).map(|p| lists::prompt(board, p, look));
        list(board, Pane::Queue, row, "no prompts; `>` writes one", look, room, buf);
    }
    if let Some(room) = rooms.tail {
        show_tail(board, tail, (0, 0), look, room, buf);
    }
}

fn header(board: &Board, look: Look, room: Rect, buf: &mut Buffer) {
    let (right, style) = match board.connection {
        Connection::Lost { since } => {
            let text = format!("disconnected since {}, trying again", age(since, board.clock));
            (text, look.bad())
        }
        Connection::Open if !board.known => ("waiting for the server".to_owned(), look.faint()),
        Connection::Open if board.paused => ("paused: no prompts are given out".to_owned(), look.asks()),
        Connection::Open if !several::marked(board).is_empty() => {
            (format!("marked: {}", several::marked(board).len()), look.asks())
        }
        Connection::Open if !board.desk.filter.is_empty() => {
            (format!("only: {}", escape(&board.desk.filter)), look.asks())
        }
        Connection::Open => (String::new(), look.faint()),
    };
    put(buf, room, 0, &format!("muster  {}", board.counts()), look.strong());
    let width = u16::try_from(right.width()).unwrap_or(u16::MAX).min(room.width);
    let from = room.width - width;
    let room = Rect { x: room.x + from, width, ..room };
    put(buf, room, 0, &right, style);
}

/// Draws a pane's first row; gives the rest.
fn title(pane: Pane, text: &str, board: &Board, look: Look, room: Rect, buf: &mut Buffer) -> Rect {
    let style = if board.desk.pane == pane { look.strong() } else { look.faint() };
    rule(text, style, room, buf)
}

fn rule(text: &str, style: Style, room: Rect, buf: &mut Buffer) -> Rect {
    put(buf, room, 0, &"─".repeat(room.width.into()), style);
    put(buf, room, 0, &format!("─ {text} "), style);
    Rect { y: room.y + 1, height: room.height.saturating_sub(1), ..room }
}

fn show_inbox(board: &Board, look: Look, room: Rect, buf: &mut Buffer) {
    let items = inbox::items(board);
    let waits = items.iter().filter(|item| item.waits()).count();
    let room = title(Pane::Inbox, &format!("Inbox {waits}"), board, look, room, buf);
    let (listed, below) = split(room, items.len(), board.desk.pane);
    let empty = if board.known { "nothing needs you" } else { "" };
    let row = |n: usize| items.get(n).map(|item| lists::item(board, item, look));
    list(board, Pane::Inbox, row, empty, look, listed, buf);
    let Some(mark) = board.desk.chosen_in(Pane::Inbox).filter(|_| below.height > 0) else { return };
    let below = Rect { x: below.x + 2, width: below.width.saturating_sub(2), ..below };
    let lines = whole::lines(board, mark, below.width);
    let room = usize::from(below.height);
    let shown = if lines.len() > room { room - 1 } else { room };
    for (y, line) in (0..).zip(lines.iter().take(shown)) {
        put(buf, below, y, line, Style::new());
    }
    if lines.len() > room {
        let more = format!("… {} more lines: o", lines.len() - shown);
        put(buf, below, below.height - 1, &more, look.faint());
    }
}

/// The rows of the inbox that list, and those that tell what is chosen.
fn split(room: Rect, items: usize, pane: Pane) -> (Rect, Rect) {
    if pane != Pane::Inbox || items == 0 {
        return (room, Rect { height: 0, ..room });
    }
    let listed = u16::try_from(items).unwrap_or(u16::MAX).min((room.height / 3).max(1)).min(room.height);
    let below = Rect { y: room.y + listed, height: room.height - listed, ..room };
    (Rect { height: listed, ..room }, below)
}

/// How many rows tell what is chosen in the inbox, and of how many columns.
pub fn request_room(board: &Board) -> (usize, u16) {
    let rooms = rooms(board.desk.size, board.desk.pane);
    let Some(room) = rooms.inbox else { return (0, 1) };
    let room = Rect { height: room.height.saturating_sub(1), ..room };
    let (_, below) = split(room, desk::marks(board, Pane::Inbox).len(), board.desk.pane);
    (below.height.into(), below.width.saturating_sub(2))
}

/// Draws what there is room for; `row` makes the row of one of the pane's items.
fn list<'a>(
    board: &Board,
    pane: Pane,
    row: impl Fn(usize) -> Option<Text<'a>>,
    empty: &str,
    look: Look,
    room: Rect,
    buf: &mut Buffer,
) {
    let marks = board.desk.listed(pane);
    if marks.is_empty() {
        put(buf, room, 0, &format!("  {empty}"), look.faint());
        return;
    }
    let chosen = board.desk.chosen_in(pane);
    let at = marks.iter().position(|mark| Some(mark) == chosen).unwrap_or(0);
    let marked = |n: usize| matches!(marks.get(n), Some(Mark::Prompt(id)) if board.desk.marked.contains(id));
    let height = usize::from(room.height);
    // The chosen one is in the middle, as far as the list has an end.
    let first = at.saturating_sub(height / 2).min(marks.len().saturating_sub(height));
    for (y, n) in (room.top()..room.bottom()).zip(first..) {
        let Some(row) = row(n) else { break };
        let mark = if n == at { ">" } else { " " };
        let mark = format!("{mark}{}", if marked(n) { "*" } else { " " });
        buf.set_stringn(room.x, y, mark, room.width.into(), look.strong());
        buf.set_line(room.x + 2.min(room.width), y, &row, room.width.saturating_sub(2));
        if n == at && board.desk.pane == pane {
            buf.set_style(Rect { y, height: 1, ..room }, look.chosen());
        }
    }
}

fn show_tail(board: &Board, tail: Option<&Tail>, pan: (u16, u16), look: Look, room: Rect, buf: &mut Buffer) {
    let session = board.desk.tailed.as_ref().and_then(|id| board.sessions.get(id));
    let text = match session {
        None => "Terminal".to_owned(),
        Some(s) => {
            let away = if s.link == Link::Disconnected { " (not connected)" } else { "" };
            format!("Terminal of {}{away}, {}x{}", escape(&s.name), s.size.cols, s.size.rows)
        }
    };
    let alone = matches!(board.desk.mode, Mode::Tail { .. });
    let room = rule(&text, if alone { look.strong() } else { look.faint() }, room, buf);
    match (session, tail) {
        (Some(_), Some(tail)) if tail.is_drawn() => tail.draw(pan, look.colour, room, buf),
        (Some(_), _) => put(buf, room, 0, "  waiting for its screen", look.faint()),
        (None, _) => put(buf, room, 0, "  choose a session, a request or a prompt", look.faint()),
    }
}

fn page(board: &Board, mark: &Mark, scroll: usize, look: Look, room: Rect, buf: &mut Buffer) {
    let lines = whole::lines(board, mark, room.width);
    let height = page_height(board.desk.size);
    let first = scroll.min(lines.len().saturating_sub(height));
    let what = match mark {
        Mark::Approval(id) => format!("Request {id}"),
        Mark::Session(_) => "Session".to_owned(),
        Mark::Prompt(id) => format!("Prompt {id}"),
    };
    let place = match lines.len() > height {
        true => {
            format!("{what}, lines {} to {} of {}", first + 1, (first + height).min(lines.len()), lines.len())
        }
        false => what,
    };
    let room = rule(&place, look.strong(), room, buf);
    for (y, line) in (0..room.height).zip(lines.iter().skip(first)) {
        put(buf, room, y, line, Style::new());
    }
}

/// The keys with what they do, none longer than so many columns.
pub fn help_lines(width: u16) -> Vec<String> {
    let explained = |(keys, what): &(&str, &str)| {
        let rows = wrap(what, width.saturating_sub(16)).into_iter().enumerate();
        rows.map(|(n, row)| format!("{} {row}", pad(if n == 0 { keys } else { "" }, 15))).collect::<Vec<_>>()
    };
    HELP.iter().flat_map(explained).collect()
}

/// Rows of something that is shown alone, below its title.
pub fn page_height((_, rows): (u16, u16)) -> usize {
    usize::from(rows.saturating_sub(3)).max(1)
}

fn help(scroll: usize, look: Look, room: Rect, buf: &mut Buffer) {
    let room = rule("Keys", look.strong(), room, buf);
    let lines = help_lines(room.width);
    let first = scroll.min(lines.len().saturating_sub(room.height.into()));
    for (y, line) in (0..room.height).zip(lines.iter().skip(first)) {
        put(buf, room, y, line, Style::new());
    }
}

fn footer(board: &Board, look: Look, room: Rect, buf: &mut Buffer) -> Option<Position> {
    let notice = board.desk.notice.as_ref().map(|notice| {
        let style = match notice.tone {
            Tone::Done => look.strong(),
            Tone::Failed => look.bad(),
        };
        (escape(&notice.text), style)
    });
    match &board.desk.mode {
        Mode::Line(line) => {
            if let Some((text, style)) = notice {
                let above = Rect { y: room.y - 1, ..room };
                put(buf, above, 0, &pad(&text, above.width.into()), style);
            }
            return Some(edited(line, look, room, buf));
        }
        Mode::Sure { question, .. } => put(buf, room, 0, &format!("{question} y/n"), look.asks()),
        Mode::Browse | Mode::Whole { .. } | Mode::Tail { .. } | Mode::Help { .. } => match notice {
            Some((text, style)) => put(buf, room, 0, &fit(&text, room.width.into()), style),
            None => put(buf, room, 0, &hint(&board.desk.mode, room.width), look.faint()),
        },
    }
    None
}

fn hint(mode: &Mode, width: u16) -> String {
    let text = match mode {
        Mode::Whole { .. } => "Esc back  j k scroll  a d answer  1-9 choose  r retry  c cancel  e seen",
        Mode::Tail { .. } => "Esc back  arrows move  > prompt  Q quit",
        Mode::Help { .. } => "Esc back  j k scroll",
        Mode::Browse | Mode::Line(_) | Mode::Sure { .. } => HINT,
    };
    fit(text, width.into())
}

/// Draws the line that is being written, so that its cursor is seen; gives where that stands.
fn edited(line: &Line, look: Look, room: Rect, buf: &mut Buffer) -> Position {
    let sign = match line.purpose {
        Purpose::Send => ">",
        Purpose::Filter => "/",
    };
    put(buf, room, 0, sign, look.strong());
    let room = Rect { x: room.x + 1, width: room.width - 1, ..room };
    // A line break is one character wide, as it is one character.
    let shown = line.text.replace('\n', "↵").replace('\t', " ");
    let before = line.text[..line.at].replace('\n', "↵").replace('\t', " ").width();
    let last = usize::from(room.width).saturating_sub(1);
    let mut skipped = 0;
    let mut rest = shown.chars();
    while before - skipped > last {
        let Some(c) = rest.next() else { break };
        skipped += c.width().unwrap_or(0);
    }
    put(buf, room, 0, rest.as_str(), Style::new());
    let column = u16::try_from(before.saturating_sub(skipped)).unwrap_or(0);
    Position::new(room.x + column.min(room.width.saturating_sub(1)), room.y)
}

fn put(buf: &mut Buffer, room: Rect, row: u16, text: &str, style: Style) {
    if row < room.height {
        buf.set_stringn(room.x, room.y + row, text, room.width.into(), style);
    }
}

/// Cuts to so many columns, with `…` as the last when something was cut.
pub fn fit(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut taken = 1;
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken > columns {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// Escaped, and exactly so many columns.
fn pad(text: &str, columns: usize) -> String {
    let mut out = fit(&escape(text), columns);
    let missing = columns.saturating_sub(out.width());
    out.extend(std::iter::repeat_n(' ', missing));
    out
}

/// Breaks a line into rows of at most so many columns, between words where that leaves no large gap.
pub fn wrap(line: &str, columns: u16) -> Vec<String> {
    let columns = usize::from(columns.max(1));
    let (mut out, mut row, mut taken) = (Vec::new(), String::new(), 0);
    for c in line.chars() {
        let width = c.width().unwrap_or(0);
        if taken + width > columns && !row.is_empty() {
            let rest = match row.rfind(' ') {
                Some(at) if at > row.len() / 2 => row.split_off(at + 1),
                _ => String::new(),
            };
            row.truncate(row.trim_end().len());
            taken = rest.width();
            out.push(std::mem::replace(&mut row, rest));
        }
        row.push(c);
        taken += width;
    }
    out.push(row);
    out
}

#[cfg(test)]
mod tests;
