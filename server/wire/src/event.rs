//! What the extractor found in a session's output. Must not: know how it was found.

use std::collections::BTreeMap;

use crate::UnixMillis;

words! {
    /// What an event is about.
    pub enum EventKind {
        /// An error message.
        Error = "error",
        /// A stack trace.
        StackTrace = "stack_trace",
        /// Result of a test or a run of tests.
        TestResult = "test_result",
        /// Start, progress or result of a build.
        Build = "build",
        /// A file was changed.
        FileEdit = "file_edit",
        /// A file was read.
        FileRead = "file_read",
        /// A command ran.
        Command = "command",
        /// A block of code.
        CodeBlock = "code_block",
        /// The agent called a tool.
        ToolCall = "tool_call",
        /// Tokens, cost, context left, progress.
        Metric = "metric",
        /// A link.
        Url = "url",
        /// Something in a repository.
        Git = "git",
        /// The agent asked for permission.
        Permission = "permission",
        /// The session itself: start, exit, context change, attach, detach.
        Session = "session",
    }
}

words! {
    /// How much an event matters.
    pub enum Severity {
        /// For the record.
        Info = "info",
        /// Worth a look.
        Warning = "warning",
        /// Something failed.
        Error = "error",
    }
}

words! {
    /// Who said it.
    pub enum Origin {
        /// A tool's or command's output.
        Tool = "tool",
        /// The agent's own words.
        Agent = "agent",
        /// The user's text.
        User = "user",
        /// The screen does not tell.
        Unknown = "unknown",
    }
}

wire! {
    /// One thing that happened in a session, counted once however often it was drawn.
    pub struct Event {
        /// When.
        pub at: UnixMillis,
        /// What it is about.
        pub kind: EventKind,
        /// How much it matters.
        pub severity: Severity,
        /// Who said it.
        pub origin: Origin,
        /// The rule that found it.
        pub rule: String,
        /// The line it was found in, cut to 500 characters.
        pub text: String,
        /// What the rule captured, by name.
        pub fields: BTreeMap<String, String>,
        /// Byte offset in the recording's output.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub offset: u64,
        /// Same for repeats of the same thing.
        pub fingerprint: String,
    }
}
