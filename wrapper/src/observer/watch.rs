//! A session's terminal for those who watch it through the server, without the secrets it shows. Must not: keep what
//! nobody takes.

use std::sync::Arc;
use std::time::Instant;

use extractor::redact_stream::PATIENCE;
use extractor::{Masker, Redactor};
use wire::frame::{Frame, Kind};
use wire::session::Size;

/// Bytes of output in one frame.
const FRAME_MAX: usize = 64 << 10;

/// Output that may wait for the connection before viewers get a new snapshot instead.
const PENDING_MAX: usize = 1 << 20;

/// What viewers have.
#[derive(Debug, Default)]
enum Phase {
    /// There are none.
    #[default]
    Nobody,
    /// They need a snapshot.
    Snapshot,
    /// They have everything up to where `pending` begins.
    Live {
        /// Offset of the first pending byte.
        offset: u64,
        pending: Vec<u8>,
        size: Size,
        /// Holds what may be the beginning of a secret; what it gives is as long as what it took.
        masker: Box<Masker>,
        /// When the program last wrote.
        heard: Instant,
    },
}

/// The terminal as viewers see it.
#[derive(Debug)]
pub struct Watched {
    redactor: Arc<Redactor>,
    phase: Phase,
}

impl Watched {
    /// Nobody watches yet.
    pub fn new(redactor: &Arc<Redactor>) -> Self {
        Self { redactor: Arc::clone(redactor), phase: Phase::Nobody }
    }

    /// Somebody watches, or fell behind.
    pub fn start(&mut self) {
        self.phase = Phase::Snapshot;
    }

    /// Nobody watches.
    pub fn stop(&mut self) {
        self.phase = Phase::Nobody;
    }

    /// The program wrote, at `offset`.
    pub fn output(&mut self, offset: u64, size: Size, bytes: &[u8]) {
        let Phase::Live { offset: first, pending, size: known, masker, heard } = &mut self.phase else {
            return;
        };
        if pending.is_empty() {
            *first = offset - masker.held() as u64;
        }
        *known = size;
        *heard = Instant::now();
        masker.feed(bytes, pending);
        if pending.len() > PENDING_MAX {
            self.phase = Phase::Snapshot;
        }
    }

    /// The terminal has a new size: viewers start afresh, as the program will redraw.
    pub fn resized(&mut self) {
        match self.phase {
            Phase::Nobody => {}
            Phase::Snapshot | Phase::Live { .. } => self.phase = Phase::Snapshot,
        }
    }

    /// When bytes that are held back are let go, if nothing comes before.
    pub fn due(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Live { masker, heard, .. } if masker.held() > 0 => Some(*heard + PATIENCE),
            Phase::Nobody | Phase::Snapshot | Phase::Live { .. } => None,
        }
    }

    /// Whether something waits for the connection.
    pub fn waits(&self) -> bool {
        match &self.phase {
            Phase::Nobody => false,
            Phase::Snapshot => true,
            Phase::Live { pending, .. } => !pending.is_empty(),
        }
    }

    /// Sends what waits, as far as `take` takes it.
    pub fn send(
        &mut self,
        snapshot: impl FnOnce() -> (u64, Size, Vec<u8>),
        mut take: impl FnMut(Vec<u8>) -> bool,
    ) {
        match &mut self.phase {
            Phase::Nobody => {}
            Phase::Snapshot => {
                let (offset, size, payload) = snapshot();
                let mut masker = Box::new(Masker::new(Arc::clone(&self.redactor), size.cols));
                let mut masked = Vec::with_capacity(payload.len());
                masker.whole(&payload, &mut masked);
                if take(frame(Kind::Snapshot, offset, size, &masked)) {
                    let (pending, heard) = (Vec::new(), Instant::now());
                    self.phase = Phase::Live { offset, pending, size, masker, heard };
                }
            }
            Phase::Live { offset, pending, size, masker, heard } => {
                if masker.held() > 0 && heard.elapsed() >= PATIENCE {
                    masker.release(pending);
                }
                while !pending.is_empty() {
                    let length = pending.len().min(FRAME_MAX);
                    if !take(frame(Kind::Bytes, *offset, *size, &pending[..length])) {
                        return;
                    }
                    *offset += length as u64;
                    pending.drain(..length);
                }
            }
        }
    }
}

fn frame(kind: Kind, offset: u64, size: Size, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(wire::frame::HEADER + payload.len());
    Frame { kind, offset, cols: size.cols, rows: size.rows, payload }.encode(&mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { cols: 80, rows: 24 };

    fn watched() -> Watched {
        Watched::new(&Arc::new(Redactor::new(patterns::Secrets::builtin(), [], [0; 16])))
    }

    fn sent(watched: &mut Watched, room: usize) -> Vec<(Kind, u64, Vec<u8>)> {
        let mut frames = Vec::new();
        let take = |bytes: Vec<u8>| {
            let fits = frames.len() < room;
            if fits {
                let frame = Frame::decode(&bytes).unwrap();
                frames.push((frame.kind, frame.offset, frame.payload.to_vec()));
            }
            fits
        };
        watched.send(|| (100, SIZE, b"screen".to_vec()), take);
        frames
    }

    #[test]
    fn viewers_get_a_snapshot_and_then_what_follows_it() {
        let mut watched = watched();
        watched.output(0, SIZE, b"nobody sees this");
        watched.start();
        assert_eq!(sent(&mut watched, 9), [(Kind::Snapshot, 100, b"screen".to_vec())]);
        watched.output(100, SIZE, b"ab");
        watched.output(102, SIZE, b"c");
        assert_eq!(sent(&mut watched, 0), []);
        assert_eq!(sent(&mut watched, 9), [(Kind::Bytes, 100, b"abc".to_vec())]);
    }

    #[test]
    fn what_a_slow_connection_does_not_take_is_replaced_by_a_snapshot() {
        let mut watched = watched();
        watched.start();
        sent(&mut watched, 9);
        for i in 0..40 {
            watched.output(100 + (i << 16), SIZE, &[b'x'; 1 << 16]);
        }
        assert_eq!(sent(&mut watched, 9), [(Kind::Snapshot, 100, b"screen".to_vec())]);
    }
}
