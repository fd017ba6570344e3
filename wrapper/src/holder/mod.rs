//! The holder: owns a session's PTY and relays its bytes. No parsing, no network, no runtime.
//!
//! Invariant: the program waits for this machine's processor and for the user's own terminal, for nothing else: the
//! recording has a thread of its own, and every peer's socket is non-blocking.
//! One thread with one `poll` does everything; `start` begins a session, `run` is the loop.

mod ear;
mod relaunch;
mod serve;
mod start;
mod terminal;
mod watch;

pub use start::main;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use extractor::{Exit, Keys};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::Signal;
use rustix::termios::Termios;
use smallvec::SmallVec;

use crate::control::{Channel, FromHolder, Relaunch, Spec};
use crate::keys;
use crate::prefix::Typed;
use crate::pty::{Change, Pty};
use crate::recording::{Record, Writer};
use ear::Ear;
use terminal::Terminal;
use watch::Watch;

/// How long the output of what the program left behind is waited for after its end.
const DRAIN: Duration = Duration::from_millis(100);

/// How long the disk may take for what was shown before a terminal is restored without it.
const HUNG: Duration = Duration::from_millis(200);

/// Input that may wait for the program before the user's keys are left in their terminal.
const TYPED_MAX: usize = 1 << 20;

/// Reads of the program's output, of 4 KiB on Linux, before keys are looked for.
const READS: usize = 2;

/// Names a connection for its lifetime.
pub type PeerId = u64;

/// Somebody connected to the session's socket; the observer is one.
struct Peer {
    id: PeerId,
    channel: Channel,
    observer: bool,
}

/// How the program is.
enum Program {
    Running,
    /// Stopped by job control.
    Stopped,
    /// Ended; until when its last output is looked for.
    Ended(Exit, Instant),
    /// Ended, and all output has been read.
    Drained(Exit),
}

/// What every program of a session starts with.
struct Stage {
    env: Vec<(String, OsString)>,
    termios: Option<Termios>,
    echo: bool,
    newlines: bool,
}

/// A running session.
pub struct Holder {
    spec: Spec,
    folder: PathBuf,
    began: Instant,
    pty: Pty,
    program: Program,
    /// What the program was first started with, besides its words and its place.
    stage: Stage,
    /// What takes the program's place once it has ended.
    next: Option<Relaunch>,
    writer: Writer,
    terminal: Option<Terminal>,
    peers: Vec<Peer>,
    next_peer: PeerId,
    listener: UnixListener,
    /// Only the user's own terminal types: they said so there.
    kept: bool,
    /// Where the agent tells its telemetry, if it was asked to.
    ear: Option<Ear>,
    watch: Watch,
    /// Reading end of the pipe that the recording's thread writes to; each observer gets a copy.
    grown: std::io::PipeReader,
    signals: UnixStream,
    terminate: Arc<AtomicBool>,
    /// When the program is killed that did not end when told to.
    kill_at: Option<Instant>,
    /// Bytes on their way to the program.
    typed: VecDeque<u8>,
    /// The terminal has no program on its other side just now: when to look again.
    master_away: Option<Instant>,
    size: (u16, u16),
    output: u64,
    keys: u64,
    buffer: Box<[u8]>,
}

/// Whether a person pressed a key, as opposed to the queue or a terminal that replied. The observer counts the same
/// in the recording, so that both know whether anybody typed since it looked.
pub fn is_person(keys: Keys) -> bool {
    !keys.queue && !keys.reply
}

/// One for each descriptor; as few as there are with one terminal and its client, they need no allocation.
type Few<T> = SmallVec<[T; 8]>;

/// What `poll` found ready.
#[derive(Clone, Copy)]
enum Ready {
    Signals,
    Listener,
    MasterIn,
    MasterOut,
    TerminalIn,
    TerminalOut,
    Peer(PeerId),
}

impl Holder {
    /// Serves the session to its end.
    fn run(mut self) -> Exit {
        loop {
            self.heal_observer();
            for ready in self.wait() {
                self.handle(ready);
            }
            self.expire();
            self.succeed();
            if let Program::Drained(exit) = self.program
                && self.terminal.as_ref().is_none_or(Terminal::is_flushed)
            {
                self.finish(exit);
                return exit;
            }
        }
    }

    /// Waits until something is ready. What waits for the recording is handed over first when it has gathered long
    /// enough, and whenever the program pauses that long.
    fn wait(&mut self) -> Few<Ready> {
        let mut patience = self.patience();
        if let Some(rest) = self.writer.gathers() {
            let pause = if rest.is_zero() && !self.writer.flush() {
                // The disk is busy, or bad.
                Some(self.writer.pause())
            } else {
                Some(rest).filter(|rest| !rest.is_zero())
            };
            patience = pause.into_iter().chain(patience).min();
        }
        self.poll(patience)
    }

    fn poll(&self, patience: Option<Duration>) -> Few<Ready> {
        let mut fds = Few::new();
        let mut names = Few::new();
        let mut want = |name, fd, flags| {
            names.push(name);
            fds.push(PollFd::from_borrowed_fd(fd, flags));
        };
        use std::os::fd::AsFd;
        want(Ready::Signals, self.signals.as_fd(), PollFlags::IN);
        want(Ready::Listener, self.listener.as_fd(), PollFlags::IN);
        let reads_on = self.terminal.as_ref().is_none_or(Terminal::reads_on);
        if reads_on && self.master_away.is_none() && !matches!(self.program, Program::Drained(_)) {
            want(Ready::MasterIn, self.pty.master.as_fd(), PollFlags::IN);
        }
        if !self.typed.is_empty() {
            want(Ready::MasterOut, self.pty.master.as_fd(), PollFlags::OUT);
        }
        if let Some(terminal) = &self.terminal {
            if terminal.input_open && !terminal.suspended && self.typed.len() < TYPED_MAX {
                want(Ready::TerminalIn, terminal.input.as_fd(), PollFlags::IN);
            }
            if terminal.wants_to_write() {
                want(Ready::TerminalOut, terminal.output.as_fd(), PollFlags::OUT);
            }
        }
        for peer in &self.peers {
            let out = if peer.channel.has_output() { PollFlags::OUT } else { PollFlags::empty() };
            want(Ready::Peer(peer.id), peer.channel.as_fd(), PollFlags::IN | out);
        }
        let patience = patience.and_then(|p| Timespec::try_from(p).ok());
        match poll(&mut fds, patience.as_ref()) {
            Ok(_) => {}
            Err(_) => return Few::new(),
        }
        let ready = |(name, fd): (Ready, &PollFd)| (!fd.revents().is_empty()).then_some(name);
        names.into_iter().zip(&fds).filter_map(ready).collect()
    }

    /// Time until something is due, if anything is.
    fn patience(&self) -> Option<Duration> {
        let drain = match self.program {
            Program::Ended(_, until) => Some(until),
            Program::Running | Program::Stopped | Program::Drained(_) => None,
        };
        let terminal = self.terminal.as_ref().and_then(Terminal::deadline);
        let all = [drain, terminal, self.watch.deadline(), self.master_away, self.kill_at];
        let next = all.into_iter().flatten().min()?;
        // One more, as poll counts in milliseconds on some systems.
        Some(next.saturating_duration_since(Instant::now()) + Duration::from_millis(1))
    }

    fn handle(&mut self, ready: Ready) {
        match ready {
            Ready::Signals => self.signalled(),
            Ready::Listener => self.accept(),
            Ready::MasterIn => self.read_on(),
            Ready::MasterOut => self.write_program(),
            Ready::TerminalIn => self.read_terminal(),
            Ready::TerminalOut => {
                let done = self.terminal.as_mut().map_or(Ok(()), Terminal::flush);
                self.or_lose_terminal(done);
            }
            Ready::Peer(id) => self.serve(id),
        }
    }

    fn at(&self) -> Duration {
        self.began.elapsed()
    }

    /// Relays what the program has written: while there is more and the terminal takes it, without asking each time.
    fn read_on(&mut self) {
        for _ in 0..READS {
            let reads_on = self.terminal.as_ref().is_none_or(Terminal::reads_on);
            if !reads_on || !self.read_program() {
                return;
            }
        }
    }

    /// Relays one read of the program's output. `false` when there was none.
    fn read_program(&mut self) -> bool {
        match rustix::io::read(&self.pty.master, &mut self.buffer[..]) {
            Ok(0) | Err(Errno::IO) => {
                self.program_hung_up();
                false
            }
            Ok(n) => {
                self.output += n as u64;
                let shown = match &mut self.terminal {
                    Some(terminal) => terminal.show(&self.buffer[..n]),
                    None => Ok(()),
                };
                self.writer.output(self.began.elapsed(), &self.buffer[..n]);
                self.or_lose_terminal(shown);
                true
            }
            Err(_) => false,
        }
    }

    /// Nobody has the terminal's other side open: the program has ended or is about to, or it will open it again.
    fn program_hung_up(&mut self) {
        match self.program {
            Program::Ended(exit, _) => self.program = Program::Drained(exit),
            Program::Running | Program::Stopped => {
                self.master_away = Some(Instant::now() + Duration::from_millis(20));
            }
            Program::Drained(_) => {}
        }
    }

    fn write_program(&mut self) {
        while !self.typed.is_empty() {
            match rustix::io::write(&self.pty.master, self.typed.as_slices().0) {
                Ok(n) => drop(self.typed.drain(..n)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                // The program hung up; what was typed has no reader.
                Err(_) => return self.typed.clear(),
            }
        }
    }

    /// Sends bytes to the program as if typed, and records that it happened.
    fn type_in(&mut self, bytes: &[u8], keys: Keys) {
        if self.spec.watched {
            return;
        }
        self.keys += u64::from(is_person(keys));
        let kept =
            if self.spec.record_input && !self.pty.hides_input() { bytes.to_vec() } else { Vec::new() };
        let at = self.at();
        self.writer.record(at, &Record::Input(keys, kept));
        wire::fault::point("holder.type");
        self.typed.extend(bytes);
        self.write_program();
        wire::fault::point("holder.typed");
    }

    fn read_terminal(&mut self) {
        let Some(terminal) = &mut self.terminal else { return };
        let mut bytes = [0; 16 << 10];
        match rustix::io::read(&terminal.input, &mut bytes) {
            Ok(0) => self.input_ended(),
            Ok(n) => {
                // What the terminal replies may come before keys in one read.
                let (replies, keys) = bytes[..n].split_at(keys::replies(&bytes[..n]));
                let typed = terminal.typed(keys);
                self.person_typed(replies);
                match typed {
                    Typed::Pass(bytes) => self.person_typed(&bytes),
                    Typed::Detach => self.detach("detached; the agent works on"),
                    Typed::Keep(kept, after) => {
                        self.keep(kept);
                        self.person_typed(&after);
                    }
                }
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.lose_terminal(),
        }
    }

    fn person_typed(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.type_in(bytes, keys::classify(bytes));
        }
    }

    /// The user's input is over: a terminal is gone, a pipe or file has come to its end.
    fn input_ended(&mut self) {
        let Some(terminal) = &mut self.terminal else { return };
        if terminal.is_tty() {
            return self.lose_terminal();
        }
        terminal.input_open = false;
        let end_of_file = 4;
        self.type_in(&[end_of_file], Keys::default());
    }

    fn signalled(&mut self) {
        let _ = rustix::io::read(&self.signals, &mut [0; 64][..]);
        self.watch.reap();
        if self.terminate.swap(false, Ordering::Relaxed) {
            self.hang_up();
        }
        while let Some(change) = self.changed() {
            match change {
                Change::Stopped => self.program_stopped(),
                Change::Ended(exit) => self.program = Program::Ended(exit, Instant::now() + DRAIN),
            }
        }
    }

    /// Ends the program as a terminal's end would; one that does not mind is killed.
    fn hang_up(&mut self) {
        self.next = None;
        let _ = self.pty.signal_foreground(Signal::HUP);
        let _ = self.pty.signal(Signal::HUP);
        let _ = self.pty.signal(Signal::CONT);
        self.kill_at = Some(Instant::now() + Duration::from_secs(5));
    }

    fn changed(&self) -> Option<Change> {
        match self.program {
            Program::Running | Program::Stopped => self.pty.wait(),
            Program::Ended(..) | Program::Drained(_) => None,
        }
    }

    fn program_stopped(&mut self) {
        self.program = Program::Stopped;
        while self.read_program() {}
        let Some(terminal) = &mut self.terminal else { return };
        let flushed = terminal.flush();
        terminal.suspend();
        let client = terminal.client;
        self.or_lose_terminal(flushed);
        self.tell(client, &FromHolder::Stopped);
    }

    fn expire(&mut self) {
        let now = Instant::now();
        if let Program::Ended(exit, until) = self.program {
            // What the program wrote before its end is on its way through the kernel; who still has the terminal
            // open after that is not waited for.
            let quiet = self.terminal.as_ref().is_none_or(Terminal::has_room) && !self.read_program();
            if quiet && now >= until && !matches!(self.program, Program::Drained(_)) {
                self.program = Program::Drained(exit);
            }
        }
        if self.master_away.is_some_and(|until| until <= now) {
            self.master_away = None;
        }
        if self.kill_at.is_some_and(|at| at <= now) {
            self.kill_at = None;
            let _ = self.pty.signal(Signal::KILL);
        }
        let keys = self.terminal.as_mut().map_or(Ok(Vec::new()), |t| t.expire(now));
        match keys {
            Ok(keys) => self.person_typed(&keys),
            Err(_) => self.lose_terminal(),
        }
    }

    /// The program has ended and its output is on the terminal: closes the recording, tells everybody.
    fn finish(mut self, exit: Exit) {
        let at = self.at();
        self.writer.record(at, &Record::Exit(exit));
        self.remove_socket();
        self.ensure_observer();
        let recorded = self.writer.finish(Duration::from_secs(2));
        for peer in &mut self.peers {
            if !peer.observer {
                if !recorded {
                    let _ = peer.channel.send(&FromHolder::Unrecorded);
                }
                let _ = peer.channel.send(&FromHolder::Exited(crate::report::exit(exit)));
            }
        }
    }

    fn or_lose_terminal(&mut self, done: io::Result<()>) {
        if done.is_err() {
            self.lose_terminal();
        }
    }
}
