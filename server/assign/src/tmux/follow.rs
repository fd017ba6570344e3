//! Keeps tmux's options true: one process for each tmux server, which sleeps until something has changed.
//!
//! Must not: ask anything again and again while the server is there, or outlive its tmux.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, test_kill_process};
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use wire::SessionId;
use wire::place::Place;
use wire::session::State;

use super::marks::Marks;
use super::pane::{self, Live};
use super::server::Server;
use crate::client::{Client, Feed};
use crate::failure::Failure;
use crate::watch::Board;

/// What changes within this time is told to tmux at once.
const GATHER: Duration = Duration::from_millis(100);
/// How often it is looked for a server while there is none; whoever wraps an agent starts one.
const LOOK: Duration = Duration::from_secs(5);

/// Follows until tmux ends. A second one of the same tmux server has nothing to do.
pub async fn follow(client: Client, server: Server) -> Result<(), Failure> {
    let told = server.run(&["display-message", "-p", "#{pid} #{socket_path}"])?;
    let (pid, socket) = told.trim_end_matches('\n').split_once(' ').unwrap_or_default();
    let Some(_alone) = alone(socket)? else { return Ok(()) };
    let pid = pid.parse().ok().and_then(Pid::from_raw);
    let mut follower = Follower { server, socket: socket.to_owned(), marks: Marks::default() };
    let client = client.of_running();
    loop {
        match client.feed().await {
            Ok(feed) => follower.hear(feed).await?,
            Err(Failure::Unreachable(_)) => {}
            Err(failure) => return Err(failure),
        }
        follower.say(Marks::unknown())?;
        tokio::time::sleep(LOOK).await;
        if pid.is_some_and(|pid| test_kill_process(pid).is_err()) {
            return Ok(());
        }
    }
}

/// A lock that lives as long as this process; `None` when another one has it.
fn alone(socket: &str) -> Result<Option<File>, Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::failed(format!("cannot follow: {e}"));
    let place = Place::from_env().map_err(|e| failed(&e))?;
    place.create().map_err(|e| failed(&e))?;
    let digest = Sha256::digest(socket.as_bytes());
    let path = place.run.join(format!("tmux-{}.lock", wire::text::hex(&digest[..8])));
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = file.map_err(|e| failed(&e))?;
    Ok(flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok().then_some(file))
}

/// What decides in which panes sessions are.
type Attached = Vec<(SessionId, bool)>;

struct Follower {
    server: Server,
    socket: String,
    /// What the options say.
    marks: Marks,
}

impl Follower {
    /// Until the server of Muster is gone.
    async fn hear(&mut self, mut feed: Feed) -> Result<(), Failure> {
        let mut board = Board::default();
        let (mut attached, mut live) = (Attached::new(), Vec::<Live>::new());
        let mut due: Option<Instant> = None;
        loop {
            let wait = tokio::time::sleep_until(due.unwrap_or_else(Instant::now));
            tokio::select! {
                message = feed.next() => {
                    let Some(message) = message else { return Ok(()) };
                    board.hear(message);
                    if board.known {
                        due.get_or_insert_with(|| Instant::now() + GATHER);
                    }
                }
                () = wait, if due.is_some() => {
                    due = None;
                    let now = attachments(&board);
                    if now != attached {
                        live = pane::live();
                        attached = now;
                    }
                    self.say(Marks::of(&board, &live, &self.socket))?;
                }
            }
        }
    }

    /// Brings the options up to date, by one process, or by none when they are.
    fn say(&mut self, marks: Marks) -> Result<(), Failure> {
        let commands = marks.since(&self.marks);
        self.marks = marks;
        if commands.is_empty() {
            return Ok(());
        }
        // tmux draws its status lines anew when an option is set.
        match self.server.run_all(&commands) {
            // A pane may be gone by now.
            Err(Failure::NotFound(_)) => Ok(()),
            done => done,
        }
    }
}

fn attachments(board: &Board) -> Attached {
    let live = board.sessions.values().filter(|session| session.claim.state != State::Exited);
    live.map(|session| (session.id.clone(), session.attached)).collect()
}
