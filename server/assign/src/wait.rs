//! `--wait`: follows one prompt to its end. Must not: give up because the server is restarted.

use wire::PromptId;
use wire::feed::ToViewer;
use wire::http::PromptDetail;
use wire::prompt::{self, Outcome, Prompt, PromptState, Step};
use wire::text::{escape, escape_lines};

use crate::client::{Client, Feed};
use crate::failure::Failure;
use crate::print::{Printer, note};
use crate::seek::{again, patiently};
use crate::tables::reasoned;

/// Exit code: a person has to look.
pub const HELD: u8 = 6;
/// Exit code: somebody called it off.
pub const CANCELLED: u8 = 7;
/// Exit code: it took too long, as `timeout(1)` says it.
pub const TIMED_OUT: u8 = 124;

/// Waits, tells the progress, prints the answer. Gives the exit code.
pub async fn wait(client: &Client, print: &Printer, mut feed: Feed, prompt: Prompt) -> Result<u8, Failure> {
    let id = prompt.id;
    let mut progress = Progress::default();
    progress.tell(&prompt);
    let (mut last, mut missed) = (prompt, false);
    while !over(&last) {
        match feed.next().await {
            Some(ToViewer::Prompt { prompt }) if prompt.id == id => last = prompt,
            // From its greeting on nothing is missed.
            Some(ToViewer::Hello { .. }) if missed => {
                last = detail(client, id).await?.prompt;
                missed = false;
            }
            Some(_) => continue,
            None => {
                note!("the server is gone; looking for it");
                feed = again(client).await?;
                missed = true;
            }
        }
        progress.tell(&last);
    }
    // The feed cuts long answers; the whole one is kept.
    report(print, &detail(client, id).await?.prompt)
}

/// The prompt as it is kept. A server that is gone at this moment is sought.
async fn detail(client: &Client, id: PromptId) -> Result<PromptDetail, Failure> {
    let path = format!("/v1/prompts/{id}");
    patiently(async || client.get(&path).await).await
}

/// Whether nothing happens any more without a person.
pub fn over(prompt: &Prompt) -> bool {
    match prompt.state {
        PromptState::Held => prompt.hold.as_ref().is_some_and(|h| !h.code.transient()),
        PromptState::Completed | PromptState::Failed | PromptState::Cancelled => true,
        PromptState::Pending | PromptState::Assigned | PromptState::InProgress => false,
    }
}

fn report(print: &Printer, prompt: &Prompt) -> Result<u8, Failure> {
    if print.json {
        print.object(prompt)?;
    } else if let Some(result) = &prompt.result {
        if !result.answer.is_empty() {
            print.line(&escape_lines(&result.answer))?;
        }
        if prompt.state != PromptState::Completed {
            let what = format!("{} ({})", prompt.state, result.outcome);
            note!("{}", reasoned(&what, &escape(&result.reason)));
        }
    }
    Ok(code(prompt))
}

/// What an agent says of its work, in a line.
pub fn progress(said: &prompt::Progress) -> String {
    let percent = said.percent.map_or(String::new(), |percent| format!("{percent}%: "));
    format!("says: {percent}{}", escape(&said.text))
}

fn code(prompt: &Prompt) -> u8 {
    let timed_out = prompt.result.as_ref().is_some_and(|r| r.outcome == Outcome::TimedOut);
    match prompt.state {
        PromptState::Completed => 0,
        PromptState::Failed if timed_out => TIMED_OUT,
        PromptState::Failed => 1,
        PromptState::Cancelled => CANCELLED,
        PromptState::Held => HELD,
        PromptState::Pending | PromptState::Assigned | PromptState::InProgress => 1,
    }
}

/// What was told already.
#[derive(Default)]
struct Progress {
    state: Option<PromptState>,
    step: Option<(i64, Step)>,
    hold: Option<String>,
    said: Option<prompt::Progress>,
}

impl Progress {
    fn tell(&mut self, prompt: &Prompt) {
        for line in self.news(prompt) {
            note!("{line}");
        }
    }

    fn news(&mut self, prompt: &Prompt) -> Vec<String> {
        let mut lines = Vec::new();
        if self.state != Some(prompt.state) {
            self.state = Some(prompt.state);
            lines.push(format!("prompt {} is {}", prompt.id, prompt.state));
        }
        let hold = prompt.hold.as_ref().map(|h| format!("{}: {}", h.code, escape(&h.text)));
        if hold.is_some() && self.hold != hold {
            lines.extend(hold.as_ref().map(|h| format!("  {h}")));
        }
        self.hold = hold;
        if let Some(attempt) = &prompt.attempt {
            for receipt in &attempt.receipts {
                let now = (attempt.id.0, receipt.step);
                if self.step.is_none_or(|told| told < now) {
                    self.step = Some(now);
                    lines.push(format!("  {}", receipt.step));
                }
            }
            if self.said != attempt.progress {
                self.said.clone_from(&attempt.progress);
                lines.extend(attempt.progress.iter().map(|said| format!("  {}", progress(said))));
            }
        }
        lines
    }
}
