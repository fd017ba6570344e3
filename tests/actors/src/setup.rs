//! How a real agent is started in a throw-away home and driven by its keys: data, one file per agent in
//! `fixtures/agents`. Must not: know what any agent's settings mean.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

/// One agent's file. In `args`, `env`, `files` and `project`, `${model}` stands for the server's address, `${home}`
/// and `${project}` for the folders, and `${NAME}` for a variable.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The command, looked for among the fetched programs, then on the `PATH`.
    pub command: String,
    /// Where it comes from: `npm NAME` or `pip NAME`, for scripts/record; without it nothing has to be fetched.
    pub package: Option<String>,
    /// The version that the tests, the demo and the committed recordings have.
    pub recorded: Option<String>,
    /// Its profile in `patterns/agents`, when that is not the file's own name.
    pub profile: Option<String>,
    /// Arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Where its version stands in what `--version` prints; without it the version is the recorder's.
    pub version: Option<String>,
    /// Whether it is a stand-in of this project and no real program.
    #[serde(default)]
    pub stand_in: bool,
    /// What scenarios may change, with what it is else.
    #[serde(default)]
    pub vars: BTreeMap<String, String>,
    /// Environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Files of the home.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// Files of the project beside those that every project has.
    #[serde(default)]
    pub project: BTreeMap<String, String>,
    /// How it is driven.
    #[serde(default)]
    pub driver: Driver,
}

/// How a driver knows where it is, and which keys it presses. Patterns are looked for on the emulated screen; they are
/// the driver's eyes, and nobody's truth.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Driver {
    /// Shown when it takes a prompt.
    pub ready: String,
    /// In the bytes once it takes a prompt.
    pub ready_output: String,
    /// Not shown when it takes a prompt.
    pub not_ready: String,
    /// How long the screen stands still before it is believed, in milliseconds.
    pub settle_ms: u64,
    /// Shown while it asks, by the kind of dialog.
    pub dialog: BTreeMap<String, String>,
    /// Keys by what they do: `approve`, `deny`, `answer`, `interrupt`, `exit`, `queue`; and by the kind of dialog.
    pub keys: BTreeMap<String, String>,
    /// It asks after the model's answer, as part of the turn.
    pub asks_after: bool,
    /// No model answers it: a turn's end is a file that the command makes.
    pub serverless: bool,
}

impl Setup {
    /// Reads a file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("no agent in {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("in {}", path.display()))
    }

    /// Writes the agent's files.
    pub fn write(&self, place: &Place) -> anyhow::Result<()> {
        for (folder, files) in [(place.home, &self.files), (place.project, &self.project)] {
            for (name, text) in files {
                let path = folder.join(name);
                fs::create_dir_all(path.parent().unwrap_or(folder))?;
                fs::write(path, self.fill(text, place))?;
            }
        }
        Ok(())
    }

    /// Its environment.
    pub fn environment(&self, place: &Place) -> BTreeMap<String, String> {
        let filled = self.env.iter().map(|(name, value)| (name.clone(), self.fill(value, place)));
        let home = ("HOME".to_owned(), place.home.to_string_lossy().into_owned());
        std::iter::once(home).chain(filled).collect()
    }

    /// A text with its values.
    pub fn fill(&self, text: &str, place: &Place) -> String {
        // Variables first: they may hold places.
        let put =
            |text: String, (name, value): (&String, &String)| text.replace(&format!("${{{name}}}"), value);
        self.vars
            .iter()
            .fold(text.to_owned(), put)
            .replace("${model}", &place.model.to_string())
            .replace("${home}", &place.home.to_string_lossy())
            .replace("${project}", &place.project.to_string_lossy())
    }
}

/// Where an agent lives.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Its home.
    pub home: &'a Path,
    /// Its project.
    pub project: &'a Path,
    /// The model server.
    pub model: SocketAddr,
}
