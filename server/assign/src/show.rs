//! What is read and shown. Must not: change anything.

use wire::UnixMillis;
use wire::http::{ContextRow, PromptDetail, Selection, Status};
use wire::prompt::{Attempt, Parent, Prompt};
use wire::session::Session;
use wire::text::{cut, escape, escape_lines};

use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::print::Printer;
use crate::result;
use crate::tables::{self, age, now};
use crate::wait;

/// The server in numbers.
pub async fn status(client: &Client, print: &Printer) -> Result<(), Failure> {
    let status: Status = client.get("/v1/status").await?;
    print.object_or(&status, || {
        let counts = |counts: &std::collections::BTreeMap<String, u32>| {
            let parts: Vec<String> = counts.iter().map(|(w, n)| format!("{n} {}", escape(w))).collect();
            if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
        };
        format!(
            "assigner {} at {}, up {}\nsessions: {}\nprompts: {}",
            escape(&status.version),
            escape(&status.url),
            age(status.started, now()),
            counts(&status.sessions),
            counts(&status.prompts),
        )
    })
}

/// Sessions.
pub async fn sessions(client: &Client, print: &Printer, all: bool) -> Result<(), Failure> {
    let sessions: Vec<Session> = client.get(&format!("/v1/sessions?all={all}")).await?;
    print.objects_or(&sessions, || tables::sessions(&sessions, now()))
}

/// Prompts.
pub async fn prompts(
    client: &Client,
    print: &Printer,
    which: &Selection,
    before: Option<i64>,
    limit: u32,
) -> Result<(), Failure> {
    let mut path = format!("/v1/prompts?limit={limit}");
    let state = which.state.map(|s| s.to_string());
    for (name, value) in [
        ("state", &state),
        ("session", &which.session),
        ("tag", &which.tag),
        ("thread", &which.thread),
        ("key", &which.key),
    ] {
        path.extend(value.as_ref().map(|value| format!("&{name}={}", segment(value))));
    }
    path.extend(before.map(|id| format!("&before={id}")));
    let prompts: Vec<Prompt> = client.get(&path).await?;
    if print.json {
        return prompts.iter().try_for_each(|p| print.object(p));
    }
    let sessions: Vec<Session> = client.get("/v1/sessions?all=true").await?;
    print.line(&tables::prompts(&prompts, &sessions, now()))
}

/// Where a session worked.
pub async fn contexts(client: &Client, print: &Printer, session: &str, limit: u32) -> Result<(), Failure> {
    let path = format!("/v1/sessions/{}/contexts?limit={limit}", segment(session));
    let contexts: Vec<ContextRow> = client.get(&path).await?;
    print.objects_or(&contexts, || tables::contexts(&contexts, now()))
}

/// One prompt with its tries and its answer.
pub async fn prompt(client: &Client, print: &Printer, id: i64) -> Result<(), Failure> {
    let detail: PromptDetail = client.get(&format!("/v1/prompts/{id}")).await?;
    print.object_or(&detail, || {
        let mut out = head(&detail.prompt);
        out.extend(detail.parent.iter().map(parent));
        out.push(format!("trace: {}", escape(&detail.trace)));
        out.push(String::new());
        out.push(escape_lines(&detail.prompt.asked.text));
        for attempt in &detail.attempts {
            out.push(String::new());
            out.extend(tries(attempt));
        }
        if let Some(result) = &detail.prompt.result {
            out.extend(result::facts(result));
            if !result.answer.is_empty() {
                out.push(String::new());
                out.push(escape_lines(&result.answer));
            }
        }
        out.join("\n")
    })
}

/// Why a prompt is where it is.
pub async fn why(client: &Client, print: &Printer, id: i64) -> Result<(), Failure> {
    let detail: PromptDetail = client.get(&format!("/v1/prompts/{id}")).await?;
    print.object_or(&detail, || {
        let mut out = head(&detail.prompt);
        out.extend(detail.parent.iter().map(parent));
        out.push(String::new());
        out.push(tables::scores(&detail.scores));
        if let Some(attempt) = detail.attempts.last() {
            out.push(String::new());
            out.extend(tries(attempt));
        }
        out.join("\n")
    })
}

/// Where a prompt comes from that an agent queued.
fn parent(parent: &Parent) -> String {
    let work = parent.prompt.map_or(String::new(), |prompt| format!(", for its prompt {prompt}"));
    format!("queued by the agent '{}'{work}, at depth {}", escape(&parent.by), parent.depth)
}

fn head(prompt: &Prompt) -> Vec<String> {
    let now = now();
    let mut out = vec![format!(
        "prompt {}: {} since {}, queued {} ago, priority {}, {} of {} tries",
        prompt.id,
        prompt.state,
        age(prompt.changed, now),
        age(prompt.created, now),
        prompt.asked.priority,
        prompt.tried,
        prompt.attempts
    )];
    let asked = &prompt.asked;
    for (what, value) in [
        ("target", &asked.target),
        ("directory", &asked.dir),
        ("branch", &asked.branch),
        ("agent", &asked.agent),
        ("preferred agent", &asked.prefer),
        ("role", &asked.role),
        ("thread", &asked.thread),
        ("verified by", &asked.verify),
    ] {
        out.extend(value.as_ref().map(|v| format!("{what}: {}", escape(v))));
    }
    for (what, values) in [("capabilities", &asked.caps), ("tags", &asked.tags)] {
        if !values.is_empty() {
            out.push(format!("{what}: {}", escape(&values.join(", "))));
        }
    }
    out.extend(asked.env.iter().map(|(name, value)| format!("variable: {}={}", escape(name), escape(value))));
    out.extend(asked.prerequisites.iter().map(|command| format!("prerequisite: {}", escape(command))));
    out.extend(asked.worktree.map(|policy| format!("in a work tree of its own ({policy})")));
    out.extend(prompt.hold.as_ref().map(|h| format!("hold: {}: {}", h.code, escape(&h.text))));
    if let Some(result) = &prompt.result {
        let source = escape(&result.source);
        out.push(tables::reasoned(
            &format!("result: {} ({source})", result.outcome),
            &escape(&result.reason),
        ));
    }
    out
}

fn tries(attempt: &Attempt) -> Vec<String> {
    let session = escape(&attempt.session.0);
    let mut out = vec![format!("try {} in {session} (fence {})", attempt.number, attempt.fence)];
    let start = attempt.receipts.first().map_or(UnixMillis(0), |r| r.at);
    for receipt in &attempt.receipts {
        let after = receipt.at.since(start);
        out.push(format!("  {:<10} +{}.{:03}s", receipt.step.as_str(), after / 1000, after % 1000));
    }
    out.extend(attempt.progress.iter().map(|said| format!("  {}", wait::progress(said))));
    if let Some(result) = &attempt.result {
        out.push(tables::reasoned(&format!("  {}", result.outcome), &cut(&escape(&result.reason), 200)));
    }
    out
}
