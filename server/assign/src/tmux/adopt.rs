//! Sessions that stand in for panes which Muster did not start. Must not: type into one unless that was allowed.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wire::admin::Routing;
use wire::launch::program;
use wire::text::escape;

use super::pane::{Pane, PaneId, one};
use super::server::Server;
use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::print::Printer;

/// How long a session may take to be known to the server.
const KNOWN: Duration = Duration::from_secs(20);

/// Watches a pane as a session. Without `may_type` it is given no prompts, and nothing reaches the pane.
pub async fn adopt(
    client: &Client,
    server: &Server,
    print: &Printer,
    id: &PaneId,
    name: Option<&str>,
    may_type: bool,
) -> Result<(), Failure> {
    let pane = one(server, id)?;
    adoptable(&pane).map_err(Failure::Refused)?;
    let name = start(server, &pane, name, may_type)?;
    if !may_type {
        // The router leaves it alone. Whoever resumes it finds that its holder takes no input all the same.
        pause(client, &name).await?;
    }
    let pane = one(server, id)?;
    print.object_or(&pane, || escape(&name))
}

fn adoptable(pane: &Pane) -> Result<(), String> {
    let id = escape(pane.pane.as_str());
    if let Some(session) = pane.session.as_ref().or(pane.adopted.as_ref()) {
        return Err(format!("{id} is known as the session {} already", escape(session)));
    }
    if pane.dead {
        return Err(format!("what ran in {id} has ended"));
    }
    if pane.piped {
        return Err(format!(
            "{id} is piped elsewhere, and tmux has one pipe for each pane; end that one first"
        ));
    }
    Ok(())
}

fn start(server: &Server, pane: &Pane, name: Option<&str>, may_type: bool) -> Result<String, Failure> {
    let wrap = program("wrap");
    let mut command = Command::new(&wrap);
    command.args(["-d", "--no-hooks", "--fixed", "-C", &pane.dir]);
    command.arg(format!("--stand-in={}", pane.command));
    command.arg("--size").arg(format!("{}x{}", pane.cols, pane.rows));
    if let Some(name) = name {
        command.args(["--name", name]);
    }
    if !may_type {
        command.arg("--watched");
    }
    command.arg("--").arg(&wrap).args(["relay", "--socket", &server.socket()?, "--pane", pane.pane.as_str()]);
    if may_type {
        command.arg("--may-type");
    }
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|e| Failure::failed(format!("cannot run {}: {e}", wrap.display())))?;
    if !output.status.success() {
        return Err(Failure::failed(escape(String::from_utf8_lossy(&output.stderr).trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

async fn pause(client: &Client, name: &str) -> Result<(), Failure> {
    let body =
        serde_json::to_string(&Routing { paused: true }).map_err(|e| Failure::failed(e.to_string()))?;
    let path = format!("/v1/sessions/{}/routing", segment(name));
    let until = Instant::now() + KNOWN;
    loop {
        match client.post::<Routing>(&path, Some(body.clone())).await {
            Err(Failure::NotFound(_)) if Instant::now() < until => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            done => return done.map(|_| ()),
        }
    }
}
