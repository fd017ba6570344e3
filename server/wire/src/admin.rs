//! What an administrator sees and changes: hosts, credentials and their roles, routing, templates. Must not: decide.

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
