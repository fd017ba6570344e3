//! What is read and shown, and people's wishes about prompts. Must not: decide.

use wire::UnixMillis;
use wire::http::{PromptDetail, Reassign, Status};
use wire::prompt::{Attempt, Prompt, PromptState};
use wire::session::Session;
use wire::text::{cut, escape, escape_lines};

use crate::client::Client;
use crate::failure::Failure;
use crate::print::Printer;
use crate::tables::{self, age, now};

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
    state: Option<PromptState>,
    limit: u32,
) -> Result<(), Failure> {
    let state = state.map(|s| format!("&state={s}")).unwrap_or_default();
    let prompts: Vec<Prompt> = client.get(&format!("/v1/prompts?limit={limit}{state}")).await?;
    if print.json {
        return prompts.iter().try_for_each(|p| print.object(p));
    }
    let sessions: Vec<Session> = client.get("/v1/sessions?all=true").await?;
    print.line(&tables::prompts(&prompts, &sessions, now()))
}

/// One prompt with its tries and its answer.
pub async fn prompt(client: &Client, print: &Printer, id: i64) -> Result<(), Failure> {
    let detail: PromptDetail = client.get(&format!("/v1/prompts/{id}")).await?;
    print.object_or(&detail, || {
        let mut out = head(&detail.prompt);
        out.push(String::new());
        out.push(escape_lines(&detail.prompt.asked.text));
        for attempt in &detail.attempts {
            out.push(String::new());
            out.extend(tries(attempt));
        }
        if let Some(result) = detail.prompt.result.as_ref().filter(|r| !r.answer.is_empty()) {
            out.push(String::new());
            out.push(escape_lines(&result.answer));
        }
        out.join("\n")
    })
}

/// Why a prompt is where it is.
pub async fn why(client: &Client, print: &Printer, id: i64) -> Result<(), Failure> {
    let detail: PromptDetail = client.get(&format!("/v1/prompts/{id}")).await?;
    print.object_or(&detail, || {
        let mut out = head(&detail.prompt);
        out.push(String::new());
        out.push(tables::scores(&detail.scores));
        if let Some(attempt) = detail.attempts.last() {
            out.push(String::new());
            out.extend(tries(attempt));
        }
        out.join("\n")
    })
}

/// A person's wish about a prompt; `to` only for `reassign`.
pub async fn change(
    client: &Client,
    print: &Printer,
    id: i64,
    wish: &str,
    to: Option<Option<String>>,
) -> Result<(), Failure> {
    let body = to.map(|target| serde_json::to_string(&Reassign { target })).transpose();
    let body = body.map_err(|e| Failure::failed(e.to_string()))?;
    let prompt: Prompt = client.post(&format!("/v1/prompts/{id}/{wish}"), body).await?;
    print.object_or(&prompt, || {
        let mut out = format!("prompt {} is {}", prompt.id, prompt.state);
        if prompt.state == PromptState::Assigned || prompt.state == PromptState::InProgress {
            out.push_str(": its session was asked to let go");
        }
        if let Some(hold) = &prompt.hold {
            out.push_str(&format!(": {}", escape(&hold.text)));
        }
        out
    })
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
    for (what, value) in [
        ("target", &prompt.asked.target),
        ("directory", &prompt.asked.dir),
        ("branch", &prompt.asked.branch),
        ("agent", &prompt.asked.agent),
    ] {
        out.extend(value.as_ref().map(|v| format!("{what}: {}", escape(v))));
    }
    out.extend(prompt.hold.as_ref().map(|h| format!("hold: {}: {}", h.code, escape(&h.text))));
    if let Some(result) = &prompt.result {
        let source = escape(&result.source);
        out.push(format!("result: {} ({source}): {}", result.outcome, escape(&result.reason)));
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
    if let Some(result) = &attempt.result {
        out.push(format!("  {}: {}", result.outcome, cut(&escape(&result.reason), 200)));
    }
    out
}
