//! What this host can spare: processors, memory, room for recordings. Must not: decide what that allows.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use wire::admin::Resources;

use crate::sys;

/// How long what was read is good for: it is told with each heartbeat, by each session of a host.
const FRESH: Duration = Duration::from_secs(30);

/// What was read last.
pub struct Spare {
    /// Where recordings are written.
    dir: PathBuf,
    read: Option<(Instant, Option<Resources>)>,
}

impl Spare {
    /// Nothing is read yet.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir, read: None }
    }

    /// What the host can spare, read anew when that is due; `None` when the system does not tell.
    pub fn look(&mut self, now: Instant) -> Option<Resources> {
        match self.read {
            Some((at, known)) if now.saturating_duration_since(at) < FRESH => known,
            _ => {
                let known = read(&self.dir);
                self.read = Some((now, known));
                known
            }
        }
    }
}

fn read(dir: &Path) -> Option<Resources> {
    let (memory, memory_free) = sys::memory()?;
    let room = rustix::fs::statvfs(dir).ok()?;
    Some(Resources {
        cpus: std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX)),
        load: sys::load()?,
        memory,
        memory_free,
        disk_free: room.f_bavail.saturating_mul(room.f_frsize),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_tells_what_it_has_and_is_not_asked_again_at_once() {
        let start = Instant::now();
        let mut spare = Spare::new(std::env::temp_dir());
        let first = spare.look(start).expect("this system tells");
        assert!(first.cpus > 0 && first.load >= 0.0 && first.load.is_finite());
        assert!(first.memory_free > 0 && first.memory_free <= first.memory);
        spare.dir = PathBuf::from("/nowhere/at/all");
        assert_eq!(spare.look(start + FRESH / 2), Some(first), "what is fresh is not read again");
        assert_eq!(spare.look(start + FRESH), None, "what cannot be read is not made up");
    }
}
