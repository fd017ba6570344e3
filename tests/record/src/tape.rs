//! The recording: asciicast v2. Must not: know what it records.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

/// What came out and went in, with its times.
#[derive(Debug, Default)]
pub struct Tape {
    events: Vec<Value>,
    /// The beginning of a character that was split between two reads.
    partial: Vec<u8>,
    /// Bytes of output.
    pub raw_bytes: usize,
}

fn seconds(at: Duration) -> f64 {
    (at.as_secs_f64() * 1e4).round() / 1e4
}

impl Tape {
    /// Output. A split character goes to the later event; what is no UTF-8 becomes U+FFFD.
    pub fn output(&mut self, at: Duration, bytes: &[u8]) {
        self.raw_bytes += bytes.len();
        self.partial.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.partial) {
            Err(e) if e.error_len().is_none() => e.valid_up_to(),
            _ => self.partial.len(),
        };
        let rest = self.partial.split_off(whole);
        let text = std::mem::replace(&mut self.partial, rest);
        if !text.is_empty() {
            self.events.push(json!([seconds(at), "o", String::from_utf8_lossy(&text)]));
        }
    }

    /// Input.
    pub fn input(&mut self, at: Duration, text: &str) {
        self.events.push(json!([seconds(at), "i", text]));
    }

    /// A change of size.
    pub fn resize(&mut self, at: Duration, (cols, rows): (u16, u16)) {
        self.events.push(json!([seconds(at), "r", format!("{cols}x{rows}")]));
    }

    /// Writes the file.
    pub fn write(&self, path: &Path, (cols, rows): (u16, u16), title: &str) -> anyhow::Result<()> {
        let header = json!({"version": 2, "width": cols, "height": rows, "title": title});
        let mut text = format!("{header}\n");
        for event in &self.events {
            text.push_str(&format!("{event}\n"));
        }
        Ok(std::fs::write(path, text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_character_is_given_whole() {
        let mut tape = Tape::default();
        let text = "a✻b".as_bytes();
        tape.output(Duration::from_millis(10), &text[..2]);
        tape.output(Duration::from_millis(20), &text[2..]);
        assert_eq!(tape.events, [json!([0.01, "o", "a"]), json!([0.02, "o", "✻b"])]);
    }
}
