//! What agents tell outside their terminal: hooks' payloads, lines of transcripts, what the system tells of processes. Promises: what
//! is no JSON, or known to no rule, changes nothing; what is kept of a transcript's line says the same as the line; what a hook
//! shortens stays JSON, and as it is when shortened again; requests are bounded; figures are numbers.

#![no_main]

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use extractor::{Exit, Extractor, Observation, Seen};
use fuzz::json;
use libfuzzer_sys::fuzz_target;
use patterns::fact::From;
use patterns::{Agent, Library};
use wrapper::observer::transcript::Transcript;
use wrapper::{hook, processes};

/// Names and texts that the profiles' rules look for.
const WORDS: &[&str] = &[
    "hook_event_name",
    "SessionStart",
    "UserPromptSubmit",
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "PermissionRequest",
    "Notification",
    "Stop",
    "StopFailure",
    "SubagentStop",
    "PreCompact",
    "PostCompact",
    "SessionEnd",
    "tool_name",
    "tool_input",
    "tool_response",
    "tool_output",
    "Bash",
    "Edit",
    "Write",
    "Read",
    "WebFetch",
    "MultiEdit",
    "NotebookEdit",
    "Grep",
    "Glob",
    "command",
    "file_path",
    "path",
    "paths",
    "url",
    "stdout",
    "stderr",
    "output",
    "prompt",
    "session_id",
    "transcript_path",
    "cwd",
    "last_assistant_message",
    "background_tasks",
    "error",
    "message",
    "type",
    "assistant",
    "user",
    "id",
    "model",
    "usage",
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "payload",
    "event_msg",
    "response_item",
    "turn_context",
    "token_count",
    "info",
    "total_token_usage",
    "last_token_usage",
    "task_started",
    "task_complete",
    "last_agent_message",
    "turn_aborted",
    "function_call",
    "function_call_output",
    "arguments",
    "name",
    "shell",
    "exec_command",
    "apply_patch",
    "update_plan",
    "call_id",
    "exit_code",
    "status",
    "completed",
    "agent-turn-complete",
    "metric",
    "claude_code.cost.usage",
    "claude_code.token.usage",
    "unit",
    "USD",
    "value",
    "attributes",
    "point",
    "series",
    "start",
    "time",
    "delta",
    "away",
    "works",
    "what",
    "error[E0382]: borrow",
    "Process exited with code 1",
    "/tmp/a.rs",
    "ls && rm -rf /",
];

/// One thing that is told.
enum Told {
    Fact(From, Vec<u8>),
    Processes(Vec<u8>),
    Output(Vec<u8>),
}

fn told(u: &mut Unstructured<'_>) -> arbitrary::Result<Told> {
    let payload = |u: &mut Unstructured<'_>| match u.int_in_range(0..=7)? {
        0 => Vec::<u8>::arbitrary(u),
        _ => Ok(json::object(u, WORDS, 0)?.to_string().into_bytes()),
    };
    Ok(match u.int_in_range(0..=9)? {
        0..=3 => Told::Fact(From::Hook, payload(u)?),
        4..=6 => Told::Fact(From::Transcript, payload(u)?),
        7 => Told::Fact(From::Telemetry, payload(u)?),
        8 => Told::Processes(payload(u)?),
        _ => Told::Output(Vec::arbitrary(u)?),
    })
}

/// Plain lines of JSON, as seeds are; else made up of the words that are known.
fn all(bytes: &[u8]) -> (u8, Vec<(u8, Told)>) {
    let [which, kind, rest @ ..] = bytes else { return (0, Vec::new()) };
    if kind % 2 == 0 {
        let from = [From::Hook, From::Transcript, From::Telemetry][usize::from(*kind / 2) % 3];
        let lines = rest.split(|byte| *byte == b'\n').take(64);
        return (*which, lines.map(|line| (20, Told::Fact(from, line.to_vec()))).collect());
    }
    let mut u = Unstructured::new(rest);
    let mut all = Vec::new();
    while let (false, Ok(later)) = (u.is_empty() || all.len() >= 64, u8::arbitrary(&mut u)) {
        let Ok(one) = told(&mut u) else { break };
        all.push((later, one));
    }
    (*which, all)
}

fn run(
    agent: &Arc<Agent>,
    all: &[(u8, Told)],
    kept: impl Fn(From, &[u8]) -> Option<Vec<u8>>,
) -> (Vec<Observation>, String) {
    let (mut extractor, mut seen, mut now) =
        (Extractor::new(Arc::clone(agent), 60, 8), Vec::new(), Duration::ZERO);
    // Until something comes nothing is weighed.
    extractor.fact(now, From::Hook, b"", &mut seen);
    for (later, one) in all {
        now += Duration::from_millis(10 * u64::from(*later));
        match one {
            Told::Fact(from, payload) => {
                if let Some(payload) = kept(*from, payload) {
                    extractor.fact(now, *from, &payload, &mut seen);
                } else {
                    extractor.tick(now, &mut seen);
                }
            }
            Told::Processes(payload) => match processes::read(payload) {
                Some(doing) => extractor.processes(now, doing, &mut seen),
                None => extractor.tick(now, &mut seen),
            },
            Told::Output(bytes) => extractor.output(now, bytes, &mut seen),
        }
    }
    extractor.tick(now + Duration::from_secs(5), &mut seen);
    let figures = extractor.metrics();
    assert!(figures.values().all(|figure| figure.is_finite()), "{figures:?}");
    let asks = extractor.dialog().cloned();
    let rest = format!("{figures:?} {asks:?} {:?} {}", extractor.transcript(), extractor.is_written_down());
    extractor.exit(now + Duration::from_secs(6), Exit::Code(0), &mut seen);
    (seen, rest)
}

fn bounded(seen: &[Observation]) {
    let requests = seen.iter().filter_map(|o| match &o.what {
        Seen::Dialog(Some(dialog)) => dialog.request.as_ref(),
        _ => None,
    });
    for request in requests {
        assert!(request.arguments.chars().count() <= 16_000 && request.detail.chars().count() <= 2_000);
        assert!(request.paths.len() <= 100 && request.command.as_ref().is_none_or(|c| c.len() <= 16_000));
    }
}

fn shortens(payload: &[u8]) {
    let Ok(mut value) = serde_json::from_slice(payload) else { return };
    hook::shorten(&mut value);
    let once = value.to_string();
    hook::shorten(&mut value);
    assert_eq!(value.to_string(), once);
}

fuzz_target!(|bytes: &[u8]| {
    let (which, all) = all(bytes);
    let agents = Library::builtin().agents();
    let agent = &agents[usize::from(which) % agents.len()];
    let transcript =
        Transcript::new(Arc::clone(agent), |name| (name == "HOME").then(|| OsString::from("/nowhere")));
    let line = |from: From, payload: &[u8]| match from {
        From::Transcript => transcript.known(payload),
        From::Hook | From::Telemetry => Some(payload.to_vec()),
    };
    for (_, one) in &all {
        if let Told::Fact(From::Hook, payload) = one {
            shortens(payload);
        }
    }
    let whole = run(agent, &all, |_, payload| Some(payload.to_vec()));
    bounded(&whole.0);
    assert_eq!(run(agent, &all, line), whole, "what is kept of a line says something else");
    let known = |from: From, payload: &[u8]| {
        let json = serde_json::from_slice(payload).ok()?;
        let rule = agent.facts.iter().any(|rule| rule.from == from && rule.holds(&json));
        rule.then(|| payload.to_vec())
    };
    assert_eq!(run(agent, &all, known), whole, "what no rule knows changes something");
});
