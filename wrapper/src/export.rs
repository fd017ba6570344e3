//! Writes a recording as an asciicast. Must not: change the recording.
//!
//! asciicast v3 (asciinema's format): a header object, then one array a line, `[seconds since the line before, code,
//! data]`. Bytes that are no UTF-8 become U+FFFD, as the format is text; the recording itself keeps them. When secrets are
//! masked, what may be the beginning of one comes as late as viewers of the session saw it.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use extractor::redact_stream::PATIENCE;
use extractor::{Exit, Keys, Masker, Redactor};
use serde_json::json;

use crate::recording::{Header, Moment, ReadError, Reader, Record};

/// A recording that cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The cast cannot be written.
    #[error("cannot write the asciicast: {0}")]
    Write(#[from] io::Error),
}

/// Exports the recording in `folder`; with a redactor, without the secrets it shows.
pub fn asciicast_v3(
    folder: &Path,
    redactor: Option<&Arc<Redactor>>,
    out: &mut impl Write,
) -> Result<(), ExportError> {
    let mut cast = Cast::new(redactor.cloned(), out);
    let mut any = false;
    for moment in Reader::open(folder) {
        any = true;
        cast.moment(moment?)?;
    }
    if !any {
        return Err(ReadError::Empty(folder.to_owned()).into());
    }
    cast.release(cast.heard)?;
    Ok(cast.out.flush()?)
}

struct Cast<'a, W> {
    out: &'a mut W,
    /// Bytes of output that may be the beginning of a character.
    text: Vec<u8>,
    /// Time of the last line, as far as it was written: rounding must not add up.
    last_us: u64,
    begun: bool,
    mask: Option<(Arc<Redactor>, Masker)>,
    /// When the last output came.
    heard: Duration,
}

impl<'a, W: Write> Cast<'a, W> {
    fn new(redactor: Option<Arc<Redactor>>, out: &'a mut W) -> Self {
        let mask = redactor.map(|redactor| (Arc::clone(&redactor), Masker::new(redactor, 80)));
        Self { out, text: Vec::new(), last_us: 0, begun: false, mask, heard: Duration::ZERO }
    }

    /// Writes what is held back.
    fn release(&mut self, at: Duration) -> io::Result<()> {
        if let Some((_, masker)) = &mut self.mask {
            masker.release(&mut self.text);
        }
        self.output(at)
    }

    fn output(&mut self, at: Duration) -> io::Result<()> {
        let text = take_text(&mut self.text);
        if text.is_empty() { Ok(()) } else { self.line(at, "o", &text) }
    }

    fn moment(&mut self, Moment { at, record }: Moment) -> io::Result<()> {
        let patient = matches!(record, Record::Output(_) | Record::Input(..) | Record::Told(..));
        if !patient || at >= self.heard + PATIENCE {
            self.release(at.min(self.heard + PATIENCE))?;
        }
        match record {
            Record::Header(header) if !self.begun => {
                self.begun = true;
                // A recording whose first segments were removed begins where it now begins.
                self.last_us = header.at_us;
                let redactor = self.mask.as_ref().map(|(redactor, _)| redactor);
                let head = head(&header, |text| redactor.map_or(text.into(), |r| r.masked(text)));
                if let Some((redactor, masker)) = &mut self.mask {
                    *masker = Masker::new(Arc::clone(redactor), header.cols);
                }
                serde_json::to_writer(&mut *self.out, &head)?;
                self.out.write_all(b"\n")
            }
            Record::Output(bytes) => {
                self.heard = at;
                match &mut self.mask {
                    Some((_, masker)) => masker.feed(&bytes, &mut self.text),
                    None => self.text.extend_from_slice(&bytes),
                }
                self.output(at)
            }
            Record::Input(keys, bytes) => match input(keys, if self.mask.is_some() { &[] } else { &bytes }) {
                Some(text) => self.line(at, "i", &text),
                None => Ok(()),
            },
            Record::Resize(cols, rows) => self.line(at, "r", &format!("{cols}x{rows}")),
            Record::Told(..) => Ok(()),
            Record::Gap(lost) => self.line(at, "m", &format!("{lost} bytes were not recorded")),
            Record::Exit(exit) => {
                let status = match exit {
                    Exit::Code(code) => code,
                    Exit::Signal(signal) => 128 + signal,
                };
                self.line(at, "x", &status.to_string())
            }
            Record::Relaunched(_) => self.line(at, "m", "the program was started anew"),
            Record::Header(_) | Record::Attached(_) | Record::Kept(_) => Ok(()),
        }
    }

    fn line(&mut self, at: Duration, code: &str, data: &str) -> io::Result<()> {
        let at_us = at.as_micros() as u64;
        let interval_us = at_us.saturating_sub(self.last_us);
        self.last_us += interval_us;
        serde_json::to_writer(&mut *self.out, &json!([interval_us as f64 / 1e6, code, data]))?;
        self.out.write_all(b"\n")
    }
}

/// What was typed when that was recorded; else only the keys that say nothing but that they were pressed, without which
/// a replay could not tell a submitted prompt or an interrupt.
fn input(keys: Keys, bytes: &[u8]) -> Option<String> {
    if !bytes.is_empty() {
        return Some(String::from_utf8_lossy(bytes).into_owned());
    }
    let pressed = [(keys.enter, '\r'), (keys.escape, '\x1b'), (keys.interrupt, '\x03')];
    let text: String = pressed.iter().filter(|(yes, _)| *yes && !keys.reply).map(|(_, key)| *key).collect();
    (!text.is_empty()).then_some(text)
}

fn head(header: &Header, clean: impl Fn(&str) -> Cow<'_, str>) -> serde_json::Value {
    json!({
        "version": 3,
        "term": { "cols": header.cols, "rows": header.rows, "type": header.term },
        "timestamp": header.started_ms / 1000,
        "command": clean(&header.argv.join(" ")),
        "title": clean(&header.name),
    })
}

/// Takes the whole characters off the front of `bytes`; what may still become one stays.
pub(crate) fn take_text(bytes: &mut Vec<u8>) -> String {
    let mut text = String::new();
    let mut used = 0;
    while used < bytes.len() {
        match std::str::from_utf8(&bytes[used..]) {
            Ok(rest) => {
                text.push_str(rest);
                used = bytes.len();
            }
            Err(fault) => {
                let good = used + fault.valid_up_to();
                text.push_str(&String::from_utf8_lossy(&bytes[used..good]));
                match fault.error_len() {
                    Some(bad) => {
                        text.push('\u{fffd}');
                        used = good + bad;
                    }
                    None => {
                        used = good;
                        break;
                    }
                }
            }
        }
    }
    bytes.drain(..used);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_whole_however_the_bytes_were_read() {
        let all = "a–é🙂\u{fffd}".as_bytes();
        for cut in 0..=all.len() {
            let mut bytes = all[..cut].to_vec();
            let mut text = take_text(&mut bytes);
            bytes.extend_from_slice(&all[cut..]);
            text.push_str(&take_text(&mut bytes));
            assert_eq!((text.as_bytes(), bytes.len()), (all, 0), "cut at {cut}");
        }
        assert_eq!(take_text(&mut b"a\xffb".to_vec()), "a\u{fffd}b");
    }

    #[test]
    fn times_do_not_drift_and_the_exit_status_is_there() {
        let mut out = Vec::new();
        let mut cast = Cast { begun: true, ..Cast::new(None, &mut out) };
        for us in [1, 1_000_001, 1_000_002] {
            let record = Record::Output(b"x".to_vec());
            cast.moment(Moment { at: Duration::from_micros(us), record }).unwrap();
        }
        let record = Record::Exit(Exit::Signal(9));
        cast.moment(Moment { at: Duration::from_secs(2), record }).unwrap();
        let lines: Vec<(f64, String, String)> = out
            .split(|b| *b == b'\n')
            .filter(|l| !l.is_empty())
            .map(|l| serde_json::from_slice(l).unwrap())
            .collect();
        assert!((lines.iter().map(|l| l.0).sum::<f64>() - 2.0).abs() < 1e-9);
        assert_eq!(lines.last().unwrap().2, "137");
    }

    #[test]
    fn a71_secrets_are_masked_and_what_was_typed_is_left_out_when_asked() {
        let token = format!("ghp_{}", "Ab1".repeat(12));
        let redactor = Arc::new(Redactor::new(patterns::Secrets::builtin(), [], [0; 16]));
        let mut out = Vec::new();
        let mut cast = Cast { begun: true, ..Cast::new(Some(redactor), &mut out) };
        let output = |text: &str| Record::Output(text.as_bytes().to_vec());
        let keys = Keys { text: true, ..Keys::default() };
        let records = [
            (1_000, output(&token[..20])),
            (1_100, Record::Input(keys, token.as_bytes().to_vec())),
            (1_200, output(&token[20..])),
            (9_000, output(" end ghp_")),
            (9_001, output("Ab1")),
            (9_900, output(".")),
        ];
        for (ms, record) in records {
            cast.moment(Moment { at: Duration::from_millis(ms), record }).unwrap();
        }
        let text = String::from_utf8(out).unwrap();
        let stars = "*".repeat(36);
        let expected = format!(
            "[1.0,\"o\",\"ghp_\"]\n[0.45,\"o\",\"{stars}\"]\n[7.55,\"o\",\" end ghp_\"]\n\
             [0.251,\"o\",\"Ab1\"]\n[0.649,\"o\",\".\"]\n"
        );
        assert_eq!(text, expected);
    }
}
