//! Scenarios: what a driver does with an agent, as data. Must not: do it.
//!
//! A scenario is a file `fixtures/scenarios/NAME.toml`; what the model answers is in `fixtures/scripts`, chosen by the
//! prompt's words.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

/// One scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Name, from the file.
    #[serde(skip)]
    pub name: String,
    /// What it shows.
    pub about: String,
    /// The agents it is recorded for, by their files in `fixtures/agents`.
    pub agents: Vec<String>,
    /// Columns and rows.
    #[serde(default = "usual_size")]
    pub size: (u16, u16),
    /// What the terminal answers.
    #[serde(default)]
    pub terminal: Profile,
    /// Arguments instead of the agent's usual ones, by agent.
    #[serde(default)]
    pub args: BTreeMap<String, Vec<String>>,
    /// Variables of the agent's files, by agent.
    #[serde(default)]
    pub vars: BTreeMap<String, BTreeMap<String, String>>,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

fn usual_size() -> (u16, u16) {
    (120, 40)
}

/// What a terminal answers when it is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// As xterm does.
    #[default]
    Xterm,
    /// The same, and that it knows the program status protocol (OSC 7501).
    Psp,
    /// Nothing.
    None,
}

impl Profile {
    /// Its name in the labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Xterm => "xterm",
            Self::Psp => "psp",
            Self::None => "none",
        }
    }
}

/// One thing the driver does. Keys are written as they are sent; `|` stands for a pause between two of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Waits until the agent takes a prompt.
    Ready,
    /// Pastes a prompt and presses Enter once it is shown.
    Prompt(String),
    /// The same while the agent works: the prompt waits.
    Queue(String),
    /// Waits for the model's server to have done something: an entry's `what`.
    Until(String),
    /// Waits for a file that a command makes in the project: the turn's end where there is no model, and how it ended.
    File {
        /// Its name.
        name: String,
        /// How the command ends.
        outcome: String,
    },
    /// Waits until a dialog of this kind is shown; it waits for an answer since the model's last word.
    Dialog(String),
    /// Gives the permission.
    Approve,
    /// Refuses it.
    Deny,
    /// Answers what was asked.
    Answer,
    /// Presses the key that interrupts.
    Interrupt,
    /// Presses other keys.
    Keys(String),
    /// Waits until this is shown.
    See(String),
    /// Changes the terminal's size.
    Resize(u16, u16),
    /// Waits, in milliseconds: for what people would see in the meantime.
    Hold(u64),
    /// Asks the agent to exit and waits for its end.
    Exit,
    /// Waits until the agent ends by itself.
    Ended,
}

/// Reads all scenarios of a folder, in the order of their names.
pub fn load(folder: &Path) -> anyhow::Result<Vec<Scenario>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("no scenarios in {}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "toml"));
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path)?;
        let mut scenario: Scenario =
            toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
        scenario.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(scenario)
    };
    paths.iter().map(read).collect()
}
