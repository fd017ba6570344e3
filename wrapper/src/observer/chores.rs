//! The chores that are being done. Must not: know what they are for.
//!
//! | channel | bound | when full |
//! |---|---|---|
//! | done, to the loop | 16 | the chore waits with its result; few are ever begun at once |

use std::collections::HashMap;
use std::path::PathBuf;

use tokio::sync::{mpsc, oneshot};
use wire::AttemptId;

use crate::chore::{self, Chore, Done};

/// Chores by the attempt that they are for.
pub struct Chores {
    worktrees: PathBuf,
    running: HashMap<u64, (AttemptId, oneshot::Sender<()>)>,
    next: u64,
    done: mpsc::Sender<(u64, Done)>,
    results: mpsc::Receiver<(u64, Done)>,
}

impl Chores {
    /// None yet; work trees are made in this folder.
    pub fn new(worktrees: PathBuf) -> Self {
        let (done, results) = mpsc::channel(16);
        Self { worktrees, running: HashMap::new(), next: 1, done, results }
    }

    /// Begins one.
    pub fn begin(&mut self, attempt: AttemptId, chore: Chore) {
        let id = self.next;
        self.next += 1;
        let (call_off, called_off) = oneshot::channel();
        self.running.insert(id, (attempt, call_off));
        let (done, worktrees) = (self.done.clone(), self.worktrees.clone());
        tokio::spawn(async move {
            let result = chore::run(chore, worktrees, called_off).await;
            let _ = done.send((id, result)).await;
        });
    }

    /// Calls those of an attempt off; they end by themselves, after they have taken back what they had begun.
    pub fn call_off(&mut self, attempt: AttemptId) {
        for (of, call_off) in self.running.values_mut() {
            if *of == attempt {
                // The end that is listened to hears that the other one is gone.
                *call_off = oneshot::channel().0;
            }
        }
    }

    /// Whether none runs.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// The next that is done.
    pub async fn next(&mut self) -> (AttemptId, Done) {
        loop {
            let (id, done) = self.results.recv().await.expect("a sender is kept");
            if let Some((attempt, _)) = self.running.remove(&id) {
                return (attempt, done);
            }
        }
    }
}
