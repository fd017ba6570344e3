//! Answers to dialogs: each shows first what it answers, and is bound to that.
//!
//! Must not: answer a dialog that was not shown.

use wire::http::{Answer, Done};
use wire::session::{Dialog, Session};
use wire::text::{escape, escape_lines};
use wire::wrapper::Choice;

use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::print::Printer;

/// Yes, once.
pub async fn approve(client: &Client, print: &Printer, session: &str) -> Result<(), Failure> {
    let dialog = open(client, session).await?;
    answerable(&dialog, session)?;
    send(client, print, session, dialog, Choice::Approve).await
}

/// No.
pub async fn deny(client: &Client, print: &Printer, session: &str) -> Result<(), Failure> {
    let dialog = open(client, session).await?;
    answerable(&dialog, session)?;
    send(client, print, session, dialog, Choice::Deny).await
}

/// An option, counted from 1.
pub async fn choose(client: &Client, print: &Printer, session: &str, number: u32) -> Result<(), Failure> {
    let dialog = open(client, session).await?;
    let index = number - 1;
    if !dialog.options.iter().any(|o| o.index == index) {
        show(&dialog);
        return Err(Failure::Refused(format!("there is no option {number} in what it asks")));
    }
    send(client, print, session, dialog, Choice::Option { index }).await
}

async fn open(client: &Client, session: &str) -> Result<Dialog, Failure> {
    let found: Session = client.get(&format!("/v1/sessions/{}", segment(session))).await?;
    let state = found.claim.state;
    found
        .dialog
        .ok_or_else(|| Failure::Refused(format!("{} asks nothing now; it is {state}", escape(session))))
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

async fn send(
    client: &Client,
    print: &Printer,
    session: &str,
    dialog: Dialog,
    choice: Choice,
) -> Result<(), Failure> {
    show(&dialog);
    let answer = Answer { dialog: Some(dialog.id), choice };
    let body = serde_json::to_string(&answer).map_err(|e| Failure::failed(e.to_string()))?;
    let done: Done = client.post(&format!("/v1/sessions/{}/answer", segment(session)), Some(body)).await?;
    print.object_or(&done, || "answered".to_owned())
}

fn show(dialog: &Dialog) {
    eprintln!("{}: {}", dialog.kind, escape(&dialog.title));
    if !dialog.body.is_empty() && dialog.body != dialog.title {
        eprintln!("{}", escape_lines(&dialog.body));
    }
    for option in &dialog.options {
        let mark = if option.selected { '>' } else { ' ' };
        eprintln!("{mark} {}. {}", option.index + 1, escape(&option.label));
    }
}
