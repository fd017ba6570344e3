//! What happens in all sessions, a JSON object a line, to be followed and resumed. Must not: lose an event or tell one twice.
//!
//! The server numbers events in the order in which they come in. They are only ever read by that number; the feed says
//! that there are some to read. So it makes no difference when the server was away, or which of its words got lost.

use std::collections::BTreeMap;

use clap::Args;
use futures_util::FutureExt;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::time::timeout;
use wire::PromptId;
use wire::event::{EventKind, Severity};
use wire::feed::ToViewer;
use wire::http::{Events, FoundEvent, PromptDetail};
use wire::prompt::{Prompt, PromptState};
use wire::session::Session;

use crate::client::{Client, Feed, segment};
use crate::failure::Failure;
use crate::print::{Printer, note};
use crate::seek::{PAUSE, at_any_time, patiently};

/// Events that are asked for at once; the server gives no more.
const PAGE: u32 = 200;

/// Which events.
#[derive(Debug, Args)]
pub struct Wanted {
    /// Go on with what happens, over restarts of the server
    #[arg(long, short)]
    follow: bool,
    /// Only of this session
    #[arg(long)]
    session: Option<String>,
    /// Only about this: error, stack_trace, test_result, build, file_edit, file_read, command, code_block, tool_call,
    /// metric, url, git, permission, session
    #[arg(long, short)]
    kind: Option<EventKind>,
    /// Only as grave as this: info, warning, error
    #[arg(long, short)]
    severity: Option<Severity>,
    /// Only what came after the line with this id: no event is lost or told twice
    #[arg(long, value_name = "ID")]
    since: Option<u64>,
    /// How many to begin with, without --since
    #[arg(long, short = 'n', default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=200))]
    limit: u32,
    /// Also prompts whose state changes, from now on
    #[arg(long, requires = "follow")]
    prompts: bool,
}

/// A line that is no event.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PromptLine {
    /// The last event before it: what to resume with.
    pub id: u64,
    /// The prompt in its new state; long texts are cut.
    pub prompt: Prompt,
}

/// Prints them, oldest first, and goes on if asked.
pub async fn events(client: Client, print: &Printer, wanted: Wanted) -> Result<(), Failure> {
    let session = match &wanted.session {
        Some(name) => Some(client.get::<Session>(&format!("/v1/sessions/{}", segment(name))).await?.id.0),
        None => None,
    };
    let filter = filter(&wanted, session.as_deref());
    let mut tape = Tape { print, filter, place: 0, prompts: wanted.prompts.then(Known::default) };
    // Listening begins before reading, so that nothing falls between the two.
    let feed = if wanted.follow { Some(client.feed().await?) } else { None };
    match wanted.since {
        Some(since) => tape.resume(&client, since).await?,
        None => tape.begin(&client, wanted.limit).await?,
    }
    let Some(feed) = feed else { return Ok(()) };
    // A server that was stopped is not started again by whoever looks on.
    tape.follow(&client.of_running(), feed).await
}

fn filter(wanted: &Wanted, session: Option<&str>) -> String {
    let mut filter = String::new();
    filter.extend(session.map(|id| format!("&session={}", segment(id))));
    filter.extend(wanted.kind.map(|kind| format!("&kind={kind}")));
    filter.extend(wanted.severity.map(|severity| format!("&severity={severity}")));
    filter
}

/// What was printed so far.
struct Tape<'a> {
    print: &'a Printer,
    filter: String,
    /// Everything up to this number was printed, as far as it was wanted.
    place: u64,
    /// The prompts, if they are wanted.
    prompts: Option<Known>,
}

/// The state in which each prompt was told or found last; nothing before the server has said what there is.
#[derive(Default)]
struct Known(Option<BTreeMap<PromptId, PromptState>>);

impl Tape<'_> {
    /// Prints the latest.
    async fn begin(&mut self, client: &Client, limit: u32) -> Result<(), Failure> {
        let page = self.page(client, &format!("latest=true&limit={}", limit.max(1))).await?;
        let wanted = page.events.len().min(usize::try_from(limit).unwrap_or(usize::MAX));
        page.events[page.events.len() - wanted..].iter().try_for_each(|event| self.print.object(event))
    }

    /// Goes on where another left off.
    async fn resume(&mut self, client: &Client, since: u64) -> Result<(), Failure> {
        self.place = since;
        self.read(client).await?;
        if self.place < since {
            note!(
                "there is no event {since} yet: the ids are of another server; the last here is {}",
                self.place
            );
        }
        Ok(())
    }

    /// Prints everything that came after what was printed.
    async fn read(&mut self, client: &Client) -> Result<(), Failure> {
        loop {
            let page = self.page(client, &format!("after={}&limit={PAGE}", self.place)).await?;
            page.events.iter().try_for_each(|event: &FoundEvent| self.print.object(event))?;
            if page.events.len() < PAGE as usize {
                return Ok(());
            }
        }
    }

    async fn page(&mut self, client: &Client, which: &str) -> Result<Events, Failure> {
        let page: Events = client.get(&format!("/v1/events?{which}{}", self.filter)).await?;
        let older =
            || Failure::failed("the server is older than this command; `assigner stop` lets a new one start");
        self.place = page.upto.ok_or_else(older)?;
        Ok(page)
    }

    async fn follow(&mut self, client: &Client, mut feed: Feed) -> Result<(), Failure> {
        // What came between the reading and the first message is read now.
        let mut due = true;
        let mut changed = Vec::new();
        loop {
            if due {
                due = match self.read(client).await {
                    Err(failure) if failure.passes() => true,
                    read => read.map(|()| false)?,
                };
            }
            for prompt in changed.drain(..) {
                self.print.object(&PromptLine { id: self.place, prompt })?;
            }
            // What could not be read is tried again also when nothing more is said.
            let mut next = match due {
                true => match timeout(PAUSE, feed.next()).await {
                    Ok(next) => next,
                    Err(_) => continue,
                },
                false => feed.next().await,
            };
            // What is there already is taken in before anything is read, so that a flood is read in pages.
            for taken in 1.. {
                let Some(message) = next else {
                    note!("the server is gone; looking for it");
                    feed = at_any_time(client).await?;
                    due = true;
                    break;
                };
                due |= matches!(message, ToViewer::Event { .. } | ToViewer::Everything { .. });
                if let Some(known) = &mut self.prompts {
                    let left = known.note(message, &mut changed);
                    known.seek(client, left, &mut changed).await?;
                }
                if taken == PAGE {
                    break;
                }
                match feed.next().now_or_never() {
                    Some(ready) => next = ready,
                    None => break,
                }
            }
        }
    }
}

impl Known {
    /// Takes note of prompts; those in a new state are to be told. Gives those that were open and are not spoken of any
    /// more.
    fn note(&mut self, message: ToViewer, changed: &mut Vec<Prompt>) -> BTreeMap<PromptId, PromptState> {
        match message {
            ToViewer::Everything { prompts, .. } => {
                let now = prompts.iter().map(|prompt| (prompt.id, prompt.state)).collect();
                // What a prompt was before anybody listened is not news.
                if let Some(mut before) = self.0.replace(now) {
                    changed.extend(prompts.into_iter().filter(|p| before.remove(&p.id) != Some(p.state)));
                    before.retain(|_, state| !state.is_final());
                    return before;
                }
            }
            ToViewer::Prompt { prompt } => {
                let known = self.0.get_or_insert_default();
                if known.insert(prompt.id, prompt.state) != Some(prompt.state) {
                    changed.push(prompt);
                }
            }
            ToViewer::PromptGone { prompt } => drop(self.0.get_or_insert_default().remove(&prompt)),
            ToViewer::Hello { .. }
            | ToViewer::Routing { .. }
            | ToViewer::Session { .. }
            | ToViewer::SessionGone { .. }
            | ToViewer::Approval { .. }
            | ToViewer::Event { .. }
            | ToViewer::Refused { .. } => {}
        }
        BTreeMap::new()
    }

    /// Asks what became of prompts.
    async fn seek(
        &mut self,
        client: &Client,
        left: BTreeMap<PromptId, PromptState>,
        changed: &mut Vec<Prompt>,
    ) -> Result<(), Failure> {
        for (id, before) in left {
            let path = format!("/v1/prompts/{id}");
            match patiently(async || client.get::<PromptDetail>(&path).await).await {
                Ok(PromptDetail { prompt, .. }) => {
                    self.0.get_or_insert_default().insert(id, prompt.state);
                    changed.extend((prompt.state != before).then_some(prompt));
                }
                Err(Failure::NotFound(_)) => {}
                // It is known as it was, so that the next greeting asks again.
                Err(failure) if failure.passes() => drop(self.0.get_or_insert_default().insert(id, before)),
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }
}
