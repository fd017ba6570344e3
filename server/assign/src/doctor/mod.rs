//! `assign doctor`: looks at this machine and says what to mend. Must not: mend it, or start a server.

mod finding;

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use wire::SessionId;
use wire::http::Status;
use wire::launch::{program, said};
use wire::place::{Place, ServerFile};

pub use finding::Finding;

use crate::client::Client;
use crate::failure::Failure;
use crate::print::Printer;
use finding::{Agent, Facts, Guarded, Weight, judge};

/// How long a program may take to say what it is; `wrap agents` asks each agent, which start slowly.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most that is read of what it says.
const SAID: u64 = 1 << 20;

/// Looks, and tells. Gives the exit code: 1 when something is broken.
pub async fn run(client: Result<Client, Failure>, print: &Printer) -> Result<u8, Failure> {
    let place = Place::from_env().map_err(|e| Failure::failed(e.to_string()))?;
    let mut facts = gather(&place);
    if place.server_file().exists() {
        match ask(client, &place).await {
            Ok(status) => facts.server = Some(status.version),
            Err(Some(why)) => facts.no_server = Some(why),
            Err(None) => {}
        }
    }
    let found = judge(&facts);
    let broken = found.iter().any(|finding| finding.weight == Weight::Broken);
    print.objects_or(&found, || found.iter().map(line).collect::<Vec<_>>().join("\n"))?;
    Ok(u8::from(broken))
}

fn line(finding: &Finding) -> String {
    let mark = match finding.weight {
        Weight::Fine => "fine",
        Weight::Warning => "warning",
        Weight::Broken => "BROKEN",
    };
    let mend = finding.mend.as_ref().map(|mend| format!("\n{:19}{mend}", "")).unwrap_or_default();
    format!("{mark:<8} {:<9} {}{mend}", finding.about, finding.text)
}

/// The status of the server that runs; nothing when the one that the file names is gone.
async fn ask(client: Result<Client, Failure>, place: &Place) -> Result<Status, Option<String>> {
    let file = std::fs::read_to_string(place.server_file()).map_err(|e| Some(e.to_string()))?;
    let file: ServerFile = serde_json::from_str(&file).map_err(|e| Some(e.to_string()))?;
    let pid = rustix::process::Pid::from_raw(file.pid);
    if pid.is_none_or(|pid| rustix::process::test_kill_process(pid).is_err()) {
        return Err(None);
    }
    let told = |failure: Failure| failure.text().map(str::to_owned);
    let client = client.map_err(told)?.of_running();
    client.get("/v1/status").await.map_err(|failure| failure.text().map(str::to_owned))
}

fn gather(place: &Place) -> Facts {
    let longest = SessionId("00000000-0000-7000-8000-000000000000".to_owned());
    let private =
        [place.run.clone(), place.state.clone(), place.cli_token(), place.wrapper_token(), place.database()];
    Facts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        programs: ["wrap", "assigner"].map(|name| (name.to_owned(), version(&program(name)))).into(),
        private: private.iter().filter_map(|path| access(path)).collect(),
        socket: place.session_socket(&longest).display().to_string(),
        agents: agents(),
        term: std::env::var("TERM").ok(),
        utf8: is_utf8(),
        tmux: output(Command::new("tmux").arg("-V")),
        files: getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX),
        disk: rustix::fs::statvfs(&place.state).ok().map(|room| room.f_bavail.saturating_mul(room.f_frsize)),
        no_hooks: std::env::var_os("MUSTER_NO_HOOKS").is_some_and(|set| !set.is_empty() && set != "0"),
        ..Facts::default()
    }
}

fn version(program: &Path) -> Option<String> {
    let said = output(Command::new(program).arg("--version"))?;
    said.split_whitespace().last().map(str::to_owned)
}

fn agents() -> Vec<Agent> {
    let said = output(Command::new(program("wrap")).args(["agents", "--installed", "--json"]));
    let said = said.unwrap_or_default();
    said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What a program says; nothing when it fails, or does not end.
fn output(command: &mut Command) -> Option<String> {
    said(command, PATIENCE, SAID).and_then(|(status, text)| status.success().then_some(text))
}

/// What is not there needs no guard.
fn access(path: &Path) -> Option<Guarded> {
    let meta = std::fs::symlink_metadata(path).ok()?;
    Some(Guarded {
        path: path.display().to_string(),
        mode: meta.mode() & 0o777,
        own: meta.uid() == rustix::process::geteuid().as_raw(),
        link: meta.is_symlink(),
    })
}

/// The first of the three that is set decides.
fn is_utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    let locale = set.into_iter().flatten().next().unwrap_or_default().to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}
