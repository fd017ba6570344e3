//! Scripts: which answer a prompt gets, step by step. Must not: know an interface.
//!
//! A script is a file `fixtures/scripts/NAME.toml`: a pattern for the prompt, and steps. Step k is the answer to the
//! k-th request of the turn, that is, after k results of tools; the last step repeats. In words, commands, paths and
//! contents `${NAME}` stands for what the group NAME of the pattern matched.

use std::path::Path;

use anyhow::Context;
use regex::Regex;
use serde::Deserialize;

/// All scripts of a folder.
#[derive(Debug, Clone, Default)]
pub struct Scripts {
    all: Vec<Script>,
}

/// One script.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Name, from the file.
    #[serde(skip)]
    pub name: String,
    /// Matches the prompts that it answers.
    #[serde(rename = "match", with = "pattern")]
    pub pattern: Regex,
    /// The answers, in order.
    pub step: Vec<Step>,
}

/// One answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// Words before anything else.
    pub text: String,
    /// Characters a second; 0 sends them at once.
    pub speed: u32,
    /// Silence before the answer, in milliseconds.
    pub wait_ms: u64,
    /// A tool to be called after the words.
    pub tool: Option<Tool>,
    /// An error instead of an answer.
    pub error: Option<ApiError>,
    /// The words say that the task was not done: the turn ended, and failed.
    pub failed: bool,
}

/// An error of the model's interface.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// Message.
    pub message: String,
    /// How many requests get it, before the step is answered; 0 for all.
    #[serde(default)]
    pub times: u32,
}

/// A tool of the agent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Tool {
    /// Run a command.
    Shell {
        /// The command.
        command: String,
        /// What it is for.
        about: String,
        /// Whether it is left running while the agent goes on, where the agent can do that.
        #[serde(default)]
        background: bool,
    },
    /// Read a file of the project.
    Read {
        /// Path below the project.
        path: String,
    },
    /// Change a file of the project.
    Edit {
        /// Path below the project.
        path: String,
        /// What stands there.
        old: String,
        /// What shall stand there.
        new: String,
    },
    /// Write a new file of the project.
    Write {
        /// Path below the project.
        path: String,
        /// What shall stand there.
        content: String,
    },
    /// Show a plan and ask whether to carry it out.
    Plan {
        /// The plan.
        plan: String,
    },
    /// Ask the user to choose.
    Ask {
        /// The question.
        question: String,
        /// The choices.
        options: Vec<String>,
    },
    /// Call a tool of an MCP server.
    Mcp {
        /// What the agent's settings call the server.
        server: String,
        /// The tool.
        tool: String,
        /// What it is given.
        arguments: serde_json::Map<String, serde_json::Value>,
    },
}

impl Scripts {
    /// Reads all scripts of a folder, in the order of their names.
    pub fn load(folder: &Path) -> anyhow::Result<Self> {
        let entries =
            std::fs::read_dir(folder).with_context(|| format!("no scripts in {}", folder.display()))?;
        let mut paths: Vec<_> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
        paths.retain(|p| p.extension().is_some_and(|e| e == "toml"));
        paths.sort();
        let load = |path: &std::path::PathBuf| -> anyhow::Result<Script> {
            let text = std::fs::read_to_string(path)?;
            let mut script: Script =
                toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
            script.name = path.file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            anyhow::ensure!(!script.step.is_empty(), "{} has no step", path.display());
            Ok(script)
        };
        Ok(Self { all: paths.iter().map(load).collect::<Result<_, _>>()? })
    }

    /// The script for a prompt; an answer of few words when none matches.
    pub fn pick(&self, prompt: &str) -> Script {
        let found = self.all.iter().find_map(|script| script.filled(prompt));
        found.unwrap_or_else(|| Script {
            name: "any".to_owned(),
            pattern: Regex::new("").expect("the empty pattern is valid"),
            step: vec![Step { text: "That is done.".to_owned(), speed: 200, ..Step::default() }],
        })
    }
}

impl Script {
    /// Its steps with what the pattern's groups matched, if it answers the prompt.
    fn filled(&self, prompt: &str) -> Option<Self> {
        let found = self.pattern.captures(prompt)?;
        let names: Vec<&str> = self.pattern.capture_names().flatten().collect();
        let mut script = self.clone();
        for text in script.step.iter_mut().flat_map(Step::texts) {
            for name in &names {
                let value = found.name(name).map_or("", |group| group.as_str());
                *text = text.replace(&format!("${{{name}}}"), value);
            }
        }
        Some(script)
    }

    /// The answer after `results` results of tools, and its number.
    pub fn step(&self, results: usize) -> (usize, &Step) {
        let number = results.min(self.step.len() - 1);
        (number, &self.step[number])
    }
}

impl Step {
    /// What may hold groups of the pattern.
    fn texts(&mut self) -> Vec<&mut String> {
        let tool = match &mut self.tool {
            Some(Tool::Shell { command, about, .. }) => vec![command, about],
            Some(Tool::Read { path }) => vec![path],
            Some(Tool::Edit { path, old, new }) => vec![path, old, new],
            Some(Tool::Write { path, content }) => vec![path, content],
            Some(Tool::Plan { plan }) => vec![plan],
            Some(Tool::Ask { question, .. }) => vec![question],
            Some(Tool::Mcp { arguments, .. }) => {
                let texts = arguments.values_mut().filter_map(|value| match value {
                    serde_json::Value::String(text) => Some(text),
                    _ => None,
                });
                texts.collect()
            }
            None => Vec::new(),
        };
        std::iter::once(&mut self.text).chain(tool).collect()
    }

    /// The words in pieces like tokens, each with the pause after it.
    pub fn pieces(&self) -> impl DoubleEndedIterator<Item = (&str, std::time::Duration)> {
        let speed = self.speed;
        self.text.split_inclusive(' ').map(move |piece| {
            let ms = if speed == 0 { 0 } else { piece.len() as u64 * 1000 / u64::from(speed) };
            (piece, std::time::Duration::from_millis(ms))
        })
    }
}

mod pattern {
    use regex::Regex;
    use serde::{Deserialize, Deserializer};

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Regex, D::Error> {
        Regex::new(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}
