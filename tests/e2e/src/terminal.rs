//! A real pseudo-terminal with a program in it, as a user's terminal would be. Must not: emulate a screen.

use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::OpenptFlags;
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::wait_for;

/// A terminal.
pub struct Terminal {
    master: Option<Arc<OwnedFd>>,
    /// Kept open, so that the settings can be looked at after the program's end.
    slave: Option<OwnedFd>,
    child: Child,
    output: Arc<Mutex<Vec<u8>>>,
    closed: Arc<AtomicBool>,
}

impl Terminal {
    /// Runs a command in a terminal of 100 columns and 30 rows, as the leader of a session of its own.
    pub fn run(command: &Command) -> Self {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
            .expect("a PTY");
        rustix::pty::unlockpt(&master).expect("it can be unlocked");
        let name = rustix::pty::ptsname(&master, Vec::new()).expect("it has a name");
        use rustix::fs::{Mode, OFlags};
        let slave = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
        let slave = slave.expect("its other side opens");
        let stdio = || Stdio::from(slave.try_clone().expect("a descriptor"));
        let mut session = Command::new("setsid");
        session.args(["--ctty", "--wait"]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => session.env(name, value),
                None => session.env_remove(name),
            };
        }
        session.env("TERM", "xterm-256color").stdin(stdio()).stdout(stdio()).stderr(stdio());
        if let Some(dir) = command.get_current_dir() {
            session.current_dir(dir);
        }
        let master = Arc::new(master);
        let terminal = Self {
            slave: Some(slave),
            child: {
                tcsetwinsize(&*master, winsize(100, 30)).expect("it has a size");
                session.spawn().expect("the command starts (setsid is util-linux's)")
            },
            output: Arc::default(),
            closed: Arc::default(),
            master: Some(master),
        };
        terminal.read();
        terminal
    }

    fn read(&self) {
        let master = Arc::clone(self.master.as_ref().expect("just opened"));
        let (output, closed) = (Arc::clone(&self.output), Arc::clone(&self.closed));
        std::thread::spawn(move || {
            let mut bytes = [0; 16 << 10];
            while !closed.load(Ordering::Relaxed) {
                let moment = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
                let mut fds = [PollFd::from_borrowed_fd(master.as_fd(), PollFlags::IN)];
                if poll(&mut fds, Some(&moment)) != Ok(1) {
                    continue;
                }
                let Ok(n @ 1..) = rustix::io::read(&*master, &mut bytes[..]) else { return };
                output.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&bytes[..n]);
            }
        });
    }

    /// Everything that was shown.
    pub fn output(&self) -> Vec<u8> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.output()).into_owned()
    }

    /// Waits until a text was shown.
    #[track_caller]
    pub fn await_text(&self, text: &str) {
        let shown = || self.text().contains(text).then_some(());
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_for(&format!("{text:?} on the terminal"), shown)
        }));
        if let Err(fault) = told {
            eprintln!("--- the terminal\n{}", self.text().escape_debug());
            std::panic::resume_unwind(fault);
        }
    }

    /// Types.
    pub fn write(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let written = rustix::io::write(&**self.master.as_ref().expect("the terminal is open"), bytes);
            bytes = &bytes[written.expect("the terminal takes keys")..];
        }
    }

    /// Everything that was shown, once nothing more comes: after the end of whatever ran in it.
    #[track_caller]
    pub fn await_all(&mut self) -> Vec<u8> {
        // With the last descriptor of the other side closed, the reader comes to the end.
        self.slave = None;
        let master = self.master.as_ref().expect("the terminal is open");
        wait_for("the reader's end", || (Arc::strong_count(master) == 1).then_some(()));
        self.output()
    }

    /// Changes the size.
    pub fn resize(&self, cols: u16, rows: u16) {
        tcsetwinsize(&**self.master.as_ref().expect("the terminal is open"), winsize(cols, rows))
            .expect("a size");
    }

    /// Whether the terminal is in the mode that a shell leaves it in: lines, echo, signals.
    pub fn is_cooked(&self) -> bool {
        let slave = self.slave.as_ref().expect("the terminal is open");
        let modes = tcgetattr(slave).expect("it is a terminal").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// The process in the terminal.
    pub fn pid(&self) -> i64 {
        i64::from(self.child.id())
    }

    /// The exit status, if it has ended.
    pub fn ended(&mut self) -> Option<i64> {
        let status = self.child.try_wait().expect("it can be waited for")?;
        Some(i64::from(status.code().unwrap_or(-1)))
    }

    /// Waits for the end; the exit status.
    #[track_caller]
    pub fn await_end(&mut self) -> i64 {
        wait_for("the command's end", || self.ended())
    }

    /// Closes the window: the kernel hangs up on what runs in it.
    pub fn close(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
        self.slave = None;
        let master = self.master.take();
        wait_for("the reader's end", || {
            master.as_ref().is_none_or(|m| Arc::strong_count(m) == 1).then_some(())
        });
    }
}

fn winsize(cols: u16, rows: u16) -> Winsize {
    Winsize { ws_col: cols, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
