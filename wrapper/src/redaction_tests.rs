//! What is taken out of reports and messages, and of which variables the values are secret.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wire::event::{EventKind, Origin, Severity};
use wire::prompt::{
    Cause, Changes, Failed, FileChange, HoldCode, Outcome, Phases, Summary, Verification, Worktree,
};
use wire::session::{Action, DialogKind, DialogOption, Exit, Moves, Size, Source, State, ToolRequest};
use wire::{AttemptId, HostId, PromptId, SessionId, UnixMillis};

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

/// A result in which nothing is left out: a new field has to be added here, and so to be thought of.
fn result() -> PromptResult {
    PromptResult {
        outcome: Outcome::Failed,
        reason: "text".into(),
        cause: Some(Cause::Refused),
        until: Some("text".into()),
        until_at: Some(UnixMillis(1)),
        source: "word".into(),
        evidence: "text".into(),
        answer: "text".into(),
        duration_ms: 1,
        verification: Some(Verification {
            command: "text".into(),
            status: Some(1),
            output: "text".into(),
            duration_ms: 1,
        }),
        changes: Some(Changes {
            base: "word".into(),
            files: vec![FileChange { path: "text".into(), status: "word".into() }],
            diff: "text".into(),
            cut: false,
        }),
        worktree: Some(Worktree { path: "word".into(), branch: "word".into(), kept: true }),
        figures: [("name".to_owned(), 1.0)].into(),
        summary: Some(Summary {
            models: Vec::new(),
            files: vec!["text".into()],
            tests_passed: 0,
            tests_failed: 0,
            errors: 0,
            last_error: Some("text".into()),
            tokens_in: None,
            tokens_out: None,
            cost_usd: None,
            phases: Phases::default(),
        }),
    }
}

/// The same of the present.
fn now() -> Now {
    let option = DialogOption { index: 0, label: "text".into(), selected: true };
    let request = ToolRequest {
        tool: "word".into(),
        detail: "text".into(),
        arguments: "text".into(),
        action: Action::Shell,
        command: Some("text".into()),
        paths: vec!["text".into()],
    };
    Now {
        claim: Claim {
            state: State::Idle,
            source: Source::Hook,
            rule: "word".into(),
            evidence: "text".into(),
            since: UnixMillis(1),
            background: false,
        },
        context: Context {
            dir: "word".into(),
            branch: Some("word".into()),
            repo: Some("word".into()),
            env: [("NAME".to_owned(), "text".to_owned())].into(),
            hash: "text".into(),
        },
        title: "text".into(),
        dialog: Some(Dialog {
            id: "word".into(),
            kind: DialogKind::Permission,
            title: "text".into(),
            body: "text".into(),
            options: vec![option],
            answerable: true,
            request: Some(request),
        }),
        size: Size { cols: 80, rows: 24 },
        attached: false,
        kept: false,
        moves: Moves::None,
        interpreter: false,
        last_line: "text".into(),
        metrics: [("name".to_owned(), 1.0)].into(),
        exit: Some(Exit::Code { code: 0 }),
    }
}

/// The same of who is calling.
fn hello() -> Hello {
    Hello {
        protocol: 1,
        protocol_oldest: 1,
        version: "word".into(),
        session: SessionId("word".into()),
        name: "text".into(),
        host: HostId("word".into()),
        host_name: "word".into(),
        agent: "word".into(),
        argv: vec!["text".into()],
        role: Some("word".into()),
        caps: vec!["word".into()],
        pool: None,
        started: UnixMillis(1),
        epoch: 1,
        last_seq: 0,
        fence: 0,
        holds: None,
        now: now(),
    }
}

/// Puts a secret in the place of every text.
fn plant(value: &mut Value) {
    match value {
        Value::String(text) if text == "text" => *text = token(),
        Value::Array(members) => members.iter_mut().for_each(plant),
        Value::Object(members) => members.values_mut().for_each(plant),
        _ => {}
    }
}

fn planted<T: Serialize + DeserializeOwned>(sample: T) -> T {
    let mut value = serde_json::to_value(sample).unwrap();
    plant(&mut value);
    serde_json::from_value(value).unwrap()
}

fn assert_clean(message: impl Serialize) {
    let text = serde_json::to_string_pretty(&message).unwrap();
    assert!(!text.contains("Ab1"), "{text}");
}

#[test]
fn no_text_that_leaves_an_observer_was_forgotten() {
    let redaction = redaction();
    let attempt = AttemptId(1);
    let Now { claim, dialog, context, .. } = now();
    let hold = Hold { code: HoldCode::Unknown, text: "text".into() };
    let event = event("text");
    for report in [
        Report::State { claim, dialog },
        Report::Event { event },
        Report::Context { context },
        Report::Held { attempt, hold: hold.clone() },
        Report::Ended { attempt, result: result() },
    ] {
        assert_clean(redaction.report(planted(report)));
    }
    let refused = Some(hold);
    for message in [ToServer::Hello(hello()), ToServer::Now(now()), ToServer::Reply { request: 1, refused }] {
        assert_clean(redaction.message(planted(message)));
    }
}

#[test]
fn an_offer_is_written_down_without_secrets_but_its_verification_can_be_run() {
    let offer = Offer {
        attempt: AttemptId(1),
        prompt: PromptId(1),
        number: 2,
        fence: 1,
        text: "text".into(),
        failed: Some(Failed { number: 1, reason: "text".into(), output: "text".into() }),
        dir: Some("word".into()),
        branch: Some("word".into()),
        env: [("NAME".to_owned(), "text".to_owned())].into(),
        prerequisites: vec!["text".into()],
        worktree: None,
        may_move: false,
        verify: Some("make check".into()),
        command: false,
        accept_ms: 0,
        timeout_ms: 0,
        silence_ms: 0,
        trace: String::new(),
    };
    let written = redaction().offer(&planted(offer));
    assert_clean(&written);
    assert_eq!(written.verify.as_deref(), Some("make check"));
}

#[test]
fn a_variable_that_is_named_like_a_secret_is_one_and_its_hash_is_too() {
    let clean = |value: &str| {
        let mut context = now().context;
        context.env = [("API_KEY".to_owned(), value.to_owned()), ("HOME".to_owned(), "/h".to_owned())].into();
        redaction().context(&mut context);
        context
    };
    let context = clean("short");
    assert_eq!(context.env["HOME"], "/h");
    assert!(!context.env["API_KEY"].contains("short"));
    assert_eq!((context.hash.len(), &context.hash), (12, &clean("other").hash));
    assert_eq!(clean("").hash, "text", "nothing was taken out");
}

#[test]
fn a_command_without_its_secret_is_no_command_that_a_rule_could_judge() {
    let mut dialog = now().dialog.unwrap();
    let request = dialog.request.as_mut().unwrap();
    request.command = Some(format!("run \"token={}$(other)\"", token()));
    request.paths = vec!["/p/a".into(), format!("/p/{}", token())];
    redaction().dialog(&mut dialog);
    let request = dialog.request.unwrap();
    assert_eq!((request.command, request.paths), (None, vec!["/p/a".to_owned(), String::new()]));
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
