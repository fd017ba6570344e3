//! What differs between operating systems: facts of processes, of peers and of the machine. Must not: decide anything.

/// Facts of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The name of its program.
    pub name: String,
    /// Its process group.
    pub group: i32,
    /// The process group that has its terminal; not above 0 without one.
    pub foreground: i32,
    /// Processor time that it used so far, in milliseconds.
    pub cpu_ms: u64,
}

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

#[cfg(target_os = "linux")]
pub use linux::{environment, family, load, memory, open_files, peer_uid, process, working_dir};
#[cfg(target_os = "macos")]
pub use macos::{environment, family, load, memory, open_files, peer_uid, process, working_dir};
