//! A file of rules, read. Must not: judge (see `judge` in the module above).
//!
//! Owns: what a rule must not say. A rule that could approve more than its words show is refused when it is set, with
//! the reason: nobody looks at it again afterwards.

use serde::Deserialize;
use toml::Spanned;
use wire::approval::{Effect, Rule};
use wire::session::Action;

use super::pattern;
use crate::suggest;

/// Rules, in order: the first that matches decides. Invariant: each was checked by [`Rules::parse`].
#[derive(Debug, Clone, Default)]
pub struct Rules(Vec<Rule>);

/// A file of rules that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// It is no TOML, or no rules: where and what, and what was perhaps meant.
    #[error("{0}{1}")]
    Toml(String, String),
    /// A rule says what no rule may say.
    #[error("line {line}: rule `{name}`: {why}")]
    Rule {
        /// Where the rule begins, from 1.
        line: usize,
        /// Its name.
        name: String,
        /// What is wrong, and what to write instead.
        why: String,
    },
}

/// [`wire::approval::RuleFile`], with the place of each rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    rule: Vec<Spanned<Rule>>,
}

impl Rules {
    /// Reads a [`wire::approval::RuleFile`] and checks each rule.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let file: File = toml::from_str(text)
            .map_err(|e| RuleError::Toml(e.to_string().trim_end().to_owned(), suggest::hint(e.message())))?;
        let mut rules: Vec<Rule> = Vec::new();
        for rule in file.rule {
            let start = rule.span().start;
            let rule = rule.into_inner();
            let twice = rules.iter().any(|r| r.name == rule.name);
            let why = twice.then(|| "another rule has this name already".to_owned()).or_else(|| fault(&rule));
            if let Some(why) = why {
                let line = text.bytes().take(start).filter(|b| *b == b'\n').count() + 1;
                return Err(RuleError::Rule { line, name: rule.name, why });
            }
            rules.push(rule);
        }
        Ok(Self(rules))
    }

    /// The rules, in order.
    pub fn as_slice(&self) -> &[Rule] {
        &self.0
    }
}

/// What is wrong with a rule.
fn fault(rule: &Rule) -> Option<String> {
    if rule.name.trim().is_empty() {
        return Some("it has no name: logs call it by one".to_owned());
    }
    if !rule.commands.is_empty() && !rule.actions.is_empty() && !rule.actions.contains(&Action::Shell) {
        return Some(
            "it lists `commands`, but its `actions` leave out \"shell\": it would never match".to_owned(),
        );
    }
    let shape = rule.commands.iter().find_map(|command| pattern::fault(command));
    shape.or_else(|| (rule.effect == Effect::Approve).then(|| approves_too_much(rule)).flatten())
}

/// Why a rule must not approve.
fn approves_too_much(rule: &Rule) -> Option<String> {
    let says = |why: &str| Some(why.to_owned());
    if is_unconditional(rule) {
        return says("it would approve everything: say which `actions` or `commands` it is for");
    }
    if let Some(why) = rule.commands.iter().find_map(|command| pattern::too_wide(command)) {
        return Some(why);
    }
    if !rule.commands.is_empty() {
        return None;
    }
    if rule.actions.is_empty() {
        return says(
            "it could approve any command: list its `commands`, or name `actions` without \"shell\"",
        );
    }
    if rule.actions.contains(&Action::Shell) {
        return says("it would approve any command: list its `commands`");
    }
    if rule.actions.contains(&Action::Edit) && rule.under.is_none() {
        return says("it would approve changes to any file: say `under = \"session\"` or `under = \"repo\"`");
    }
    if rule.actions.contains(&Action::Other) && rule.tools.is_empty() {
        return says("\"other\" is whatever is not known: list the `tools` that it is for");
    }
    None
}

fn is_unconditional(rule: &Rule) -> bool {
    let Rule { name: _, effect: _, agents, roles, sessions, actions, tools, commands, under } = rule;
    let words = [agents, roles, sessions, tools].iter().all(|list| list.is_empty());
    words && actions.is_empty() && commands.is_empty() && under.is_none()
}
