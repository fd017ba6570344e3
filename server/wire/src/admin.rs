//! What an administrator sees and changes: hosts, credentials, their roles and bounds, routing, templates; and what an
//! agent says of its own work. Must not: decide.

use crate::prompt::NewPrompt;
use crate::{HostId, UnixMillis};

words! {
    /// What a credential allows. Everyone who is let in may look.
    pub enum Role {
        /// To look.
        Viewer = "viewer",
        /// To take a session's keyboard.
        Typist = "typist",
        /// To answer what agents ask.
        Approver = "approver",
        /// To send, change and call off prompts.
        Assigner = "assigner",
        /// Everything.
        Admin = "admin",
    }
}

wire! {
    /// A credential, without its secret.
    pub struct TokenRow {
        /// First 12 hexadecimal digits of its hash: enough to name it, useless to use it.
        pub id: String,
        /// What its owner called it.
        pub name: String,
        /// What it allows.
        pub roles: Vec<Role>,
        /// Since when.
        pub created: UnixMillis,
        /// Until when; `None` without an end.
        pub expires: Option<UnixMillis>,
        /// Last use, to the minute.
        pub used: Option<UnixMillis>,
        /// Whether the caller uses this one now.
        pub own: bool,
        /// How far it goes, when it is an agent's.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(optional))]
        pub bounds: Option<Bounds>,
    }

    /// How far an agent goes with its credential: it looks, queues prompts and calls off its own, and nothing else.
    #[serde(deny_unknown_fields)]
    #[derive(Copy, Eq)]
    pub struct Bounds {
        /// How deep its prompts may be. One that an agent queues is a step deeper than the prompt that the agent works
        /// on; a person's has depth 0.
        #[serde(default = "default_depth")]
        #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
        pub depth: u32,
        /// How many of its prompts may be open at once, and how many that were queued for one prompt.
        #[serde(default = "default_fan_out")]
        #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 10_000)))]
        pub fan_out: u32,
        /// How many it may queue within an hour.
        #[serde(default = "default_per_hour")]
        #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100_000)))]
        pub per_hour: u32,
        /// Whether its prompts may bring commands that nobody is asked about: verification, prerequisites, variables,
        /// commands of the agent itself.
        #[serde(default)]
        pub commands: bool,
    }

    /// Asks for a credential.
    #[serde(deny_unknown_fields)]
    pub struct NewToken {
        /// What it is for; 1 to 64 characters.
        pub name: String,
        /// What it allows; at least one.
        pub roles: Vec<Role>,
        /// How long it is good for, in milliseconds; `None` without an end.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        pub life_ms: Option<u64>,
        /// For an agent: how far it goes. With it only to look and to assign can be allowed.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(optional))]
        pub bounds: Option<Bounds>,
    }

    /// A credential that was made: the only time that its secret is told.
    pub struct MadeToken {
        /// The secret.
        pub token: String,
        /// The rest.
        pub row: TokenRow,
    }

    /// Who is asking, and what it may do.
    pub struct Me {
        /// `cli`, `browser` or the token's name.
        pub name: String,
        /// What it may do.
        pub roles: Vec<Role>,
        /// How far it goes, when it is an agent.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(optional))]
        pub bounds: Option<Bounds>,
    }

    /// What an agent says of the prompt that its session works on.
    #[serde(deny_unknown_fields)]
    pub struct Note {
        /// What it does; at most 500 characters.
        pub text: String,
        /// How much of it is done.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(range(max = 100)))]
        pub percent: Option<u8>,
    }

    /// What an agent asks a person.
    #[serde(deny_unknown_fields)]
    pub struct Question {
        /// The question; at most 4,000 characters.
        pub text: String,
        /// Answers to choose from, at most 9, each at most 200 characters. A person may always answer in words of their own.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(max = 9)))]
        pub options: Vec<String>,
    }

    /// What a host can spare, as its wrappers told last.
    #[derive(Copy)]
    pub struct Resources {
        /// Processors.
        pub cpus: u32,
        /// Load average over a minute.
        pub load: f64,
        /// Bytes of memory.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub memory: u64,
        /// Bytes of it that are available.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub memory_free: u64,
        /// Bytes available where recordings are written.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub disk_free: u64,
    }

    /// A host with wrapped sessions.
    pub struct HostRow {
        /// Identity.
        pub id: HostId,
        /// Name.
        pub name: String,
        /// Versions of its wrappers; more than one while some are older.
        pub versions: Vec<String>,
        /// Live sessions.
        pub sessions: u32,
        /// How many of them are connected.
        pub connected: u32,
        /// What it can spare; `None` before the first word of it.
        pub resources: Option<Resources>,
        /// When it was last heard.
        pub heard: UnixMillis,
    }

    /// Whether prompts are given out.
    #[serde(deny_unknown_fields)]
    #[derive(Copy)]
    pub struct Routing {
        /// None are given out; what runs goes on.
        pub paused: bool,
    }

    /// A prompt to begin with.
    #[serde(deny_unknown_fields)]
    pub struct Template {
        /// Unique; 1 to 64 characters.
        pub name: String,
        /// What it asks. `{{word}}` in its text is filled in by the sender.
        pub prompt: NewPrompt,
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            depth: default_depth(),
            fan_out: default_fan_out(),
            per_hour: default_per_hour(),
            commands: false,
        }
    }
}

/// A manager may have managers.
fn default_depth() -> u32 {
    2
}

/// As many as a person may still follow.
fn default_fan_out() -> u32 {
    10
}

/// One a minute.
fn default_per_hour() -> u32 {
    60
}
