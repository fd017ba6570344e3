//! One take: one agent in a throw-away home goes through one scenario, and what it showed is written down with what was
//! true. Must not: judge it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use actors::home;
use actors::model::Model;
use actors::script::Scripts;
use actors::setup::{Place, Setup};
use anyhow::{Context, bail};
use regex::Regex;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::driver::Driver;
use crate::labels;
use crate::pty::Pty;
use crate::scenario::Scenario;
use crate::terminal::Terminal;

/// Where things are.
#[derive(Debug, Clone)]
pub struct Stage {
    /// `fixtures`.
    pub fixtures: PathBuf,
    /// Folders with the agents' commands.
    pub bins: Vec<PathBuf>,
    /// Where homes and projects are made: their paths are on the screens, so they must tell nothing of this machine.
    pub homes: PathBuf,
}

/// An agent that can be recorded.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Name of its file.
    pub name: String,
    /// Its file.
    pub setup: Setup,
    /// Its command.
    pub program: PathBuf,
    /// Its version.
    pub version: String,
}

impl Stage {
    /// The names of all agents' files.
    pub fn agents(&self) -> anyhow::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.fixtures.join("agents"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "toml") {
                names.extend(path.file_stem().map(|n| n.to_string_lossy().into_owned()));
            }
        }
        names.sort();
        Ok(names)
    }

    /// Finds an agent and asks its version; `None` when it is not installed.
    pub fn agent(&self, name: &str) -> anyhow::Result<Option<Agent>> {
        let setup = Setup::read(&self.fixtures.join("agents").join(format!("{name}.toml")))?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = self.bins.iter().cloned().chain(std::env::split_paths(&path));
        let Some(program) = folders.map(|f| f.join(&setup.command)).find(|p| p.is_file()) else {
            return Ok(None);
        };
        let version = match &setup.version {
            None => env!("CARGO_PKG_VERSION").to_owned(),
            Some(pattern) => self.version(&program, pattern)?,
        };
        Ok(Some(Agent { name: name.to_owned(), setup, program, version }))
    }

    fn version(&self, program: &Path, pattern: &str) -> anyhow::Result<String> {
        let home = self.homes.join("version");
        home::prepare(&home)?;
        let mut command = Command::new(program);
        command.arg("--version").env_clear().envs(surroundings()).env("HOME", &home).current_dir(&home);
        let out = command.output().with_context(|| format!("{} does not run", program.display()))?;
        let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
        let found = Regex::new(pattern)?.captures(&said).and_then(|c| c.get(1));
        Ok(found.with_context(|| format!("no version in {said:?}"))?.as_str().to_owned())
    }

    /// Records a scenario into `folder`.
    pub fn take(&self, agent: &Agent, scenario: &Scenario, folder: &Path) -> anyhow::Result<()> {
        let name = &agent.name;
        let place = self.homes.join(format!("{name}-{}", scenario.name));
        let _ = fs::remove_dir_all(&place);
        let (home, project) = (place.join("home"), place.join("project"));
        home::prepare(&home)?;
        copy(&self.fixtures.join("project"), &project)?;
        home::project(&project)?;
        let mut setup = agent.setup.clone();
        setup.vars.extend(scenario.vars.get(name).cloned().unwrap_or_default());
        let runtime = Runtime::new()?;
        let scripts = Scripts::load(&self.fixtures.join("scripts"))?;
        let model = runtime.block_on(Model::start(scripts, 0, None))?;
        model.set_project(&project);
        let where_ = Place { home: &home, project: &project, model: model.address };
        setup.write(&where_)?;
        let mut env = surroundings();
        env.extend(setup.environment(&where_));
        let args = scenario.args.get(name).unwrap_or(&setup.args);
        let args: Vec<String> = args.iter().map(|a| setup.fill(a, &where_)).collect();
        let pty = Pty::start(&agent.program, &args, &env, &project, scenario.size)?;
        let terminal = Terminal::new(scenario.terminal);
        let mut driver = Driver::new(pty, terminal, &model, &setup.driver, &project, scenario.size);
        driver.run(&scenario.steps)?;
        env.retain(|name, _| name != "PATH");
        let meta = json!({
            "type": "meta", "agent": setup.profile.as_ref().unwrap_or(name), "scenario": scenario.name,
            "about": scenario.about, "version": agent.version, "stand_in": setup.stand_in,
            "argv": std::iter::once(&setup.command).chain(&args).collect::<Vec<_>>(),
            "cols": scenario.size.0, "rows": scenario.size.1, "terminal_profile": scenario.terminal.as_str(),
            "exit_code": driver.code, "raw_bytes": driver.tape.raw_bytes, "env": env,
        });
        write(&driver, &setup, scenario, meta, folder)?;
        drop(driver);
        let _ = fs::remove_dir_all(&place);
        Ok(())
    }
}

/// Copies a folder's files and folders.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

fn write(
    driver: &Driver,
    setup: &Setup,
    scenario: &Scenario,
    meta: Value,
    folder: &Path,
) -> anyhow::Result<()> {
    let log = driver.log();
    let truth = labels::labels(&setup.driver, &driver.actions, &log, driver.now());
    let faults = labels::faults(&truth);
    if !faults.is_empty() {
        let events = truth.iter().map(|l| format!("{l}\n")).collect::<String>();
        bail!("the labels do not hold together: {}\n{events}", faults.join("; "));
    }
    let server = log.iter().map(|(at, entry)| {
        let mut line = json!(entry);
        if let Some(fields) = line.as_object_mut() {
            fields.remove("at_us");
            fields.retain(|_, value| !value.is_null() && *value != json!(false));
            fields.insert("type".into(), json!("server"));
            fields.insert("t".into(), json!((at.as_secs_f64() * 1e4).round() / 1e4));
        }
        line
    });
    let lines = std::iter::once(meta).chain(truth).chain(driver.notes.iter().cloned()).chain(server);
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    fs::create_dir_all(folder)?;
    driver.tape.write(&folder.join("session.cast"), scenario.size, &scenario.name)?;
    Ok(fs::write(folder.join("session.labels.jsonl"), text)?)
}

/// What every program here gets of an environment.
fn surroundings() -> BTreeMap<String, String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut env: BTreeMap<String, String> = [
        ("TERM", "xterm-256color"),
        ("COLORTERM", "truecolor"),
        ("LANG", "C.UTF-8"),
        ("LC_ALL", "C.UTF-8"),
        ("SHELL", "/bin/bash"),
        ("USER", "muster"),
        ("TZ", "UTC"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    env.insert("PATH".to_owned(), path);
    env
}
