//! How an agent is asked, for one launch, to tell its own figures over OTLP on loopback. Must not: listen.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Stands for the port in a variable's value.
const PORT: &str = "{port}";
/// Stands for the launch's secret.
const SECRET: &str = "{secret}";

/// How an agent is asked for its telemetry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryRecipe {
    /// Variables of the agent's environment; `{port}` and `{secret}` stand for the listener's port and the launch's secret.
    pub env: BTreeMap<String, String>,
    /// Beginnings of variables with which a user asks for telemetry himself. One that is set: nothing is asked for.
    pub theirs: Vec<String>,
    /// Files of JSON settings whose object `env` may set such variables too; `{home}` stands for the agent's folder,
    /// `{dir}` for where it works.
    #[serde(default)]
    pub settings: Vec<String>,
    /// The argument with which settings are given on the command line.
    pub argument: Option<String>,
    /// Variable that names the agent's folder.
    pub variable: Option<String>,
    /// The folder below the home, when the variable is not set.
    #[serde(default)]
    pub folder: String,
}

impl TelemetryRecipe {
    /// Whether a variable of this name is the user's own word about telemetry.
    pub fn is_theirs(&self, name: &str) -> bool {
        self.theirs.iter().any(|beginning| name.starts_with(beginning.as_str()))
    }

    /// The variables with their values.
    pub fn filled(env: &BTreeMap<String, String>, port: u16, secret: &str) -> Vec<(String, String)> {
        let fill = |value: &String| value.replace(PORT, &port.to_string()).replace(SECRET, secret);
        env.iter().map(|(name, value)| (name.clone(), fill(value))).collect()
    }

    /// What is wrong with it.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let holds = |what: &str| self.env.values().any(|value| value.contains(what));
        if !holds(PORT) || !holds(SECRET) {
            return Some("a variable must tell the {port}, and one the {secret}");
        }
        let all_theirs = self.env.keys().all(|name| self.is_theirs(name));
        (!all_theirs)
            .then_some("each variable that is set must be among those that are left alone when they are set")
    }
}
