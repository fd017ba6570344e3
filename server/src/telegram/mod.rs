//! Telegram bots listen: what users whom a sink allows write is obeyed. Must not: approve, type, or change a setting.
//!
//! Each bot's messages are fetched ("getUpdates", a request that waits) on a thread of its own, which no end of the server
//! waits for. A message that is fetched again after a crash is obeyed again: a task is queued under a key, so it stays one.

mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use ureq::Body;
use ureq::http::Response;
use wire::alert::{NewSink, SinkKind};
use wire::http::Selection;
use wire::prompt::NewPrompt;

use crate::http::turned;
use crate::hub::{Alerts, Ask, By, Change, Given, Hub, Listing};
use crate::outbound::{self, Reach};
use words::{Heard, Updates, Wish};

/// How often the sinks are looked at.
const EVERY: Duration = Duration::from_secs(2);
/// How long the interface may keep a request that waits for messages.
const WAIT: Duration = Duration::from_secs(25);
/// How much longer an answer may take.
const SLACK: Duration = Duration::from_secs(15);
/// Longest rest after a failure.
const REST: Duration = Duration::from_secs(60);
/// Largest answer of the interface that is read, in bytes: 100 messages of 4,096 characters, generously.
const LARGEST: u64 = 4 << 20;
/// Open prompts that are looked through for an answer.
const LOOKED_AT: u32 = 200;

/// A bot that listens. Ends when it is dropped: its thread finds nobody to tell.
struct Listener {
    bot: Bot,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens for all sinks that allow somebody, until the server ends.
pub async fn listen(hub: Hub, mut ending: watch::Receiver<bool>) {
    let mut every = tokio::time::interval(EVERY);
    let mut listeners: BTreeMap<String, Listener> = BTreeMap::new();
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = turned(&mut ending) => return,
        }
        let Ok(sinks) = hub.ask(|reply| Ask::Alerts(Alerts::Listening(reply))).await else { continue };
        let bots: Vec<Bot> = sinks.iter().map(Bot::of).collect();
        listeners.retain(|_, listener| bots.contains(&listener.bot));
        for bot in bots {
            let task = || tokio::spawn(obey(hub.clone(), bot.clone()));
            listeners.entry(bot.name.clone()).or_insert_with(|| Listener { task: task(), bot: bot.clone() });
        }
    }
}

/// Whether a sink's bot listens.
pub fn listens(sink: &NewSink) -> bool {
    sink.kind == SinkKind::Telegram && sink.secret.is_some() && !sink.allowed.is_empty()
}

async fn obey(hub: Hub, bot: Bot) {
    // One at a time: the next is fetched when this one was obeyed.
    let (to, mut fetched) = mpsc::channel(1);
    let fetching = bot.clone();
    let thread = std::thread::Builder::new().name("telegram".to_owned()).spawn(move || fetching.fetch(&to));
    if let Err(error) = thread {
        tracing::error!(%error, sink = bot.name, "nobody listens to this bot");
        return;
    }
    while let Some(update) = fetched.recv().await {
        // Who is allowed is asked anew: a user that was taken off is not obeyed a moment longer.
        let sink = hub.ask(|reply| Ask::Alerts(Alerts::Sink(bot.name.clone(), reply))).await;
        let Some(sink) = sink.ok().filter(listens) else { return };
        let Some(heard) = update.message.and_then(|written| words::heard(&sink, written)) else { continue };
        let text = answer(&hub, &sink, update.update_id, &heard).await;
        let saying = bot.clone();
        let sent = tokio::task::spawn_blocking(move || saying.say(heard.chat, &text)).await;
        if let Ok(Err(why)) = sent {
            tracing::warn!(sink = sink.name, why, "an answer could not be sent");
        }
    }
}

/// Does what is wanted; what is to be told about it.
async fn answer(hub: &Hub, sink: &NewSink, update: i64, heard: &Heard) -> String {
    let by = By::Chat(format!("telegram {} user {}", sink.name, heard.user));
    let done = match &heard.wish {
        Wish::Help => Ok(words::HELP.to_owned()),
        Wish::Status => status(hub, sink).await,
        Wish::Task(text) => {
            let prompt = Box::new(NewPrompt::new(text.clone()));
            let key = format!("telegram/{}/{update}", sink.name);
            let queued = hub
                .ask(|reply| Ask::Enqueue(prompt, Given { key: Some(key), ..Given::default() }, by, reply))
                .await;
            queued.map(|(_, prompt)| format!("#{} is queued.", prompt.id))
        }
        Wish::Progress(None) => {
            let listing = Listing { limit: LOOKED_AT, which: Selection::default(), ..Listing::default() };
            let prompts = hub.ask(|reply| Ask::Prompts(Box::new(listing), reply)).await;
            prompts.map(|prompts| words::open(&prompts, sink.detailed))
        }
        Wish::Progress(Some(id)) => {
            let detail = hub.ask(|reply| Ask::Prompt(*id, reply)).await;
            detail.map(|detail| words::one(&detail, sink.detailed))
        }
        Wish::Cancel(id) => {
            let changed = hub.ask(|reply| Ask::Change(*id, Change::Cancel, by, reply)).await;
            changed.map(|prompt| format!("#{} is {}.", prompt.id, prompt.state))
        }
    };
    done.unwrap_or_else(|fault| format!("Not done: {fault}"))
}

async fn status(hub: &Hub, sink: &NewSink) -> Result<String, crate::fault::Fault> {
    let status = hub.ask(Ask::Status).await?;
    let sessions = match sink.detailed {
        true => Some(hub.ask(|reply| Ask::Sessions(false, reply)).await?),
        false => None,
    };
    Ok(words::status(&status, sessions.as_deref()))
}

/// A bot's interface. Its address holds a secret and is told nowhere.
#[derive(Clone, PartialEq)]
struct Bot {
    address: String,
    reach: Reach,
    /// The sink that it belongs to.
    name: String,
}

impl Bot {
    fn of(sink: &NewSink) -> Self {
        let token = sink.secret.as_deref().unwrap_or_default();
        let address = format!("{}/bot{token}", sink.target.trim_end_matches('/'));
        Self { address, reach: Reach::of(sink), name: sink.name.clone() }
    }

    /// Fetches messages, oldest first, each once, until nobody wants them.
    fn fetch(&self, to: &mpsc::Sender<words::Update>) {
        let mut next = 0;
        let mut rest = Duration::from_secs(1);
        while !to.is_closed() {
            match self.updates(next) {
                Ok(updates) => {
                    rest = Duration::from_secs(1);
                    for update in updates {
                        // To ask for what comes after it says that it was received.
                        next = next.max(update.update_id.saturating_add(1));
                        if to.blocking_send(update).is_err() {
                            return;
                        }
                    }
                }
                Err(why) => {
                    tracing::warn!(sink = self.name, why, "a bot's messages cannot be fetched");
                    std::thread::sleep(rest);
                    rest = (rest * 2).min(REST);
                }
            }
        }
    }

    fn updates(&self, next: i64) -> Result<Vec<words::Update>, String> {
        let body = json!({ "offset": next, "timeout": WAIT.as_secs(), "allowed_updates": ["message"] });
        let mut answer = self.call("getUpdates", &body, WAIT + SLACK)?;
        let text = answer.body_mut().with_config().limit(LARGEST).read_to_string();
        let text = text.map_err(|_| "its answer cannot be read".to_owned())?;
        let updates: Updates =
            serde_json::from_str(&text).map_err(|_| "its answer is not the Bot API's".to_owned())?;
        Ok(updates.result)
    }

    fn say(&self, chat: i64, text: &str) -> Result<(), String> {
        self.call("sendMessage", &json!({ "chat_id": chat, "text": text }), SLACK).map(drop)
    }

    fn call(&self, method: &str, body: &Value, patience: Duration) -> Result<Response<Body>, String> {
        let request = outbound::agent(self.reach, patience).post(format!("{}/{method}", self.address));
        let sent = request.header("content-type", "application/json").send(body.to_string());
        outbound::taken(sent).map_err(outbound::told)
    }
}
