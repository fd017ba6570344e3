//! Throw-away homes in which real agents run against the scripted model, without an account and without the network.
//!
//! Owns: the settings that each agent needs for that. Must not: touch the user's own home.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Context;
use serde_json::json;

/// A key that is none.
const DUMMY: &str = "dummy";

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
    fs::create_dir_all(home)?;
    fs::write(home.join(".gitconfig"), "[user]\n name = Muster\n email = muster@localhost\n")?;
    let mut env = BTreeMap::from([("HOME".to_owned(), home.to_string_lossy().into_owned())]);
    let mut set = |name: &str, value: String| env.insert(name.to_owned(), value);
    match kind {
        Kind::Claude => {
            claude(home, project)?;
            set("ANTHROPIC_BASE_URL", format!("http://{model}"));
            set("ANTHROPIC_API_KEY", DUMMY.to_owned());
            set("CLAUDE_CODE_MAX_RETRIES", "2".to_owned());
            for name in [
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
                "DISABLE_TELEMETRY",
                "DISABLE_AUTOUPDATER",
                "DISABLE_ERROR_REPORTING",
                "DISABLE_BUG_COMMAND",
            ] {
                set(name, "1".to_owned());
            }
        }
        Kind::Codex => {
            codex(home, project, model)?;
            set("MUSTER_DUMMY_KEY", DUMMY.to_owned());
        }
    }
    Ok(env)
}

fn claude(home: &Path, project: &Path) -> anyhow::Result<()> {
    let here = json!({
        "hasTrustDialogAccepted": true, "hasCompletedProjectOnboarding": true, "projectOnboardingSeenCount": 4,
        "allowedTools": [],
    });
    let settings = json!({
        "numStartups": 5, "installMethod": "unknown", "autoUpdates": false, "hasCompletedOnboarding": true,
        "lastOnboardingVersion": "99.0.0", "lastReleaseNotesSeen": "99.0.0", "theme": "dark", "hasSeenTasksHint": true,
        "customApiKeyResponses": {"approved": [DUMMY], "rejected": []},
        "projects": {project.to_string_lossy(): here},
    });
    fs::write(home.join(".claude.json"), settings.to_string())?;
    fs::create_dir_all(home.join(".claude"))?;
    fs::write(home.join(".claude/settings.json"), "{}")?;
    Ok(())
}

fn codex(home: &Path, project: &Path, model: SocketAddr) -> anyhow::Result<()> {
    let project = project.display();
    let settings = format!(
        r#"model = "gpt-5.5"
model_provider = "scripted"
approval_policy = "on-request"
sandbox_mode = "read-only"
check_for_update_on_startup = false

[model_providers.scripted]
name = "scripted"
base_url = "http://{model}/v1"
env_key = "MUSTER_DUMMY_KEY"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1

[projects."{project}"]
trust_level = "trusted"

[features]
daemon_auto_start = false

[analytics]
enabled = false

[feedback]
enabled = false

[notice.model_migrations]
"gpt-5.5" = "gpt-6-sol"
"#
    );
    fs::create_dir_all(home.join(".codex"))?;
    fs::write(home.join(".codex/config.toml"), settings)?;
    Ok(())
}
