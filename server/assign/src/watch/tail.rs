//! The live terminal of one session: its snapshot and what follows, through an emulator, into cells.
//!
//! Must not: answer a query of the program, or write to it; nothing of its bytes reaches the user's terminal but the
//! characters and colours that the emulator made of them.

use std::num::NonZeroU16;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use wire::SessionId;
use wire::frame::{Frame, Kind};

use super::quiet::quietly;

/// Largest screen, in cells a side: a hostile size must not cost memory.
const LARGEST: u16 = 1_000;
/// Fewest columns: on a single one the emulator fails on a character that becomes a wide one.
const NARROWEST: u16 = 2;

/// A session's terminal on one stream.
pub struct Tail {
    /// Whose.
    pub session: SessionId,
    /// The stream's number.
    pub stream: u32,
    /// `None` before the first snapshot, and after the emulator failed until the next.
    parser: Option<vt100::Parser>,
    /// The beginning of a character whose rest has not come yet: the emulator must never see half of one.
    half: Vec<u8>,
}

impl Tail {
    /// A terminal of which nothing is known yet.
    pub fn new(session: SessionId, stream: u32) -> Self {
        Self { session, stream, parser: None, half: Vec::new() }
    }

    /// Whether there is something to show.
    pub fn is_drawn(&self) -> bool {
        self.parser.is_some()
    }

    /// Takes what the server sent for a viewer: the stream's number before a frame. Of another stream it is nothing.
    pub fn take(&mut self, bytes: &[u8]) {
        let Some((stream, frame)) = bytes.split_first_chunk::<4>() else { return };
        if u32::from_be_bytes(*stream) != self.stream {
            return;
        }
        let Ok(frame) = Frame::decode(frame) else { return };
        let (rows, cols) = (side(frame.rows, 1), side(frame.cols, NARROWEST));
        match frame.kind {
            Kind::Snapshot => {
                self.half.clear();
                self.parser = quietly(|| vt100::Parser::new(rows, cols, 0));
                self.feed(frame.payload);
            }
            Kind::Bytes => self.feed(frame.payload),
            Kind::Resize => self.with(|parser| {
                // A screen that grows is filled at its bottom: what scrolled away is not here to come back.
                parser.screen_mut().clear_scrollback();
                parser.set_size(rows, cols);
            }),
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        let mut whole = std::mem::take(&mut self.half);
        whole.extend_from_slice(bytes);
        let end = whole.len() - unfinished(&whole);
        self.half = whole.split_off(end);
        self.with(|parser| parser.process(&whole));
    }

    fn with(&mut self, act: impl FnOnce(&mut vt100::Parser)) {
        let Some(mut parser) = self.parser.take() else { return };
        // What it failed on is in doubt as a whole.
        self.parser = quietly(|| {
            act(&mut parser);
            parser
        });
    }

    /// Draws the part of the screen that has room: the one with the cursor and the last text, or, for `pan`, so many
    /// rows above and columns to the right. Where not all has room, one blank row stands for several.
    pub fn draw(&self, (up, right): (u16, u16), colour: bool, room: Rect, buf: &mut Buffer) {
        let Some(screen) = self.parser.as_ref().map(vt100::Parser::screen) else { return };
        let cols = screen.size().1.get();
        let (cursor_row, cursor_col) = screen.cursor_position();
        let rows = told(screen, room.height);
        let cursor = rows.iter().position(|row| *row == cursor_row).unwrap_or(0);
        let first = rows.len().saturating_sub(room.height.into()).min(cursor).saturating_sub(up.into());
        let first_col = right.min(cols.saturating_sub(room.width));
        for (y, row) in (room.top()..room.bottom()).zip(rows.into_iter().skip(first)) {
            for (x, col) in (room.left()..room.right()).zip(first_col..cols) {
                let Some(cell) = screen.cell(row, col).filter(|c| !c.is_wide_continuation()) else {
                    continue;
                };
                let width = usize::from(room.right() - x).min(if cell.is_wide() { 2 } else { 1 });
                buf.set_stringn(x, y, text(cell, width), width, style(cell, colour));
                if (row, col) == (cursor_row, cursor_col) && !screen.hide_cursor() {
                    buf.set_style(Rect::new(x, y, 1, 1), Style::new().add_modifier(Modifier::REVERSED));
                }
            }
        }
    }
}

/// The rows that are shown, from the first to the last that has text or the cursor.
fn told(screen: &vt100::Screen, height: u16) -> Vec<u16> {
    let (rows, cols) = screen.size();
    let (rows, cols) = (rows.get(), cols.get());
    let cursor = screen.cursor_position().0;
    let blank = |row: u16| {
        (0..cols).all(|col| screen.cell(row, col).is_none_or(|cell| cell.contents().trim().is_empty()))
    };
    let last = (0..rows).rev().find(|row| *row == cursor || !blank(*row)).unwrap_or(0);
    if last < height {
        return (0..rows.min(height)).collect();
    }
    let follows_blank = |row: &u16| row.checked_sub(1).is_some_and(blank);
    (0..=last).filter(|row| *row == cursor || !(blank(*row) && follows_blank(row))).collect()
}

/// What a cell shows: one character with its marks, but for those that would reorder what stands around it.
fn text(cell: &vt100::Cell, width: usize) -> String {
    let contents = cell.contents();
    if contents.is_empty() || (cell.is_wide() && width < 2) {
        return " ".to_owned();
    }
    contents.chars().filter(|c| !is_hidden(*c)).collect()
}

fn is_hidden(c: char) -> bool {
    let one = c.to_string();
    wire::text::escape(&one) != one
}

fn style(cell: &vt100::Cell, colour: bool) -> Style {
    let mut style = Style::new();
    if colour {
        style = style.fg(paint(cell.fgcolor())).bg(paint(cell.bgcolor()));
    }
    for (on, modifier) in [
        (cell.bold(), Modifier::BOLD),
        (cell.dim(), Modifier::DIM),
        (cell.italic(), Modifier::ITALIC),
        (cell.underline(), Modifier::UNDERLINED),
        (cell.inverse(), Modifier::REVERSED),
    ] {
        if on {
            style = style.add_modifier(modifier);
        }
    }
    style
}

fn paint(colour: vt100::Color) -> Color {
    match colour {
        vt100::Color::Default => Color::Reset,
        vt100::Color::Idx(index) => Color::Indexed(index),
        vt100::Color::Rgb(r, g, b) => Color::Rgb(r, g, b),
    }
}

/// How many bytes at the end are the beginning of a character, and nothing else yet.
fn unfinished(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let length = match bytes[bytes.len() - back] {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => return 0,
        };
        return if length > back { back } else { 0 };
    }
    0
}

fn side(cells: u16, least: u16) -> NonZeroU16 {
    NonZeroU16::new(cells.clamp(least, LARGEST)).unwrap_or(NonZeroU16::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(stream: u32, kind: Kind, (cols, rows): (u16, u16), payload: &[u8]) -> Vec<u8> {
        let mut out = stream.to_be_bytes().to_vec();
        Frame { kind, offset: 0, cols, rows, payload }.encode(&mut out);
        out
    }

    fn tail(payload: &[u8]) -> Tail {
        let mut tail = Tail::new(SessionId("s".into()), 7);
        tail.take(&frame(7, Kind::Snapshot, (20, 6), payload));
        tail
    }

    fn shown(tail: &Tail, pan: (u16, u16), cols: u16, rows: u16) -> Vec<String> {
        let room = Rect::new(0, 0, cols, rows);
        let mut buf = Buffer::empty(room);
        tail.draw(pan, true, room, &mut buf);
        let row = |y| (0..cols).map(|x| buf[(x, y)].symbol()).collect::<String>();
        (0..rows).map(|y| row(y).trim_end().to_owned()).collect()
    }

    #[test]
    fn a_snapshot_is_shown_and_what_follows_it() {
        let mut tail = tail(b"one\r\ntwo");
        tail.take(&frame(7, Kind::Bytes, (20, 6), "\r\nthr\u{e9}".as_bytes().split_at(6).0));
        tail.take(&frame(7, Kind::Bytes, (20, 6), "\u{e9}".as_bytes().split_at(1).1));
        tail.take(&frame(8, Kind::Bytes, (20, 6), b"\x1b[2J"));
        assert_eq!(shown(&tail, (0, 0), 20, 6), ["one", "two", "thr\u{e9}", "", "", ""]);
        tail.take(&frame(7, Kind::Snapshot, (20, 6), b"anew"));
        assert_eq!(shown(&tail, (0, 0), 20, 2), ["anew", ""]);
    }

    #[test]
    fn what_has_the_cursor_has_the_room_and_the_rest_can_be_reached() {
        let tail = tail(b"1\r\n2\r\n3\r\n4\r\n5\r\n6 and so on");
        assert_eq!(shown(&tail, (0, 0), 6, 3), ["4", "5", "6 and"]);
        assert_eq!(shown(&tail, (2, 0), 6, 3), ["2", "3", "4"]);
        assert_eq!(shown(&tail, (99, 0), 6, 3), ["1", "2", "3"]);
        assert_eq!(shown(&tail, (0, 6), 6, 1), ["so on"]);
        assert_eq!(shown(&tail, (0, 999), 6, 1), [""]);
    }

    #[test]
    fn a_screen_that_is_written_from_the_top_is_shown_from_the_top() {
        assert_eq!(shown(&tail(b"$ ls\r\nfile"), (0, 0), 8, 3), ["$ ls", "file", ""]);
        assert_eq!(shown(&tail(b"1\r\n2\r\n3\r\n4\r\n5\r\n6\x1b[H"), (0, 0), 8, 3), ["1", "2", "3"]);
    }

    #[test]
    fn blanks_between_what_is_said_and_the_cursor_take_no_room() {
        let tail = tail(b"said\x1b[6;1H> ");
        assert_eq!(shown(&tail, (0, 0), 8, 3), ["said", "", ">"]);
        assert_eq!(shown(&tail, (0, 0), 8, 6), ["said", "", "", "", "", ">"]);
    }

    #[test]
    fn colours_are_those_of_the_program_unless_none_are_wanted() {
        let tail = tail(b"\x1b[?25l\x1b[1;31mx\x1b[0m");
        let room = Rect::new(0, 0, 20, 6);
        for (colour, expected) in [(true, Color::Indexed(1)), (false, Color::Reset)] {
            let mut buf = Buffer::empty(room);
            tail.draw((0, 0), colour, room, &mut buf);
            assert_eq!(buf[(0, 0)].fg, expected);
            assert!(buf[(0, 0)].modifier.contains(Modifier::BOLD));
        }
    }

    #[test]
    fn a56_nothing_that_a_program_prints_reaches_beyond_its_cells() {
        let tail = tail("a\u{202e}b\u{2066}c\u{200b}\x1b]0;t\x07\x1b[6n\x07".as_bytes());
        assert_eq!(shown(&tail, (0, 0), 20, 1), ["abc"]);
    }

    /// Sides as terminals have them, and a few that none has.
    fn side() -> impl Strategy<Value = u16> {
        prop_oneof![9 => 0..120_u16, 1 => any::<u16>()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_bytes_and_no_size_make_it_fail(
            pieces in prop::collection::vec((0..3u8, (side(), side()), any::<Vec<u8>>()), 0..8),
            room in (0..30u16, 0..12u16),
            pan: (u16, u16),
        ) {
            let mut tail = tail(b"x");
            for (kind, size, payload) in pieces {
                let kind = [Kind::Snapshot, Kind::Bytes, Kind::Resize][usize::from(kind)];
                tail.take(&frame(7, kind, size, &payload));
                shown(&tail, pan, room.0, room.1);
            }
            tail.take(b"abc");
        }
    }
}
