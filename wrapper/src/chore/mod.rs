//! What an attempt needs done beside its terminal: the way there, the proof afterwards, what is left over.
//!
//! Owns: the words in which it is asked for, and the processes that it takes. Must not: decide when; that is
//! `delivery`'s. Each chore runs by itself, for a bounded time, and leaves no process behind when it is called off.

mod changes;
mod command;
mod git;
mod prepare;
mod verify;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use wire::prompt::{Changes, Hold, HoldCode, Verification};
use wire::session::Context;
use wire::wrapper::Offer;

use crate::gate::hold;

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Chore {
    /// Make what an offer asks for: work tree, branch, prerequisites. The session itself is not touched.
    Prepare {
        /// What is asked for.
        offer: Box<Offer>,
        /// Where the session is.
        context: Box<Context>,
    },
    /// Run the command that says whether it was done.
    Verify {
        /// For `sh -c`.
        command: String,
        /// Where.
        dir: String,
        /// Variables to set.
        env: BTreeMap<String, String>,
        /// Longest time.
        limit_ms: u64,
    },
    /// Find what changed.
    Collect {
        /// A directory of the work tree.
        dir: String,
        /// The commit to compare with.
        base: String,
        /// The difference itself is wanted, too.
        patch: bool,
    },
    /// Remove a work tree, and its branch when nothing was committed to it.
    Remove(Tree),
    /// Remove what a preparation left behind whose observer ended over it.
    Sweep {
        /// What was asked for.
        offer: Box<Offer>,
        /// Where the session is.
        context: Box<Context>,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// The way is prepared, or why it cannot be.
    Prepared(Result<Prepared, Hold>),
    /// The verification has run.
    Verified(Verification),
    /// What changed; `None` when git did not tell.
    Collected(Option<Changes>),
    /// Whether the work tree is gone.
    Removed(bool),
}

/// What was prepared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Prepared {
    /// The directory in which the agent is to work, with links resolved.
    pub dir: Option<String>,
    /// The branch that is checked out there now.
    pub branch: Option<String>,
    /// Variables that are to be set: those that were asked for, and what the prerequisites export.
    pub env: BTreeMap<String, String>,
    /// The work tree that was made.
    pub tree: Option<Tree>,
}

/// A work tree that was made for one attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// Root of the work tree that it was made from.
    pub repo: String,
    /// Where it is.
    pub path: String,
    /// The branch that was made in it.
    pub branch: String,
    /// The commit at which that branch began.
    pub base: String,
    /// It goes once its changes are with the result.
    pub remove: bool,
}

impl Tree {
    /// Whether a directory lies in it.
    pub fn holds(&self, dir: &str) -> bool {
        std::path::Path::new(dir).starts_with(&self.path)
    }
}

/// Does a chore. Whoever drops the other end of `called_off` ends it: what was begun is taken back.
pub async fn run(chore: Chore, worktrees: PathBuf, called_off: oneshot::Receiver<()>) -> Done {
    match chore {
        Chore::Prepare { offer, context } => {
            let mut made = None;
            let prepared = tokio::select! {
                prepared = prepare::prepare(&offer, &context, &worktrees, &mut made) => prepared,
                _ = called_off => Err(hold(HoldCode::Person, "called off")),
            };
            if prepared.is_err()
                && let Some(tree) = made
            {
                git::remove_tree(&tree).await;
            }
            Done::Prepared(prepared)
        }
        Chore::Verify { command, dir, env, limit_ms } => {
            tokio::select! {
                verification = verify::verify(&command, &dir, &env, limit_ms) => Done::Verified(verification),
                _ = called_off => Done::Verified(verify::ended(command)),
            }
        }
        // What follows is short, and half of it would be worse than all.
        Chore::Collect { dir, base, patch } => Done::Collected(changes::collect(&dir, &base, patch).await),
        Chore::Remove(tree) => Done::Removed(git::remove_tree(&tree).await),
        Chore::Sweep { offer, context } => match prepare::left_behind(&offer, &context, &worktrees).await {
            Some(tree) => Done::Removed(git::remove_tree(&tree).await),
            None => Done::Removed(true),
        },
    }
}

#[cfg(test)]
mod tests;
