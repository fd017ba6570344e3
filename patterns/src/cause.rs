//! Why turns fail, read off the reason that the agent gave. Must not: look at a screen.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::{Error, Pattern};

/// Why a turn failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A limit of use is reached.
    RateLimited,
    /// The conversation does not fit into the model's context any more.
    ContextExhausted,
    /// Nobody is logged in, or the key or the account does not allow it.
    Auth,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    cause: Vec<CauseTable>,
    refusal: Vec<RefusalTable>,
}

/// A rule over answers, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusalTable {
    /// Unique id.
    pub id: String,
    /// Why.
    pub meaning: String,
    /// The pattern over an answer in one line.
    pub pattern: String,
    /// Examples.
    pub matches: Vec<String>,
    /// Counter-examples.
    pub rejects: Vec<String>,
}

/// A rule as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CauseTable {
    /// Unique id.
    pub id: String,
    /// Why.
    pub meaning: String,
    /// What it means.
    pub cause: Cause,
    /// The pattern over a reason; a group `until` tells when it ends.
    pub pattern: String,
    /// Examples.
    pub matches: Vec<String>,
    /// Counter-examples.
    pub rejects: Vec<String>,
}

/// The rules as they are written.
pub fn tables() -> Result<(Vec<CauseTable>, Vec<RefusalTable>), Error> {
    let text = include_str!("../causes.toml");
    let file: Result<File, _> = toml::from_str(text);
    file.map(|file| (file.cause, file.refusal))
        .map_err(|cause| Error::Schema { file: "causes.toml".to_owned(), cause: cause.to_string() })
}

/// What a reason tells: the cause, and when it ends, as the agent put it. `None` when no rule knows it.
pub fn of(reason: &str) -> Option<(Cause, Option<String>)> {
    static RULES: OnceLock<Vec<(Cause, Pattern)>> = OnceLock::new();
    let rules = RULES.get_or_init(|| {
        let (tables, _) = tables().expect("a test reads the file");
        tables.into_iter().map(|table| (table.cause, Pattern::new(table.pattern))).collect()
    });
    rules.iter().find_map(|(cause, pattern)| {
        let groups = pattern.captures(reason)?;
        let until = groups.name("until").or_else(|| groups.name("until2"));
        Some((*cause, until.map(|until| until.as_str().trim().to_owned())))
    })
}

/// Where an answer says that the agent did not do what it was asked; `answer` in one line. Start and end, in bytes.
pub fn refusal(answer: &str) -> Option<(usize, usize)> {
    static RULES: OnceLock<Vec<Pattern>> = OnceLock::new();
    let rules = RULES.get_or_init(|| {
        let (_, tables) = tables().expect("a test reads the file");
        tables.into_iter().map(|table| Pattern::new(table.pattern)).collect()
    });
    rules.iter().find_map(|rule| rule.find(answer))
}
