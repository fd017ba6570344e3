//! What agents and tools print is left alone: less than one false alarm in a megabyte.

#![allow(clippy::unwrap_used)]

mod case;
mod planted;

use std::sync::Arc;
use std::time::Duration;

use extractor::Masker;
use patterns::sample::{Numbers, sample};

/// What builds, tests, package managers and agents print. `{pattern}` is made up anew for each line.
const LINES: [&str; 40] = [
    "commit {[0-9a-f]{40}}",
    "{[0-9a-f]{7}} Merge branch 'token-refresh' into main",
    "index {[0-9a-f]{7}}..{[0-9a-f]{7}} 100644",
    "diff --git a/src/auth/token.rs b/src/auth/token.rs",
    "id: {[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}}",
    r#"      "integrity": "sha512-{[A-Za-z0-9+/]{86}}==","#,
    r#"      "resolved": "https://registry.example/a/-/a-{[0-9]}.{[0-9]}.0.tgz","#,
    r#"checksum = "{[0-9a-f]{64}}""#,
    "sha256:{[0-9a-f]{64}}: Pull complete",
    r#"<img src="data:image/png;base64,iVBORw0KGgo{[A-Za-z0-9+/]{120}}""#,
    "{[A-Za-z0-9+/]{76}}",
    "{[0-9a-f]{8}}: {[0-9a-f]{4}} {[0-9a-f]{4}} {[0-9a-f]{4}} {[0-9a-f]{4}} {[0-9a-f]{4}}  ................",
    "   Compiling serde v1.0.{[0-9]{3}}",
    "test auth::tests::rejects_an_expired_token_{[0-9]{3}} ... ok",
    "  password = get_password()",
    "  let token = Token::new(secret, &config.api_key)?;",
    "  const apiKey = process.env.SERVICE_API_KEY;",
    "  api_key: str = os.environ[\"SERVICE_API_KEY\"]",
    "  password: Optional[str] = None, secret: bytes = b''",
    r#"  "password": "********","#,
    r#"  "token": "<your-token-here>","#,
    r#"  "secretName": "database-credentials","#,
    "export TOKEN=$(gh auth token)",
    "  API_KEY=${API_KEY:?set it first}",
    "curl -H \"Authorization: Bearer $TOKEN\" https://api.example/v1/things/{[0-9]{6}}",
    "Authorization: Bearer <token>",
    "tokens: {[0-9]{5}} in, {[0-9]{4}} out, cost $0.{[0-9]{2}}",
    "GET /v1/keys/{[0-9a-f]{24}} 200 {[0-9]{2}}ms",
    "https://example.com/a/b?page={[0-9]}&key=name&sort=asc#L{[0-9]{3}}",
    "git clone git@github.com:owner/repo-{[0-9]{2}}.git",
    "ssh://git@example.com:22/owner/repo.git",
    "postgres://localhost:5432/app_{[0-9]{2}}",
    "http://user@localhost:8080/path",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{[A-Za-z0-9+/]{43}} user@host",
    "-----BEGIN CERTIFICATE-----",
    "SHA256:{[A-Za-z0-9+/]{43}}",
    "  at Object.<anonymous> (/app/src/password-reset.test.ts:{[0-9]{2}}:{[0-9]{2}})",
    "_ZN4core3ptr85drop_in_place{[A-Za-z0-9_]{40}}17h{[0-9a-f]{16}}E",
    "  \"etag\": \"W/\\\"{[A-Za-z0-9_-]{27}}\\\"\",",
    "● Update(src/secret.rs)  +{[0-9]{2}} -{[0-9]}  (ctrl+o to expand)",
];

/// Ordinary output of about so many bytes.
fn ordinary(size: usize, numbers: &mut Numbers) -> String {
    let mut out = String::with_capacity(size + 1_000);
    while out.len() < size {
        let mut rest = LINES[numbers.below(LINES.len() as u64) as usize];
        while let Some((before, after)) = rest.split_once('{') {
            out += before;
            let mut depth = 1;
            let end = after.find(|c| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                depth == 0
            });
            let pattern = &after[..end.unwrap()];
            match pattern.starts_with('[') {
                true => out += &sample(pattern, numbers).unwrap(),
                false => out += &format!("{{{pattern}}}"),
            }
            rest = &after[end.unwrap() + 1..];
        }
        out += rest;
        out += "\r\n";
    }
    out
}

/// How many false alarms there are in a text, as it is and as terminal bytes; the first ones are printed.
fn alarms(what: &str, text: &str, columns: u16) -> usize {
    let redactor = planted::redactor();
    let spans = redactor.spans(text);
    for span in spans.iter().take(5) {
        println!("{what}: {} in {:?}", span.kind, &text[span.secret.clone()]);
    }
    let (mut masker, mut out) = (Masker::new(Arc::clone(&redactor), columns), Vec::new());
    text.as_bytes().chunks(1_000).for_each(|piece| masker.feed(piece, &mut out));
    masker.release(&mut out);
    assert_eq!(out.len(), text.len());
    let changed = |(a, b): &(&[u8], &[u8])| a != b;
    let lines = text.as_bytes().split(|b| *b == b'\n').zip(out.split(|b| *b == b'\n')).filter(changed);
    let lines: Vec<_> = lines.collect();
    for (before, after) in lines.iter().take(5) {
        println!("{what}: {:?} {:?}", String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    }
    spans.len().max(lines.len())
}

#[test]
fn a70_ordinary_output_raises_less_than_one_false_alarm_in_a_megabyte() {
    let text = ordinary(3_000_000, &mut Numbers::new(5));
    let found = alarms("made up", &text, 120);
    println!("{found} false alarms in {:.1} MB of made-up output", text.len() as f64 / 1e6);
    assert!((found as f64) < text.len() as f64 / 1e6);
}

#[test]
fn a70_no_recording_of_an_agent_raises_a_false_alarm() {
    let (mut size, mut found) = (0, 0);
    for case in case::cases() {
        let case = case::load(&case);
        let mut bytes = Vec::new();
        for (_, record) in &case.records {
            if let case::Record::Output(output) = record {
                bytes.extend_from_slice(output);
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let shown = planted::shown(&bytes);
        size += bytes.len() + shown.len();
        found += alarms(&case.agent, &text, case.cols) + planted::redactor().spans(&shown).len();
        let agent = patterns::Library::builtin().agent(&case.agent).unwrap();
        let mut session = extractor::Extractor::new(agent, case.cols, case.rows);
        session.output(Duration::ZERO, &bytes, &mut Vec::new());
        found += planted::redactor().spans(&String::from_utf8_lossy(&session.snapshot())).len();
    }
    println!("{found} false alarms in {:.2} MB of recordings", size as f64 / 1e6);
    assert_eq!(found, 0);
}
