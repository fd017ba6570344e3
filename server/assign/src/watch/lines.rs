//! Changes as lines, for whoever reads no terminal: a pipe, a status line, a program. Must not: repeat what is known.

use std::time::Duration;

use wire::feed::ToViewer;
use wire::text::escape;

use super::board::{Board, Change};
use super::herald::Herald;
use crate::client::Client;
use crate::failure::Failure;
use crate::print::Printer;
use crate::tables::now;

/// How often it is looked whether a notice is due.
const SECOND: Duration = Duration::from_secs(1);

/// Prints each change until the server is gone or the output is closed.
pub async fn changes(client: &Client, print: &Printer, mut herald: Option<Herald>) -> Result<(), Failure> {
    let mut feed = client.feed().await?;
    let mut board = Board::default();
    let mut second = tokio::time::interval(SECOND);
    loop {
        let message = tokio::select! {
            message = feed.next() => message.ok_or_else(gone)?,
            _ = second.tick(), if herald.is_some() => {
                if let Some(herald) = &mut herald {
                    herald.look(&board, now());
                }
                continue;
            }
        };
        if print.json {
            print.object(&message)?;
        }
        for change in board.hear(message) {
            if let Some(line) = line(&board, &change).filter(|_| !print.json) {
                print.line(&line)?;
            }
        }
        if let Some(herald) = &mut herald {
            herald.hear(&board, now());
        }
    }
}

/// Prints how many sessions ask, work and rest, whenever that changes, until the server is gone.
pub async fn counts(client: &Client, print: &Printer) -> Result<(), Failure> {
    let mut feed = client.feed().await?;
    let mut board = Board::default();
    let mut last = None;
    while let Some(message) = feed.next().await {
        if matches!(message, ToViewer::Hello { .. }) {
            // Nothing is known yet.
            continue;
        }
        board.hear(message);
        let line = board.counts();
        if last.as_ref() != Some(&line) {
            print.line(&line)?;
            last = Some(line);
        }
    }
    Err(gone())
}

fn line(board: &Board, change: &Change) -> Option<String> {
    match change {
        Change::Session(id) => {
            let session = board.sessions.get(id)?;
            Some(format!("session {} is {}", escape(&session.name), session.claim.state))
        }
        Change::Prompt(id) => {
            let prompt = board.prompts.get(id)?;
            let hold = prompt.hold.as_ref().map(|h| format!(": {}", escape(&h.text))).unwrap_or_default();
            Some(format!("prompt {} is {}{hold}", prompt.id, prompt.state))
        }
    }
}

fn gone() -> Failure {
    Failure::Unreachable("the server is gone".to_owned())
}
