//! What differs between operating systems: facts of processes and of peers. Must not: decide anything.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;

#[cfg(target_os = "linux")]
pub use linux::{open_files, peer_uid, working_dir};
#[cfg(target_os = "macos")]
pub use macos::{open_files, peer_uid, working_dir};
