//! What users write to a bot, and what it answers. Must not: send, or decide.
//!
//! Source of the shapes: Telegram's Bot API, "getUpdates", "Update", "Message".

use serde::Deserialize;
use wire::PromptId;
use wire::alert::NewSink;
use wire::http::{PromptDetail, Status};
use wire::prompt::Prompt;
use wire::session::Session;
use wire::text::{cut, escape};

/// Longest text that a message may have, in characters; 4,096 by the interface.
const LONGEST: usize = 4_000;
/// Of one text in an answer.
const SHORT: usize = 300;
/// Prompts in one answer.
const PROMPTS: usize = 10;

/// An answer of the interface.
#[derive(Debug, Deserialize)]
pub(super) struct Updates {
    /// What was written since.
    #[serde(default)]
    pub result: Vec<Update>,
}

/// Something that happened in a chat.
#[derive(Debug, Deserialize)]
pub(super) struct Update {
    /// Growing by one.
    pub update_id: i64,
    /// A new message, if it was that.
    pub message: Option<Written>,
}

/// A message.
#[derive(Debug, Deserialize)]
pub(super) struct Written {
    chat: Chat,
    /// Nobody in a channel.
    from: Option<From>,
    text: Option<String>,
    /// Somebody else's words, passed on.
    forward_origin: Option<serde_json::Value>,
    /// Another bot's words.
    via_bot: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Chat {
    id: i64,
}

#[derive(Debug, Deserialize)]
struct From {
    id: i64,
    #[serde(default)]
    is_bot: bool,
}

/// What an allowed user wrote.
#[derive(Debug, PartialEq)]
pub(super) struct Heard {
    /// Where the answer goes.
    pub chat: i64,
    /// Who.
    pub user: i64,
    /// What is wanted.
    pub wish: Wish,
}

/// What is wanted.
#[derive(Debug, PartialEq)]
pub(super) enum Wish {
    /// How it stands in all.
    Status,
    /// A prompt is to be queued.
    Task(String),
    /// How the open prompts stand, or one.
    Progress(Option<PromptId>),
    /// A prompt is to be called off.
    Cancel(PromptId),
    /// To know what can be written.
    Help,
}

/// What a message asks for; `None` when it is not from an allowed user, in the sink's chat or in the user's own with the
/// bot, in the user's own words.
pub(super) fn heard(sink: &NewSink, written: Written) -> Option<Heard> {
    let user = written.from.filter(|from| !from.is_bot)?.id;
    let is_known = written.chat.id == user || sink.channel.as_deref() == Some(&written.chat.id.to_string());
    let is_own = written.forward_origin.is_none() && written.via_bot.is_none();
    if !is_known || !is_own || !sink.allowed.contains(&user.to_string()) {
        return None;
    }
    Some(Heard { chat: written.chat.id, user, wish: wish(&written.text?)? })
}

/// The command that a text begins with; texts without one are talk.
fn wish(text: &str) -> Option<Wish> {
    let command = text.trim().strip_prefix('/')?;
    let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    // In a group a command may be addressed: `/status@name_of_the_bot`.
    let word = word.split('@').next().unwrap_or_default();
    let rest = rest.trim();
    let number = || rest.trim_start_matches('#').parse().ok().map(PromptId);
    Some(match (word, rest.is_empty()) {
        ("status", true) => Wish::Status,
        ("task", false) => Wish::Task(rest.to_owned()),
        ("progress", true) => Wish::Progress(None),
        ("progress", false) => number().map_or(Wish::Help, |id| Wish::Progress(Some(id))),
        ("cancel", false) => number().map_or(Wish::Help, Wish::Cancel),
        _ => Wish::Help,
    })
}

/// What can be written.
pub(super) const HELP: &str = "/status – sessions and prompts in numbers\n/task TEXT – queue a prompt\n/progress – the \
    open prompts\n/progress N – one prompt\n/cancel N – call a prompt off";

/// How it stands; names only for a sink that may tell them.
pub(super) fn status(status: &Status, sessions: Option<&[Session]>) -> String {
    let counts = |counts: &std::collections::BTreeMap<String, u32>| {
        let parts: Vec<String> = counts.iter().map(|(word, n)| format!("{n} {}", escape(word))).collect();
        if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
    };
    let mut text = format!("Sessions: {}\nPrompts: {}", counts(&status.sessions), counts(&status.prompts));
    if status.paused {
        text += "\nNothing is given out: paused";
    }
    for session in sessions.into_iter().flatten() {
        text += &format!("\n{}: {}", escape(&session.name), session.claim.state);
    }
    cut(&text, LONGEST)
}

/// The open prompts, newest first.
pub(super) fn open(prompts: &[Prompt], detailed: bool) -> String {
    let open: Vec<&Prompt> = prompts.iter().filter(|prompt| !prompt.state.is_final()).collect();
    if open.is_empty() {
        return "No prompt is open.".to_owned();
    }
    let more = open.len().saturating_sub(PROMPTS);
    let mut text = open.iter().take(PROMPTS).map(|p| line(p, detailed)).collect::<Vec<_>>().join("\n");
    if more > 0 {
        text += &format!("\nand {more} more");
    }
    cut(&text, LONGEST)
}

/// One prompt.
pub(super) fn one(detail: &PromptDetail, detailed: bool) -> String {
    let mut text = line(&detail.prompt, detailed);
    if let Some(hold) = &detail.prompt.hold {
        text += &format!("\nheld: {}", hold.code);
    }
    if let Some(result) = detail.prompt.result.as_ref().filter(|_| detailed) {
        let answer = &result.answer;
        text += &format!("\n{}", cut(&wire::text::escape_lines(answer), SHORT * 5));
    }
    cut(&text, LONGEST)
}

fn line(prompt: &Prompt, detailed: bool) -> String {
    let text =
        if detailed { format!(": {}", cut(&escape(&prompt.asked.text), SHORT)) } else { String::new() };
    format!("#{} {}{text}", prompt.id, prompt.state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn sink() -> NewSink {
        let sink = json!({ "name": "t", "kind": "telegram", "target": "http://x", "channel": "-100", "allowed": ["7"] });
        serde_json::from_value(sink).unwrap()
    }

    fn written(message: Value) -> Option<Heard> {
        heard(&sink(), serde_json::from_value(message).unwrap())
    }

    fn from(user: i64, chat: i64, text: &str) -> Value {
        json!({ "message_id": 1, "from": { "id": user, "is_bot": false, "first_name": "x" }, "chat": { "id": chat, "type": "x" },
                "text": text })
    }

    #[test]
    fn only_allowed_users_are_heard_in_their_own_chat_and_the_sinks() {
        let heard = |user, chat| written(from(user, chat, "/status")).map(|heard| heard.chat);
        assert_eq!(heard(7, -100), Some(-100));
        assert_eq!(heard(7, 7), Some(7));
        assert_eq!(heard(7, -200), None, "an answer would be read by strangers");
        assert_eq!(heard(8, -100), None);
        assert_eq!(heard(8, 7), None);
    }

    #[test]
    fn what_others_said_is_no_command() {
        for (field, value) in [("forward_origin", json!({ "type": "user" })), ("via_bot", json!({ "id": 3 }))]
        {
            let mut message = from(7, 7, "/cancel 3");
            message[field] = value;
            assert_eq!(written(message), None, "{field}");
        }
        let mut bot = from(7, 7, "/cancel 3");
        bot["from"]["is_bot"] = json!(true);
        assert_eq!(written(bot), None);
        let mut nobody = from(7, 7, "/cancel 3");
        nobody.as_object_mut().unwrap().remove("from");
        assert_eq!(written(nobody), None);
    }

    #[test]
    fn a_command_is_its_first_word() {
        assert_eq!(wish("/status"), Some(Wish::Status));
        assert_eq!(wish(" /status@muster_bot "), Some(Wish::Status));
        assert_eq!(wish("/task Fix it\nand test"), Some(Wish::Task("Fix it\nand test".to_owned())));
        assert_eq!(wish("/task"), Some(Wish::Help));
        assert_eq!(wish("/progress"), Some(Wish::Progress(None)));
        assert_eq!(wish("/progress #4"), Some(Wish::Progress(Some(PromptId(4)))));
        assert_eq!(wish("/cancel 12"), Some(Wish::Cancel(PromptId(12))));
        assert_eq!(wish("/cancel all"), Some(Wish::Help));
        assert_eq!(wish("/approve 1"), Some(Wish::Help), "nobody approves by a message");
        assert_eq!(wish("hello"), None);
    }
}
