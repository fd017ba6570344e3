//! One record of a recording, and its bytes. Must not: touch files.

use std::time::Duration;

use extractor::{Exit, Keys};
use serde::{Deserialize, Serialize};

/// What a segment says of itself and of its session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The session.
    pub session: String,
    /// Its name.
    pub name: String,
    /// Profile in use.
    pub agent: String,
    /// The command.
    pub argv: Vec<String>,
    /// `TERM` of the program.
    pub term: String,
    /// When the session started, milliseconds since the Unix epoch.
    pub started_ms: i64,
    /// The same moment on the machine's monotonic clock, microseconds.
    pub started_mono_us: u64,
    /// Time of the segment's beginning, microseconds since the session started.
    pub at_us: u64,
    /// Output bytes before this segment.
    pub offset: u64,
    /// Columns of the terminal at the segment's beginning.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

/// A record and when it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// Since the session started.
    pub at: Duration,
    /// What happened.
    pub record: Record,
}

/// What can happen in a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A segment begins.
    Header(Box<Header>),
    /// The program wrote.
    Output(Vec<u8>),
    /// Something was written to the program; the bytes only when the user asked for that.
    Input(Keys, Vec<u8>),
    /// The terminal has a new size.
    Resize(u16, u16),
    /// A user's terminal is attached, or no longer.
    Attached(bool),
    /// The user's terminal keeps others from typing, or no longer.
    Kept(bool),
    /// This many bytes of output could not be recorded.
    Gap(u64),
    /// The agent told something outside its terminal, as JSON.
    Told(From, Vec<u8>),
    /// The program was ended, and another one was started in its place.
    Relaunched(Box<Begun>),
    /// The program ended.
    Exit(Exit),
}

/// A program that was started in the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Its process.
    pub pid: i32,
    /// Where it works.
    pub dir: String,
    /// Names of the variables that it was given besides those of the first start.
    pub env: Vec<String>,
}

/// Where something was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum From {
    /// By a hook.
    Hook,
    /// In a line of the transcript, after which the next begins at this byte.
    Transcript(u64),
    /// By the system, of the program's processes.
    Processes,
    /// By the agent's telemetry, as one measurement.
    Telemetry,
}

/// Bytes that are not a record, now or ever.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The record's kind is not known.
    #[error("record of unknown kind {0:#04x}")]
    Kind(u8),
    /// The payload does not fit the kind.
    #[error("record of kind '{0}' with a payload that does not fit it")]
    Payload(char),
    /// A length that no record has.
    #[error("record of impossible length")]
    Length,
}

/// Stands where a transcript's place would: a measurement has none.
const TELEMETRY: u64 = u64::MAX - 1;

/// Longest payload that is believed.
const PAYLOAD_MAX: u64 = 16 << 20;

impl Record {
    /// Appends the record's bytes to `out`; `delta` is the time since the record before it.
    pub fn encode(&self, delta: Duration, out: &mut Vec<u8>) {
        match self {
            Record::Header(h) => put(out, b'h', delta, &serde_json::to_vec(h).unwrap_or_default()),
            Record::Output(bytes) => put(out, b'o', delta, bytes),
            Record::Input(keys, bytes) => {
                put_head(out, b'i', delta, 1 + bytes.len());
                out.push(keys_to_bits(*keys));
                out.extend_from_slice(bytes);
            }
            Record::Resize(cols, rows) => {
                put(out, b'r', delta, &[cols.to_be_bytes(), rows.to_be_bytes()].concat());
            }
            Record::Attached(yes) => put(out, b'a', delta, &[u8::from(*yes)]),
            Record::Kept(yes) => put(out, b'p', delta, &[u8::from(*yes)]),
            Record::Gap(lost) => put(out, b'g', delta, &lost.to_be_bytes()),
            Record::Told(from, payload) => {
                let next = match from {
                    From::Hook => 0,
                    From::Transcript(next) => *next,
                    From::Processes => u64::MAX,
                    From::Telemetry => TELEMETRY,
                };
                put_head(out, b'k', delta, 8 + payload.len());
                out.extend_from_slice(&next.to_be_bytes());
                out.extend_from_slice(payload);
            }
            Record::Relaunched(begun) => {
                put(out, b'l', delta, &serde_json::to_vec(begun).unwrap_or_default())
            }
            Record::Exit(Exit::Code(code)) => {
                put(out, b'x', delta, &[&b"c"[..], &code.to_be_bytes()].concat())
            }
            Record::Exit(Exit::Signal(number)) => {
                put(out, b'x', delta, &[&b"s"[..], &number.to_be_bytes()].concat())
            }
        }
    }

    /// Reads the record at the start of `bytes`: its delta, itself, and its length; `None` when it is not whole yet.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Duration, Record, usize)>, RecordError> {
        let Some((&kind, rest)) = bytes.split_first() else { return Ok(None) };
        let Some((delta, rest)) = take_number(rest)? else { return Ok(None) };
        let Some((length, rest)) = take_number(rest)? else { return Ok(None) };
        if length > PAYLOAD_MAX {
            return Err(RecordError::Length);
        }
        let Some(payload) = rest.get(..length as usize) else { return Ok(None) };
        let size = bytes.len() - rest.len() + payload.len();
        Ok(Some((Duration::from_micros(delta), Self::from_payload(kind, payload)?, size)))
    }

    fn from_payload(kind: u8, payload: &[u8]) -> Result<Record, RecordError> {
        let bad = || RecordError::Payload(kind as char);
        Ok(match kind {
            b'h' => Record::Header(serde_json::from_slice(payload).map_err(|_| bad())?),
            b'o' => Record::Output(payload.to_vec()),
            b'i' => {
                let (bits, bytes) = payload.split_first().ok_or_else(bad)?;
                Record::Input(keys_from_bits(*bits), bytes.to_vec())
            }
            b'r' => match <[u8; 4]>::try_from(payload).map_err(|_| bad())? {
                [a, b, c, d] => Record::Resize(u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])),
            },
            b'a' => Record::Attached(payload.first().ok_or_else(bad)? == &1),
            b'p' => Record::Kept(payload.first().ok_or_else(bad)? == &1),
            b'g' => Record::Gap(u64::from_be_bytes(payload.try_into().map_err(|_| bad())?)),
            b'k' => {
                let (next, told) = payload.split_first_chunk::<8>().ok_or_else(bad)?;
                let from = match u64::from_be_bytes(*next) {
                    0 => From::Hook,
                    u64::MAX => From::Processes,
                    TELEMETRY => From::Telemetry,
                    next => From::Transcript(next),
                };
                Record::Told(from, told.to_vec())
            }
            b'l' => Record::Relaunched(serde_json::from_slice(payload).map_err(|_| bad())?),
            b'x' => {
                let (how, number) = payload.split_first().ok_or_else(bad)?;
                let number = i32::from_be_bytes(number.try_into().map_err(|_| bad())?);
                Record::Exit(if how == &b'c' { Exit::Code(number) } else { Exit::Signal(number) })
            }
            other => return Err(RecordError::Kind(other)),
        })
    }
}

/// Appends an output record without owning its bytes: the holder's hot path.
pub fn put_output(out: &mut Vec<u8>, delta: Duration, bytes: &[u8]) {
    put(out, b'o', delta, bytes);
}

fn put(out: &mut Vec<u8>, kind: u8, delta: Duration, payload: &[u8]) {
    put_head(out, kind, delta, payload.len());
    out.extend_from_slice(payload);
}

fn put_head(out: &mut Vec<u8>, kind: u8, delta: Duration, length: usize) {
    out.push(kind);
    put_number(out, delta.as_micros() as u64);
    put_number(out, length as u64);
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn take_number(bytes: &[u8]) -> Result<Option<(u64, &[u8])>, RecordError> {
    let mut number = 0u64;
    for (i, byte) in bytes.iter().enumerate() {
        if i == 9 {
            return Err(RecordError::Length);
        }
        number |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Ok(Some((number, &bytes[i + 1..])));
        }
    }
    Ok(None)
}

fn keys_to_bits(keys: Keys) -> u8 {
    let Keys { queue, reply, enter, escape, interrupt, text } = keys;
    [queue, reply, enter, escape, interrupt, text]
        .iter()
        .enumerate()
        .map(|(i, bit)| u8::from(*bit) << i)
        .sum()
}

fn keys_from_bits(bits: u8) -> Keys {
    let bit = |i: u8| bits >> i & 1 == 1;
    Keys { queue: bit(0), reply: bit(1), enter: bit(2), escape: bit(3), interrupt: bit(4), text: bit(5) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_record() -> impl Strategy<Value = Record> {
        prop_oneof![
            any::<Vec<u8>>().prop_map(Record::Output),
            (0..64u8, any::<Vec<u8>>()).prop_map(|(bits, bytes)| Record::Input(keys_from_bits(bits), bytes)),
            any::<(u16, u16)>().prop_map(|(c, r)| Record::Resize(c, r)),
            any::<bool>().prop_map(Record::Attached),
            any::<bool>().prop_map(Record::Kept),
            any::<u64>().prop_map(Record::Gap),
            any::<Vec<u8>>().prop_map(|told| Record::Told(From::Hook, told)),
            any::<Vec<u8>>().prop_map(|told| Record::Told(From::Processes, told)),
            any::<Vec<u8>>().prop_map(|told| Record::Told(From::Telemetry, told)),
            (1..TELEMETRY, any::<Vec<u8>>())
                .prop_map(|(next, told)| Record::Told(From::Transcript(next), told)),
            (any::<i32>(), any::<String>(), any::<Vec<String>>())
                .prop_map(|(pid, dir, env)| Record::Relaunched(Box::new(Begun { pid, dir, env }))),
            any::<i32>().prop_map(|n| Record::Exit(Exit::Code(n))),
            any::<i32>().prop_map(|n| Record::Exit(Exit::Signal(n))),
        ]
    }

    proptest! {
        #[test]
        fn a_record_is_read_as_written_once_it_is_whole(record in any_record(), micros in 0..u64::MAX >> 1) {
            let mut bytes = Vec::new();
            record.encode(Duration::from_micros(micros), &mut bytes);
            for cut in 0..bytes.len() {
                prop_assert_eq!(Record::decode(&bytes[..cut]), Ok(None));
            }
            prop_assert_eq!(Record::decode(&bytes), Ok(Some((Duration::from_micros(micros), record, bytes.len()))));
        }

        #[test]
        fn any_bytes_are_a_record_or_an_error(bytes: Vec<u8>) {
            let _ = Record::decode(&bytes);
        }
    }
}
