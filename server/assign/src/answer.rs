//! Answers to dialogs: each shows first what it answers, and is bound to that.
//!
//! Must not: answer a dialog that was not shown.

use wire::approval::{Approval, ApprovalState};
use wire::http::{Answer, Done};
use wire::session::{Dialog, Session};
use wire::text::{escape, escape_lines};
use wire::wrapper::Choice;

use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::print::{Printer, note};
use crate::tables::now;

/// What a session has asked for less than this was hardly seen by whoever answers by the session's name.
const GRACE_MS: u64 = 500;

/// Yes, once.
pub async fn approve(client: &Client, print: &Printer, session: &str) -> Result<(), Failure> {
    let open = open(client, session).await?;
    answerable(&open.dialog, session)?;
    send(client, print, open, Choice::Approve).await
}

/// No.
pub async fn deny(client: &Client, print: &Printer, session: &str) -> Result<(), Failure> {
    let open = open(client, session).await?;
    answerable(&open.dialog, session)?;
    send(client, print, open, Choice::Deny).await
}

/// An option, counted from 1.
pub async fn choose(client: &Client, print: &Printer, session: &str, number: u32) -> Result<(), Failure> {
    let open = open(client, session).await?;
    let index = number - 1;
    if !open.dialog.options.iter().any(|o| o.index == index) {
        show(&open.dialog);
        return Err(Failure::Refused(format!("there is no option {number} in what it asks")));
    }
    send(client, print, open, Choice::Option { index }).await
}

/// Words of one's own, for what an agent asks beside its terminal.
pub async fn say(client: &Client, print: &Printer, session: &str, text: String) -> Result<(), Failure> {
    let open = open(client, session).await?;
    send(client, print, open, Choice::Words { text }).await
}

/// What is asked: by a session, or as an item of its own, which its number names.
struct Open {
    dialog: Dialog,
    /// Where an answer goes.
    path: String,
}

async fn open(client: &Client, asked: &str) -> Result<Open, Failure> {
    if let Ok(number) = asked.parse::<i64>() {
        let item: Approval = client.get(&format!("/v1/approvals/{number}")).await?;
        if item.state != ApprovalState::Open {
            return Err(Failure::Refused(format!("approval {number} is {} already", item.state)));
        }
        return Ok(Open { dialog: item.dialog, path: format!("/v1/approvals/{number}/answer") });
    }
    let found: Session = client.get(&format!("/v1/sessions/{}", segment(asked))).await?;
    let path = format!("/v1/approvals?state=open&session={}", segment(asked));
    let mut items: Vec<Approval> = client.get(&path).await?;
    let name = escape(asked);
    match (items.pop(), items.is_empty()) {
        (Some(item), true) if now().since(item.opened) < GRACE_MS => {
            show(&item.dialog);
            Err(Failure::Refused(format!(
                "{name} asks this only now; if it is what you mean, use its number, {}",
                item.id
            )))
        }
        (Some(item), true) => {
            Ok(Open { dialog: item.dialog, path: format!("/v1/approvals/{}/answer", item.id) })
        }
        (Some(_), false) => Err(Failure::Refused(format!(
            "{name} asks several things; `assign approvals --session {name}` lists them, and each is answered by its \
             number"
        ))),
        (None, _) if found.dialog.is_some() => Err(Failure::Refused(format!(
            "{name} asks something only now; `assign approvals --session {name}` shows it and its number"
        ))),
        (None, _) => Err(Failure::Refused(format!("{name} asks nothing now; it is {}", found.claim.state))),
    }
}

fn answerable(dialog: &Dialog, session: &str) -> Result<(), Failure> {
    if dialog.answerable {
        return Ok(());
    }
    show(dialog);
    Err(Failure::Refused(format!(
        "how to say yes or no to this is not known; use `assign answer {} NUMBER`, or its terminal",
        escape(session)
    )))
}

async fn send(client: &Client, print: &Printer, open: Open, choice: Choice) -> Result<(), Failure> {
    show(&open.dialog);
    let answer = Answer { dialog: open.dialog.id, choice };
    let body = serde_json::to_string(&answer).map_err(|e| Failure::failed(e.to_string()))?;
    let done: Done = client.post(&open.path, Some(body)).await?;
    print.object_or(&done, || "answered".to_owned())
}

fn show(dialog: &Dialog) {
    note!("{}: {}", dialog.kind, escape(&dialog.title));
    if !dialog.body.is_empty() && dialog.body != dialog.title {
        note!("{}", escape_lines(&dialog.body));
    }
    if let Some(request) = &dialog.request {
        note!("{}: {}", escape(&request.tool), escape_lines(&request.detail));
    }
    for option in &dialog.options {
        let mark = if option.selected { '>' } else { ' ' };
        note!("{mark} {}. {}", option.index + 1, escape(&option.label));
    }
}
