//! The tools: what each is called, takes and is for, and who gets it. Must not: act.

use std::sync::Arc;

use rmcp::handler::server::common::schema_for_type;
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;

use super::{Tier, Who};

/// How long a call waits by itself, in seconds: some agents give up on a tool after a minute.
pub const WAIT: u64 = 45;
/// Longest wait of one call, in seconds.
pub const WAIT_MAX: u64 = 3_600;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSessions {
    /// Only those in this state: starting, idle, busy, waiting_permission, waiting_input, exited, unknown.
    pub state: Option<String>,
    /// Also sessions that have ended.
    #[serde(default)]
    pub all: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListPrompts {
    /// Only those in this state: pending, assigned, in_progress, held, completed, failed, cancelled.
    pub state: Option<String>,
    /// Only those that this session has, had or is asked for; name or id.
    pub session: Option<String>,
    /// Only those with this tag.
    pub tag: Option<String>,
    /// Only those that were queued before this one: the next page.
    pub before: Option<i64>,
    /// How many, 1 to 100; 30 when it is left out.
    pub limit: Option<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadResult {
    /// The prompt's number.
    pub prompt: i64,
    /// The character of its answer to begin with, for long answers.
    #[serde(default)]
    pub from: usize,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// The prompt's number.
    pub prompt: i64,
    /// Longest wait, 1 to 3600; 45 when it is left out.
    pub seconds: Option<u64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assign {
    /// The task, as it is typed into the other agent: complete, as that agent knows nothing of yours.
    pub text: String,
    /// The session that shall have it, by name or id; the best one gets it when this is left out.
    pub target: Option<String>,
    /// The directory to work in: absolute, from your own, or from `~/`.
    pub dir: Option<String>,
    /// The branch that must be checked out there.
    pub branch: Option<String>,
    /// Work in a fresh git work tree, which is kept.
    #[serde(default)]
    pub worktree: bool,
    /// The agent that must be running, as list_sessions names it.
    pub agent: Option<String>,
    /// The role that the session must have declared.
    pub role: Option<String>,
    /// 0 (last) to 10 (first); 5 when it is left out.
    pub priority: Option<u8>,
    /// Numbers of prompts that must be completed before.
    #[serde(default)]
    pub after: Vec<i64>,
    /// Prompts of one thread go to one session.
    pub thread: Option<String>,
    /// What kind of task it is.
    #[serde(default)]
    pub tags: Vec<String>,
    /// A shell command that decides whether it was done: it ends with 0.
    pub verify: Option<String>,
    /// Longest time for the work, in minutes; 30 when it is left out.
    pub timeout_minutes: Option<u32>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// The number of a prompt that you assigned.
    pub prompt: i64,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportProgress {
    /// What you do, in a line; at most 500 characters.
    pub text: String,
    /// How much of it is done.
    #[schemars(range(max = 100))]
    pub percent: Option<u8>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskHuman {
    /// The question, complete: who answers may not see your terminal. Left out with `item`.
    pub question: Option<String>,
    /// Up to 9 answers to choose from, each one that you can go on with. The person may answer in words of their own.
    #[serde(default)]
    pub options: Vec<String>,
    /// Instead of a new question: wait on for the answer to the one of this number.
    pub item: Option<i64>,
    /// Longest wait, 1 to 3600; 45 when it is left out.
    pub seconds: Option<u64>,
}

struct Offer {
    name: &'static str,
    tier: Tier,
    /// Whether it is about the agent's own session.
    own: bool,
    reads: bool,
    about: &'static str,
    takes: fn() -> Arc<JsonObject>,
}

const OFFERS: &[Offer] = &[
    Offer {
        name: "report_progress",
        tier: Tier::Own,
        own: true,
        reads: false,
        about: "Tell whoever gave you your present prompt how far you are. Nobody answers.",
        takes: schema_for_type::<ReportProgress>,
    },
    Offer {
        name: "ask_human",
        tier: Tier::Own,
        own: true,
        reads: false,
        about: "Ask a person; the question appears in their inbox, with answers to choose from or without. Waits for \
                the answer, for a bounded time; if none came, go on with what does not depend on it, and ask again with `item`.",
        takes: schema_for_type::<AskHuman>,
    },
    Offer {
        name: "read_result",
        tier: Tier::Own,
        own: false,
        reads: true,
        about: "Read where a prompt stands and what came of it: state, answer, verification, changes.",
        takes: schema_for_type::<ReadResult>,
    },
    Offer {
        name: "list_sessions",
        tier: Tier::FleetRead,
        own: false,
        reads: true,
        about: "List the agents' sessions: what each is, where it works, and whether it is idle, busy or asks.",
        takes: schema_for_type::<ListSessions>,
    },
    Offer {
        name: "list_prompts",
        tier: Tier::FleetRead,
        own: false,
        reads: true,
        about: "List prompts, the newest first.",
        takes: schema_for_type::<ListPrompts>,
    },
    Offer {
        name: "wait",
        tier: Tier::FleetRead,
        own: false,
        reads: true,
        about: "Wait, for a bounded time, until a prompt has ended or a person has to look at it; then read its \
                result. If it goes on, call it again or do something else.",
        takes: schema_for_type::<Wait>,
    },
    Offer {
        name: "assign",
        tier: Tier::FleetAssign,
        own: false,
        reads: false,
        about: "Give a task to another agent's session. Answers at once with the prompt's number; `wait` waits for it.",
        takes: schema_for_type::<Assign>,
    },
    Offer {
        name: "cancel",
        tier: Tier::FleetAssign,
        own: false,
        reads: false,
        about: "Call off a prompt that you assigned.",
        takes: schema_for_type::<Cancel>,
    },
];

/// The tools that an agent gets.
pub fn tools(who: &Who) -> Vec<Tool> {
    OFFERS.iter().filter(|offer| offered(offer, who)).map(|offer| tool(offer, who)).collect()
}

/// Whether it gets the one of this name.
pub fn has(who: &Who, name: &str) -> bool {
    OFFERS.iter().any(|offer| offer.name == name && offered(offer, who))
}

fn offered(offer: &Offer, who: &Who) -> bool {
    offer.tier <= who.tier && (!offer.own || who.session.is_some())
}

fn tool(offer: &Offer, who: &Who) -> Tool {
    let mut takes = (offer.takes)();
    // What would be refused is not offered.
    if !who.bounds.commands
        && let Some(properties) = Arc::make_mut(&mut takes).get_mut("properties")
    {
        properties.as_object_mut().map(|properties| properties.remove("verify"));
    }
    let hints = ToolAnnotations::from_raw(
        None,
        Some(offer.reads),
        Some(offer.name == "cancel"),
        Some(offer.reads),
        Some(false),
    );
    Tool::new(offer.name, offer.about, takes).with_annotations(hints)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::SessionId;

    fn names(tier: Tier, session: bool) -> Vec<String> {
        let session = session.then(|| SessionId("s".to_owned()));
        let who = Who { tier, bounds: Default::default(), session };
        tools(&who).into_iter().map(|tool| tool.name.into_owned()).collect()
    }

    #[test]
    fn each_tier_has_the_tools_of_the_one_below_it() {
        let own = names(Tier::Own, true);
        assert_eq!(own, ["report_progress", "ask_human", "read_result"]);
        let read = names(Tier::FleetRead, true);
        assert_eq!(read[..3], own);
        assert_eq!(read[3..], ["list_sessions", "list_prompts", "wait"]);
        let all = names(Tier::FleetAssign, true);
        assert_eq!(all[..6], read);
        assert_eq!(all[6..], ["assign", "cancel"]);
        assert_eq!(names(Tier::FleetAssign, false), all[2..], "who has no session speaks of none");
    }

    #[test]
    fn a_command_is_offered_only_to_who_may_bring_one() {
        let verify = |commands| {
            let bounds = wire::admin::Bounds { commands, ..Default::default() };
            let tools = tools(&Who { tier: Tier::FleetAssign, bounds, session: None });
            let assign = tools.into_iter().find(|tool| tool.name == "assign").unwrap();
            assert!(assign.input_schema["properties"]["text"].is_object());
            assign.input_schema["properties"]["verify"].is_object()
        };
        assert!(verify(true) && !verify(false));
    }

    #[test]
    fn every_tool_says_what_it_takes() {
        for offer in OFFERS {
            let schema = (offer.takes)();
            assert_eq!(schema["type"], "object", "{}", offer.name);
            assert_eq!(schema["additionalProperties"], false, "{}", offer.name);
        }
    }
}
