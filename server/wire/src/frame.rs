//! Binary frames: a session's terminal bytes. Must not: interpret the bytes.
//!
//! Wrapper to server: `kind u8 · offset u64 · cols u16 · rows u16 · payload`, big-endian.
//! Server to viewer: `stream u32` before the same. `offset` counts the bytes of the session's output
//! from its start; a snapshot's payload redraws the screen as it was at `offset`, and bytes continue there.

/// What the payload of a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Redraws the whole screen.
    Snapshot,
    /// Continues at the frame's offset.
    Bytes,
    /// The terminal has a new size; no payload.
    Resize,
}

/// A decoded frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it carries.
    pub kind: Kind,
    /// Where in the output.
    pub offset: u64,
    /// Columns of the terminal.
    pub cols: u16,
    /// Rows of the terminal.
    pub rows: u16,
    /// Bytes for a terminal.
    pub payload: &'a [u8],
}

/// A frame that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Shorter than its header.
    #[error("a terminal frame of {0} bytes is shorter than its header of {HEADER}")]
    Short(usize),
    /// A kind this build does not know.
    #[error("terminal frame of unknown kind {0}")]
    Kind(u8),
}

/// Bytes before the payload.
pub const HEADER: usize = 13;

impl<'a> Frame<'a> {
    /// Writes the frame after whatever `out` holds already.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(match self.kind {
            Kind::Snapshot => 1,
            Kind::Bytes => 2,
            Kind::Resize => 3,
        });
        out.extend_from_slice(&self.offset.to_be_bytes());
        out.extend_from_slice(&self.cols.to_be_bytes());
        out.extend_from_slice(&self.rows.to_be_bytes());
        out.extend_from_slice(self.payload);
    }

    /// Reads a frame. Errors when it is short or of an unknown kind; never panics.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let (head, payload) = bytes.split_at_checked(HEADER).ok_or(FrameError::Short(bytes.len()))?;
        let kind = match head[0] {
            1 => Kind::Snapshot,
            2 => Kind::Bytes,
            3 => Kind::Resize,
            other => return Err(FrameError::Kind(other)),
        };
        let number =
            |at: usize, len: usize| head[at..at + len].iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
        Ok(Frame {
            kind,
            offset: number(1, 8),
            cols: number(9, 2) as u16,
            rows: number(11, 2) as u16,
            payload,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_frame_survives_the_wire(kind in 0..3u8, offset: u64, cols: u16, rows: u16, payload: Vec<u8>) {
            let kind = [Kind::Snapshot, Kind::Bytes, Kind::Resize][kind as usize];
            let frame = Frame { kind, offset, cols, rows, payload: &payload };
            let mut bytes = Vec::new();
            frame.encode(&mut bytes);
            prop_assert_eq!(Frame::decode(&bytes), Ok(frame));
        }

        #[test]
        fn any_bytes_decode_or_are_refused(bytes: Vec<u8>) {
            let _ = Frame::decode(&bytes);
        }
    }
}
