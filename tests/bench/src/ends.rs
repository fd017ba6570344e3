//! How soon a turn's end is told, with the real agents against the scripted model: from the model's last byte, and from
//! the moment at which the agent itself showed it. Must not: reach anything but loopback.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use actors::home::{self, Kind};
use actors::model::Model;
use actors::script::Scripts;
use anyhow::Context;
use serde_json::Value;

use crate::{drain, median};

/// What first shows an end in an agent's output: the status protocol, or the title at rest.
const SHOWN: [&str; 4] = ["]7501;state=done", "]7501;state=idle", "]7501;state=error", "]0;✳"];

/// Where the product and the agents are, and how often each is measured.
pub struct Bench<'b> {
    /// Folder of the product's programs.
    pub bin: &'b Path,
    /// Folder of the agents' commands.
    pub agents: &'b Path,
    /// Prompts per agent and way.
    pub rounds: usize,
}

impl Bench<'_> {
    /// Measures and prints.
    pub fn measure(&self) -> anyhow::Result<()> {
        println!("{:<26} {:>22} {:>24}", "agent", "from the last byte, ms", "from its being shown, ms");
        for (kind, name) in [(Kind::Claude, "claude"), (Kind::Codex, "codex")] {
            for attached in [false, true] {
                let figures = self.one(kind, name, attached)?;
                let way = if attached { "attached, hooks" } else { "headless, status" };
                let show = |of: fn(&(f64, f64)) -> f64| {
                    let mut all: Vec<f64> = figures.iter().map(of).collect();
                    let middle = median(&mut all);
                    format!("{middle:.0} (most {:.0})", all.last().copied().unwrap_or_default())
                };
                let (byte, shown) = (show(|f| f.0), show(|f| f.1));
                println!("{:<26} {byte:>22} {shown:>24}", format!("{name}, {way}"));
            }
        }
        Ok(())
    }

    fn one(&self, kind: Kind, name: &str, attached: bool) -> anyhow::Result<Vec<(f64, f64)>> {
        let runtime = tokio::runtime::Runtime::new()?;
        let scripts = Scripts::load(Path::new("fixtures/scripts"))?;
        let model = runtime.block_on(Model::start(scripts, 0, None))?;
        let folder = tempfile::tempdir()?;
        let project = folder.path().join("p");
        home::project(&project)?;
        let env = home::set_up(kind, &folder.path().join("home"), &project, model.address)?;
        let command = |program: &str| {
            let mut command = Command::new(self.bin.join(program));
            command.env("MUSTER_HOME", folder.path().join("m")).env("MUSTER_PORT", "0");
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
            command
        };
        anyhow::ensure!(command("assigner").args(["serve", "--detach"]).status()?.success());
        let mut wrap = command("wrap");
        wrap.envs(&env).args(["--name", "a", "-C"]).arg(&project);
        if !attached {
            wrap.arg("-d");
        }
        wrap.arg(self.agents.join(name));
        let terminal = attached.then(drain::open).transpose()?;
        if let Some((master, slave)) = &terminal {
            let master = std::fs::File::from(master.try_clone()?);
            std::thread::spawn(move || std::io::copy(&mut { master }, &mut std::io::sink()));
            wrap.stdin(slave.try_clone()?).stdout(slave.try_clone()?).env("TERM", "xterm-256color");
        }
        let mut client = wrap.spawn()?;
        let mut ended = Vec::new();
        for _ in 0..self.rounds {
            let words = ["--json", "--wait", "--to", "a", "What is the capital of France?"];
            let out = command("assign").args(words).output()?;
            let prompt: Value = serde_json::from_slice(&out.stdout).context("the prompt did not end")?;
            let id = prompt["id"].as_i64().context("no id")?;
            let out = command("assign").args(["--json", "show", &id.to_string()]).output()?;
            let detail: Value = serde_json::from_slice(&out.stdout)?;
            let receipts = detail["attempts"][0]["receipts"].as_array().context("no receipts")?.clone();
            let at =
                receipts.iter().find(|receipt| receipt["step"] == "ended").and_then(|r| r["at"].as_f64());
            ended.push((at.context("no end")?, answered(&model)));
        }
        let shown = shown(&command("wrap").args(["export", "a"]).output()?.stdout, started(&command, "a")?);
        command("wrap").args(["kill", "-s", "9", "a"]).status()?;
        command("assigner").arg("stop").status()?;
        client.wait()?;
        let figure = |(ended, answered): (f64, f64)| {
            let first = shown.iter().copied().find(|at| *at >= answered - 5.0).unwrap_or(ended);
            (ended - answered, ended - first)
        };
        Ok(ended.into_iter().map(figure).collect())
    }
}

/// When the model sent the last byte of its last answer to the task, in milliseconds since the Unix epoch.
fn answered(model: &Model) -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let since = Instant::now().duration_since(model.started());
    let began = now.saturating_sub(since).as_secs_f64() * 1e3;
    let log = model.log();
    let last = log.iter().rev().find(|entry| entry.what == "answered" && !entry.side);
    began + last.map_or(0.0, |entry| entry.at_us as f64 / 1e3)
}

/// When the session started, in milliseconds since the Unix epoch.
fn started(command: &dyn Fn(&str) -> Command, name: &str) -> anyhow::Result<f64> {
    let out = command("assign").args(["--json", "sessions"]).output()?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let sessions = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let found = sessions.into_iter().find(|session| session["name"] == name).context("no such session")?;
    found["started"].as_f64().context("no start")
}

/// When an asciicast v3 shows ends of turns, in milliseconds since the Unix epoch.
fn shown(cast: &[u8], started: f64) -> Vec<f64> {
    let text = String::from_utf8_lossy(cast).into_owned();
    let (mut at, mut all) = (0.0, Vec::new());
    for line in text.lines().skip(1) {
        let Ok((pause, code, data)) = serde_json::from_str::<(f64, String, String)>(line) else { continue };
        at += pause;
        if code == "o" && SHOWN.iter().any(|sign| data.contains(sign)) {
            all.push(started + at * 1e3);
        }
    }
    all
}
