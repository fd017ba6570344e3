//! Linux: `/proc` and `SO_PEERCRED`.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use super::Process;

/// The user on the other side of a local socket.
pub fn peer_uid(stream: &UnixStream) -> Option<u32> {
    rustix::net::sockopt::socket_peercred(stream).ok().map(|peer| peer.uid.as_raw())
}

/// Where a process works.
pub fn working_dir(pid: i32) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// The variables that a process was started with, as far as they are text; `None` when the system does not tell.
pub fn environment(pid: i32) -> Option<Vec<(String, String)>> {
    let bytes = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let pair = |entry: &[u8]| {
        let (name, value) = std::str::from_utf8(entry).ok()?.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    };
    bytes.split(|byte| *byte == 0).filter_map(pair).collect::<Vec<_>>().into()
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

/// What `/proc/PID/stat` tells of a process; proc_pid_stat(5) names its fields.
pub fn process(pid: i32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, rest) = stat.rsplit_once(") ")?;
    let name = head.split_once(" (")?.1.to_owned();
    // From the third field on.
    let field: Vec<&str> = rest.split_whitespace().collect();
    let number = |at: usize| field.get(at - 3)?.parse::<i64>().ok();
    // In ticks, of which every Linux has 100 a second in what it tells programs.
    let cpu_ms = (number(14)? + number(15)?).unsigned_abs() * 10;
    Some(Process { name, group: number(5)? as i32, foreground: number(8)? as i32, cpu_ms })
}

/// The load average over a minute; proc_loadavg(5).
pub fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

/// Bytes of memory, and how many of them programs could have without swapping; proc_meminfo(5).
pub fn memory() -> Option<(u64, u64)> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let bytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?.checked_mul(1024)
    };
    Some((bytes("MemTotal")?, bytes("MemAvailable")?))
}

/// A process and its descendants, as far as the kernel tells, at most a thousand.
pub fn family(pid: i32) -> Vec<i32> {
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
