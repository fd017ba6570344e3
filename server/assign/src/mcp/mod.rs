//! `assign mcp`: Muster for an agent, as tools of the Model Context Protocol on standard input and output.
//!
//! Owns: which tools there are, for whom. Must not: have a right that its credential does not give, answer a dialog,
//! press a key, or hand on a word of another session that is not fenced off as data.

mod answer;
mod fence;
mod fleet;
mod own;
mod service;
mod tools;

use clap::{Args, ValueEnum};
use rmcp::ServiceExt;
use rmcp::service::ServerInitializeError;
use wire::SessionId;
use wire::admin::{Bounds, Me, Role};
use wire::text::escape;

use crate::client::Client;
use crate::failure::Failure;
use service::Service;

const AFTER: &str = "\
It speaks the Model Context Protocol on standard input and output: an agent starts it.

A person makes the agent's credential once; the agent never has the command line's own:
  assign token add manager --role assigner --agent --out ~/.manager.token
Then the agent's own settings get an MCP server with this command, and README.md says how:
  assign mcp --token-file ~/.manager.token
It must have the variable MUSTER_SESSION (and MUSTER_HOME, if you set it) from the agent.

Tiers:
  self          report_progress, ask_human, read_result: the agent's own session and its prompts
  fleet-read    also list_sessions, list_prompts, wait, and every prompt's result
  fleet-assign  also assign, and cancel for what it assigned

How far it goes (depth, open prompts, prompts an hour, commands) stands in the credential and is
held by the server. Nothing here answers a dialog, types, or changes a rule.";

/// How an agent is served.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct McpArgs {
    /// What the agent gets; all that its credential allows when it is left out.
    #[arg(long, value_name = "TIER")]
    tier: Option<Tier>,
}

/// How much of Muster an agent gets. Each has what those before it have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Tier {
    /// Its own session and prompts.
    #[value(name = "self")]
    Own,
    /// To look at all sessions and prompts.
    FleetRead,
    /// To give out work.
    FleetAssign,
}

/// Whom this process serves.
pub struct Who {
    /// What it gets.
    pub tier: Tier,
    /// How far it goes.
    pub bounds: Bounds,
    /// The session that the agent runs in, if it does.
    pub session: Option<SessionId>,
}

/// Serves an agent until it closes the pipe.
pub async fn serve(client: Client, args: McpArgs) -> Result<(), Failure> {
    if !client.has_credential() {
        return Err(Failure::Usage(
            "an agent needs a credential of its own: let a person make one with `assign token add NAME --role \
             assigner --agent --out FILE`, then give --token-file FILE or MUSTER_TOKEN"
                .to_owned(),
        ));
    }
    let me: Me = client.get("/v1/me").await?;
    let who = who(&me, args.tier, client.session().cloned())?;
    let started = Service::new(client, who).serve(rmcp::transport::stdio_pipes()).await;
    let running = match started {
        Ok(running) => running,
        // An agent that only looked whether there is somebody.
        Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(e) => {
            return Err(Failure::failed(format!(
                "the agent does not speak MCP as it should: {}",
                escape(&e.to_string())
            )));
        }
    };
    running
        .waiting()
        .await
        .map(drop)
        .map_err(|e| Failure::failed(format!("serving the agent broke off: {e}")))
}

/// What a credential allows, or why it is not one for an agent.
fn who(me: &Me, wanted: Option<Tier>, session: Option<SessionId>) -> Result<Who, Failure> {
    let name = escape(&me.name);
    let Some(bounds) = me.bounds else {
        return Err(Failure::Refused(format!(
            "the token '{name}' is not an agent's: it has no bounds; make one with `assign token add NAME --role \
             assigner --agent`"
        )));
    };
    let most = if me.roles.contains(&Role::Assigner) { Tier::FleetAssign } else { Tier::FleetRead };
    let tier = wanted.unwrap_or(most);
    if tier > most {
        return Err(Failure::Refused(format!(
            "the token '{name}' only looks; --tier fleet-assign needs one with --role assigner"
        )));
    }
    if tier == Tier::Own && session.is_none() {
        return Err(Failure::Usage(
            "--tier self is about the agent's own session, and MUSTER_SESSION names none; start the agent under \
             `wrap`, and let its MCP server have that variable"
                .to_owned(),
        ));
    }
    Ok(Who { tier, bounds, session })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me(roles: &[Role], bounds: Option<Bounds>) -> Me {
        Me { name: "m".to_owned(), roles: roles.to_vec(), bounds }
    }

    #[test]
    fn a_tier_is_never_more_than_the_credential_allows() {
        let session = || Some(SessionId("s".to_owned()));
        let tier = |roles: &[Role], wanted| {
            who(&me(roles, Some(Bounds::default())), wanted, session()).map(|w| w.tier)
        };
        assert_eq!(tier(&[Role::Assigner], None).unwrap(), Tier::FleetAssign);
        assert_eq!(tier(&[Role::Viewer], None).unwrap(), Tier::FleetRead);
        assert_eq!(tier(&[Role::Assigner], Some(Tier::Own)).unwrap(), Tier::Own);
        assert!(matches!(tier(&[Role::Viewer], Some(Tier::FleetAssign)), Err(Failure::Refused(_))));
    }

    #[test]
    fn a_credential_without_bounds_is_no_agents() {
        for roles in [&[Role::Admin][..], &[Role::Assigner]] {
            assert!(matches!(who(&me(roles, None), None, None), Err(Failure::Refused(_))), "{roles:?}");
        }
        let own = who(&me(&[Role::Viewer], Some(Bounds::default())), Some(Tier::Own), None);
        assert!(matches!(own, Err(Failure::Usage(_))), "without a session there is no self");
    }
}
