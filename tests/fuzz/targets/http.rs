//! Requests to the server: bodies of every route as they are read there, what is checked of them afterwards, credentials and hosts
//! in a request's head, rules over requests. Promises: a body is read or refused with a hint; what was read is written and read as
//! the same; what was checked passes the check again, unchanged; a prompt that passed cannot press a key; a command line that
//! rules may judge has no character that a shell would take for more.

#![no_main]

use fuzz::same::same;
use libfuzzer_sys::fuzz_target;
use serde::Serialize;
use serde::de::DeserializeOwned;
use server::http::error::parse;
use server::hub::check;
use server::policy::{Rules, argv};
use wire::admin::{NewToken, Note, Question, Routing, Template};
use wire::alert::NewSink;
use wire::approval::{PolicyText, PolicyTrial};
use wire::http::{Answer, Edit, Reassign, Selection};
use wire::pool::NewPool;
use wire::prompt::NewPrompt;

/// Reads a body, writes it, reads it again.
fn body<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let read = match parse::<T>(bytes) {
        Ok(read) => read,
        Err(fault) => {
            assert!(!fault.0.hint.is_empty() && !fault.0.message.is_empty());
            return None;
        }
    };
    let written = serde_json::to_value(&read).expect("what was read can be written");
    let again: T =
        parse(written.to_string().as_bytes()).unwrap_or_else(|_| panic!("{written} is not read again"));
    assert!(same(&written, &serde_json::to_value(&again).expect("it was written before")));
    Some(read)
}

/// Checks, and checks again what came of it.
fn checked<T: Serialize + Clone, F>(asked: Option<T>, check: impl Fn(T) -> Result<T, F>) -> Option<T> {
    let once = check(asked?).ok()?;
    let Ok(twice) = check(once.clone()) else { panic!("what was checked is refused") };
    let json = |value: &T| serde_json::to_value(value).expect("it can be written");
    assert_eq!(json(&once), json(&twice));
    Some(once)
}

fn prompt(bytes: &[u8]) {
    if let Some(asked) = checked(body::<NewPrompt>(bytes), check::check) {
        assert!(!asked.text.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n')));
        assert!(asked.text.len() <= wire::PROMPT_MAX && !asked.text.trim().is_empty());
    }
}

fn rules(text: &str) {
    if let Err(error) = Rules::parse(text) {
        assert!(!error.to_string().is_empty());
    }
    // Quoted or not, each of its characters is in a word, or is one of the few that may stand between words.
    if let Some(commands) = argv::read(text) {
        let words: usize = commands.iter().flatten().map(|word| word.chars().count()).sum();
        let between = text.chars().filter(|c| matches!(c, ' ' | '\'' | '"' | ';' | '&' | '|')).count();
        let all = text.chars().count();
        assert!(words <= all && words + between >= all, "{text:?} became {commands:?}");
        assert!(commands.iter().all(|argv| !argv.is_empty()));
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 14 {
        0..=2 => prompt(bytes),
        3 => _ = checked(body::<NewPool>(bytes), check::pool),
        4 => _ = checked(body::<Template>(bytes), check::template),
        5 => _ = body::<Edit>(bytes),
        6 => _ = body::<Selection>(bytes),
        7 => _ = body::<Answer>(bytes),
        8 => _ = body::<NewSink>(bytes),
        9 => _ = body::<NewToken>(bytes),
        10 => _ = (body::<Routing>(bytes), body::<Reassign>(bytes)),
        11 => _ = (body::<Note>(bytes), body::<Question>(bytes)),
        12 => _ = (body::<PolicyText>(bytes), body::<PolicyTrial>(bytes)),
        _ => rules(&String::from_utf8_lossy(bytes)),
    }
});
