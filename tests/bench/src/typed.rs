//! How soon a prompt is typed: from the start of `assign` to the written text, into an idle scripted agent. Must not:
//! count the agent's own answer.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use serde_json::Value;

use crate::table::{Goal, Table};

/// Sends prompts one after the other and prints the percentiles, from the request's commit and from the command.
pub fn measure(bin: &Path, rounds: usize, table: &mut Table) -> anyhow::Result<()> {
    let bin = bin.canonicalize()?;
    let folder = tempfile::tempdir()?;
    let project = folder.path().join("p");
    actors::home::project(&project)?;
    let command = |program: &str| {
        let mut command = Command::new(bin.join(program));
        command.env("MUSTER_HOME", folder.path().join("m")).env("MUSTER_PORT", "0");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        command
    };
    anyhow::ensure!(command("assigner").args(["serve", "--detach"]).status()?.success());
    let scripts = Path::new("fixtures/scripts").canonicalize()?;
    let mut wrap = command("wrap");
    wrap.args(["-d", "--name", "a", "-C"]).arg(&project);
    wrap.arg(bin.join("scripted-agent")).arg("--scripts").arg(scripts);
    anyhow::ensure!(wrap.status()?.success(), "the scripted agent does not start");
    let sessions = || command("assign").args(["sessions", "--json"]).output();
    while !String::from_utf8_lossy(&sessions()?.stdout).contains("\"idle\"") {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let (mut from_command, mut from_commit) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let begun = millis();
        let words = ["--json", "--wait", "--to", "a", "What is the capital of France?"];
        let out = command("assign").args(words).output()?;
        let prompt: Value = serde_json::from_slice(&out.stdout).context("the prompt did not end")?;
        let receipts = prompt["attempt"]["receipts"].as_array().context("no receipts")?;
        let written = receipts.iter().find(|receipt| receipt["step"] == "written").context("not written")?;
        let written = written["at"].as_f64().context("no time")?;
        from_command.push(written - begun);
        from_commit.push(written - prompt["created"].as_f64().context("no time")?);
    }
    command("wrap").args(["kill", "-s", "9", "a"]).status()?;
    command("assigner").arg("stop").status()?;
    let what = format!("a prompt's written text, {rounds} prompts");
    rows(&format!("{what}, from the command's start"), from_command, Goal::AtMost(50.0), table);
    rows(&format!("{what}, from its commit"), from_commit, Goal::None, table);
    Ok(())
}

fn rows(what: &str, mut figures: Vec<f64>, goal: Goal, table: &mut Table) {
    figures.sort_by(f64::total_cmp);
    let at = |part: f64| figures[((figures.len() - 1) as f64 * part).round() as usize];
    table.row(&format!("{what}: p50"), at(0.5), "ms", Goal::None);
    table.row(&format!("{what}: p90"), at(0.9), "ms", Goal::None);
    table.row(&format!("{what}: p99"), at(0.99), "ms", goal);
}

fn millis() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1e3
}
