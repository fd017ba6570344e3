//! Linux: `/proc` and `SO_PEERCRED`.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;

/// The user on the other side of a local socket.
pub fn peer_uid(stream: &UnixStream) -> Option<u32> {
    rustix::net::sockopt::socket_peercred(stream).ok().map(|peer| peer.uid.as_raw())
}

/// Where a process works.
pub fn working_dir(pid: i32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// Files that a process or one of its descendants holds open.
pub fn open_files(pid: i32) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for pid in family(pid) {
        let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else { continue };
        files.extend(descriptors.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok()));
    }
    files
}

/// A process and its descendants, as far as the kernel tells, at most a thousand.
fn family(pid: i32) -> Vec<i32> {
    let mut all = vec![pid];
    let mut at = 0;
    while let Some(&parent) = all.get(at).filter(|_| all.len() < 1_000) {
        at += 1;
        let Ok(threads) = std::fs::read_dir(format!("/proc/{parent}/task")) else { continue };
        for thread in threads.flatten() {
            let children = std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            all.extend(children.split_whitespace().filter_map(|word| word.parse::<i32>().ok()));
        }
    }
    all
}
