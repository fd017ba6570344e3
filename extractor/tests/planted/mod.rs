//! Secrets that nobody has: made from each kind's form by a seeded generator, and planted in ordinary lines.
//! Must not: store one.

#![allow(clippy::unwrap_used, dead_code)]

use std::sync::Arc;

use extractor::Redactor;
use patterns::Secrets;
use patterns::sample::{Numbers, sample};

/// A secret in a line.
pub struct Planted {
    /// Its kind.
    pub kind: String,
    /// Whether it may be put together from rows.
    pub joins: bool,
    /// The line, without an end.
    pub line: String,
    /// What nobody may see.
    pub body: String,
}

/// What secrets stand in.
const LINES: [&str; 10] = [
    "{}",
    "  config loaded: {} (from .env)",
    "+ {}",
    "│ {} │",
    "● Read(.env)  {}",
    r#"{"line": 12, "content": "{}"}"#,
    "2026-01-05 12:00:00 INFO sent {} to the worker, and went on",
    "curl -s '{}' -o out.json",
    "error: refused `{}`",
    "ünïcode — 日本 {} ✓",
];

pub fn redactor() -> Arc<Redactor> {
    Arc::new(Redactor::new(Secrets::builtin(), [], [7; 16]))
}

/// So many secrets, all kinds in turn.
pub fn planted(count: usize, seed: u64) -> Vec<Planted> {
    let secrets = Secrets::builtin();
    let mut numbers = Numbers::new(seed);
    let kinds: Vec<usize> =
        (0..secrets.kinds().len()).filter(|i| secrets.kinds()[*i].is_followed()).collect();
    let one = |i: usize| {
        let number = kinds[i % kinds.len()];
        let kind = &secrets.kinds()[number];
        let (text, body) = made(secrets, number, &mut numbers);
        let line = LINES[i / kinds.len() % LINES.len()].replacen("{}", &text, 1);
        Planted { kind: kind.id.clone(), joins: kind.joins, line, body }
    };
    (0..count).map(one).collect()
}

/// A text with a secret of a kind, and the secret's body.
fn made(secrets: &Secrets, number: usize, numbers: &mut Numbers) -> (String, String) {
    let kind = &secrets.kinds()[number];
    if kind.id == "private_key" {
        return private_key(numbers);
    }
    loop {
        let text = sample(kind.pattern().source(), numbers).unwrap();
        let mut hits = Vec::new();
        secrets.find(&text, &mut hits);
        if let Some(hit) = hits.iter().find(|hit| hit.kind == number) {
            return (text.trim_end().to_owned(), text[hit.body.clone()].to_owned());
        }
    }
}

fn private_key(numbers: &mut Numbers) -> (String, String) {
    let name = ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "][numbers.below(5) as usize];
    let mut body = String::new();
    for _ in 0..3 + numbers.below(22) {
        body += &sample("[A-Za-z0-9+/]{64}", numbers).unwrap()[..64];
        body += "\r\n";
    }
    body += &sample("[A-Za-z0-9+/]{30}", numbers).unwrap();
    body += "==\r\n";
    (format!("-----BEGIN {name}PRIVATE KEY-----\r\n{body}-----END {name}PRIVATE KEY-----"), body)
}

/// Whether anything of a secret can be read in a text: eight of its characters, or all of a shorter one.
pub fn leaks(text: &str, body: &str) -> bool {
    let body: Vec<u8> = body.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let text: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let part = body.len().min(8);
    body.windows(part).any(|part| memchr::memmem::find(&text, part).is_some())
}

/// What terminal bytes show, escapes left out.
pub fn shown(bytes: &[u8]) -> String {
    let mut rendered = extractor::redact_terminal::Rendered::new(0);
    bytes.iter().for_each(|byte| _ = rendered.take(*byte));
    rendered.text
}
