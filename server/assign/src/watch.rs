//! `assign watch`: sessions and prompts as they change; a table on a terminal, lines elsewhere.
//!
//! Must not: redraw more often than eyes can follow.

use std::collections::BTreeMap;
use std::time::Duration;

use wire::feed::ToViewer;
use wire::prompt::{Prompt, PromptState};
use wire::session::{Link, Session, State};
use wire::text::escape;
use wire::{PromptId, SessionId};

use crate::client::{Client, Feed};
use crate::failure::Failure;
use crate::print::Printer;
use crate::tables::{self, now};

/// How often the table is drawn at most; ages change also when nothing else does.
const REDRAW: Duration = Duration::from_millis(500);
/// Final prompts in the table.
const FINAL: usize = 10;

/// What is known.
#[derive(Default)]
struct Board {
    sessions: BTreeMap<SessionId, Session>,
    prompts: BTreeMap<PromptId, Prompt>,
}

/// Shows changes until the server is gone or the output is closed.
pub async fn watch(client: &Client, print: &Printer) -> Result<(), Failure> {
    let mut feed = client.feed().await?;
    if print.on_terminal() {
        return draw(&mut feed, print).await;
    }
    let mut board = Board::default();
    while let Some(message) = feed.next().await {
        if print.json {
            print.object(&message)?;
            continue;
        }
        for line in board.take(message) {
            print.line(&line)?;
        }
    }
    Err(gone())
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
        board.take(message);
        let line = board.counts();
        if last.as_ref() != Some(&line) {
            print.line(&line)?;
            last = Some(line);
        }
    }
    Err(gone())
}

async fn draw(feed: &mut Feed, print: &Printer) -> Result<(), Failure> {
    let mut board = Board::default();
    let mut redraw = tokio::time::interval(REDRAW);
    loop {
        tokio::select! {
            message = feed.next() => match message {
                Some(message) => drop(board.take(message)),
                None => return Err(gone()),
            },
            _ = redraw.tick() => print.bytes(board.screen().as_bytes())?,
        }
    }
}

fn gone() -> Failure {
    Failure::Unreachable("the server is gone".to_owned())
}

impl Board {
    /// Takes a message in; gives what changed, as lines.
    fn take(&mut self, message: ToViewer) -> Vec<String> {
        match message {
            ToViewer::Everything { sessions, prompts, .. } => {
                self.sessions.retain(|id, _| sessions.iter().any(|s| s.id == *id));
                self.prompts.retain(|id, _| prompts.iter().any(|p| p.id == *id));
                let mut lines: Vec<String> = sessions.into_iter().filter_map(|s| self.session(s)).collect();
                lines.extend(prompts.into_iter().filter_map(|p| self.prompt(p)));
                lines
            }
            ToViewer::Session { session } => self.session(session).into_iter().collect(),
            ToViewer::Prompt { prompt } => self.prompt(prompt).into_iter().collect(),
            ToViewer::SessionGone { session } => {
                self.sessions.remove(&session);
                Vec::new()
            }
            ToViewer::PromptGone { prompt } => {
                self.prompts.remove(&prompt);
                Vec::new()
            }
            ToViewer::Hello { .. }
            | ToViewer::Approval { .. }
            | ToViewer::Event { .. }
            | ToViewer::Routing { .. }
            | ToViewer::Refused { .. } => Vec::new(),
        }
    }

    fn session(&mut self, session: Session) -> Option<String> {
        let line = format!("session {} is {}", escape(&session.name), session.claim.state);
        let state = session.claim.state;
        let before = self.sessions.insert(session.id.clone(), session);
        before.is_none_or(|b| b.claim.state != state).then_some(line)
    }

    fn prompt(&mut self, prompt: Prompt) -> Option<String> {
        let hold = prompt.hold.as_ref().map(|h| format!(": {}", escape(&h.text))).unwrap_or_default();
        let line = format!("prompt {} is {}{hold}", prompt.id, prompt.state);
        let state = prompt.state;
        let before = self.prompts.insert(prompt.id, prompt);
        before.is_none_or(|b| b.state != state).then_some(line)
    }

    /// Sessions by what a person has to do about them; kinds that there are none of are left out.
    fn counts(&self) -> String {
        let live = self.sessions.values().filter(|s| s.claim.state != State::Exited);
        let (mut asks, mut busy, mut idle, mut unknown) = (0, 0, 0, 0);
        for session in live {
            match (session.link, session.claim.state) {
                (Link::Disconnected, _) | (_, State::Unknown) => unknown += 1,
                (_, State::WaitingPermission | State::WaitingInput) => asks += 1,
                (_, State::Busy | State::Starting) => busy += 1,
                (_, State::Idle) => idle += 1,
                (_, State::Exited) => {}
            }
        }
        let held = self.prompts.values().filter(|p| p.state == PromptState::Held).count();
        let kinds = [(asks, "asks"), (held, "held"), (busy, "busy"), (idle, "idle"), (unknown, "unknown")];
        let some: Vec<_> =
            kinds.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        if some.is_empty() { "no sessions".to_owned() } else { some.join(" · ") }
    }

    /// The whole picture, from the upper left corner.
    fn screen(&self) -> String {
        let sessions: Vec<Session> = self.sessions.values().cloned().collect();
        let (done, open): (Vec<Prompt>, Vec<Prompt>) =
            self.prompts.values().rev().cloned().partition(|p| p.state.is_final());
        let prompts: Vec<Prompt> = open.into_iter().chain(done.into_iter().take(FINAL)).collect();
        let text = format!(
            "{}\n\n{}\n",
            tables::sessions(&sessions, now()),
            tables::prompts(&prompts, &sessions, now())
        );
        // Lines are cleared to their ends, and the screen after the last: nothing flickers.
        format!("\x1b[H{}\x1b[J", text.replace('\n', "\x1b[K\r\n"))
    }
}
