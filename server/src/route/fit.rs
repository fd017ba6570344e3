//! Whether a session is what a prompt asks for, or can be brought there. Must not: weigh.

use wire::session::{Context, Moves};

use super::{Candidate, Shell, Wanted};

/// How a session fits a prompt that it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// It is in the context asked for.
    In,
    /// It would have to be brought there.
    Moves,
}

/// How a session fits, or why it does not. What is required is never traded for points.
pub fn fit(wanted: &Wanted, candidate: &Candidate<'_>, all: &[Candidate<'_>]) -> Result<Fit, String> {
    identity(wanted, candidate)?;
    let context = &candidate.session.context;
    let Some(difference) = difference(wanted, context) else { return Ok(Fit::In) };
    match candidate.session.moves {
        Moves::None => return Err(difference),
        Moves::Shell | Moves::Relaunch => {}
    }
    match in_the_way(wanted, candidate, all) {
        Some(why) => Err(why),
        None => Ok(Fit::Moves),
    }
}

/// What no preparation can change.
fn identity(wanted: &Wanted, candidate: &Candidate<'_>) -> Result<(), String> {
    let session = candidate.session;
    if let Some(target) = &wanted.target
        && *target != session.name
        && *target != session.id.0
        && Some(target) != session.pool.as_ref()
    {
        return Err(format!("another session was asked for: {target}"));
    }
    if let Some(agent) = &wanted.agent
        && *agent != session.agent
    {
        return Err(format!("runs {}, not {agent}", session.agent));
    }
    if let Some(role) = &wanted.role
        && Some(role) != session.role.as_ref()
    {
        let has = session.role.as_deref().unwrap_or("no role");
        return Err(format!("has {has}, not the role {role}"));
    }
    if let Some(cap) = wanted.caps.iter().find(|cap| !session.caps.contains(cap)) {
        return Err(format!("does not have the capability {cap}"));
    }
    if session.interpreter { runs(wanted) } else { Ok(()) }
}

/// Whether a shell may have it, which is all that it asks for.
fn runs(wanted: &Wanted) -> Result<(), String> {
    let asked_for =
        wanted.target.is_some() || wanted.agent.is_some() || wanted.role.is_some() || !wanted.caps.is_empty();
    match wanted.shell {
        Shell::Yes => Ok(()),
        Shell::AskedFor if asked_for => Ok(()),
        Shell::AskedFor => {
            Err("would run it as a command; if it is one, ask for this session or send it with --command"
                .to_owned())
        }
        Shell::No => Err("would run it as a command, and it is words".to_owned()),
    }
}

/// What of the context is not as asked; `None`: all is.
fn difference(wanted: &Wanted, context: &Context) -> Option<String> {
    if let Some(dir) = &wanted.dir
        && *dir != context.dir
    {
        return Some(format!("works in {}, not in {dir}", context.dir));
    }
    if wanted.worktree {
        return Some(format!("works in {}, not in a work tree of its own", context.dir));
    }
    if let Some(branch) = &wanted.branch
        && Some(branch) != context.branch.as_ref()
    {
        let on = context.branch.as_deref().unwrap_or("no branch");
        return Some(format!("is on {on}, not on {branch}"));
    }
    let unset = wanted.env.iter().find(|(name, value)| context.env.get(*name) != Some(value));
    unset.map(|(name, _)| format!("its variable {name} is not as asked"))
}

/// A branch is checked out only where nobody else works.
fn in_the_way(wanted: &Wanted, candidate: &Candidate<'_>, all: &[Candidate<'_>]) -> Option<String> {
    let branch = wanted.branch.as_ref().filter(|_| !wanted.worktree)?;
    let own = &candidate.session.context;
    let there = wanted.dir.as_ref().unwrap_or(&own.dir);
    let same_tree = |context: &Context| {
        context.dir == *there || context.repo.as_ref().is_some_and(|repo| is_under(there, repo))
    };
    all.iter()
        .filter(|other| {
            other.session.id != candidate.session.id && other.session.host == candidate.session.host
        })
        .filter(|other| other.is_at_work() && same_tree(&other.session.context))
        .find(|other| other.session.context.branch.as_ref() != Some(branch))
        .map(|other| format!("{} works there on another branch", other.session.name))
}

fn is_under(path: &str, root: &str) -> bool {
    std::path::Path::new(path).starts_with(root)
}
