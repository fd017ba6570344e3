//! What agents ask, who answered, and the rules that may. Must not: decide anything.

use crate::session::{Action, Dialog};
use crate::{SessionId, UnixMillis};

words! {
    /// What became of something that an agent asked.
    pub enum ApprovalState {
        /// Nobody has answered.
        Open = "open",
        /// Somebody's answer is on its way.
        Answering = "answering",
        /// Yes.
        Approved = "approved",
        /// No.
        Denied = "denied",
        /// Another option was chosen.
        Answered = "answered",
        /// It left the screen without an answer of ours: answered in the session's own terminal, or withdrawn.
        Gone = "gone",
    }
}

words! {
    /// What a rule says.
    pub enum Effect {
        /// Yes, without a person.
        Approve = "approve",
        /// No, without a person.
        Deny = "deny",
        /// A person has to answer; so it is also when no rule matches.
        Ask = "ask",
    }
}

words! {
    /// Which directories the paths of a request must lie under.
    pub enum Root {
        /// Where the session works.
        Session = "session",
        /// The repository of that directory.
        Repo = "repo",
    }
}

wire! {
    /// Something that an agent asks, as an item of its own.
    pub struct Approval {
        /// Identity.
        pub id: ApprovalId,
        /// Which session asks.
        pub session: SessionId,
        /// What; its `id` is what an answer is bound to.
        pub dialog: Dialog,
        /// What became of it.
        pub state: ApprovalState,
        /// Who answered: `cli`, `browser`, or `rule` with the rule's name.
        pub by: Option<String>,
        /// What the rules said when it came, with the rule's name; absent when none matched.
        pub rule: Option<String>,
        /// Why the last answer was refused.
        pub refused: Option<String>,
        /// When it appeared.
        pub opened: UnixMillis,
        /// When it was over.
        pub closed: Option<UnixMillis>,
        /// Who asks, when it stands in no terminal: an agent, by the name of its credential. The option that was chosen
        /// is the one that is `selected`.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(optional))]
        pub asked_by: Option<String>,
        /// What a person answered in words of their own, where the agent asked beside its terminal.
        #[serde(default)]
        #[cfg_attr(feature = "ts", ts(optional))]
        pub words: Option<String>,
    }

    /// A file of rules, in order: the first that matches decides.
    #[serde(deny_unknown_fields)]
    #[derive(Default)]
    pub struct RuleFile {
        /// The rules.
        #[serde(default)]
        pub rule: Vec<Rule>,
    }

    /// A rule over structured requests. Every condition that is given must hold; an empty list is no condition.
    #[serde(deny_unknown_fields)]
    pub struct Rule {
        /// What it is called, in logs and lists; unique in its file.
        pub name: String,
        /// What it says.
        pub effect: Effect,
        /// Agents that it is for.
        #[serde(default)]
        pub agents: Vec<String>,
        /// Roles that it is for, as sessions declared them; `""` is a session without one.
        #[serde(default)]
        pub roles: Vec<String>,
        /// Names of sessions that it is for.
        #[serde(default)]
        pub sessions: Vec<String>,
        /// Kinds of what would be done.
        #[serde(default)]
        pub actions: Vec<Action>,
        /// The agent's own names of tools.
        #[serde(default)]
        pub tools: Vec<String>,
        /// For commands, argument by argument: `*` is one argument that is no option, `...` at the end is any
        /// number of any. A command line of several commands matches to approve when each of them does, and to deny
        /// when one of them does.
        #[serde(default)]
        pub commands: Vec<Vec<String>>,
        /// All its paths must lie under this; of a command, all its arguments that look like paths.
        #[serde(default)]
        pub under: Option<Root>,
    }

    /// The rules in force.
    pub struct Policies {
        /// Grows with each change; 0: none were ever set.
        pub version: u32,
        /// When they were set.
        pub at: Option<UnixMillis>,
        /// By whom.
        pub by: Option<String>,
        /// As they were written, TOML.
        pub text: String,
        /// As they were understood.
        pub rules: Vec<Rule>,
    }

    /// Rules to be set.
    #[serde(deny_unknown_fields)]
    pub struct PolicyText {
        /// A [`RuleFile`] as TOML; empty: no rules.
        pub text: String,
    }

    /// Rules to be tried.
    #[serde(deny_unknown_fields)]
    pub struct PolicyTrial {
        /// A [`RuleFile`] as TOML; absent: the rules in force.
        #[serde(default)]
        pub text: Option<String>,
    }

    /// Rules that ship with the server, to begin with.
    pub struct PolicyExample {
        /// What it is called.
        pub name: String,
        /// A [`RuleFile`] as TOML.
        pub text: String,
    }

    /// What rules say of one request of the past.
    pub struct Verdict {
        /// The request.
        pub approval: Approval,
        /// What the rules say now.
        pub effect: Effect,
        /// The rule that said so.
        pub rule: Option<String>,
        /// Why no rule could say anything, when the request has no structure to judge.
        pub why: Option<String>,
    }
}

number_id! {
    /// Something that an agent asked, numbered by the server from 1.
    ApprovalId
}
