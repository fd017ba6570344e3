//! What the holder does for those who connect to it. Must not: trust what it did not check.

use std::time::Instant;

use extractor::Keys;
use rustix::process::{Signal, geteuid};

use super::terminal::Terminal;
use super::{HUNG, Holder, Peer, PeerId, Program, TYPED_MAX};
use crate::control::{Channel, FromHolder, Info, Offer, ToHolder, Told, Type, Unchanged};
use crate::keys;
use crate::recording::Record;
use crate::{sys, tty};

/// Connections beyond this are closed at once.
const PEERS_MAX: usize = 32;

impl Holder {
    /// Takes in whoever knocked, if it is the same user.
    pub(super) fn accept(&mut self) {
        let Ok((stream, _)) = self.listener.accept() else { return };
        let ours = sys::peer_uid(&stream).is_some_and(|uid| uid == geteuid().as_raw());
        if !ours || self.peers.len() >= PEERS_MAX {
            return;
        }
        if let Ok(channel) = Channel::new(stream) {
            self.add_peer(channel, false);
        }
    }

    pub(super) fn add_peer(&mut self, channel: Channel, observer: bool) -> PeerId {
        let id = self.next_peer;
        self.next_peer += 1;
        self.peers.push(Peer { id, channel, observer });
        id
    }

    /// Sends a message to a peer; one that is gone is noticed when it is read from.
    pub(super) fn tell(&mut self, id: PeerId, message: &FromHolder) {
        if let Some(peer) = self.peers.iter_mut().find(|p| p.id == id) {
            let _ = peer.channel.send(message);
        }
    }

    /// Reads and answers what a peer sent.
    pub(super) fn serve(&mut self, id: PeerId) {
        loop {
            let Some(peer) = self.peers.iter_mut().find(|p| p.id == id) else { return };
            let open = peer.channel.flush().and_then(|()| peer.channel.fill()).unwrap_or(false);
            let message = peer.channel.next::<ToHolder>();
            match message {
                Ok(Some(message)) => self.obey(id, message),
                Ok(None) if open => return,
                Ok(None) | Err(_) => return self.drop_peer(id),
            }
        }
    }

    fn drop_peer(&mut self, id: PeerId) {
        self.peers.retain(|p| p.id != id);
        if self.terminal.as_ref().is_some_and(|t| t.client == id) {
            self.lose_terminal();
        }
    }

    fn obey(&mut self, id: PeerId, message: ToHolder) {
        let is_client = self.terminal.as_ref().is_some_and(|t| t.client == id);
        match message {
            ToHolder::Attach(offer) => self.attach(id, offer, true),
            ToHolder::Resize(cols, rows) if is_client => self.resize((cols, rows)),
            ToHolder::Detach if is_client => self.detach("detached; the agent works on"),
            ToHolder::Continue if is_client => {
                if let Some(terminal) = &mut self.terminal {
                    terminal.resume();
                }
                self.wake_program();
            }
            ToHolder::Signal(number) => {
                if let Some(signal) = Signal::from_named_raw(number) {
                    let _ = self.pty.signal(signal);
                    let _ = self.pty.signal(Signal::CONT);
                }
            }
            ToHolder::Info => {
                let info = FromHolder::Info(Box::new(self.info()));
                self.tell(id, &info);
            }
            ToHolder::Type(request) => {
                let refused = self.type_for(&request).err().map(str::to_owned);
                let now = Unchanged { output: self.output, keys: self.keys };
                self.tell(id, &FromHolder::Typed { id: request.id, refused, now });
            }
            ToHolder::Reply(bytes) => {
                if self.terminal.is_none() {
                    self.type_in(&bytes, Keys { reply: true, ..Keys::default() });
                }
            }
            ToHolder::Screen(offset, bytes) => {
                let now = self.output;
                let done = self.terminal.as_mut().map_or(Ok(()), |t| t.screen(offset, &bytes, now));
                self.or_lose_terminal(done);
                self.want_screen();
            }
            ToHolder::Relaunch(_) if self.kept => {}
            ToHolder::Relaunch(relaunch) => self.end_for(relaunch),
            ToHolder::End(end) => {
                let refused = self.others_may().and_then(|()| self.unchanged(end.only_if)).err();
                let refused = refused.map(str::to_owned);
                if refused.is_none() {
                    self.hang_up();
                }
                let now = Unchanged { output: self.output, keys: self.keys };
                self.tell(id, &FromHolder::Typed { id: end.id, refused, now });
            }
            ToHolder::Told(Told { from, payload }) => {
                let at = self.at();
                self.writer.record(at, &Record::Told(from, payload));
            }
            ToHolder::Start(..) | ToHolder::Resize(..) | ToHolder::Detach | ToHolder::Continue => {}
        }
    }

    /// Keeps everybody but the user's own terminal from typing, or lets them again; the terminal's bell says that it did.
    pub(super) fn keep(&mut self, kept: bool) {
        self.kept = kept;
        let at = self.at();
        self.writer.record(at, &Record::Kept(kept));
        let rung = self.terminal.as_mut().map_or(Ok(()), |terminal| terminal.show(b"\x07"));
        self.or_lose_terminal(rung);
    }

    /// Whether anybody but the user's own terminal may act on the program.
    fn others_may(&self) -> Result<(), &'static str> {
        if self.kept { Err(crate::gate::KEPT) } else { Ok(()) }
    }

    /// Types for the queue or a dashboard, if nothing has happened since the writer looked.
    fn type_for(&mut self, request: &Type) -> Result<(), &'static str> {
        if !matches!(self.program, Program::Running) {
            return Err("the program does not run");
        }
        if self.spec.watched {
            return Err(crate::gate::WATCHED);
        }
        self.others_may()?;
        if self.typed.len() + request.bytes.len() > TYPED_MAX {
            return Err("the program does not take its input");
        }
        if let Some(expected) = request.only_if {
            self.unchanged(expected)?;
        }
        let keys = Keys { queue: !request.person, ..keys::classify(&request.bytes) };
        self.type_in(&request.bytes, keys);
        Ok(())
    }

    /// Whether nothing has happened since somebody looked.
    fn unchanged(&mut self, expected: Unchanged) -> Result<(), &'static str> {
        // What the program wrote meanwhile counts, although nobody has read it yet, or a slow terminal leaves no room for it.
        while self.terminal.as_ref().is_none_or(Terminal::has_room) && self.read_program() {}
        if self.pty.has_output() {
            return Err("what the program wrote waits for a slow terminal");
        }
        if expected != (Unchanged { output: self.output, keys: self.keys }) || !self.typed.is_empty() {
            return Err("something happened meanwhile");
        }
        Ok(())
    }

    /// Shows the session on a peer's terminal, whose descriptors came beside the message.
    pub(super) fn attach(&mut self, id: PeerId, offer: Offer, redraw: bool) {
        let Some(peer) = self.peers.iter_mut().find(|p| p.id == id) else { return };
        let (Some(input), Some(output)) = (peer.channel.descriptor(), peer.channel.descriptor()) else {
            return;
        };
        self.detach("another terminal took over");
        let size = offer.size;
        let mut terminal = Terminal::new(id, offer, input, output);
        if redraw {
            terminal.await_screen(self.output);
        }
        self.terminal = Some(terminal);
        self.want_screen();
        let at = self.at();
        self.writer.record(at, &Record::Attached(true));
        if let Some(size) = size {
            self.resize(size);
        }
        self.tell(id, &FromHolder::Started);
        if matches!(self.program, Program::Stopped) {
            self.wake_program();
        }
    }

    /// Asks the observer for the screen, if the terminal lacks it and there is an observer.
    fn want_screen(&mut self) {
        let wanted = self.terminal.as_ref().is_some_and(Terminal::wants_screen);
        if let Some(observer) = self.peers.iter().find(|p| p.observer && wanted).map(|p| p.id) {
            let output = self.output;
            self.tell(observer, &FromHolder::WantScreen(output));
        }
    }

    fn resize(&mut self, size: (u16, u16)) {
        if size == self.size || self.pty.resize(size).is_err() {
            return;
        }
        self.size = size;
        let at = self.at();
        self.writer.record(at, &Record::Resize(size.0, size.1));
    }

    /// Lets a stopped program go on.
    fn wake_program(&mut self) {
        if matches!(self.program, Program::Stopped) {
            self.program = Program::Running;
            let _ = self.pty.signal(Signal::CONT);
        }
    }

    /// Gives the terminal back to its client, who restores it.
    pub(super) fn detach(&mut self, why: &str) {
        let Some(terminal) = self.terminal.take() else { return };
        let at = self.at();
        self.writer.record(at, &Record::Attached(false));
        // The client looks into the recording for what it has to switch off.
        if !self.writer.holds_all(HUNG) {
            self.tell(terminal.client, &FromHolder::Unrecorded);
        }
        self.tell(terminal.client, &FromHolder::Detached(why.to_owned()));
    }

    /// The terminal is gone, or its client died: restores what is left of it, without making the program wait for it.
    pub(super) fn lose_terminal(&mut self) {
        let Some(terminal) = self.terminal.take() else { return };
        let at = self.at();
        self.writer.record(at, &Record::Attached(false));
        let recorded = self.writer.holds_all(HUNG);
        let folder = self.folder.clone();
        let restore = move || {
            if let Some(settings) = terminal.settings() {
                tty::write_all(&terminal.output, &tty::left_on(&folder, recorded));
                settings.restore();
            }
        };
        let _ = std::thread::Builder::new().name("restore".into()).spawn(restore);
    }

    fn info(&self) -> Info {
        Info {
            spec: self.spec.clone(),
            pid: self.pty.pid.as_raw_nonzero().get(),
            holder: std::process::id() as i32,
            observer: self.watch.pid(),
            attached: self.terminal.is_some(),
            pane: self.terminal.as_ref().and_then(|t| t.pane().map(str::to_owned)),
            tmux: self.terminal.as_ref().and_then(|t| t.tmux().map(str::to_owned)),
            age_s: self.began.elapsed().as_secs(),
            output: self.output,
        }
    }

    /// Starts the observer when it is due, and tells it where it is.
    pub(super) fn heal_observer(&mut self) {
        let quarantined = self.watch.quarantined();
        let Ok(Some(stream)) = self.watch.start(Instant::now()) else { return };
        let Ok(mut channel) = Channel::new(stream) else { return };
        let follow = FromHolder::Follow {
            spec: Box::new(self.spec.clone()),
            pid: self.pty.pid.as_raw_nonzero().get(),
            epoch: self.watch.epoch,
            quarantined,
            secret: self.ear.as_ref().map(|ear| ear.secret.clone()),
        };
        use std::os::fd::AsFd;
        let ear = self.ear.iter().map(|ear| ear.listener.as_fd());
        let lent: Vec<_> = std::iter::once(self.grown.as_fd()).chain(ear).collect();
        if channel.send_with(&follow, &lent).is_ok() {
            self.add_peer(channel, true);
            self.want_screen();
        }
    }

    /// At the session's end somebody must still report it.
    pub(super) fn ensure_observer(&mut self) {
        self.watch.reap();
        if self.watch.pid().is_none() {
            self.watch.hurry();
            self.heal_observer();
        }
    }
}
