//! Real terminal emulators, asked which modes some output leaves them in. Must not: be asked about its picture.
//!
//! tmux, and xterm.js without a window, as the dashboard has it. One that is missing is not asked.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::tmux::Tmux;
use crate::{root, within};

/// What tmux tells of a pane, with what it says of a fresh one.
const FORMAT: &str = "#{alternate_on} #{cursor_flag} #{insert_flag} #{keypad_cursor_flag} #{keypad_flag} \
                      #{mouse_any_flag} #{mouse_sgr_flag} #{origin_flag} #{wrap_flag}";
const FRESH: [(&str, &str); 9] = [
    ("alternate screen", "0"),
    ("cursor", "1"),
    ("insert", "0"),
    ("cursor keys", "0"),
    ("keypad", "0"),
    ("mouse", "0"),
    ("mouse as text", "0"),
    ("origin", "0"),
    ("wrap", "1"),
];

/// What the output is written to, and what ends it for tmux.
const OUTPUT: &str = "output";

/// How long tmux may take to read an output.
const READ: Duration = Duration::from_secs(20);

/// The emulators.
pub struct Emulators {
    tmux: Option<Tmux>,
    xterm: Option<Xterm>,
    folder: PathBuf,
    asked: [usize; 2],
}

struct Xterm {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Emulators {
    /// Starts those that are there.
    pub fn start(folder: &Path) -> Self {
        let tmux = Tmux::start(folder, &[], "cat");
        if let Some(tmux) = &tmux {
            tmux.run(&["set", "-g", "remain-on-exit", "on"]);
        }
        Self { tmux, xterm: Xterm::start(), folder: folder.to_owned(), asked: [0; 2] }
    }

    /// Which modes are not as in a fresh terminal after this output.
    pub fn changed(&mut self, output: &[u8]) -> Vec<String> {
        let file = self.folder.join(OUTPUT);
        std::fs::write(&file, output).expect("it can be written");
        let mut changed = Vec::new();
        if let Some(tmux) = &self.tmux {
            self.asked[0] += 1;
            let shown = format!("cat '{}'", file.display());
            tmux.run(&["respawn-pane", "-k", &shown]);
            within(READ, || (tmux.run(&["display", "-p", "#{pane_dead}"]).trim() == "1").then_some(()));
            let told = tmux.run(&["display", "-p", FORMAT]);
            let told = told.split_whitespace().zip(FRESH);
            changed.extend(
                told.filter(|(is, (_, fresh))| is != fresh)
                    .map(|(is, (name, _))| format!("tmux: {name} {is}")),
            );
        }
        if let Some(xterm) = &mut self.xterm {
            self.asked[1] += 1;
            changed.extend(xterm.changed(&file).into_iter().map(|what| format!("xterm.js: {what}")));
        }
        changed
    }

    /// How often each was asked.
    pub fn asked(&self) -> impl Iterator<Item = (&'static str, usize)> {
        ["tmux", "xterm.js"].into_iter().zip(self.asked)
    }
}

impl Xterm {
    fn start() -> Option<Self> {
        root().join("web/node_modules/@xterm/headless").is_dir().then_some(())?;
        let mut node = Command::new("node");
        node.arg(root().join("tests/e2e/browser/modes.mjs")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = node.spawn().ok()?;
        let (stdin, stdout) = (child.stdin.take()?, child.stdout.take()?);
        Some(Self { child, stdin, stdout: BufReader::new(stdout) })
    }

    fn changed(&mut self, file: &Path) -> Vec<String> {
        writeln!(self.stdin, "{}", file.display()).expect("the emulator lives");
        let mut said = String::new();
        self.stdout.read_line(&mut said).expect("the emulator writes UTF-8");
        serde_json::from_str(&said).unwrap_or_else(|e| panic!("the emulator's script said {said:?}: {e}"))
    }
}

impl Drop for Xterm {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
