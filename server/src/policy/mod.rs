//! The rules that may answer what agents ask: pure, the same when they decide and when they are tried on the past.
//!
//! Owns: whether a rule matches a request, and what follows. Must not: answer, or read what stands on a screen.
//!
//! Invariant: a request is approved only when a rule says so of its structure, which the agent told outside of its
//! terminal; of a command, only when each part of its line was read with certainty and matches. Everything that is not
//! certain is asked: to ask too often costs a moment, to approve too often costs more.

pub mod argv;
mod danger;
pub mod examples;
mod pattern;
mod place;
mod rules;
#[cfg(test)]
mod tests;

use wire::approval::{Effect, Root, Rule};
use wire::session::{Action, ToolRequest};

pub use rules::{RuleError, Rules};

/// What is asked, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The agent's profile.
    pub agent: &'a str,
    /// The session's role, if it declared one.
    pub role: Option<&'a str>,
    /// The session's name.
    pub session: &'a str,
    /// Where the session works, absolute.
    pub dir: &'a str,
    /// The repository there, absolute.
    pub repo: Option<&'a str>,
    /// What the agent would do; `None` when it did not tell.
    pub tool: Option<&'a ToolRequest>,
}

/// What the rules say of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// What is to be done.
    pub effect: Effect,
    /// The rule that said so.
    pub rule: Option<String>,
    /// Why no rule said anything.
    pub why: Option<String>,
}

impl Judged {
    /// A person has to answer.
    pub fn ask(why: &str) -> Self {
        Self { effect: Effect::Ask, rule: None, why: Some(why.to_owned()) }
    }
}

/// Judges: the first rule that matches decides.
pub fn judge(rules: &Rules, request: &Request<'_>) -> Judged {
    let Some(tool) = request.tool else {
        return Judged::ask("the agent did not tell what it would do, other than on its screen");
    };
    let case = Case { request, tool, line: tool.command.as_deref().and_then(argv::read) };
    match rules.as_slice().iter().find(|rule| case.matches(rule)) {
        Some(rule) => Judged { effect: rule.effect, rule: Some(rule.name.clone()), why: None },
        None if tool.command.is_some() && case.line.is_none() => {
            Judged::ask("no rule matches; its command line is not simple enough to be read with certainty")
        }
        None => Judged::ask("no rule matches"),
    }
}

/// A request with its command line, read once for all rules.
struct Case<'a> {
    request: &'a Request<'a>,
    tool: &'a ToolRequest,
    /// `None` also when it cannot be read.
    line: Option<Vec<argv::Argv>>,
}

impl Case<'_> {
    fn matches(&self, rule: &Rule) -> bool {
        let Rule { name: _, effect, agents, roles, sessions, actions, tools, commands, under } = rule;
        let among = |list: &[String], word: &str| list.is_empty() || list.iter().any(|w| w == word);
        among(agents, self.request.agent)
            && among(roles, self.request.role.unwrap_or_default())
            && among(sessions, self.request.session)
            && (actions.is_empty() || actions.contains(&self.tool.action))
            && among(tools, &self.tool.tool)
            && (commands.is_empty() || self.runs(commands, *effect))
            && (*effect != Effect::Approve || self.is_covered(rule))
            && under.is_none_or(|root| self.is_under(root, *effect))
    }

    /// Whether the command is one that a rule names.
    fn runs(&self, commands: &[Vec<String>], effect: Effect) -> bool {
        let Some(line) = &self.line else { return false };
        match effect {
            Effect::Approve => line.iter().all(|argv| commands.iter().any(|c| pattern::approves(c, argv))),
            Effect::Deny | Effect::Ask => {
                line.iter().any(|argv| commands.iter().any(|c| pattern::names(c, argv)))
            }
        }
    }

    /// Whether a rule that approves speaks of all that would be done: a command is approved as a command or not at all,
    /// whatever the tool is called and whatever action it is taken for.
    fn is_covered(&self, rule: &Rule) -> bool {
        let is_command = self.tool.command.is_some() || self.tool.action == Action::Shell;
        is_command != rule.commands.is_empty()
    }

    /// Whether all that would be worked on lies under a root. Nothing to look at is no proof.
    fn is_under(&self, root: Root, effect: Effect) -> bool {
        let root = match root {
            Root::Session => self.request.dir,
            Root::Repo => match self.request.repo {
                Some(repo) => repo,
                None => return false,
            },
        };
        let paths = &self.tool.paths;
        if !paths.iter().all(|path| place::is_under(path, root)) {
            return false;
        }
        if self.tool.command.is_some() {
            return self.line.as_ref().is_some_and(|line| place::all_under(line, self.request.dir, root));
        }
        // Hidden files set up git, editors, agents and builds, and run later, outside of what was approved.
        let changes = effect == Effect::Approve && self.tool.action == Action::Edit;
        let hidden = changes && paths.iter().any(|path| place::is_hidden(path, root));
        !hidden && !paths.is_empty()
    }
}
