//! A process that works for us, in a group of its own. Must not: outlive its time limit, or whoever waits for it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use wire::text::clean_prompt;

/// How long output is waited for after the process has ended: what it left behind may keep the pipe open.
const DRAIN: Duration = Duration::from_millis(200);

/// Which part of the output is kept.
#[derive(Debug, Clone, Copy)]
pub enum Keep {
    /// The first bytes.
    First(usize),
    /// The last bytes.
    Last(usize),
}

/// A process that ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit status, 128 and the number for a signal; `None` when it was ended because it took too long.
    pub status: Option<i32>,
    /// What it wrote.
    pub output: Vec<u8>,
    /// What it wrote to the other pipe, the end.
    pub errors: Vec<u8>,
    /// Some of the output was not kept.
    pub cut: bool,
}

/// A command line for `sh`, with both outputs in one, in order.
pub fn shell(line: &str, dir: &Path, env: &BTreeMap<String, String>) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "exec 2>&1\neval \"$1\"", "sh", line]).current_dir(dir);
    powerless(&mut command).envs(env);
    command
}

/// Takes from a command what gives power; what a prompt sets itself comes afterwards.
pub fn powerless(command: &mut Command) -> &mut Command {
    for name in wire::place::SECRETS {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end, or to the end of its time: then its whole group is killed, as when the future is dropped.
pub async fn run(mut command: Command, limit: Duration, keep: Keep) -> io::Result<Ran> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn()?;
    let mut group = Group(child.id().and_then(|id| Pid::from_raw(id as i32)));
    let (mut output, mut errors) = (Kept::new(keep), Kept::new(Keep::Last(4096)));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut read = false;
    let status = {
        let reading = async { tokio::join!(output.read(stdout), errors.read(stderr)) };
        tokio::pin!(reading);
        let ended = tokio::time::timeout(limit, async {
            loop {
                tokio::select! {
                    status = child.wait() => return status,
                    _ = &mut reading, if !read => read = true,
                }
            }
        });
        let ended = ended.await;
        if ended.is_ok() && !read {
            let _ = tokio::time::timeout(DRAIN, &mut reading).await;
        }
        ended
    };
    let status = match status {
        Ok(status) => {
            group.0 = None;
            let status = status?;
            use std::os::unix::process::ExitStatusExt;
            Some(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
        }
        Err(_) => {
            drop(group);
            let _ = child.wait().await;
            None
        }
    };
    let cut = output.cut;
    Ok(Ran { status, output: output.bytes, errors: errors.bytes, cut })
}

/// A process group that is killed unless it ended by itself.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.0 {
            let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        }
    }
}

/// What is kept of an output.
struct Kept {
    keep: Keep,
    bytes: Vec<u8>,
    cut: bool,
}

impl Kept {
    fn new(keep: Keep) -> Self {
        Self { keep, bytes: Vec::new(), cut: false }
    }

    async fn read(&mut self, from: Option<impl AsyncRead + Unpin>) {
        let Some(mut from) = from else { return };
        let mut buffer = [0; 8192];
        while let Ok(n @ 1..) = from.read(&mut buffer).await {
            self.take(&buffer[..n]);
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        match self.keep {
            Keep::First(most) if self.bytes.len() > most => {
                self.bytes.truncate(most);
                self.cut = true;
            }
            Keep::Last(most) if self.bytes.len() > most => {
                let extra = self.bytes.len() - most;
                self.bytes.drain(..extra);
                self.cut = true;
            }
            Keep::First(_) | Keep::Last(_) => {}
        }
    }
}

/// Output as plain text: without escape sequences and controls.
pub fn plain(output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => match rest.next() {
                Some('[') => rest.by_ref().take_while(|c| !('@'..='~').contains(c)).for_each(drop),
                Some(']' | 'P' | '_' | '^' | 'X') => {
                    let mut before = ' ';
                    rest.by_ref()
                        .take_while(|c| {
                            let ends = *c == '\u{7}' || (before == '\u{1b}' && *c == '\\');
                            before = *c;
                            !ends
                        })
                        .for_each(drop);
                }
                Some('(' | ')' | '#') => _ = rest.next(),
                Some(_) | None => {}
            },
            c => clean.push(c),
        }
    }
    clean_prompt(&clean)
}

/// The last lines of a text.
pub fn last_lines(text: &str, lines: usize, most: usize) -> String {
    let from = text.rmatch_indices('\n').nth(lines - 1).map_or(0, |(at, _)| at + 1);
    let tail = &text[from..];
    let extra = tail.chars().count().saturating_sub(most);
    tail.chars().skip(extra).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sh(line: &str, limit: Duration, keep: Keep) -> Ran {
        run(shell(line, Path::new("/"), &BTreeMap::new()), limit, keep).await.unwrap()
    }

    const LONG: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn both_outputs_come_in_order_and_the_status_is_told() {
        let ran = sh("echo one; echo two >&2; echo three; exit 3", LONG, Keep::Last(100)).await;
        assert_eq!((ran.status, ran.output.as_slice(), ran.cut), (Some(3), &b"one\ntwo\nthree\n"[..], false));
        assert_eq!(sh("kill -9 $$", LONG, Keep::Last(9)).await.status, Some(137));
    }

    #[tokio::test]
    async fn only_so_much_is_kept_of_either_end() {
        let line = "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done";
        let last = sh(line, LONG, Keep::Last(10)).await;
        assert_eq!((last.output.as_slice(), last.cut), (&b"\nline 1999\n"[1..], true));
        assert_eq!(sh(line, LONG, Keep::First(6)).await.output, b"line 0");
    }

    #[tokio::test]
    async fn a_process_that_takes_too_long_ends_with_all_that_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let mark = dir.path().join("pid");
        let line = format!("sleep 600 & echo $! >{}; wait", mark.display());
        let ran = sh(&line, Duration::from_millis(500), Keep::Last(9)).await;
        assert_eq!(ran.status, None);
        let pid: i32 = std::fs::read_to_string(&mark).unwrap().trim().parse().unwrap();
        let pid = Pid::from_raw(pid).unwrap();
        // Somebody has to collect it before it is gone.
        for _ in 0..1000 {
            let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
            if rustix::process::test_kill_process(pid).is_err() || state.is_ok_and(|s| s.contains(") Z ")) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it lives");
    }

    #[tokio::test]
    async fn what_a_command_leaves_behind_is_not_waited_for() {
        let ran = sh("sleep 5 & echo done", LONG, Keep::Last(9)).await;
        assert_eq!((ran.status, ran.output.as_slice()), (Some(0), &b"done\n"[..]));
    }

    #[test]
    fn output_becomes_plain_text() {
        assert_eq!(
            plain(b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\x1b]8;;u\x1b\\y\x1b(B\r\n1%\r2%\x08"),
            "red xy\n1%\n2%"
        );
        assert_eq!(last_lines("a\nb\nc", 2, 100), "b\nc");
        assert_eq!(last_lines("abc", 2, 2), "bc");
    }
}
