//! Begins a session. Must not: run it.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::termios::Termios;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGTERM};
use wire::SessionId;
use wire::place::{Place, private_dir};

use super::ear::Ear;
use super::watch::Watch;
use super::{Holder, Program, Stage};
use crate::control::{Channel, FromHolder, Offer, Spec, ToHolder};
use crate::pty::{Pty, Start};
use crate::recording::{Header, Writer};
use crate::{names, tty};

/// The holder's process: standard input is the conversation with whoever started it.
pub fn main(place: &Place) -> anyhow::Result<()> {
    rustix::process::setsid().context("cannot leave the terminal's session")?;
    let stdin = rustix::stdio::stdin().try_clone_to_owned()?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    let mut starter = Channel::new(UnixStream::from(stdin))?;
    let first = starter.wait(Some(Duration::from_secs(10))).context("nobody said what to run")?;
    let ToHolder::Start(spec, offer) = first else { anyhow::bail!("the first message was not what to run") };
    match begin(place, *spec, offer.as_ref(), &mut starter) {
        Ok(mut holder) => {
            holder.welcome(starter, offer);
            holder.run();
            Ok(())
        }
        Err(fault) => {
            let status = match fault.kind() {
                io::ErrorKind::NotFound => 127,
                io::ErrorKind::PermissionDenied => 126,
                _ => 125,
            };
            starter.send(&FromHolder::Failed(status, fault.to_string()))?;
            Ok(())
        }
    }
}

fn begin(place: &Place, spec: Spec, offer: Option<&Offer>, starter: &mut Channel) -> io::Result<Holder> {
    let id = SessionId(spec.session.clone());
    let folder = place.session(&id);
    private_dir(&folder).map_err(io::Error::other)?;
    let (signals, raised) = UnixStream::pair()?;
    raised.set_nonblocking(true)?;
    signals.set_nonblocking(true)?;
    let terminate = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGTERM, Arc::clone(&terminate))?;
    signal_hook::flag::register(SIGHUP, Arc::new(AtomicBool::new(false)))?;
    signal_hook::low_level::pipe::register(SIGTERM, raised.try_clone()?)?;
    signal_hook::low_level::pipe::register(SIGCHLD, raised)?;

    let dir = PathBuf::from(OsString::from_vec(spec.dir.clone()));
    let termios = offer.and_then(|_| settings(starter));
    let interactive = offer.is_none_or(|offer| offer.input_tty);
    let mut env = vec![("MUSTER_SESSION".to_owned(), spec.session.clone().into())];
    if offer.is_none() && std::env::var_os("TERM").is_none_or(|t| t.is_empty() || t == "dumb") {
        env.push(("TERM".to_owned(), "xterm-256color".into()));
    }
    let (ear, asking) = Ear::for_agent(&spec.telemetry);
    env.extend(asking);
    let began = Instant::now();
    let header = header(&spec, &env);
    let newlines = interactive && offer.is_none_or(|offer| offer.size.is_some());
    let stage = Stage { env, termios, echo: interactive, newlines };
    let start = stage.start(spec.injected.as_ref().unwrap_or(&spec.argv), &dir, &stage.env, spec.size);
    let listener = listen(place, &id)?;
    let pty = Pty::start(&start).inspect_err(|_| drop(std::fs::remove_file(place.session_socket(&id))))?;
    std::env::set_current_dir("/")?;

    let (grown, wake) = io::pipe()?;
    rustix::io::ioctl_fionbio(&wake, true)?;
    let writer = Writer::start(&folder, header, OwnedFd::from(wake))?;
    let watch = Watch::new(own_program()?, folder.join("observer.log"));
    Ok(Holder {
        size: spec.size,
        spec,
        folder,
        began,
        pty,
        program: Program::Running,
        stage,
        next: None,
        writer,
        terminal: None,
        peers: Vec::new(),
        next_peer: 1,
        listener,
        kept: false,
        ear,
        watch,
        grown,
        signals,
        terminate,
        kill_at: None,
        typed: Default::default(),
        master_away: None,
        output: 0,
        keys: 0,
        buffer: vec![0; 64 << 10].into(),
    })
}

impl Stage {
    /// A program on this stage.
    pub(super) fn start<'s>(
        &'s self,
        argv: &'s [Vec<u8>],
        dir: &'s Path,
        env: &'s [(String, OsString)],
        size: (u16, u16),
    ) -> Start<'s> {
        let Self { termios, echo, newlines, .. } = self;
        Start { argv, dir, env, termios: termios.as_ref(), echo: *echo, newlines: *newlines, size }
    }
}

fn listen(place: &Place, id: &SessionId) -> io::Result<UnixListener> {
    // The mask is for the socket alone: the program must start with the user's own.
    let mask = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
    let listener = UnixListener::bind(place.session_socket(id));
    rustix::process::umask(mask);
    let listener = listener?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

impl Holder {
    /// Tells the starter that the program runs, and shows the session on its terminal.
    fn welcome(&mut self, starter: Channel, offer: Option<Offer>) {
        let id = self.add_peer(starter, false);
        match offer {
            Some(offer) => self.attach(id, offer, false),
            None => self.tell(id, &FromHolder::Started),
        }
    }

    /// Nobody can connect any more, and the name is free.
    pub(super) fn remove_socket(&self) {
        if let Ok(place) = Place::from_env() {
            let _ = std::fs::remove_file(place.session_socket(&SessionId(self.spec.session.clone())));
            names::release(&place, &self.spec.name, &self.spec.session);
        }
    }
}

/// The settings of the user's terminal, which the program's terminal starts with.
fn settings(starter: &mut Channel) -> Option<Termios> {
    let descriptors = [starter.descriptor()?, starter.descriptor()?];
    let found = descriptors.iter().find_map(tty::Tty::new).map(|t| t.saved().clone());
    starter.put_back(descriptors);
    found
}

fn header(spec: &Spec, env: &[(String, OsString)]) -> Header {
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    let set = env.iter().find(|(name, _)| name == "TERM").map(|(_, value)| value.clone());
    let term = set.or_else(|| std::env::var_os("TERM")).unwrap_or_default();
    Header {
        session: spec.session.clone(),
        name: spec.name.clone(),
        agent: spec.agent.clone(),
        argv: spec.argv.iter().map(text).collect(),
        term: term.to_string_lossy().into_owned(),
        started_ms: spec.started.0,
        started_mono_us: crate::clock::monotonic().as_micros() as u64,
        at_us: 0,
        offset: 0,
        cols: spec.size.0,
        rows: spec.size.1,
    }
}

/// This program, also after it was replaced by a newer version.
fn own_program() -> io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    let name = path.as_os_str().to_string_lossy();
    Ok(match name.strip_suffix(" (deleted)") {
        Some(new) if Path::new(new).exists() => PathBuf::from(new),
        _ => path,
    })
}
