//! A real pseudo-terminal with a program in it, as a user's terminal would be. Must not: emulate a screen.

use std::io::{Read, Write};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::wait_for;

/// A terminal.
pub struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    child: Box<dyn Child + Send + Sync>,
    output: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// Runs a command in a terminal of 100 columns and 30 rows. The slave side stays open with the terminal, so that its
    /// settings can be looked at after the end.
    pub fn run(command: &Command) -> Self {
        let size = PtySize { rows: 30, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut builder = CommandBuilder::new(command.get_program());
        builder.args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => builder.env(name, value),
                None => builder.env_remove(name),
            }
        }
        builder.env("TERM", "xterm-256color");
        if let Some(dir) = command.get_current_dir() {
            builder.cwd(dir);
        }
        let child = pair.slave.spawn_command(builder).expect("the command starts");
        let output = Arc::new(Mutex::new(Vec::new()));
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let theirs = Arc::clone(&output);
        std::thread::spawn(move || {
            let mut bytes = [0; 16 << 10];
            while let Ok(n @ 1..) = reader.read(&mut bytes) {
                theirs.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&bytes[..n]);
            }
        });
        let writer = pair.master.take_writer().expect("a writer");
        Self { master: Some(pair.master), writer: Some(writer), child, output }
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
        wait_for(&format!("{text:?} on the terminal"), || self.text().contains(text).then_some(()));
    }

    /// Types.
    pub fn write(&mut self, bytes: &[u8]) {
        let writer = self.writer.as_mut().expect("the terminal is open");
        writer.write_all(bytes).and_then(|()| writer.flush()).expect("the terminal takes keys");
    }

    /// Changes the size.
    pub fn resize(&self, cols: u16, rows: u16) {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        self.master.as_ref().expect("the terminal is open").resize(size).expect("it can be resized");
    }

    /// Whether the terminal is in the mode that a shell leaves it in: lines, echo, signals.
    pub fn is_cooked(&self) -> bool {
        use rustix::termios::LocalModes;
        let fd = self.master.as_ref().and_then(|m| m.as_raw_fd()).expect("the terminal is open");
        // Looked at through another descriptor of the same terminal.
        let path = format!("/proc/self/fd/{fd}");
        let name = self.master.as_ref().and_then(|m| m.tty_name()).unwrap_or_else(|| path.into());
        let file = std::fs::OpenOptions::new().read(true).open(name).expect("the terminal can be opened");
        let modes = rustix::termios::tcgetattr(&file).expect("it is a terminal").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// The process in the terminal.
    pub fn pid(&self) -> i64 {
        i64::from(self.child.process_id().expect("it runs"))
    }

    /// Waits for the end; the exit status as a shell would report it.
    #[track_caller]
    pub fn await_end(&mut self) -> i64 {
        let status = wait_for("the command's end", || self.child.try_wait().expect("it can be waited for"));
        i64::from(status.exit_code())
    }

    /// Closes the window.
    pub fn close(&mut self) {
        self.writer = None;
        self.master = None;
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
