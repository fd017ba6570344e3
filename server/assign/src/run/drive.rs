//! Carries a run out: queues what the machine asks for, and tells it what the server says. Must not: decide what is next.

use std::collections::BTreeSet;

use futures_util::FutureExt;
use wire::PromptId;
use wire::feed::ToViewer;
use wire::http::{Counted, PromptDetail, Selection};
use wire::prompt::{Prompt, PromptState};
use wire::text::counted;

use super::Run;
use super::machine::{Act, Machine, Place};
use super::report::Report;
use crate::client::{Client, Feed, segment};
use crate::failure::Failure;
use crate::print::{Printer, note};
use crate::queued;
use crate::seek::{again, patiently};
use crate::sending;

/// Exit code: a person pressed Ctrl-C, as shells say it.
const INTERRUPTED: u8 = 130;
/// Prompts that are asked for at once: each may carry an answer and what it changed.
const PAGE: usize = 100;

/// A run under way.
struct Drive<'a> {
    client: &'a Client,
    run: &'a Run,
    machine: Machine<'a>,
    report: Report<'a>,
    resumed: bool,
}

/// Runs to the end, or to where a person has to look. Gives the exit code.
pub async fn drive(client: &Client, print: &Printer, run: &Run, resumed: bool) -> Result<u8, Failure> {
    let machine = Machine::new(&run.flow, &run.graph);
    let machine = if resumed { machine.resumed() } else { machine };
    let mut drive = Drive { client, run, machine, report: Report::new(print, run), resumed };
    let ended = tokio::select! {
        ended = drive.go() => ended,
        pressed = tokio::signal::ctrl_c() => match pressed {
            // A second one does not wait for a server that does not answer.
            Ok(()) => tokio::select! {
                ended = interrupted(client, run) => ended,
                _ = tokio::signal::ctrl_c() => Ok(INTERRUPTED),
            },
            Err(e) => Err(Failure::failed(format!("cannot listen for Ctrl-C: {e}"))),
        },
    };
    if ended.is_err() {
        note!("the queue is as it was; to go on: {}", run.resume);
    }
    ended
}

async fn interrupted(client: &Client, run: &Run) -> Result<u8, Failure> {
    if run.cancel {
        let count = cancel_open(client, run).await?;
        note!("called off: {}; what sessions have goes on", counted(count, "prompt"));
    } else {
        note!("the queue is as it was; to go on: {}", run.resume);
        note!("to call it off: assign cancel --all --key {}", prefix(run));
    }
    Ok(INTERRUPTED)
}

/// Calls off what no session has yet.
async fn cancel_open(client: &Client, run: &Run) -> Result<u32, Failure> {
    cancel_under(client, prefix(run)).await
}

/// Calls off what no session has yet, of a run or of a step. What is let go meanwhile goes from one state to the other:
/// it is over when a whole round finds nothing.
async fn cancel_under(client: &Client, prefix: String) -> Result<u32, Failure> {
    let mut count = 0;
    loop {
        let before = count;
        for state in [PromptState::Held, PromptState::Pending, PromptState::Held] {
            let which = Selection { key: Some(prefix.clone()), state: Some(state), ..Selection::default() };
            let body = serde_json::to_string(&which).map_err(|e| Failure::failed(e.to_string()))?;
            let counted: Counted =
                patiently(async || client.post("/v1/prompts/cancel", Some(body.clone())).await).await?;
            count += counted.count;
        }
        if count == before {
            return Ok(count);
        }
    }
}

/// How the keys of a run's prompts begin.
fn prefix(run: &Run) -> String {
    format!("run/{}/", run.id)
}

impl Drive<'_> {
    async fn go(&mut self) -> Result<u8, Failure> {
        // Before anything is queued: whatever ends this process, its name is known.
        self.report.begun()?;
        // Listening begins before the prompts are there, so that nothing of them is missed.
        let mut feed = self.client.feed().await?;
        loop {
            if let Some(act) = self.machine.next() {
                self.act(act).await?;
                // Who queues many and does not listen meanwhile is cut off.
                while let Some(message) = feed.next().now_or_never() {
                    self.hear(&mut feed, message).await?;
                }
            } else if self.machine.over() {
                return self.report.over(self.machine.counts());
            } else {
                let message = feed.next().await;
                self.hear(&mut feed, message).await?;
            }
        }
    }

    async fn hear(&mut self, feed: &mut Feed, message: Option<ToViewer>) -> Result<(), Failure> {
        match message {
            Some(ToViewer::Prompt { prompt }) => self.seen(prompt).await,
            Some(ToViewer::PromptGone { prompt }) => {
                self.machine.forgotten(prompt);
                Ok(())
            }
            // From its greeting on nothing is missed; what it tells of all is cut, so all of ours are asked for instead.
            Some(ToViewer::Hello { .. }) => self.compare().await,
            Some(_) => Ok(()),
            None => {
                note!("the server is gone; looking for it");
                *feed = again(self.client).await?;
                Ok(())
            }
        }
    }

    async fn act(&mut self, act: Act) -> Result<(), Failure> {
        match act {
            Act::Queue(place) => self.queue(place).await,
            Act::Cancel(id) => {
                let path = format!("/v1/prompts/{id}/cancel");
                // It may have ended otherwise meanwhile, or be forgotten: then there is nothing to call off.
                match patiently(async || self.client.post::<Prompt>(&path, None).await).await {
                    Ok(_) | Err(Failure::Refused(_) | Failure::NotFound(_)) => {}
                    Err(failure) => return Err(failure),
                }
                // Of what is still awaited the server says itself that it is called off.
                let place = self.machine.place(id).filter(|_| !self.machine.awaits(id));
                place.map_or(Ok(()), |at| self.report.left_out(&self.machine, at, Some(id)))
            }
            Act::CancelOpen => {
                let count = cancel_open(self.client, self.run).await?;
                let count = counted(count, "prompt");
                note!("a step failed: nothing more is queued; called off: {count}");
                self.compare().await
            }
            Act::Find(place) => match queued::find(self.client, &self.key(place)).await? {
                Some(prompt) => self.found(place, prompt).await,
                None => {
                    self.machine.left_out(place);
                    self.report.left_out(&self.machine, place, None)
                }
            },
            Act::Skipped(step, count) => {
                if self.resumed {
                    // What an earlier start queued of it is not left behind.
                    let id = &self.run.flow.steps[step].id;
                    cancel_under(self.client, format!("{}{id}/", prefix(self.run))).await?;
                }
                self.report.skipped(&self.machine, step, count)
            }
            Act::Unrepeatable(step, why) => self.report.refused(&self.machine, Place { step, nth: 0 }, &why),
        }
    }

    /// The key of a prompt; no other key begins with it.
    fn key(&self, place: Place) -> String {
        format!("{}{}/{}/", prefix(self.run), self.run.flow.steps[place.step].id, place.nth + 1)
    }

    /// Takes over what an earlier start queued.
    async fn found(&mut self, place: Place, prompt: Prompt) -> Result<(), Failure> {
        self.machine.queued(place, prompt.id);
        self.seen(prompt).await
    }

    /// Queues a prompt, or finds it queued by an earlier start.
    async fn queue(&mut self, place: Place) -> Result<(), Failure> {
        let key = self.key(place);
        // It would be asked otherwise now if what it tells of was tried again meanwhile.
        if self.resumed
            && self.machine.depends(place)
            && let Some(there) = queued::find(self.client, &key).await?
        {
            return self.found(place, there).await;
        }
        let written = self.machine.prompt(place).map_err(Failure::Usage).and_then(|mut prompt| {
            prompt.dir =
                prompt.dir.as_deref().map(|dir| sending::directory(dir, &self.run.base)).transpose()?;
            Ok(prompt)
        });
        let step = &self.run.flow.steps[place.step].id;
        let queued = match written {
            Err(failure) => Err(failure),
            Ok(prompt) => queued::post_once(self.client, &prompt, &key).await,
        };
        match queued {
            Ok(prompt) => {
                self.machine.queued(place, prompt.id);
                // The answer to a request is whole.
                self.report.seen(&self.machine, place, &prompt)?;
                self.machine.seen(&prompt);
                Ok(())
            }
            Err(Failure::Usage(why) | Failure::NotFound(why)) => {
                self.machine.refused(place);
                self.report.refused(&self.machine, place, &why)
            }
            Err(Failure::Refused(why)) if self.resumed => Err(Failure::Refused(format!(
                "step {step}: {why}. A run is gone on with by the file and the values that it was started with"
            ))),
            Err(failure) => Err(failure),
        }
    }

    /// Takes in what a prompt is now.
    async fn seen(&mut self, prompt: Prompt) -> Result<(), Failure> {
        let Some(place) = self.machine.place(prompt.id).filter(|_| self.machine.awaits(prompt.id)) else {
            return Ok(());
        };
        let mut prompt = prompt;
        if prompt.state == PromptState::Completed && self.machine.wants_answer(prompt.id) {
            // The feed cuts long answers.
            let path = format!("/v1/prompts/{}", prompt.id);
            match patiently(async || self.client.get::<PromptDetail>(&path).await).await {
                Ok(detail) => prompt = detail.prompt,
                Err(Failure::NotFound(_)) => {
                    self.machine.forgotten(prompt.id);
                    return Ok(());
                }
                Err(failure) => return Err(failure),
            }
        }
        self.report.seen(&self.machine, place, &prompt)?;
        self.machine.seen(&prompt);
        Ok(())
    }

    /// Looks at all prompts of the run; one that the server does not know any more is gone.
    async fn compare(&mut self) -> Result<(), Failure> {
        let mut open: BTreeSet<PromptId> = self.machine.open().collect();
        let mut before = None;
        while !open.is_empty() {
            let mut path = format!("/v1/prompts?limit={PAGE}&key={}", segment(&prefix(self.run)));
            path.extend(before.map(|id: PromptId| format!("&before={id}")));
            let page: Vec<Prompt> = patiently(async || self.client.get(&path).await).await?;
            before = page.last().map(|prompt| prompt.id);
            let over = page.is_empty();
            for prompt in page {
                open.remove(&prompt.id);
                self.seen(prompt).await?;
            }
            if over {
                break;
            }
        }
        open.into_iter().for_each(|id| self.machine.forgotten(id));
        Ok(())
    }
}
