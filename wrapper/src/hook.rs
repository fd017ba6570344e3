//! The process that an agent calls as its hook: hands the payload to the session's holder, and is gone.
//!
//! Invariant: it prints nothing, ends with status 0 whatever happens, and never waits for longer than [`PATIENCE`]:
//! an agent takes words and statuses of its hooks for orders.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::time::Duration;

use serde_json::Value;
use wire::SessionId;
use wire::place::Place;

use crate::control::{self, ToHolder, Told};
use crate::recording::From;

/// The hidden verb.
pub const VERB: &str = "__hook";

/// What comes before the user's own program, which is called after us.
pub const THEN: &str = "--then";

/// Longest wait for a holder that does not read.
const PATIENCE: Duration = Duration::from_millis(40);

/// Longest payload that is read, in bytes.
const PAYLOAD_MAX: u64 = 1 << 20;

/// Longest text that is kept of one value, in bytes: its beginning and, three times as much, its end.
const TEXT_MAX: usize = 64 << 10;

/// Runs, with the arguments after the verb.
pub fn main(arguments: &[OsString]) -> ExitCode {
    match arguments {
        [] => {
            let mut payload = Vec::new();
            if std::io::stdin().take(PAYLOAD_MAX).read_to_end(&mut payload).is_ok() {
                hand_over(&payload);
            }
            ExitCode::SUCCESS
        }
        [then, own @ .., payload] if then == THEN => {
            hand_over(payload.as_encoded_bytes());
            if let Some((program, rest)) = own.split_first() {
                // The user's own program takes this process over; when it cannot be run there is nothing to say.
                let _ = Command::new(program).args(rest).arg(payload).exec();
            }
            ExitCode::SUCCESS
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Fails without a word: a hook must not disturb its agent.
fn hand_over(payload: &[u8]) -> Option<()> {
    let mut payload: Value = serde_json::from_slice(payload).ok()?;
    shorten(&mut payload);
    let session = SessionId(std::env::var("MUSTER_SESSION").ok()?);
    if !session.is_plain() {
        return None;
    }
    let socket = Place::from_env().ok()?.session_socket(&session);
    let told = Told { from: From::Hook, payload: serde_json::to_vec(&payload).ok()? };
    let mut stream = UnixStream::connect(socket).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(&control::frame(&ToHolder::Told(told)).ok()?).ok()
}

/// Cuts what is long out of the middle: the beginning tells what it is, the end how it ended.
pub fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > TEXT_MAX => {
            let border = |at: &usize| text.is_char_boundary(*at);
            let head = (0..=TEXT_MAX / 4).rev().find(border).unwrap_or(0);
            let tail = (text.len() - TEXT_MAX * 3 / 4..=text.len()).find(border).unwrap_or(text.len());
            *text = format!("{}\n…\n{}", &text[..head], &text[tail..]);
        }
        Value::Array(members) => members.iter_mut().for_each(shorten),
        Value::Object(members) => members.values_mut().for_each(shorten),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a61_a_long_text_keeps_its_beginning_and_its_end() {
        let mut value =
            serde_json::json!({"a": [format!("begin{}é{}end", "x".repeat(40_000), "y".repeat(40_000))]});
        shorten(&mut value);
        let text = value["a"][0].as_str().unwrap();
        assert!(text.starts_with("begin") && text.ends_with("end") && text.contains('…'), "{}", text.len());
        assert!(text.len() < TEXT_MAX + 16);
    }
}
