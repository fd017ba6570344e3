//! Deleting for good what has ended. Must not: know where it is kept.

wire! {
    /// What is to be deleted for good: one session, or all that ended so long ago. One of the two must be said.
    #[serde(deny_unknown_fields)]
    #[derive(Default)]
    pub struct Purge {
        /// This session, by name or id, with the prompts that it had.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 4096)))]
        pub session: Option<String>,
        /// Sessions and prompts that ended this long ago or longer, in milliseconds; 0: all that has ended.
        #[serde(default)]
        pub older_ms: Option<u64>,
        /// Only to tell what it would be.
        #[serde(default)]
        pub dry_run: bool,
    }

    /// What was deleted, or would be.
    #[derive(Copy, Eq, Default)]
    pub struct Purged {
        /// Sessions, with what they reported.
        pub sessions: u64,
        /// Prompts, with their results.
        pub prompts: u64,
        /// Recordings and what else was on this host's disk for these sessions, in bytes.
        pub bytes: u64,
        /// Whether something is left that could go: it was much. Ask again for the rest.
        pub left: bool,
    }
}
