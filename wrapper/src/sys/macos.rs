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

/// Files that a process or one of its direct children holds open.
pub fn open_files(pid: i32) -> Vec<PathBuf> {
    let children = Command::new("pgrep").args(["-P", &pid.to_string()]).output().map(|out| out.stdout);
    let children = String::from_utf8(children.unwrap_or_default()).unwrap_or_default();
    let pids: Vec<&str> = children.split_whitespace().collect();
    let list = std::iter::once(pid.to_string())
        .chain(pids.iter().map(|p| (*p).to_owned()))
        .collect::<Vec<_>>()
        .join(",");
    let Ok(out) = Command::new("lsof").args(["-Fn", "-p", &list]).output() else { return Vec::new() };
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    text.lines().filter_map(|line| line.strip_prefix('n')).map(PathBuf::from).collect()
}
