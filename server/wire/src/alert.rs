//! Alerts: conditions that a person should know of, and the sinks that carry them there. Must not: notice or send.

use crate::{HostId, PromptId, SessionId, UnixMillis};

words! {
    /// What is wrong, or over.
    pub enum AlertKind {
        /// Busy without any activity for long.
        Stuck = "stuck",
        /// Too many prompts failed within an hour.
        FailureRate = "failure_rate",
        /// A session is not where its prompt should run.
        ContextMismatch = "context_mismatch",
        /// A host is out of reach.
        HostGone = "host_gone",
        /// A session's observer is out of reach.
        ObserverGone = "observer_gone",
        /// What an agent asks has waited for too long.
        ApprovalWaiting = "approval_waiting",
        /// A prompt is held until a person decides.
        PromptHeld = "prompt_held",
        /// A prompt failed for good.
        PromptFailed = "prompt_failed",
        /// A provider's limit of use is reached; the alert closes when it ends.
        RateLimited = "rate_limited",
        /// A sink cannot be reached.
        SinkFailing = "sink_failing",
    }
}

words! {
    /// Where alerts are carried.
    pub enum SinkKind {
        /// A command of the user's, with the notice as JSON on its standard input.
        Command = "command",
        /// An HTTP POST of the notice as JSON, signed.
        Webhook = "webhook",
        /// A topic of an ntfy server.
        Ntfy = "ntfy",
        /// A Slack incoming webhook.
        Slack = "slack",
        /// A Discord webhook.
        Discord = "discord",
        /// A Telegram bot.
        Telegram = "telegram",
        /// The user's desktop: `notify-send`, or OSC 9 in an attached terminal.
        Desktop = "desktop",
    }
}

wire! {
    /// A condition that was noticed.
    pub struct Alert {
        /// Identity, growing.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub id: i64,
        /// What.
        pub kind: AlertKind,
        /// In a line, without anything that an agent wrote.
        pub text: String,
        /// Which session.
        pub session: Option<SessionId>,
        /// Which prompt.
        pub prompt: Option<PromptId>,
        /// Which host.
        pub host: Option<HostId>,
        /// Since when.
        pub opened: UnixMillis,
        /// Until when; `None` while it lasts.
        pub closed: Option<UnixMillis>,
        /// How often it was told again because nobody acted.
        pub escalations: u32,
    }

    /// When nobody wants to be told; minutes from midnight, local time. A range may go over midnight.
    #[serde(deny_unknown_fields)]
    #[derive(Copy)]
    pub struct QuietHours {
        /// From this minute on.
        pub from: u16,
        /// To this minute.
        pub to: u16,
    }

    /// A sink as it is asked for. Secrets are kept by the server and never told again.
    #[serde(deny_unknown_fields)]
    pub struct NewSink {
        /// Unique; 1 to 64 characters.
        pub name: String,
        /// Which kind.
        pub kind: SinkKind,
        /// The address to post to; for a command the command, for `sh -c`; for Telegram the interface's base address.
        pub target: String,
        /// It may be an address of this machine or of its own network, there without encryption too. Not settable from a
        /// browser.
        #[serde(default)]
        pub allow_private: bool,
        /// A signing key or a bot's token. `None` in a change keeps what is there, unless the target is another.
        #[serde(default)]
        pub secret: Option<String>,
        /// For ntfy the topic, for Telegram the chat.
        #[serde(default)]
        pub channel: Option<String>,
        /// For Telegram: identities of the users whose commands are obeyed.
        #[serde(default)]
        pub allowed: Vec<String>,
        /// What it carries; empty: everything.
        #[serde(default)]
        pub alerts: Vec<AlertKind>,
        /// Not then.
        #[serde(default)]
        pub quiet: Option<QuietHours>,
        /// Names of sessions, prompts' texts and requests are told too, not only counts and kinds.
        #[serde(default)]
        pub detailed: bool,
        /// Told again to this sink, when nobody acted for so many milliseconds.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        pub escalate_ms: Option<u64>,
    }

    /// A sink.
    pub struct Sink {
        /// As it was asked for, without its secret.
        pub asked: NewSink,
        /// Whether it has a secret.
        pub has_secret: bool,
        /// Notices that wait to be sent.
        pub waiting: u32,
        /// When one was last carried.
        pub delivered: Option<UnixMillis>,
        /// Why the last try failed; `None` when it did not.
        pub failure: Option<String>,
    }
}
