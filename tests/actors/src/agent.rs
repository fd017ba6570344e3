//! The scripted agent: a terminal program that behaves as a coding agent does, as far as a script says.
//!
//! For speed and for faults, where a real agent is too slow or too well-behaved. It draws on the alternate screen with
//! a composer at the bottom, takes bracketed pastes, asks for permission before it changes anything, tells its state
//! by the title and by OSC 7501 unless told not to. Every byte it receives can be kept, as the oracle of tests.
//! Must not: share code with the product, which would only agree with itself.

mod keys;
mod notices;
mod screen;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::script::{Script, Scripts, Step, Tool};
use keys::{Key, Keys};
use notices::Notices;
use screen::Screen;

/// How the agent behaves.
#[derive(Debug, Clone, clap::Args)]
pub struct Manners {
    /// Folder of the scripts
    #[arg(long, env = "SCRIPTED_AGENT_SCRIPTS", default_value = "fixtures/scripts")]
    pub scripts: PathBuf,
    /// Keep every byte that is received in this file
    #[arg(long)]
    pub keep: Option<PathBuf>,
    /// Milliseconds before it takes input
    #[arg(long, default_value_t = 50)]
    pub start_ms: u64,
    /// Say nothing by OSC 7501
    #[arg(long)]
    pub no_status: bool,
    /// Drop this many Enters
    #[arg(long, default_value_t = 0)]
    pub lose_enters: u32,
    /// Open a dialog this many milliseconds after a paste has begun
    #[arg(long)]
    pub dialog_after_paste_ms: Option<u64>,
    /// Open dialogs at random moments around prompts, from a microsecond to 300 ms after it came to rest and after a
    /// paste, and close them again; this is the seed
    #[arg(long)]
    pub dialogs: Option<u64>,
    /// Tell in this file which dialogs were opened and which keys reached them
    #[arg(long, requires = "dialogs")]
    pub tell: Option<PathBuf>,
}

/// What it is doing.
enum Doing {
    /// Waits for a prompt.
    Idle,
    /// Answers: the script, the step, the words that are still to come, and when the next is due.
    Working { script: Script, step: usize, words: Vec<String>, pause: Duration, due: Instant },
    /// Asks whether it may use the step's tool.
    Asking { script: Script, step: usize },
    /// Shows a dialog of its own, which has nothing to do with a prompt.
    Notice,
}

/// The agent.
struct Agent {
    manners: Manners,
    scripts: Scripts,
    screen: Screen,
    composer: String,
    doing: Doing,
    kept: Option<File>,
    lost: u32,
    notice_at: Option<Instant>,
    notices: Notices,
    /// Somebody wants the composer to be emptied: SIGUSR1.
    clear: Arc<AtomicBool>,
}

/// Runs until `/exit`, Ctrl-D, or Ctrl-C with nothing to interrupt.
pub fn run(manners: Manners) -> anyhow::Result<()> {
    let stdin = io::stdin();
    let saved = rustix::termios::tcgetattr(&stdin).context("the scripted agent needs a terminal")?;
    let mut raw = saved.clone();
    raw.make_raw();
    rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Now, &raw)?;
    // It may have been started before, and what it received then stays.
    let append = |path: &PathBuf| File::options().create(true).append(true).open(path);
    let kept = manners.keep.as_ref().map(append).transpose()?;
    let told = manners.tell.as_ref().map(append).transpose()?;
    let clear = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGUSR1, Arc::clone(&clear))?;
    let scripts = Scripts::load(&manners.scripts)?;
    // A new window size interrupts the wait, and the screen is drawn anew.
    signal_hook::flag::register(signal_hook::consts::SIGWINCH, Arc::new(AtomicBool::new(false)))?;
    let mut agent = Agent {
        screen: Screen::new(manners.no_status),
        notices: Notices::new(manners.dialogs, told),
        clear,
        manners,
        scripts,
        composer: String::new(),
        doing: Doing::Idle,
        kept,
        lost: 0,
        notice_at: None,
    };
    agent.screen.begin()?;
    std::thread::sleep(Duration::from_millis(agent.manners.start_ms));
    agent.screen.say("Scripted agent, ready. It knows no model.");
    let end = agent.live();
    agent.screen.end()?;
    rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Now, &saved)?;
    end
}

impl Agent {
    fn live(&mut self) -> anyhow::Result<()> {
        let mut keys = Keys::default();
        self.draw()?;
        loop {
            if let Some(bytes) = self.wait()? {
                if bytes.is_empty() {
                    return Ok(());
                }
                if let Some(kept) = &mut self.kept {
                    kept.write_all(&bytes)?;
                    kept.sync_data()?;
                }
                for key in keys.read(&bytes) {
                    if matches!(self.doing, Doing::Notice) {
                        self.notices.reached(&key)?;
                    }
                    if self.pressed(key) {
                        return Ok(());
                    }
                }
            }
            if self.clear.swap(false, Ordering::Relaxed) {
                self.composer.clear();
            }
            self.work();
            self.draw()?;
            self.notice()?;
        }
    }

    /// Bytes that came, or `None` when something is due first.
    fn wait(&self) -> anyhow::Result<Option<Vec<u8>>> {
        let due = match &self.doing {
            Doing::Working { due, .. } => Some(*due),
            Doing::Idle | Doing::Asking { .. } | Doing::Notice => None,
        };
        let due = due.into_iter().chain(self.notice_at).chain(self.notices.due()).min();
        let left = due.map(|due| due.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        let stdin = io::stdin();
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut fds, left.as_ref()) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(None),
            Ok(_) => {}
            Err(e) => return Err(e.into()),
        }
        let mut bytes = vec![0; 64 << 10];
        let read = stdin.lock().read(&mut bytes)?;
        bytes.truncate(read);
        Ok(Some(bytes))
    }

    /// Takes a key; `true` when the program is to end.
    fn pressed(&mut self, key: Key) -> bool {
        match (&self.doing, key) {
            (Doing::Notice, Key::Enter | Key::Escape) => self.doing = Doing::Idle,
            (Doing::Notice, _) => {}
            (Doing::Asking { .. }, Key::Enter) => self.allowed(true),
            (Doing::Asking { .. }, Key::Text(text)) if text == "1" || text == "y" => self.allowed(true),
            (Doing::Asking { .. }, Key::Escape) => self.allowed(false),
            (Doing::Asking { .. }, Key::Text(text)) if text == "2" || text == "n" => self.allowed(false),
            (Doing::Asking { .. }, _) => {}
            (Doing::Working { .. }, Key::Escape | Key::Interrupt) => self.interrupted(),
            (Doing::Working { .. }, Key::Enter) => {}
            (Doing::Idle, Key::Interrupt | Key::End) => return true,
            (Doing::Idle, Key::Enter) => return self.submit(),
            (_, Key::Erase) => drop(self.composer.pop()),
            (_, Key::EraseAll) => self.composer.clear(),
            (_, Key::Text(text)) => self.composer.push_str(&text),
            (_, Key::Paste(text)) => self.pasted(&text),
            (_, Key::End | Key::Escape) => {}
        }
        false
    }

    fn pasted(&mut self, text: &str) {
        self.composer.push_str(text);
        if let Some(ms) = self.manners.dialog_after_paste_ms {
            self.notice_at = Some(Instant::now() + Duration::from_millis(ms));
        }
        self.notices.plan();
    }

    /// Opens and closes the dialogs that come at random. One is open from when it has been drawn.
    fn notice(&mut self) -> anyhow::Result<()> {
        let open = matches!(self.doing, Doing::Notice);
        let may = matches!(self.doing, Doing::Idle);
        match self.notices.look(open, may) {
            Some(true) => {
                self.doing = Doing::Notice;
                self.draw()?;
                self.notices.shown(!self.composer.is_empty())?;
            }
            Some(false) => {
                self.doing = Doing::Idle;
                self.draw()?;
            }
            None => {}
        }
        Ok(())
    }

    fn submit(&mut self) -> bool {
        if self.composer.is_empty() {
            return false;
        }
        if self.lost < self.manners.lose_enters {
            self.lost += 1;
            return false;
        }
        let prompt = std::mem::take(&mut self.composer);
        if prompt == "/exit" {
            return true;
        }
        self.screen.say(&format!("> {}", prompt.replace('\n', "\n  ")));
        let script = self.scripts.pick(&prompt);
        self.begin(script, 0);
        false
    }

    fn begin(&mut self, script: Script, step: usize) {
        let (step, now) = script.step(step);
        let due = Instant::now() + Duration::from_millis(now.wait_ms);
        let words = now.pieces().map(|(word, _)| word.to_owned()).rev().collect();
        let pause = pause(now);
        self.screen.say("● ");
        self.doing = Doing::Working { script, step, words, pause, due };
    }

    /// Goes on with what is due.
    fn work(&mut self) {
        let now = Instant::now();
        if self.notice_at.is_some_and(|at| at <= now) {
            self.notice_at = None;
            self.doing = Doing::Notice;
        }
        let Doing::Working { script, step, words, pause, due } = &mut self.doing else { return };
        while *due <= now {
            let Some(word) = words.pop() else {
                let (script, step) = (script.clone(), *step);
                return self.said(script, step);
            };
            self.screen.add(&word);
            *due += *pause;
        }
    }

    /// The words of a step are out.
    fn said(&mut self, script: Script, step: usize) {
        let now = &script.step[step];
        if let Some(error) = &now.error {
            self.screen.say(&format!("● API Error: {} {}", error.status, error.message));
            self.screen.failed = true;
            self.doing = Doing::Idle;
        } else if now.tool.is_some() {
            self.doing = Doing::Asking { script, step };
        } else {
            self.finish(script, step);
        }
    }

    fn finish(&mut self, script: Script, step: usize) {
        if step + 1 < script.step.len() {
            return self.begin(script, step + 1);
        }
        self.screen.done = true;
        self.doing = Doing::Idle;
        self.notices.plan();
    }

    fn allowed(&mut self, yes: bool) {
        let Doing::Asking { script, step } = std::mem::replace(&mut self.doing, Doing::Idle) else { return };
        let Some(tool) = script.step[step].tool.clone() else { return };
        if !yes {
            self.screen.say("  ⎿  Interrupted · What should be done instead?");
            return;
        }
        match apply(&tool) {
            Ok(said) => self.screen.say(&format!("  ⎿  {said}")),
            Err(fault) => self.screen.say(&format!("  ⎿  Error: {fault:#}")),
        }
        self.finish(script, step);
    }

    fn interrupted(&mut self) {
        self.screen.say("  ⎿  Interrupted · What should be done instead?");
        self.doing = Doing::Idle;
    }

    fn draw(&mut self) -> anyhow::Result<()> {
        let dialog = match &self.doing {
            Doing::Asking { script, step } => script.step[*step].tool.as_ref().map(dialog),
            Doing::Notice => {
                Some(vec!["Something new".to_owned(), "Do you want to switch to it?".to_owned()])
            }
            Doing::Idle | Doing::Working { .. } => None,
        };
        let busy = matches!(self.doing, Doing::Working { .. });
        self.screen.draw(&self.composer, busy, dialog.as_deref())?;
        Ok(())
    }
}

fn pause(step: &Step) -> Duration {
    step.pieces().map(|(_, pause)| pause).max().unwrap_or_default()
}

fn dialog(tool: &Tool) -> Vec<String> {
    match tool {
        Tool::Shell { command, about, .. } => {
            vec![
                "Run command".into(),
                about.clone(),
                format!("$ {command}"),
                "Do you want to proceed?".into(),
            ]
        }
        Tool::Read { path } => vec!["Read file".into(), path.clone(), "Do you want to proceed?".into()],
        Tool::Edit { path, old, new } => {
            let edit = vec!["Edit file".into(), path.clone(), format!("- {old}"), format!("+ {new}")];
            [edit, vec![format!("Do you want to make this edit to {path}?")]].concat()
        }
        Tool::Write { path, content } => {
            vec![
                "Create file".into(),
                path.clone(),
                content.clone(),
                format!("Do you want to create {path}?"),
            ]
        }
        Tool::Plan { plan } => vec!["Plan".into(), plan.clone(), "Do you want to carry it out?".into()],
        Tool::Ask { question, .. } => vec!["Question".into(), question.clone()],
        Tool::Mcp { server, tool, .. } => {
            vec![format!("{server}: {tool}"), "Do you want to call it?".into()]
        }
    }
}

/// Does what the tool says, in the working directory.
fn apply(tool: &Tool) -> anyhow::Result<String> {
    match tool {
        Tool::Shell { command, .. } => {
            let out = std::process::Command::new("sh").args(["-c", command]).output()?;
            let said = String::from_utf8_lossy(&out.stdout).trim().to_owned();
            Ok(if said.is_empty() { "(No output)".to_owned() } else { said })
        }
        Tool::Read { path } => Ok(format!("Read {} bytes from {path}", std::fs::read(path)?.len())),
        Tool::Edit { path, old, new } => {
            let text = std::fs::read_to_string(path)?;
            anyhow::ensure!(text.contains(old.as_str()), "{path} does not hold what was to be replaced");
            std::fs::write(path, text.replacen(old.as_str(), new, 1))?;
            Ok(format!("Updated {path}"))
        }
        Tool::Write { path, content } => {
            std::fs::write(path, content)?;
            Ok(format!("Created {path}"))
        }
        Tool::Plan { .. } => Ok("Approved".to_owned()),
        Tool::Ask { .. } => Ok("Answered".to_owned()),
        Tool::Mcp { .. } => anyhow::bail!("this agent has no MCP servers"),
    }
}
