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
