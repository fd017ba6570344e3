//! What a program's processes do: who has its terminal, who uses the processor. Must not: conclude a state.
//!
//! It is sampled while the program lives, and goes into the recording when it changes, so that a replay sees it too.

use extractor::Doing;
use patterns::Processes;
use serde_json::{Value, json};

use crate::sys::{self, Process};

/// Processor time between two looks, in milliseconds, that counts as work; a program that waits uses less.
const WORK_MS: u64 = 40;

/// Watches the processes of one program.
pub struct Watch {
    kind: Processes,
    pid: i32,
    cpu_ms: Option<u64>,
    last: Doing,
}

impl Watch {
    /// Watches the program of this process as far as its profile wants it.
    pub fn new(kind: Processes, pid: i32) -> Self {
        Self { kind, pid, cpu_ms: None, last: Doing::default() }
    }

    /// Whether looks must be quick: a job ends and its shell's prompt is there at once.
    pub fn is_quick(&self) -> bool {
        self.kind == Processes::Jobs
    }

    /// Looks; gives the record's payload when it changed.
    pub fn look(&mut self) -> Option<Vec<u8>> {
        let doing = match self.kind {
            Processes::Ignored => return None,
            Processes::Jobs => self.jobs()?,
            Processes::Cpu => self.cpu()?,
        };
        if doing == self.last {
            return None;
        }
        self.last = doing;
        let Doing { away, works, what } = &self.last;
        serde_json::to_vec(&json!({"away": away, "works": works, "what": what})).ok()
    }

    fn jobs(&self) -> Option<Doing> {
        let Process { group, foreground, .. } = sys::process(self.pid)?;
        let away = foreground > 0 && foreground != group;
        let name = if away { sys::process(foreground).map(|job| job.name) } else { None };
        let what = name.map(|name| format!("{name} has the terminal")).unwrap_or_default();
        Some(Doing { away, works: false, what })
    }

    fn cpu(&mut self) -> Option<Doing> {
        let now: u64 = sys::family(self.pid).into_iter().filter_map(sys::process).map(|p| p.cpu_ms).sum();
        let before = self.cpu_ms.replace(now)?;
        let works = now.saturating_sub(before) >= WORK_MS;
        Some(Doing {
            away: false,
            works,
            what: if works { "it uses the processor".to_owned() } else { String::new() },
        })
    }
}

/// Reads a record's payload.
pub fn read(payload: &[u8]) -> Option<Doing> {
    let value: Value = serde_json::from_slice(payload).ok()?;
    Some(Doing {
        away: value["away"].as_bool()?,
        works: value["works"].as_bool()?,
        what: value["what"].as_str()?.to_owned(),
    })
}
