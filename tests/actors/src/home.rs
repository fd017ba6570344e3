//! Throw-away homes in which real agents run against the scripted model, without an account and without the network.
//!
//! Owns: the project, and putting an agent's settings (`fixtures/agents`) where it looks for them. Must not: touch the
//! user's own home.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde_json::{Value, json};

use crate::setup::{Place, Setup};

/// An agent that can be set up here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Claude Code.
    Claude,
    /// Codex.
    Codex,
}

/// Makes a project: a small program under git.
pub fn project(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("hello.py"), "def hello():\n    print(\"hi\")\n\n\nhello()\n")?;
    fs::write(folder.join("README.md"), "# A project to try agents on\n")?;
    for arguments in [&["init", "-q", "-b", "main"][..], &["add", "-A"], &["commit", "-q", "-m", "Begin"]] {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=Muster", "-c", "user.email=muster@localhost"]).args(arguments);
        git.current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        let status = git.status().context("git is needed; install it")?;
        anyhow::ensure!(status.success(), "git {arguments:?} failed in {}", folder.display());
    }
    Ok(())
}

/// Writes an agent's settings into `home`; returns the variables it is to be started with.
pub fn set_up(
    kind: Kind,
    home: &Path,
    project: &Path,
    model: SocketAddr,
) -> anyhow::Result<BTreeMap<String, String>> {
    let text = match kind {
        Kind::Claude => include_str!("../../../fixtures/agents/claude.toml"),
        Kind::Codex => include_str!("../../../fixtures/agents/codex.toml"),
    };
    let setup: Setup = toml::from_str(text).context("an agent's file cannot be read")?;
    let place = Place { home, project, model };
    prepare(home)?;
    setup.write(&place)?;
    Ok(setup.environment(&place))
}

/// Lets an agent trust a folder besides, as its user would when it asks.
pub fn trust(kind: Kind, home: &Path, folder: &Path) -> anyhow::Result<()> {
    let change = |file: &str, change: &dyn Fn(String) -> anyhow::Result<String>| {
        let path = home.join(file);
        let text = fs::read_to_string(&path).with_context(|| format!("{} is not there", path.display()))?;
        anyhow::Ok(fs::write(&path, change(text)?)?)
    };
    match kind {
        Kind::Claude => change(".claude.json", &|text| {
            let mut settings: Value = serde_json::from_str(&text)?;
            settings["projects"][folder.to_string_lossy().as_ref()] =
                json!({ "hasTrustDialogAccepted": true, "hasCompletedProjectOnboarding": true });
            Ok(settings.to_string())
        }),
        Kind::Codex => change(".codex/config.toml", &|text| {
            Ok(format!("{text}\n[projects.\"{}\"]\ntrust_level = \"trusted\"\n", folder.display()))
        }),
    }
}

/// Makes a home with what every agent needs.
pub fn prepare(home: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(home)?;
    Ok(fs::write(home.join(".gitconfig"), "[user]\n name = Muster\n email = muster@localhost\n")?)
}
