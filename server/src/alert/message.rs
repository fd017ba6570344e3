//! What a sink is sent: one message for all notices that are due, in the form that its service takes. Pure. Must not: send.
//!
//! Sources of the forms: ntfy "Publish as JSON", Slack "Sending messages using incoming webhooks", Discord "Execute
//! Webhook", Telegram "Bot API: sendMessage".

use std::collections::BTreeMap;

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use wire::alert::{Alert, AlertKind, NewSink, SinkKind};

/// Why a notice is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The alert is new.
    Opened,
    /// It lasts, and nobody acted.
    Escalated,
    /// It is over.
    Closed,
}

/// One notice.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Identity.
    pub id: i64,
    /// Why it is told.
    pub what: What,
    /// Of what.
    pub alert: Alert,
}

/// What is to be done for a sink.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// An HTTP POST of JSON.
    Post {
        /// To where.
        url: String,
        /// Further headers.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: String,
    },
    /// A command for `sh -c` with this on its standard input.
    Run {
        /// The command.
        command: String,
        /// Its input.
        input: String,
    },
    /// A notification on the desktop.
    Notify {
        /// Its head.
        title: String,
        /// The rest.
        text: String,
    },
}

impl What {
    /// Every member.
    pub const ALL: &[Self] = &[What::Opened, What::Escalated, What::Closed];

    /// The word in the database and in what is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            What::Opened => "opened",
            What::Escalated => "escalated",
            What::Closed => "closed",
        }
    }
}

/// One message for all of them. `url` is where the dashboard is.
pub fn message(sink: &NewSink, notices: &[Notice], url: &str) -> Message {
    let text = if sink.detailed { lines(notices) } else { counts(notices) };
    let title = "Muster";
    let post = |url: String, headers, body: Value| Message::Post { url, headers, body: body.to_string() };
    let target = sink.target.trim_end_matches('/').to_owned();
    let channel = sink.channel.clone().unwrap_or_default();
    match sink.kind {
        SinkKind::Command => {
            Message::Run { command: sink.target.clone(), input: whole(sink, notices, &text, url) }
        }
        SinkKind::Webhook => {
            let body = whole(sink, notices, &text, url);
            let signed = sink.secret.as_ref().map(|key| ("x-muster-signature-256", sign(key, &body)));
            Message::Post { url: sink.target.clone(), headers: signed.into_iter().collect(), body }
        }
        SinkKind::Ntfy => {
            let bearer = sink.secret.as_ref().map(|token| ("authorization", format!("Bearer {token}")));
            let body = json!({ "topic": channel, "title": title, "message": text, "click": url });
            post(target, bearer.into_iter().collect(), body)
        }
        SinkKind::Slack => post(sink.target.clone(), Vec::new(), json!({ "text": slack(&text) })),
        SinkKind::Discord => {
            // Nobody is called by a name that stands in a text.
            let body =
                json!({ "content": wire::text::cut(&text, 1_900), "allowed_mentions": { "parse": [] } });
            post(sink.target.clone(), Vec::new(), body)
        }
        SinkKind::Telegram => {
            let token = sink.secret.as_deref().unwrap_or_default();
            let body = json!({ "chat_id": channel, "text": wire::text::cut(&text, 4_000) });
            post(format!("{target}/bot{token}/sendMessage"), Vec::new(), body)
        }
        SinkKind::Desktop => Message::Notify { title: title.to_owned(), text },
    }
}

/// The whole of it as JSON; without details only kinds and numbers.
fn whole(sink: &NewSink, notices: &[Notice], text: &str, url: &str) -> String {
    let alert = |notice: &Notice| {
        let mut alert =
            json!({ "id": notice.alert.id, "what": notice.what.as_str(), "kind": notice.alert.kind });
        if sink.detailed {
            alert["alert"] = json!(notice.alert);
        }
        alert
    };
    json!({ "text": text, "url": url, "alerts": notices.iter().map(alert).collect::<Vec<_>>() }).to_string()
}

fn lines(notices: &[Notice]) -> String {
    let line = |notice: &Notice| {
        let before = match notice.what {
            What::Opened => "",
            What::Escalated => "still: ",
            What::Closed => "over: ",
        };
        format!("{before}{}", wire::text::escape(&notice.alert.text))
    };
    notices.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn counts(notices: &[Notice]) -> String {
    let mut by_kind: BTreeMap<(&str, bool), u32> = BTreeMap::new();
    for notice in notices {
        *by_kind.entry((title(notice.alert.kind), notice.what == What::Closed)).or_default() += 1;
    }
    let line = |((title, over), count): ((&str, bool), u32)| {
        format!(
            "{}{title}{}",
            if over { "over: " } else { "" },
            if count > 1 { format!(" ({count})") } else { String::new() }
        )
    };
    by_kind.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

fn title(kind: AlertKind) -> &'static str {
    match kind {
        AlertKind::Stuck => "a session is stuck",
        AlertKind::FailureRate => "many prompts fail",
        AlertKind::ContextMismatch => "a prompt cannot run where it should",
        AlertKind::HostGone => "a host is out of reach",
        AlertKind::ObserverGone => "a session is out of reach",
        AlertKind::ApprovalWaiting => "an agent waits for an answer",
        AlertKind::PromptHeld => "a prompt is held until you decide",
        AlertKind::PromptFailed => "a prompt failed",
        AlertKind::RateLimited => "a limit of use is reached",
        AlertKind::SinkFailing => "a sink cannot be reached",
    }
}

/// Slack reads these three as its own.
fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// HMAC-SHA256 over the body, as `sha256=` and hexadecimal digits.
fn sign(key: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length will do");
    mac.update(body.as_bytes());
    format!("sha256={}", wire::text::hex(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::UnixMillis;

    fn sink(kind: SinkKind, detailed: bool) -> NewSink {
        NewSink {
            name: "s".into(),
            kind,
            target: "http://127.0.0.1:9/hook/".into(),
            allow_private: true,
            secret: Some("key".into()),
            channel: Some("room".into()),
            allowed: Vec::new(),
            alerts: Vec::new(),
            quiet: None,
            detailed,
            escalate_ms: None,
        }
    }

    fn notices() -> Vec<Notice> {
        let alert = |id, kind, text: &str| Alert {
            id,
            kind,
            text: text.into(),
            session: None,
            prompt: None,
            host: None,
            opened: UnixMillis(0),
            closed: None,
            escalations: 0,
        };
        let notice = |id, what, alert| Notice { id, what, alert };
        vec![
            notice(1, What::Opened, alert(1, AlertKind::PromptFailed, "prompt 7 of <secret> failed")),
            notice(2, What::Opened, alert(2, AlertKind::PromptFailed, "prompt 8 failed")),
            notice(3, What::Closed, alert(3, AlertKind::Stuck, "api is busy")),
        ]
    }

    fn posted(kind: SinkKind, detailed: bool) -> (String, Vec<(&'static str, String)>, Value) {
        match message(&sink(kind, detailed), &notices(), "http://127.0.0.1:8151") {
            Message::Post { url, headers, body } => (url, headers, serde_json::from_str(&body).unwrap()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a68_nothing_but_kinds_and_numbers_leaves_unless_it_was_asked_for() {
        for kind in
            [SinkKind::Webhook, SinkKind::Ntfy, SinkKind::Slack, SinkKind::Discord, SinkKind::Telegram]
        {
            let (_, _, body) = posted(kind, false);
            assert!(!body.to_string().contains("prompt 7"), "{kind}: {body}");
            assert!(
                body.to_string().contains("a prompt failed (2)\\nover: a session is stuck"),
                "{kind}: {body}"
            );
        }
        assert!(posted(SinkKind::Webhook, true).2.to_string().contains("prompt 7"));
    }

    #[test]
    fn each_service_gets_the_form_it_takes() {
        let (url, headers, body) = posted(SinkKind::Ntfy, true);
        assert_eq!((url.as_str(), body["topic"].as_str()), ("http://127.0.0.1:9/hook", Some("room")));
        assert_eq!(headers, [("authorization", "Bearer key".to_owned())]);
        let (url, _, body) = posted(SinkKind::Telegram, true);
        assert_eq!(
            (url.as_str(), body["chat_id"].as_str()),
            ("http://127.0.0.1:9/hook/botkey/sendMessage", Some("room"))
        );
        let (_, _, body) = posted(SinkKind::Slack, true);
        assert!(body["text"].as_str().unwrap().contains("&lt;secret&gt;"));
        let (_, _, body) = posted(SinkKind::Discord, true);
        assert_eq!(body["allowed_mentions"]["parse"], json!([]));
    }

    #[test]
    fn a_webhook_can_be_told_from_a_forged_one() {
        // RFC 4231, test case 2.
        let mac = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(sign("Jefe", "what do ya want for nothing?"), mac);
        assert_eq!(posted(SinkKind::Webhook, false).1[0].0, "x-muster-signature-256");
    }
}
