//! What was found by words: prompts, results, events and settled text of all sessions. Must not: search.

use crate::{PromptId, SessionId, UnixMillis};

words! {
    /// Where a hit was found.
    pub enum HitKind {
        /// In the text of a prompt.
        Prompt = "prompt",
        /// In what came of a prompt: answer, reason, verification.
        Result = "result",
        /// In an event of a session.
        Event = "event",
        /// In the settled text of a session's screen.
        Text = "text",
    }
}

wire! {
    /// A page of hits, newest first.
    pub struct Found {
        /// At most as many as were asked for.
        pub hits: Vec<Hit>,
        /// The cursor of the next page; `None` when this is the last.
        pub next: Option<String>,
    }

    /// One place where all the words stand.
    pub struct Hit {
        /// Where.
        pub kind: HitKind,
        /// When it was written.
        pub at: UnixMillis,
        /// The session, where there is one.
        pub session: Option<SessionId>,
        /// Its name.
        pub session_name: Option<String>,
        /// The prompt, for [`HitKind::Prompt`] and [`HitKind::Result`].
        pub prompt: Option<PromptId>,
        /// The moment in the session's recording, for [`HitKind::Event`] and [`HitKind::Text`]: a byte of its output.
        #[cfg_attr(feature = "ts", ts(type = "number | null"))]
        pub offset: Option<u64>,
        /// The words with what stands around them, in pieces that in order are one text.
        pub excerpt: Vec<Piece>,
    }

    /// A piece of an excerpt.
    pub struct Piece {
        /// Plain text.
        pub text: String,
        /// Whether it is what was looked for.
        pub hit: bool,
    }
}
