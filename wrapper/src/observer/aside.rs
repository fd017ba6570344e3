//! What is told outside the terminal and must be looked for: the transcript, the processes. Must not: interpret it.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::{Duration, Instant};

use patterns::Agent;

use super::transcript::Transcript;
use crate::control::Told;
use crate::processes;
use crate::recording::From;

/// It is looked for this often while a turn runs.
const EVERY: Duration = Duration::from_millis(25);

/// Looks beside the terminal.
pub struct Aside {
    transcript: Transcript,
    processes: processes::Watch,
    pid: i32,
    next: Instant,
}

impl Aside {
    /// Looks beside the terminal of this process; `var` gives variables of its environment.
    pub fn new(agent: &Arc<Agent>, pid: i32, var: impl Fn(&str) -> Option<OsString>) -> Self {
        Self {
            transcript: Transcript::new(Arc::clone(agent), var),
            processes: processes::Watch::new(agent.processes, pid),
            pid,
            next: Instant::now(),
        }
    }

    /// The agent was started anew, as this process.
    pub fn restart(&mut self, agent: &Agent, pid: i32) {
        self.transcript.restart();
        self.processes = processes::Watch::new(agent.processes, pid);
        self.pid = pid;
    }

    /// A line of the transcript is in the recording: the next begins at this byte.
    pub fn recorded(&mut self, from: From) {
        if let From::Transcript(next) = from {
            self.transcript.passed(next);
        }
    }

    /// When to look, while a turn runs.
    pub fn due(&self) -> Option<Instant> {
        (self.transcript.is_there() || self.processes.is_quick()).then_some(self.next)
    }

    /// Whether a transcript is read.
    pub fn reads(&self) -> bool {
        self.transcript.is_open()
    }

    /// Looks for what changes quickly, if it is time; `told` is the transcript's path as a hook told it.
    pub fn look(&mut self, told: Option<&str>) -> Vec<Told> {
        if Instant::now() < self.next {
            return Vec::new();
        }
        self.next = Instant::now() + EVERY;
        let mut all = self.transcript.read(self.pid, told);
        if self.processes.is_quick() {
            all.extend(self.processes());
        }
        all
    }

    /// Looks for what is told of the processes from time to time.
    pub fn look_slowly(&mut self) -> Option<Told> {
        if self.processes.is_quick() { None } else { self.processes() }
    }

    fn processes(&mut self) -> Option<Told> {
        self.processes.look().map(|payload| Told { from: From::Processes, payload })
    }
}
