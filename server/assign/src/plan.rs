//! What the whole queue would do now. Must not: change it.

use wire::http::Plan;
use wire::session::Session;
use wire::text::{cut, escape};

use crate::client::Client;
use crate::failure::Failure;
use crate::print::Printer;
use crate::tables;

/// Prompt by prompt, with the scores of the sessions.
pub async fn plan(client: &Client, print: &Printer, limit: u32) -> Result<(), Failure> {
    let plan: Plan = client.get(&format!("/v1/plan?limit={limit}")).await?;
    if print.json {
        return print.object(&plan);
    }
    let sessions: Vec<Session> = client.get("/v1/sessions").await?;
    let mut out = Vec::new();
    for planned in &plan.prompts {
        let gets = planned.session.as_ref().map(|id| {
            let session = sessions.iter().find(|s| s.id == *id);
            format!("goes to {}", escape(session.map_or(&id.0, |s| &s.name)))
        });
        let waits = planned.waits.as_deref().map(escape).unwrap_or_default();
        out.push(format!("{}  {}", planned.prompt, escape(&cut(&planned.text, 60))));
        out.push(format!("  {}", gets.unwrap_or(waits)));
        out.extend(tables::scores(&planned.scores).lines().map(|line| format!("    {line}")));
    }
    if plan.prompts.is_empty() {
        out.push("no prompt waits for a session".to_owned());
    }
    if plan.more > 0 {
        out.push(format!("and {} more that are not due yet or further back", plan.more));
    }
    print.line(&out.join("\n"))
}
