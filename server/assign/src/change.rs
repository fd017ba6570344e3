//! People's wishes about prompts. Must not: decide whether they can be met.

use hyper::Method;
use serde::Serialize;
use wire::admin::Routing;
use wire::http::{Counted, Edit, PromptDetail, Reassign, Selection};
use wire::prompt::{Prompt, PromptState};
use wire::text::{counted, escape};
use wire::{PromptId, UnixMillis};

use crate::cli::Which;
use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::print::Printer;
use crate::send;

/// What is to be changed in a prompt.
pub struct Wanted {
    /// Its text; `-` is standard input.
    pub text: Option<String>,
    /// Its place.
    pub priority: Option<u8>,
    /// What it waits for.
    pub after: Option<Vec<String>>,
    /// Not before, in milliseconds since the epoch.
    pub at: Option<i64>,
}

/// Calls one off, or many.
pub async fn cancel(client: &Client, print: &Printer, which: Which) -> Result<(), Failure> {
    match which.id {
        Some(id) => one(client, print, id, "cancel", None).await,
        None => many(client, print, which, None, "cancel", "called off").await,
    }
}

/// Tries one again, or many.
pub async fn retry(client: &Client, print: &Printer, which: Which) -> Result<(), Failure> {
    match which.id {
        Some(id) => one(client, print, id, "retry", None).await,
        None => many(client, print, which, Some(PromptState::Failed), "retry", "tried again").await,
    }
}

/// Gives one to another session: this one, or the router's choice.
pub async fn reassign(client: &Client, print: &Printer, id: i64, to: Option<String>) -> Result<(), Failure> {
    one(client, print, id, "reassign", Some(body(&Reassign { target: to })?)).await
}

/// Forgets prompts that have ended.
pub async fn clear(
    client: &Client,
    print: &Printer,
    state: Option<PromptState>,
    older: Option<u64>,
) -> Result<(), Failure> {
    let selection = Selection { state, older_ms: older, ..Selection::default() };
    let some: Counted = client.post("/v1/prompts/clear", Some(body(&selection)?)).await?;
    print.object_or(&some, || format!("{} forgotten", counted(some.count, "prompt")))
}

/// Changes one that no session has.
pub async fn edit(client: &Client, print: &Printer, id: i64, wanted: Wanted) -> Result<(), Failure> {
    let path = format!("/v1/prompts/{id}");
    let asked = match wanted.text {
        None => None,
        Some(text) => {
            let detail: PromptDetail = client.get(&path).await?;
            let text = if text == "-" { send::stdin()? } else { text };
            Some(wire::prompt::NewPrompt { text, ..detail.prompt.asked })
        }
    };
    let edit = Edit {
        asked,
        priority: wanted.priority,
        after: wanted.after.map(numbers).transpose()?,
        not_before: wanted.at.map(UnixMillis),
    };
    if edit == Edit::default() {
        return Err(Failure::Usage("say what to change: --text, --priority, --after or --at".to_owned()));
    }
    let prompt: Prompt = client.ask(Method::PATCH, &path, Some(body(&edit)?), None).await?;
    tell(print, &prompt)
}

/// Gives out no prompts any longer, or again: to all sessions or to one.
pub async fn pause(
    client: &Client,
    print: &Printer,
    session: Option<String>,
    paused: bool,
) -> Result<(), Failure> {
    let path = match &session {
        Some(name) => format!("/v1/sessions/{}/routing", segment(name)),
        None => "/v1/routing".to_owned(),
    };
    let routing: Routing = client.post(&path, Some(body(&Routing { paused })?)).await?;
    print.object_or(&routing, || {
        let whom = session.as_deref().map_or("all sessions".to_owned(), escape);
        if routing.paused {
            format!("paused: no prompts go to {whom}")
        } else {
            format!("prompts go to {whom} again")
        }
    })
}

fn numbers(words: Vec<String>) -> Result<Vec<PromptId>, Failure> {
    let words = words.iter().filter(|word| !word.trim().is_empty());
    words
        .map(|word| {
            let number = word.trim().parse().map(PromptId);
            number.map_err(|_| Failure::Usage(format!("'{}' is no prompt's number", escape(word))))
        })
        .collect()
}

async fn one(
    client: &Client,
    print: &Printer,
    id: i64,
    wish: &str,
    body: Option<String>,
) -> Result<(), Failure> {
    let prompt: Prompt = client.post(&format!("/v1/prompts/{id}/{wish}"), body).await?;
    tell(print, &prompt)
}

async fn many(
    client: &Client,
    print: &Printer,
    which: Which,
    otherwise: Option<PromptState>,
    wish: &str,
    done: &str,
) -> Result<(), Failure> {
    let Which { state, session, tag, thread, key, .. } = which;
    let selection =
        Selection { state: state.or(otherwise), session, tag, thread, key, ..Selection::default() };
    let some: Counted = client.post(&format!("/v1/prompts/{wish}"), Some(body(&selection)?)).await?;
    print.object_or(&some, || format!("{} {done}", counted(some.count, "prompt")))
}

fn tell(print: &Printer, prompt: &Prompt) -> Result<(), Failure> {
    print.object_or(prompt, || {
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

fn body<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|e| Failure::failed(e.to_string()))
}
