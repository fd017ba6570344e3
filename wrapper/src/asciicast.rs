//! Reads asciicast recordings, version 2 and 3. Must not: know what they are replayed into.

use std::io::BufRead;
use std::time::Duration;

use extractor::Exit;
use serde::Deserialize;
use serde_json::Value;

use crate::keys;
use crate::recording::{Moment, Record};

/// Longest recording: a hundred years. Times are added to what is read.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read.
    #[error("line {line}: {cause}")]
    Read {
        /// The line, from 1.
        line: usize,
        /// Why.
        cause: std::io::Error,
    },
    /// The first line is no header.
    #[error("line 1: not the header of an asciicast: {0}")]
    Header(String),
    /// A version that is not known.
    #[error("line 1: asciicast version {0}; versions 2 and 3 can be read")]
    Version(u64),
    /// A line is no record.
    #[error("line {line}: expected `[time, code, data]`: {cause}")]
    Record {
        /// The line, from 1.
        line: usize,
        /// Why.
        cause: String,
    },
}

#[derive(Debug, Deserialize)]
struct Header {
    version: u64,
    width: Option<u16>,
    height: Option<u16>,
    term: Option<Term>,
}

#[derive(Debug, Deserialize)]
struct Term {
    cols: u16,
    rows: u16,
}

/// A recording that is being read.
#[derive(Debug)]
pub struct Reader<R> {
    lines: std::io::Lines<R>,
    line: usize,
    /// Version 3 counts from the record before, version 2 from the start.
    intervals: bool,
    at: Duration,
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header.
    pub fn new(reader: R) -> Result<Self, Error> {
        let mut lines = reader.lines();
        let first = lines.next().ok_or_else(|| Error::Header("the file is empty".into()))?;
        let first = first.map_err(|cause| Error::Read { line: 1, cause })?;
        let header: Header = serde_json::from_str(&first).map_err(|e| Error::Header(e.to_string()))?;
        let (cols, rows) = match (header.version, header.width, header.height, header.term) {
            (2, Some(cols), Some(rows), _) => (cols, rows),
            (3, _, _, Some(term)) => (term.cols, term.rows),
            (2 | 3, ..) => return Err(Error::Header("the terminal's size is missing".into())),
            (version, ..) => return Err(Error::Version(version)),
        };
        let intervals = header.version == 3;
        Ok(Self { lines, line: 1, intervals, at: Duration::ZERO, cols, rows })
    }

    fn record(&mut self, text: &str) -> Result<Option<Moment>, Error> {
        let line = self.line;
        let wrong = |cause: String| Error::Record { line, cause };
        let (time, code, data): (f64, String, Value) = parse(text).map_err(wrong)?;
        let time = Duration::try_from_secs_f64(time).map_err(|e| wrong(format!("time {time}: {e}")))?;
        let at = if self.intervals { self.at.checked_add(time) } else { Some(time.max(self.at)) };
        let at = at.filter(|at| *at <= LONGEST);
        self.at = at.ok_or_else(|| wrong("the recording is longer than a hundred years".into()))?;
        let text = data.as_str().ok_or_else(|| wrong("data is not a string".into()))?;
        let record = match code.as_str() {
            "o" => Record::Output(text.as_bytes().to_vec()),
            "i" => Record::Input(keys::classify(text.as_bytes()), Vec::new()),
            "r" => {
                let size = text.split_once('x').and_then(|(c, r)| Some((c.parse().ok()?, r.parse().ok()?)));
                let (cols, rows) =
                    size.ok_or_else(|| wrong(format!("size `{text}`: expected for example `80x24`")))?;
                Record::Resize(cols, rows)
            }
            "x" => {
                let status = text.trim().parse().map_err(|_| wrong(format!("exit status `{text}`")))?;
                Record::Exit(Exit::Code(status))
            }
            _ => return Ok(None),
        };
        Ok(Some(Moment { at: self.at, record }))
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Moment, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.line += 1;
            let text = match self.lines.next()? {
                Ok(text) => text,
                Err(cause) => return Some(Err(Error::Read { line: self.line, cause })),
            };
            // Version 3 allows comments.
            if text.trim().is_empty() || text.starts_with('#') {
                continue;
            }
            match self.record(&text) {
                Ok(Some(record)) => return Some(Ok(record)),
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// Parses a record. Bytes that were no UTF-8 stand as lone surrogates in some recordings, which JSON readers refuse:
/// they become replacement characters, as a terminal would show them.
fn parse(text: &str) -> Result<(f64, String, Value), String> {
    serde_json::from_str(text).or_else(|cause| {
        let mut mended = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("\\udc") {
            mended.push_str(&rest[..at]);
            mended.push_str("\\ufffd");
            rest = rest.get(at + 6..).unwrap_or_default();
        }
        mended.push_str(rest);
        serde_json::from_str(&mended).map_err(|_| cause.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(u128, Record)>, Error> {
        Reader::new(text.as_bytes())?.map(|r| r.map(|m| (m.at.as_millis(), m.record))).collect()
    }

    #[test]
    fn version_2_counts_from_the_start_and_version_3_from_the_record_before() {
        let records =
            "[1.0, \"o\", \"a\"]\n[1.5, \"r\", \"90x30\"]\n[2.0, \"m\", \"mark\"]\n[3.0, \"x\", \"1\"]\n";
        let v2 = read(&format!("{{\"version\":2,\"width\":80,\"height\":24}}\n{records}")).unwrap();
        let v3 = read(&format!("{{\"version\":3,\"term\":{{\"cols\":80,\"rows\":24}}}}\n# note\n{records}"))
            .unwrap();
        assert_eq!(v2.iter().map(|r| r.0).collect::<Vec<_>>(), [1000, 1500, 3000]);
        assert_eq!(v3.iter().map(|r| r.0).collect::<Vec<_>>(), [1000, 2500, 7500]);
        assert_eq!(v2[1].1, Record::Resize(90, 30));
        assert_eq!(v2[2].1, Record::Exit(Exit::Code(1)));
    }

    #[test]
    fn a_bad_line_is_named() {
        let header = "{\"version\":2,\"width\":80,\"height\":24}\n";
        let error = read(&format!("{header}[1.0, \"o\", \"a\"]\n[nonsense\n")).unwrap_err().to_string();
        assert!(error.starts_with("line 3:"), "{error}");
        assert!(read(&format!("{header}[-1, \"o\", \"a\"]")).is_err());
        assert!(read(&format!("{header}[1, \"r\", \"wide\"]")).is_err());
        assert!(matches!(read("{\"version\":1}"), Err(Error::Version(1))));
        assert!(matches!(read(""), Err(Error::Header(_))));
    }

    #[test]
    fn a_time_that_no_recording_has_is_refused() {
        for times in [["18446744073709549568", "2047.99"], ["3153600000", "1"]] {
            let lines = times.map(|time| format!("[{time}, \"o\", \"a\"]\n")).concat();
            let cast = format!("{{\"version\":3,\"term\":{{\"cols\":80,\"rows\":24}}}}\n{lines}");
            assert!(read(&cast).unwrap_err().to_string().contains("longer than"), "{cast}");
        }
    }

    #[test]
    fn bytes_that_were_no_text_do_not_end_the_replay() {
        let text = "{\"version\":2,\"width\":80,\"height\":24}\n[1, \"o\", \"a\\udcff\"]\n";
        assert_eq!(read(text).unwrap()[0].1, Record::Output("a\u{fffd}".into()));
    }
}
