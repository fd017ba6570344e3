//! Reads a recording, while it grows or afterwards. Must not: wait; the caller knows what wakes it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::record::RecordError;
use super::{MAGIC, Moment, Record, segment_path, segments};

/// Bytes that are read at once.
const PIECE: usize = 64 << 10;

/// A recording that cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file system refused.
    #[error("cannot read the recording {0}: {1}")]
    Io(PathBuf, io::Error),
    /// There is no segment.
    #[error("{0} holds no recording (no file named 000001.mrec or later)")]
    Empty(PathBuf),
    /// A segment begins with something else.
    #[error("{0} is not a segment of a recording: it does not begin with MUSTREC1")]
    Magic(PathBuf),
    /// A record is damaged.
    #[error("{0} is damaged at byte {1}: {2}")]
    Damaged(PathBuf, u64, RecordError),
}

/// What came of asking for the next record.
#[derive(Debug)]
pub enum Follow {
    /// A record.
    Moment(Moment),
    /// Nothing more for now; later, perhaps.
    End,
}

/// Reads the segments of a recording in order.
pub struct Reader {
    dir: PathBuf,
    number: u32,
    file: Option<File>,
    /// What was read of it; `filled` bytes are of the file, of which `used` are done with.
    buffer: Vec<u8>,
    filled: usize,
    used: usize,
    /// Bytes of this segment that are used.
    position: u64,
    begun: bool,
    at: Duration,
}

impl Reader {
    /// Starts at the oldest segment of the recording in `dir`; there may be none yet.
    pub fn open(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            number: 0,
            file: None,
            buffer: Vec::new(),
            filled: 0,
            used: 0,
            position: 0,
            begun: false,
            at: Duration::ZERO,
        }
    }

    /// Starts at the newest segment that begins at or before this byte of output, else at the oldest there is.
    pub fn before(dir: &Path, output: u64) -> Result<Self, ReadError> {
        let all = segments(dir).map_err(|e| ReadError::Io(dir.to_owned(), e))?;
        let Some(oldest) = all.first().copied() else { return Err(ReadError::Empty(dir.to_owned())) };
        let mut found = Self { number: oldest - 1, ..Self::open(dir) };
        for number in all.into_iter().rev() {
            let mut reader = Self { number: number - 1, ..Self::open(dir) };
            // One that has just been begun may not have its header yet.
            if let Follow::Moment(Moment { record: Record::Header(header), .. }) = reader.next()?
                && header.offset <= output
            {
                found.number = number - 1;
                break;
            }
        }
        Ok(found)
    }

    /// The next record. [`Follow::End`] may be followed by more once the recording has grown.
    #[expect(clippy::should_implement_trait, reason = "an iterator ends, and a growing recording does not")]
    pub fn next(&mut self) -> Result<Follow, ReadError> {
        loop {
            if self.file.is_none() && !self.open_next()? {
                return Ok(Follow::End);
            }
            if let Some(moment) = self.parse()? {
                return Ok(Follow::Moment(moment));
            }
            if self.fill()? == 0 {
                // A newer segment means that this one is complete, except for what a crash cut off.
                if !self.newer()? {
                    return Ok(Follow::End);
                }
                if self.fill()? == 0 {
                    self.file = None;
                }
            }
        }
    }

    fn parse(&mut self) -> Result<Option<Moment>, ReadError> {
        if !self.begun {
            let Some(magic) = self.read().get(..MAGIC.len()) else { return Ok(None) };
            if magic != MAGIC {
                return Err(ReadError::Magic(segment_path(&self.dir, self.number)));
            }
            self.begun = true;
            self.advance(MAGIC.len());
        }
        let found = Record::decode(self.read());
        let damaged = |e| ReadError::Damaged(segment_path(&self.dir, self.number), self.position, e);
        let found = found.map_err(damaged)?;
        let Some((delta, record, size)) = found else { return Ok(None) };
        self.advance(size);
        self.at = match &record {
            Record::Header(header) => Duration::from_micros(header.at_us),
            _ => self.at + delta,
        };
        Ok(Some(Moment { at: self.at, record }))
    }

    fn advance(&mut self, bytes: usize) {
        self.used += bytes;
        self.position += bytes as u64;
    }

    fn fill(&mut self) -> Result<usize, ReadError> {
        let path = segment_path(&self.dir, self.number);
        let Some(file) = self.file.as_mut() else { return Ok(0) };
        // What is left is the beginning of one record.
        self.buffer.copy_within(self.used..self.filled, 0);
        self.filled -= std::mem::take(&mut self.used);
        if self.buffer.len() < self.filled + PIECE / 2 {
            self.buffer.resize(self.filled + PIECE, 0);
        }
        let read = file.read(&mut self.buffer[self.filled..]).map_err(|e| ReadError::Io(path, e))?;
        self.filled += read;
        Ok(read)
    }

    /// What was read of the segment and not used yet.
    fn read(&self) -> &[u8] {
        &self.buffer[self.used..self.filled]
    }

    /// Whether a newer segment was begun. The next one is asked for by its name, as the end is met often; only where this
    /// one was deleted meanwhile may the next one be as well.
    fn newer(&self) -> Result<bool, ReadError> {
        if segment_path(&self.dir, self.number + 1).exists() {
            return Ok(true);
        }
        if segment_path(&self.dir, self.number).exists() {
            return Ok(false);
        }
        let all = segments(&self.dir).map_err(|e| ReadError::Io(self.dir.clone(), e))?;
        Ok(all.iter().any(|n| *n > self.number))
    }

    fn open_next(&mut self) -> Result<bool, ReadError> {
        let all = segments(&self.dir).map_err(|e| ReadError::Io(self.dir.clone(), e))?;
        let Some(number) = all.into_iter().find(|n| *n > self.number) else { return Ok(false) };
        let path = segment_path(&self.dir, number);
        self.file = Some(File::open(&path).map_err(|e| ReadError::Io(path, e))?);
        self.number = number;
        (self.filled, self.used, self.position, self.begun) = (0, 0, 0, false);
        Ok(true)
    }
}

impl Iterator for Reader {
    type Item = Result<Moment, ReadError>;

    /// The recording as it is now, to its present end.
    fn next(&mut self) -> Option<Self::Item> {
        match Reader::next(self) {
            Ok(Follow::Moment(moment)) => Some(Ok(moment)),
            Ok(Follow::End) => None,
            Err(fault) => Some(Err(fault)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::writer;
    use super::*;
    use extractor::{Exit, Keys};

    #[test]
    fn what_was_recorded_is_read_back_with_its_times() {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, _wake) = writer(dir.path());
        let keys = Keys { enter: true, ..Keys::default() };
        writer.output(Duration::from_micros(5), b"one");
        writer.record(Duration::from_micros(7), &Record::Input(keys, Vec::new()));
        writer.flush();
        writer.output(Duration::from_micros(9), b"two");
        writer.record(Duration::from_micros(9), &Record::Exit(Exit::Code(3)));
        writer.finish(Duration::from_secs(10));
        let all: Vec<_> = Reader::open(dir.path()).map(|m| m.unwrap()).collect();
        assert!(matches!(&all[0].record, Record::Header(h) if h.session == "s"));
        let rest: Vec<_> = all[1..].iter().map(|m| (m.at.as_micros(), m.record.clone())).collect();
        assert_eq!(
            rest,
            [
                (5, Record::Output(b"one".to_vec())),
                (7, Record::Input(keys, Vec::new())),
                (9, Record::Output(b"two".to_vec())),
                (9, Record::Exit(Exit::Code(3))),
            ]
        );
    }

    #[test]
    fn segments_are_bounded_and_follow_on_without_a_seam() {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, _wake) = writer(dir.path());
        let chunk = vec![b'x'; 1 << 20];
        for i in 0..40u64 {
            writer.output(Duration::from_millis(i), &chunk);
            assert!(writer.settle(Duration::from_secs(60)));
        }
        writer.finish(Duration::from_secs(60));
        assert_eq!(segments(dir.path()).unwrap(), [1, 2, 3]);
        let mut output = 0;
        for moment in Reader::open(dir.path()) {
            match moment.unwrap().record {
                Record::Output(bytes) => output += bytes.len() as u64,
                Record::Header(header) => assert_eq!(header.offset, output),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(output, 40 << 20);
    }

    #[test]
    fn a_segment_cut_off_by_a_crash_is_read_to_its_last_whole_record() {
        let dir = tempfile::tempdir().unwrap();
        let (mut writer, _wake) = writer(dir.path());
        writer.output(Duration::ZERO, b"whole");
        writer.record(Duration::ZERO, &Record::Input(Keys::default(), b"cut off".to_vec()));
        writer.finish(Duration::from_secs(10));
        let path = segment_path(dir.path(), 1);
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        let last = Reader::open(dir.path()).last().unwrap().unwrap();
        assert_eq!(last.record, Record::Output(b"whole".to_vec()));
    }
}
