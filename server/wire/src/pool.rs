//! Pools: sessions that are started when work waits for them and ended when it does not. Must not: start one.

use std::collections::BTreeMap;

use crate::{HostId, SessionId, UnixMillis};

wire! {
    /// What sessions a pool starts, and how many.
    #[serde(deny_unknown_fields)]
    pub struct NewPool {
        /// Unique; lower-case letters, digits and dashes, at most 32. Its sessions are called `NAME-1`, `NAME-2`, ….
        pub name: String,
        /// The command that is wrapped, argument by argument; its first word says which profile is used.
        pub command: Vec<String>,
        /// Where, absolute.
        pub dir: String,
        /// On which host; `None` takes the one of the server.
        #[serde(default)]
        pub host: Option<HostId>,
        /// Role that its sessions declare.
        #[serde(default)]
        pub role: Option<String>,
        /// Capabilities that they declare.
        #[serde(default)]
        pub caps: Vec<String>,
        /// Variables that they are started with.
        #[serde(default)]
        pub env: BTreeMap<String, String>,
        /// At least so many, idle or not.
        pub min: u32,
        /// Never more; 1 to 100.
        pub max: u32,
        /// An idle one above `min` is ended after so many milliseconds.
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        pub idle_ms: u64,
    }

    /// A pool as it is.
    pub struct Pool {
        /// What was asked for.
        pub asked: NewPool,
        /// Its live sessions.
        pub sessions: Vec<SessionId>,
        /// How many are being started.
        pub starting: u32,
        /// Prompts that only it could take.
        pub waiting: u32,
        /// Starts that failed, or sessions that ended by themselves soon after, in a row.
        pub failures: u32,
        /// Not started again before this.
        pub resting_until: Option<UnixMillis>,
        /// How the last failure came about.
        pub last_failure: Option<String>,
    }
}

impl NewPool {
    /// The arguments of `wrap` that start the session of this name.
    pub fn arguments(&self, name: &str) -> Vec<String> {
        let mut arguments: Vec<String> =
            ["--detach", "--pool", &self.name, "--name", name, "--dir", &self.dir].map(str::to_owned).into();
        if let Some(role) = &self.role {
            arguments.extend(["--role".to_owned(), role.clone()]);
        }
        if !self.caps.is_empty() {
            arguments.extend(["--cap".to_owned(), self.caps.join(",")]);
        }
        arguments.push("--".to_owned());
        arguments.extend(self.command.iter().cloned());
        arguments
    }
}
