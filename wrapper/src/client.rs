//! The process in the user's terminal: starts or finds a session, lends it the terminal, waits, brings it back.
//!
//! Invariant: the terminal is restored in every ending that this process survives; the holder does it for those it
//! does not. Bytes never pass through here.

use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::Mode;
use rustix::process::Signal;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH};
use signal_hook::iterator::Signals;
use wire::SessionId;
use wire::place::Place;

use crate::cli::Run;
use crate::control::{Channel, FromHolder, Offer, Spec, ToHolder};
use crate::hooks::{self, Launch};
use crate::{clock, names, profiles, telemetry, tty};

/// Size of a terminal that nobody sees.
const HEADLESS: (u16, u16) = (120, 40);

/// How long a holder may take to start the program.
const START: Duration = Duration::from_secs(30);

/// How a session was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// The program ended; the status a shell would report.
    Ended(i32),
    /// It runs on.
    Detached,
}

/// Starts a session and shows it on this terminal, or returns at once when it is to run headless.
pub fn run(place: &Place, run: &Run) -> anyhow::Result<Left> {
    if let Some(mask) = run.umask {
        rustix::process::umask(Mode::from_raw_mode(mask));
    }
    place.create()?;
    let terminal = (!run.detached).then(Lent::take).transpose()?;
    let spec = spec(place, run, terminal.as_ref())?;
    let (ours, theirs) = UnixStream::pair()?;
    let program = std::env::current_exe().context("cannot find this program's own file")?;
    let mut command = Command::new(program);
    command.arg("holder").stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::null());
    // A fault of the holder must be seen somewhere, but never on the terminal that was handed over.
    let folder = place.session(&SessionId(spec.session.clone()));
    command.stderr(crate::log::open(&folder.join("holder.log")).map_or_else(|_| Stdio::null(), Stdio::from));
    command.spawn().context("cannot start the session's holder")?;
    // It owns the holder's end of the conversation, whose closing tells that the holder is gone.
    drop(command);
    let mut channel = Channel::new(ours)?;
    let name = spec.name.clone();
    let session = spec.session.clone();
    let descriptors = terminal.as_ref().map(|t| [t.input.as_fd(), t.output.as_fd()]);
    let offer = terminal.as_ref().map(|t| t.offer.clone());
    channel
        .send_with(&ToHolder::Start(Box::new(spec), offer), descriptors.as_ref().map_or(&[], |d| &d[..]))?;
    match channel.wait(Some(START)).context("the session's holder did not answer")? {
        FromHolder::Started => {}
        FromHolder::Failed(status, why) => {
            names::release(place, &name, &session);
            let _ = std::fs::remove_dir_all(&folder);
            eprintln!("wrap: cannot run {}: {}", show(&run.command), wire::text::escape(&why));
            return Ok(Left::Ended(status));
        }
        other => anyhow::bail!("the session's holder answered with {other:?}"),
    }
    match terminal {
        Some(terminal) => terminal.wait(channel, &folder),
        None => {
            println!("{name}");
            Ok(Left::Detached)
        }
    }
}

/// Shows a running session on this terminal.
pub fn attach(place: &Place, name: &str) -> anyhow::Result<Left> {
    let (id, mut channel) = crate::list::connect(place, name)?;
    let terminal = Lent::take()?;
    channel.send_with(
        &ToHolder::Attach(terminal.offer.clone()),
        &[terminal.input.as_fd(), terminal.output.as_fd()],
    )?;
    match channel.wait(Some(START)).context("the session did not answer")? {
        FromHolder::Started => terminal.wait(channel, &place.session(&id)),
        other => anyhow::bail!("the session answered with {other:?}"),
    }
}

fn spec(place: &Place, run: &Run, terminal: Option<&Lent>) -> anyhow::Result<Spec> {
    let program = run.command.first().context("no command was given")?;
    let base =
        PathBuf::from(program).file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let base = run.stand_in.clone().unwrap_or(base);
    let arguments: Vec<_> = run.command[1..].iter().map(|a| a.to_string_lossy()).collect();
    let arguments = arguments.join(" ");
    let agent = match &run.agent {
        Some(name) => profiles::named(place, name)?,
        None => profiles::for_command(place, &base, &arguments)?,
    };
    let dir = std::env::current_dir().context("the current directory is gone")?;
    let dir = run.dir.as_ref().map_or(dir.clone(), |d| dir.join(d));
    let dir = dir.canonicalize().with_context(|| format!("cannot work in {}", dir.display()))?;
    let session = uuid::Uuid::now_v7().to_string();
    let name = match &run.name {
        Some(name) => names::claim(place, name, &session).map(|()| name.clone())?,
        None => names::claim_any(place, base_name(&base, &agent.name), &session)?,
    };
    let argv: Vec<Vec<u8>> = run.command.iter().map(|a| a.as_bytes().to_vec()).collect();
    let folder = place.session(&SessionId(session.clone()));
    wire::place::private_dir(&folder)?;
    let recipe = agent.hooks.as_ref().filter(|_| !run.no_hooks);
    let own = std::env::current_exe().context("cannot find this program's own file")?;
    let launch = Launch { program: &own, folder: &folder, dir: &dir, var: &|name| std::env::var_os(name) };
    let injected = recipe.and_then(|recipe| hooks::inject(recipe, &argv, &launch));
    let recipe = agent.telemetry.as_ref().filter(|_| !run.no_telemetry);
    let names = std::env::vars_os().map(|(name, _)| name);
    let telemetry = recipe.map(|recipe| telemetry::wanted(recipe, &argv, &launch, names)).unwrap_or_default();
    Ok(Spec {
        session,
        name,
        agent: agent.name.clone(),
        role: run.role.clone(),
        caps: run.caps.clone(),
        pool: run.pool.clone(),
        fixed: run.fixed,
        watched: run.watched,
        argv,
        injected,
        telemetry,
        dir: dir.into_os_string().into_vec(),
        size: run.size.or(terminal.and_then(|t| t.offer.size)).unwrap_or(HEADLESS),
        started: clock::now(),
        record_input: run.record_input,
        no_server: run.no_server,
        headless: run.detached,
    })
}

/// What an unnamed session is named after: the command when it can be a name, else the profile.
fn base_name<'a>(command: &'a str, agent: &'a str) -> &'a str {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let good =
        !command.is_empty() && command.len() < 40 && command.chars().all(plain) && !command.starts_with('-');
    if good { command } else { agent }
}

fn show(command: &[std::ffi::OsString]) -> String {
    command.first().map(|c| wire::text::escape(&c.to_string_lossy())).unwrap_or_default()
}

/// This process's terminal, or what stands in its place.
struct Lent {
    /// What the holder reads and writes.
    input: OwnedFd,
    output: OwnedFd,
    /// Settings to restore, when the input is a terminal.
    settings: Option<tty::Tty>,
    offer: Offer,
}

impl Lent {
    fn take() -> io::Result<Self> {
        let (stdin, stdout) = (io::stdin(), io::stdout());
        let input_tty = stdin.is_terminal();
        let own_keys = input_tty && std::env::var_os("MUSTER_DETACH_KEY").is_none_or(|key| key != "none");
        Ok(Self {
            input: tty::reopen(stdin.as_fd())?,
            output: tty::reopen(stdout.as_fd())?,
            settings: tty::Tty::new(stdin.as_fd()),
            offer: Offer {
                size: tty::size(stdout.as_fd()),
                input_tty,
                own_keys,
                pane: std::env::var("TMUX_PANE").ok(),
                // `SOCKET,PID,SESSION`.
                tmux: std::env::var("TMUX")
                    .ok()
                    .map(|at| at.split(',').next().unwrap_or_default().to_owned()),
            },
        })
    }

    /// Waits until the session ends or lets the terminal go, and restores it.
    fn wait(self, mut channel: Channel, folder: &std::path::Path) -> anyhow::Result<Left> {
        self.lend(&mut channel);
        let mut recorded = true;
        let end = self.follow(&mut channel, &mut recorded);
        if self.settings.is_some() {
            // That of a holder that is gone may lack what was shown last.
            tty::write_all(&self.output, &tty::left_on(folder, recorded && end.is_ok()));
        }
        self.restore();
        match end? {
            FromHolder::Exited(exit) => Ok(Left::Ended(exit.status())),
            FromHolder::Detached(why) => {
                eprintln!("\r[{}]", wire::text::escape(&why));
                Ok(Left::Detached)
            }
            other => anyhow::bail!("the session's holder said {other:?} instead of how the session ended"),
        }
    }

    /// Passes on signals and sizes until the last word of the holder. Learns whether all that was shown is `recorded`.
    fn follow(&self, channel: &mut Channel, recorded: &mut bool) -> anyhow::Result<FromHolder> {
        let mut signals = SignalPipe::new()?;
        loop {
            let mut fds = [
                PollFd::from_borrowed_fd(channel.as_fd(), PollFlags::IN),
                PollFd::new(&signals.pipe, PollFlags::IN),
            ];
            match poll(&mut fds, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
            for signal in signals.pending() {
                self.signal(signal, channel);
            }
            let open = channel.fill()?;
            while let Some(message) = channel.next::<FromHolder>()? {
                match message {
                    FromHolder::Stopped => self.stop(channel)?,
                    FromHolder::Unrecorded => *recorded = false,
                    last @ (FromHolder::Exited(_) | FromHolder::Detached(_)) => return Ok(last),
                    _ => {}
                }
            }
            anyhow::ensure!(open, "the session's holder is gone, and the program with it");
        }
    }

    fn signal(&self, signal: i32, channel: &mut Channel) {
        let message = match signal {
            SIGWINCH | SIGCONT => match tty::size(&self.output) {
                Some((cols, rows)) => ToHolder::Resize(cols, rows),
                None => return,
            },
            // The window was closed: the agent works on.
            SIGHUP => ToHolder::Detach,
            other => ToHolder::Signal(other),
        };
        // A holder that has ended by now has left its last word to be read.
        let _ = channel.send(&message);
    }

    /// The program was stopped: this process stops as well, so that the shell has its terminal, until `fg`.
    fn stop(&self, channel: &mut Channel) -> io::Result<()> {
        self.restore();
        rustix::process::kill_current_process_group(Signal::TSTP)?;
        self.lend(channel);
        self.signal(SIGWINCH, channel);
        Ok(())
    }

    /// Makes the terminal raw, and only then lets the holder use it: from here on no key of the terminal can stop this
    /// process and leave the terminal to the shell and the holder at once.
    fn lend(&self, channel: &mut Channel) {
        if let Some(settings) = &self.settings {
            settings.raw();
        }
        // A holder that has ended by now has left its last word to be read.
        let _ = channel.send(&ToHolder::Continue);
    }

    fn restore(&self) {
        if let Some(settings) = &self.settings {
            settings.restore();
        }
    }
}

/// Signals as something to poll.
struct SignalPipe {
    signals: Signals,
    pipe: UnixStream,
}

impl SignalPipe {
    fn new() -> io::Result<Self> {
        let all = [SIGWINCH, SIGCONT, SIGHUP, SIGTERM, SIGINT, SIGQUIT];
        let (pipe, raised) = UnixStream::pair()?;
        pipe.set_nonblocking(true)?;
        raised.set_nonblocking(true)?;
        for signal in all {
            signal_hook::low_level::pipe::register(signal, raised.try_clone()?)?;
        }
        Ok(Self { signals: Signals::new(all)?, pipe })
    }

    fn pending(&mut self) -> Vec<i32> {
        let _ = rustix::io::read(&self.pipe, &mut [0; 64][..]);
        self.signals.pending().collect()
    }
}
