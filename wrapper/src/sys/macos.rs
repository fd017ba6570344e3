//! macOS: `getpeereid`, and `lsof` for another process's directory.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;

use super::Process;

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

/// The variables that a process was started with: `ps` prints them, but not so that values with blanks could be told
/// apart.
pub fn environment(_pid: i32) -> Option<Vec<(String, String)>> {
    None
}

/// What `ps` tells of a process.
pub fn process(pid: i32) -> Option<Process> {
    let out =
        Command::new("ps").args(["-o", "pgid=,tpgid=,time=,comm=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8(out.stdout).ok()?;
    let mut words = text.split_whitespace();
    let (group, foreground) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    // Minutes, seconds and hundredths: 1:02.34.
    let (minutes, seconds) = words.next()?.rsplit_once(':')?;
    let minutes: f64 = minutes.rsplit(':').next()?.parse().ok()?;
    let cpu_ms = ((minutes * 60.0 + seconds.parse::<f64>().ok()?) * 1000.0) as u64;
    let name = words.collect::<Vec<_>>().join(" ");
    Some(Process { name, group, foreground, cpu_ms })
}

/// The load average over a minute: `sysctl` prints `{ 1.52 1.60 1.71 }`.
pub fn load() -> Option<f64> {
    printed("sysctl", &["-n", "vm.loadavg"])?.split_whitespace().nth(1)?.parse().ok()
}

/// Bytes of memory, and how many of them programs could have without swapping: what is free, and what is kept only
/// because nobody needs the room.
pub fn memory() -> Option<(u64, u64)> {
    let all = printed("sysctl", &["-n", "hw.memsize"])?.trim().parse().ok()?;
    let text = printed("vm_stat", &[])?;
    // The first line ends with `(page size of 16384 bytes)`, the others read `Pages free:    12345.`
    let size: u64 = text.split_once("page size of ")?.1.split_whitespace().next()?.parse().ok()?;
    let pages = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().trim_end_matches('.').parse::<u64>().ok()
    };
    let kept = ["Pages inactive", "Pages speculative", "Pages purgeable"].into_iter().filter_map(pages);
    let free = pages("Pages free")?.saturating_add(kept.sum());
    Some((all, free.saturating_mul(size).min(all)))
}

/// What a program of the system prints, in the words of no language.
fn printed(program: &str, args: &[&str]) -> Option<String> {
    let out = Command::new(program).args(args).env("LC_ALL", "C").output().ok()?;
    String::from_utf8(out.stdout).ok()
}

/// A process and its direct children.
pub fn family(pid: i32) -> Vec<i32> {
    let out = Command::new("pgrep").args(["-P", &pid.to_string()]).output().map(|out| out.stdout);
    let text = String::from_utf8(out.unwrap_or_default()).unwrap_or_default();
    std::iter::once(pid).chain(text.split_whitespace().filter_map(|word| word.parse().ok())).collect()
}

/// Files that a process or one of its direct children holds open.
pub fn open_files(pid: i32) -> Vec<PathBuf> {
    let list = family(pid).iter().map(i32::to_string).collect::<Vec<_>>().join(",");
    let Ok(out) = Command::new("lsof").args(["-Fn", "-p", &list]).output() else { return Vec::new() };
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    text.lines().filter_map(|line| line.strip_prefix('n')).map(PathBuf::from).collect()
}
