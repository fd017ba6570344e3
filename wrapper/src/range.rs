//! A part of a session's recording, from one byte of its output to another, without secrets. Must not: wait for more.
//!
//! Reading begins well before the part and goes on behind it, so that a secret at its border is masked as it would be in
//! its middle. What is read is a whole recording's segment at most, besides the last one, which tells where it ends.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use extractor::redact_stream::HELD_MAX;
use extractor::{Masker, Redactor};
use wire::SessionId;
use wire::http::RecordingPart;
use wire::place::Place;
use wire::session::Size;

use crate::export::take_text;
use crate::recording::{ReadError, Reader, Record};

/// Bytes of output in one part at most.
pub const LENGTH_MAX: u32 = 256 << 10;

/// How far before a part reading begins: a masker remembers as much.
const LEAD: u64 = 64 << 10;

/// What a part may take as JSON: a message must fit into a frame, and a control character takes six bytes.
const JSON_MAX: usize = 512 << 10;

/// Longest piece of output that is one event.
const PIECE: usize = 16 << 10;

/// A part that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RangeError {
    /// No session of this user on this host.
    #[error("this host has no recording of the session {0}")]
    Unknown(String),
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// The part of a session's output that begins at byte `from`.
pub fn read(
    place: &Place,
    session: &SessionId,
    from: u64,
    length: u32,
    redactor: &Arc<Redactor>,
) -> Result<RecordingPart, RangeError> {
    let folder = folder(place, session).ok_or_else(|| RangeError::Unknown(wire::text::escape(&session.0)))?;
    part(&folder, from, length, redactor)
}

/// The session's folder: only a plain id names one, and only a folder of this user's own counts.
fn folder(place: &Place, session: &SessionId) -> Option<PathBuf> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if session.0.is_empty() || session.0.len() > 64 || !session.0.chars().all(plain) {
        return None;
    }
    let folder = place.session(session);
    let meta = fs::symlink_metadata(&folder).ok()?;
    (meta.is_dir() && meta.uid() == rustix::process::geteuid().as_raw()).then_some(folder)
}

/// The same of the recording in a folder.
fn part(
    folder: &Path,
    from: u64,
    length: u32,
    redactor: &Arc<Redactor>,
) -> Result<RecordingPart, RangeError> {
    // No recording is as long; and what follows may add.
    let from = from.min(u64::MAX >> 1);
    let mut window = Window::new(from, length.clamp(1, LENGTH_MAX));
    let mut masker: Option<Masker> = None;
    let mut end = 0;
    for moment in Reader::before(folder, from.saturating_sub(LEAD))? {
        let moment = moment?;
        match moment.record {
            Record::Header(header) => {
                // A recording whose first segments were removed begins where it now begins.
                end = header.offset;
                window.resized(moment.at, end, (header.cols, header.rows));
                masker.get_or_insert_with(|| Masker::new(Arc::clone(redactor), header.cols));
            }
            Record::Output(bytes) => {
                if end + bytes.len() as u64 + LEAD > from
                    && let Some(masker) = &mut masker
                {
                    window.output(moment.at, end, &bytes, masker);
                }
                end += bytes.len() as u64;
            }
            Record::Gap(lost) => end += lost,
            Record::Resize(cols, rows) => window.resized(moment.at, end, (cols, rows)),
            Record::Input(..)
            | Record::Told(..)
            | Record::Attached(_)
            | Record::Kept(_)
            | Record::Relaunched(_)
            | Record::Exit(_) => {}
        }
        if end > window.to + HELD_MAX as u64 {
            end = end.max(last_byte(folder)?);
            break;
        }
    }
    if let Some(masker) = &mut masker {
        masker.release(&mut window.clean);
    }
    Ok(window.part(end))
}

/// How many bytes of output there are.
fn last_byte(folder: &Path) -> Result<u64, ReadError> {
    let mut end = 0;
    for moment in Reader::before(folder, u64::MAX)? {
        match moment?.record {
            Record::Header(header) => end = header.offset,
            Record::Output(bytes) => end += bytes.len() as u64,
            Record::Gap(lost) => end += lost,
            Record::Resize(..)
            | Record::Input(..)
            | Record::Told(..)
            | Record::Attached(_)
            | Record::Kept(_)
            | Record::Relaunched(_)
            | Record::Exit(_) => {}
        }
    }
    Ok(end)
}

/// What was read of a recording, before and behind a part of it as well.
struct Window {
    from: u64,
    to: u64,
    /// Masked output, as many bytes as the pieces have.
    clean: Vec<u8>,
    pieces: Vec<Piece>,
    sizes: Vec<(Duration, u64, Size)>,
}

/// Some bytes of output.
struct Piece {
    at: Duration,
    /// The first of them in the session's output.
    from: u64,
    length: usize,
}

impl Window {
    fn new(from: u64, length: u32) -> Self {
        let to = from.saturating_add(length.into());
        Self { from, to, clean: Vec::new(), pieces: Vec::new(), sizes: Vec::new() }
    }

    fn output(&mut self, at: Duration, from: u64, bytes: &[u8], masker: &mut Masker) {
        masker.feed(bytes, &mut self.clean);
        // A piece ends at the part's borders, so that none has to be cut.
        let mut from = from;
        let mut rest = bytes.len();
        while rest > 0 {
            let border = [self.from, self.to].into_iter().find(|border| *border > from);
            let room = border.map_or(u64::MAX, |border| border - from);
            let length = rest.min(PIECE).min(usize::try_from(room).unwrap_or(usize::MAX));
            self.pieces.push(Piece { at, from, length });
            from += length as u64;
            rest -= length;
        }
    }

    fn resized(&mut self, at: Duration, offset: u64, (cols, rows): (u16, u16)) {
        if self.sizes.last().is_none_or(|(_, _, size)| (size.cols, size.rows) != (cols, rows)) {
            self.sizes.push((at, offset, Size { cols, rows }));
        }
    }

    fn part(self, end: u64) -> RecordingPart {
        let first = self.pieces.iter().find(|piece| piece.from >= self.from);
        let from = first.map_or(end.min(self.from), |piece| piece.from);
        let (before, within): (Vec<_>, Vec<_>) =
            self.sizes.iter().partition(|(_, offset, _)| *offset <= from);
        let size = before.last().or(within.first()).map_or(Size { cols: 80, rows: 24 }, |(_, _, size)| *size);
        let mut part = RecordingPart { from, next: from, end, size, events: Vec::new() };
        let (mut text, mut json, mut at) = (Vec::new(), 0, 0);
        let mut sizes = within.into_iter().peekable();
        for piece in &self.pieces {
            let bytes = &self.clean[at..at + piece.length];
            at += piece.length;
            if piece.from < from {
                continue;
            }
            if piece.from >= self.to || json > JSON_MAX {
                break;
            }
            while let Some((at, _, size)) = sizes.next_if(|(_, offset, _)| *offset <= piece.from) {
                part.events.push((at.as_secs_f64(), "r".to_owned(), format!("{}x{}", size.cols, size.rows)));
            }
            text.extend_from_slice(bytes);
            part.next = piece.from + piece.length as u64;
            push(&mut part, piece.at, take_text(&mut text), &mut json);
        }
        if part.next - from > text.len() as u64 {
            // A character that is cut by the end belongs to the next part.
            part.next -= text.len() as u64;
        } else if !text.is_empty() {
            let at = part.events.last().map_or(Duration::ZERO, |(at, ..)| Duration::from_secs_f64(*at));
            push(&mut part, at, String::from_utf8_lossy(&text).into_owned(), &mut json);
        }
        part
    }
}

fn push(part: &mut RecordingPart, at: Duration, text: String, json: &mut usize) {
    if !text.is_empty() {
        *json += text.chars().map(escaped).sum::<usize>();
        part.events.push((at.as_secs_f64(), "o".to_owned(), text));
    }
}

/// Bytes that a character takes in JSON.
fn escaped(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' => 2,
        '\0'..='\x1f' => 6,
        c => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::{Writer, testing::writer};

    struct Recorded {
        dir: tempfile::TempDir,
        writer: Option<Writer>,
        _wake: std::io::PipeReader,
    }

    impl Recorded {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let (writer, grown) = writer(dir.path());
            Self { dir, writer: Some(writer), _wake: grown }
        }

        fn output(&mut self, ms: u64, bytes: &[u8]) {
            self.writer.as_mut().unwrap().output(Duration::from_millis(ms), bytes);
        }

        fn resize(&mut self, ms: u64, cols: u16, rows: u16) {
            self.writer.as_mut().unwrap().record(Duration::from_millis(ms), &Record::Resize(cols, rows));
        }

        fn part(&mut self, from: u64, length: u32) -> RecordingPart {
            if let Some(writer) = self.writer.take() {
                writer.finish(Duration::from_secs(20));
            }
            part(self.dir.path(), from, length, &redactor()).unwrap()
        }
    }

    fn redactor() -> Arc<Redactor> {
        Arc::new(Redactor::new(patterns::Secrets::builtin(), [], [0; 16]))
    }

    fn event(at: f64, code: &str, text: &str) -> (f64, String, String) {
        (at, code.into(), text.into())
    }

    #[test]
    fn a_part_has_its_bytes_its_sizes_and_says_where_to_go_on() {
        let mut recorded = Recorded::new();
        recorded.output(1_000, b"one");
        recorded.resize(2_000, 100, 30);
        recorded.output(3_000, b"two");
        recorded.resize(4_000, 120, 40);
        recorded.output(5_000, b"three");
        let whole = recorded.part(0, 1_000);
        let events = [
            event(1.0, "o", "one"),
            event(2.0, "r", "100x30"),
            event(3.0, "o", "two"),
            event(4.0, "r", "120x40"),
            event(5.0, "o", "three"),
        ];
        let size = |cols, rows| Size { cols, rows };
        let part = |from, next, size, events: &[_]| RecordingPart {
            from,
            next,
            end: 11,
            size,
            events: events.to_vec(),
        };
        assert_eq!(whole, part(0, 11, size(80, 24), &events));
        let middle = [event(1.0, "o", "e"), event(2.0, "r", "100x30"), event(3.0, "o", "tw")];
        assert_eq!(recorded.part(2, 3), part(2, 5, size(80, 24), &middle));
        assert_eq!(recorded.part(3, 3), part(3, 6, size(100, 30), &[event(3.0, "o", "two")]));
        assert_eq!(recorded.part(11, 9), part(11, 11, size(120, 40), &[]));
        assert_eq!(recorded.part(99, 9), part(11, 11, size(120, 40), &[]), "behind the end there is nothing");
    }

    #[test]
    fn behind_the_end_there_is_nothing_however_far() {
        let mut recorded = Recorded::new();
        recorded.output(0, b"one");
        for from in [3, 1_000_000, u64::MAX - 1, u64::MAX] {
            let part = recorded.part(from, 1);
            assert_eq!((part.end, part.events.len()), (3, 0), "{from}");
        }
    }

    #[test]
    fn parts_put_together_are_the_whole_and_cut_no_character() {
        let text = "a–é🙂\u{fffd}\x1b[31mé".repeat(40);
        let mut recorded = Recorded::new();
        for (at, piece) in text.as_bytes().chunks(7).enumerate() {
            recorded.output(at as u64, piece);
        }
        for length in [1, 2, 5, 64, 4_096] {
            let (mut from, mut all) = (0, String::new());
            loop {
                let part = recorded.part(from, length);
                assert_eq!((part.from, part.end), (from, text.len() as u64));
                assert!(part.next - part.from <= u64::from(length));
                all.extend(part.events.iter().map(|(_, _, text)| text.as_str()));
                if part.next == part.end {
                    break;
                }
                assert!(part.next > from, "it goes on");
                from = part.next;
            }
            if length >= 5 {
                assert_eq!(all, text, "parts of {length}");
            }
        }
    }

    #[test]
    fn a_secret_that_a_border_cuts_does_not_show() {
        let token = format!("ghp_{}", "Ab1".repeat(12));
        let mut recorded = Recorded::new();
        let text = format!("the token {token} is secret");
        for (at, piece) in text.as_bytes().chunks(3).enumerate() {
            recorded.output(at as u64 * 1_000, piece);
        }
        for from in 0..text.len() as u64 {
            for length in [1, 10, 20, 100] {
                let part = recorded.part(from, length);
                let shown: String = part.events.iter().map(|(_, _, text)| text.as_str()).collect();
                assert!(!shown.contains("Ab") && !shown.contains("b1"), "{from}+{length}: {shown}");
            }
        }
    }

    #[test]
    fn a_part_far_into_a_long_recording_is_the_same_as_from_its_beginning() {
        let mut recorded = Recorded::new();
        let chunk = |i: u64| format!("{i:07}\r\n").repeat((1 << 20) / 9).into_bytes();
        for i in 0..36 {
            recorded.output(i * 1_000, &chunk(i));
            assert!(recorded.writer.as_mut().unwrap().settle(Duration::from_secs(60)));
        }
        let size = chunk(0).len() as u64;
        let part = recorded.part(33 * size + 9, LENGTH_MAX + 1);
        assert_eq!((part.from, part.next, part.end), (33 * size + 9, 33 * size + 9 + (256 << 10), 36 * size));
        assert!(part.events.iter().all(|(at, _, _)| *at == 33.0));
        assert!(part.events[0].2.starts_with("0000033\r\n0000033"));
    }

    #[test]
    fn a_message_fits_into_a_frame_whatever_the_output_is() {
        let mut recorded = Recorded::new();
        recorded.output(0, &b"\x1b\x01".repeat(200 << 10));
        let part = recorded.part(0, LENGTH_MAX);
        assert!(serde_json::to_string(&part).unwrap().len() < 1 << 20);
        assert!(part.next > 0 && part.next < u64::from(LENGTH_MAX));
    }

    #[test]
    fn a63_only_a_plain_id_of_a_session_of_this_host_is_read() {
        let tmp = tempfile::tempdir().unwrap();
        let at = |name: &str| tmp.path().join(name);
        let place = Place { run: at("run"), state: at("state"), config: at("config") };
        place.create().unwrap();
        let outside = at("outside");
        fs::create_dir(&outside).unwrap();
        std::os::unix::fs::symlink(&outside, place.session(&SessionId("link".into()))).unwrap();
        for bad in ["", "..", ".", "../../outside", "a/b", "link", "none", "a\0", &"x".repeat(65)] {
            let found = read(&place, &SessionId(bad.to_owned()), 0, 10, &redactor());
            assert!(matches!(found, Err(RangeError::Unknown(_))), "{bad:?}");
        }
    }
}
