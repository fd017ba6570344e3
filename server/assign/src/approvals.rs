//! What agents ask, as a list. Must not: answer.

use wire::approval::Approval;
use wire::session::Session;

use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::print::Printer;
use crate::tables::{self, now};

/// What is open, or all.
pub async fn list(
    client: &Client,
    print: &Printer,
    all: bool,
    session: Option<&str>,
    limit: u32,
) -> Result<(), Failure> {
    let mut path = format!("/v1/approvals?limit={limit}");
    path.extend((!all).then_some("&state=open"));
    path.extend(session.map(|name| format!("&session={}", segment(name))));
    let approvals: Vec<Approval> = client.get(&path).await?;
    if print.json {
        return approvals.iter().try_for_each(|a| print.object(a));
    }
    let sessions: Vec<Session> = client.get("/v1/sessions?all=true").await?;
    print.line(&tables::approvals(&approvals, &sessions, now()))
}
