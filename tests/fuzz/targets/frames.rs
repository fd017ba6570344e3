//! What processes say to each other: a session's terminal frames, the messages of wrapper, server and viewer, the holder's control
//! messages, the records of a recording. Promises: what is read is written and read again as the same; a record or a message that
//! is not whole is waited for and never taken for another; nothing takes more bytes than there are; what the server cuts of a
//! wrapper's words stays as it is when it is cut again.

#![no_main]

use fuzz::same::same;
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use server::session::{clamp_hello, clamp_now};
use wire::feed::{FromViewer, ToViewer};
use wire::frame::Frame;
use wire::wrapper::{ToServer, ToWrapper};
use wrapper::control::{self, FromHolder, ToHolder};
use wrapper::recording::Record;

fn frame(bytes: &[u8]) {
    if let Ok(frame) = Frame::decode(bytes) {
        let mut again = Vec::new();
        frame.encode(&mut again);
        assert_eq!(again, bytes);
    }
}

fn records(mut bytes: &[u8]) {
    while let Ok(Some((delta, record, size))) = Record::decode(bytes) {
        assert!((1..=bytes.len()).contains(&size));
        let whole = &bytes[..size];
        assert!((0..size.min(64)).all(|cut| Record::decode(&whole[..cut]) == Ok(None)));
        let mut again = Vec::new();
        record.encode(delta, &mut again);
        let read = Record::decode(&again);
        assert_eq!(read, Ok(Some((delta, record, again.len()))));
        bytes = &bytes[size..];
    }
}

fn control<T: Serialize + DeserializeOwned>(bytes: &[u8]) {
    let mut input = bytes.to_vec();
    while let Ok(Some(message)) = control::take::<T>(&mut input) {
        let before = serde_json::to_value(&message).expect("what was read can be written");
        let frame = control::frame(&message).expect("what was read can be written");
        for cut in 0..frame.len().min(64) {
            let mut part = frame[..cut].to_vec();
            assert!(matches!(control::take::<T>(&mut part), Ok(None)) && part.len() == cut);
        }
        let mut again = frame;
        let read = control::take::<T>(&mut again).expect("what was written is read").expect("it is whole");
        assert!(again.is_empty());
        assert!(same(&before, &serde_json::to_value(&read).expect("it was written before")));
    }
}

/// Reads and writes a text message; gives it.
fn message<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let read: T = serde_json::from_slice(bytes).ok()?;
    let written: Value = serde_json::to_value(&read).expect("what was read can be written");
    let again: T = serde_json::from_value(written.clone()).expect("what was written is read");
    assert!(same(&written, &serde_json::to_value(&again).expect("it was written before")));
    Some(read)
}

fn clamped(said: Option<ToServer>) {
    match said {
        Some(ToServer::Hello(mut hello)) => {
            clamp_hello(&mut hello);
            let mut again = hello.clone();
            clamp_hello(&mut again);
            assert_eq!(hello, again);
        }
        Some(ToServer::Now(mut now)) => {
            clamp_now(&mut now);
            let mut again = now.clone();
            clamp_now(&mut again);
            assert_eq!(now, again);
        }
        _ => {}
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 8 {
        0 => frame(bytes),
        1 => records(bytes),
        2 => control::<ToHolder>(bytes),
        3 => control::<FromHolder>(bytes),
        4 => clamped(message::<ToServer>(bytes)),
        5 => _ = message::<ToWrapper>(bytes),
        6 => _ = message::<FromViewer>(bytes),
        _ => _ = message::<ToViewer>(bytes),
    }
});
