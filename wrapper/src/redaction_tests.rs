//! What is taken out of reports and messages, and of which variables the values are secret.

use wire::event::{EventKind, Origin, Severity};
use wire::prompt::Outcome;
use wire::{AttemptId, UnixMillis};

use super::*;

fn token() -> String {
    format!("ghp_{}", "Ab1".repeat(12))
}

fn redaction() -> Redaction {
    Redaction::with(["a value of the environment".to_owned()], [3; 16])
}

fn event(text: &str) -> Event {
    Event {
        at: UnixMillis(1),
        kind: EventKind::Error,
        severity: Severity::Error,
        origin: Origin::Tool,
        rule: "errors.line".into(),
        text: text.into(),
        fields: [("message".to_owned(), text.to_owned())].into(),
        offset: 0,
        fingerprint: "0123456789abcdef".into(),
    }
}

#[test]
fn an_event_loses_its_secret_and_the_hash_of_it_and_nothing_else() {
    let report = |text: &str| match redaction().report(Report::Event { event: event(text) }) {
        Report::Event { event } => event,
        other => panic!("{other:?}"),
    };
    assert_eq!(report("error: plain"), event("error: plain"));
    let clean = report(&format!("error: refused {} today", token()));
    assert!(clean.text.starts_with("error: refused [REDACTED:github.token:"), "{}", clean.text);
    assert_eq!(clean.fields["message"], clean.text);
    assert_ne!(clean.fingerprint, event("").fingerprint);
    assert_eq!(clean.fingerprint, report(&format!("error: refused {} today", token())).fingerprint);
}

#[test]
fn a_result_loses_its_secrets_even_across_lines() {
    let answer = format!("It says:\n│ {:<30} │\n│ {:<30} │\n", &token()[..30], &token()[30..]);
    let result = PromptResult {
        answer,
        until: Some("a value of the environment".into()),
        ..PromptResult::new(Outcome::Completed, format!("with {}", token()), "hook")
    };
    let report = redaction().report(Report::Ended { attempt: AttemptId(1), result });
    let text = serde_json::to_string(&report).unwrap();
    assert!(!text.contains("Ab1") && !text.contains("value of"), "{text}");
    assert_eq!(text.matches("[REDACTED:").count(), 3, "{text}");
}

#[test]
fn an_argument_is_told_by_the_one_before_it() {
    let mut argv =
        ["run", "--token", "9fQ2aB3xcD4y", "--password=9fQ2aB3xcD4y", "--verbose"].map(String::from);
    redaction().arguments(&mut argv);
    assert_eq!([&*argv[0], &*argv[1], &*argv[4]], ["run", "--token", "--verbose"]);
    assert!(argv[2].starts_with("[REDACTED:assignment.flag:"), "{argv:?}");
    assert!(argv[3].starts_with("--password=[REDACTED:assignment.flag:"), "{argv:?}");
}

#[test]
fn variables_that_are_named_like_secrets_are_secret_and_paths_are_not() {
    let all = [
        ("SERVICE_API_KEY", "one-long-value"),
        ("GITHUB_TOKEN_CI", "two-long-values"),
        ("PGPASSWORD", "three-long-values"),
        ("client_secret", "four-long-values"),
        ("SSH_KEY", "/"),
        ("KEYBOARD", "not-a-secret-at-all"),
        ("HOME", "/home/somebody"),
    ];
    let values = secret_values(all.into_iter().map(|(name, value)| (name.into(), value.into())));
    assert_eq!(values, ["one-long-value", "two-long-values", "three-long-values", "four-long-values"]);
}

#[test]
fn a_host_keeps_its_key_to_itself() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("redaction.key");
    let key = kept_key(&path).unwrap();
    assert_eq!(kept_key(&path).unwrap(), key);
    assert_ne!(key, [0; 16]);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_users_own_terminal_knows_nothing_of_redaction() {
    let files = [
        include_str!("client.rs"),
        include_str!("holder/mod.rs"),
        include_str!("holder/serve.rs"),
        include_str!("holder/terminal.rs"),
        include_str!("holder/watch.rs"),
        include_str!("recording/writer.rs"),
    ];
    assert!(files.iter().all(|text| !text.contains("redact") && !text.contains("Masker")));
}
