//! macOS: `getpeereid`, and `lsof` for another process's directory.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;

/// The user on the other side of a local socket.
pub fn peer_uid(stream: &UnixStream) -> Option<u32> {
    nix::unistd::getpeereid(stream).ok().map(|(uid, _)| uid.as_raw())
}

/// Where a process works.
pub fn working_dir(pid: i32) -> Option<PathBuf> {
    let out = Command::new("lsof").args(["-a", "-d", "cwd", "-Fn", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8(out.stdout).ok()?;
    text.lines().find_map(|line| line.strip_prefix('n')).map(PathBuf::from)
}
