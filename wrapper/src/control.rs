//! What client, observer and tools say to a session's holder, and how.
//!
//! Owns: the messages, their framing (length as u32 little-endian, then JSON), descriptors passed beside them.
//! Must not: act on a message.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::recording::From;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wire::UnixMillis;
use wire::session::Exit;

/// Longest message that is believed, in bytes.
const MESSAGE_MAX: usize = 4 << 20;

/// Descriptors that may come beside one message.
const DESCRIPTORS_MAX: usize = 2;

/// What a holder is to run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spec {
    /// Identity of the session.
    pub session: String,
    /// Its name.
    pub name: String,
    /// Profile.
    pub agent: String,
    /// Role that it declares.
    #[serde(default)]
    pub role: Option<String>,
    /// Capabilities that it declares.
    #[serde(default)]
    pub caps: Vec<String>,
    /// The pool that it was started for.
    #[serde(default)]
    pub pool: Option<String>,
    /// It stays in the context in which it was started.
    #[serde(default)]
    pub fixed: bool,
    /// It takes no input.
    #[serde(default)]
    pub watched: bool,
    /// Program and arguments, as bytes, as the user gave them.
    pub argv: Vec<Vec<u8>>,
    /// The same with hooks injected, when the profile says how.
    #[serde(default)]
    pub injected: Option<Vec<Vec<u8>>>,
    /// Variables that ask the agent for its telemetry; they have places for the port and the secret of the listener.
    #[serde(default)]
    pub telemetry: BTreeMap<String, String>,
    /// Working directory, absolute.
    pub dir: Vec<u8>,
    /// Columns and rows.
    pub size: (u16, u16),
    /// When it was started.
    pub started: UnixMillis,
    /// Record what is typed, too.
    pub record_input: bool,
    /// The session never speaks to a server.
    pub no_server: bool,
    /// It was started without a terminal.
    #[serde(default)]
    pub headless: bool,
}

/// A user's terminal, offered to the holder; its descriptors (input, output) come beside the message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Offer {
    /// Columns and rows, when the output is a terminal.
    pub size: Option<(u16, u16)>,
    /// Input is a terminal, which the client makes raw and restores; else it is a pipe or file, whose
    /// end is the end of the program's input.
    pub input_tty: bool,
    /// The keys that are for the wrapper itself are active.
    #[serde(alias = "detach_key")]
    pub own_keys: bool,
    /// The tmux pane that it is in.
    pub pane: Option<String>,
    /// The socket of that tmux server: panes of two servers may have one name.
    #[serde(default)]
    pub tmux: Option<String>,
}

/// To the holder.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToHolder {
    /// The first message of the process that started it.
    Start(Box<Spec>, Option<Offer>),
    /// Show the session on this terminal; another one that shows it is let go.
    Attach(Offer),
    /// The attached terminal has a new size.
    Resize(u16, u16),
    /// Let the terminal go.
    Detach,
    /// The client has made its terminal raw: at the beginning, and again after it was stopped with the program.
    Continue,
    /// Send a signal to the program.
    Signal(i32),
    /// Who are you?
    Info,
    /// Write to the program, unless the condition fails.
    Type(Type),
    /// A reply for the program's terminal query; dropped while a terminal is attached, which answers itself.
    Reply(#[serde(with = "bytes")] Vec<u8>),
    /// The agent told something outside its terminal; it goes into the recording.
    Told(Told),
    /// End the program and start another one in its place, in the same session.
    Relaunch(Relaunch),
    /// End the program, and with it the session, unless the condition fails.
    End(End),
    /// Answer to [`FromHolder::WantScreen`]: redraws the screen as it was after this many bytes of output.
    Screen(u64, #[serde(with = "bytes")] Vec<u8>),
}

/// A program that takes the place of the one that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relaunch {
    /// Program and arguments.
    pub argv: Vec<Vec<u8>>,
    /// Working directory, absolute.
    pub dir: Vec<u8>,
    /// Variables to set besides those of the first start.
    pub env: BTreeMap<String, String>,
}

/// What was told of an agent outside its terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Where.
    pub from: From,
    /// JSON.
    #[serde(with = "bytes")]
    pub payload: Vec<u8>,
}

/// The end of a session that rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Comes back in [`FromHolder::Typed`].
    pub id: u64,
    /// Only if nothing happened since the asker looked.
    pub only_if: Unchanged,
}

/// Bytes to be written as if typed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Type {
    /// Comes back in [`FromHolder::Typed`].
    pub id: u64,
    /// What to write.
    #[serde(with = "bytes")]
    pub bytes: Vec<u8>,
    /// Only if nothing happened since the writer looked.
    pub only_if: Option<Unchanged>,
    /// It is a person's typing (a dashboard with the keyboard), not the queue's.
    pub person: bool,
}

/// What the writer had seen when it decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unchanged {
    /// Bytes of output.
    pub output: u64,
    /// Reads of a person's keys.
    pub keys: u64,
}

/// From the holder.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromHolder {
    /// The program runs.
    Started,
    /// It could not be started; the status a shell would give, and why.
    Failed(i32, String),
    /// The program was stopped by job control.
    Stopped,
    /// The recording lacks some of what was shown on the terminal that is given back next.
    Unrecorded,
    /// The program ended; all its output is on the terminal and in the recording.
    Exited(Exit),
    /// The terminal was let go, and why.
    Detached(String),
    /// What came of a [`Type`].
    Typed {
        /// Of the request.
        id: u64,
        /// Why nothing was written.
        refused: Option<String>,
        /// The counts after it.
        now: Unchanged,
    },
    /// Who this is.
    Info(Box<Info>),
    /// To the observer, with the reading end of the pipe that gets a byte whenever the recording has grown, and the
    /// listener for the agent's telemetry if there is one.
    Follow {
        /// The session.
        spec: Box<Spec>,
        /// The program's process.
        pid: i32,
        /// Number of this observer, from 1.
        epoch: u64,
        /// The observers before it crashed: extract nothing, report only the life of the session.
        quarantined: bool,
        /// What the agent shows with its telemetry.
        #[serde(default)]
        secret: Option<String>,
    },
    /// To the observer: send [`ToHolder::Screen`] as it is after at least this many bytes of output.
    WantScreen(u64),
}

/// A session, told by its holder.
#[derive(Debug, Serialize, Deserialize)]
pub struct Info {
    /// What it runs.
    pub spec: Spec,
    /// The program's process.
    pub pid: i32,
    /// The holder's process.
    pub holder: i32,
    /// The observer's process, while there is one.
    pub observer: Option<i32>,
    /// Whether a terminal is attached.
    pub attached: bool,
    /// The tmux pane of the attached terminal.
    pub pane: Option<String>,
    /// The socket of that pane's tmux server.
    #[serde(default)]
    pub tmux: Option<String>,
    /// Seconds since the start.
    pub age_s: u64,
    /// Bytes of output so far.
    pub output: u64,
}

/// A connection that speaks these messages.
pub struct Channel {
    stream: UnixStream,
    input: Vec<u8>,
    output: VecDeque<u8>,
    descriptors: VecDeque<OwnedFd>,
}

impl Channel {
    /// Takes over a connected stream; it no longer blocks.
    pub fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { stream, input: Vec::new(), output: VecDeque::new(), descriptors: VecDeque::new() })
    }

    /// The descriptor to poll.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// Queues a message and writes what the peer takes now.
    pub fn send(&mut self, message: &impl Serialize) -> io::Result<()> {
        self.output.extend(frame(message)?);
        self.flush()
    }

    /// Sends a message with descriptors beside it. Nothing may be queued before it.
    pub fn send_with(&mut self, message: &impl Serialize, descriptors: &[BorrowedFd]) -> io::Result<()> {
        let frame = frame(message)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(io::Error::other("too many descriptors for one message"));
        }
        let sent =
            rustix::net::sendmsg(&self.stream, &[IoSlice::new(&frame)], &mut beside, SendFlags::empty())?;
        self.output.extend(&frame[sent..]);
        self.flush()
    }

    /// Whether written bytes still wait for the peer.
    pub fn has_output(&self) -> bool {
        !self.output.is_empty()
    }

    /// Writes what the peer takes now.
    pub fn flush(&mut self) -> io::Result<()> {
        while !self.output.is_empty() {
            match rustix::io::write(&self.stream, self.output.as_slices().0) {
                Ok(n) => drop(self.output.drain(..n)),
                Err(rustix::io::Errno::AGAIN) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// Reads what has come, without waiting. `false` when the peer has closed.
    pub fn fill(&mut self) -> io::Result<bool> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        loop {
            let mut beside = RecvAncillaryBuffer::new(&mut space);
            let mut buffer = [0; 16 << 10];
            let got = rustix::net::recvmsg(
                &self.stream,
                &mut [IoSliceMut::new(&mut buffer)],
                &mut beside,
                RecvFlags::CMSG_CLOEXEC,
            );
            for message in beside.drain() {
                if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                    self.descriptors.extend(descriptors);
                }
            }
            match got {
                // A peer that ends without having read everything resets the connection; its last words are here.
                Ok(got) if got.bytes == 0 => return Ok(false),
                Err(rustix::io::Errno::CONNRESET) => return Ok(false),
                Ok(got) => self.input.extend_from_slice(&buffer[..got.bytes]),
                Err(rustix::io::Errno::AGAIN) => return Ok(true),
                Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// The next whole message that was read.
    #[expect(clippy::should_implement_trait, reason = "it is generic over the message")]
    pub fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        take(&mut self.input)
    }

    /// A descriptor that came beside a message, in order.
    pub fn descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptors.pop_front()
    }

    /// Gives descriptors back, to be taken again in the same order.
    pub fn put_back(&mut self, descriptors: [OwnedFd; DESCRIPTORS_MAX]) {
        for descriptor in descriptors.into_iter().rev() {
            self.descriptors.push_front(descriptor);
        }
    }

    /// Waits for the next message, at most `patience` (`None`: for ever). For processes that have nothing else to do.
    pub fn wait<T: DeserializeOwned>(&mut self, patience: Option<Duration>) -> io::Result<T> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let deadline = patience.map(|p| std::time::Instant::now() + p);
        loop {
            if let Some(message) = self.next()? {
                return Ok(message);
            }
            let left = deadline.map(|d| d.saturating_duration_since(std::time::Instant::now()));
            if left.is_some_and(|l| l.is_zero()) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let left = left.and_then(|l| Timespec::try_from(l).ok());
            match poll(&mut [PollFd::new(&self.stream, PollFlags::IN)], left.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
            if !self.fill()? && self.next_is_partial() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn next_is_partial(&self) -> bool {
        self.input.first_chunk::<4>().is_none_or(|l| self.input.len() < 4 + u32::from_le_bytes(*l) as usize)
    }
}

/// Takes the message at the front of what was read off the wire; `None` when it is not whole yet.
pub fn take<T: DeserializeOwned>(input: &mut Vec<u8>) -> io::Result<Option<T>> {
    let Some(length) = input.first_chunk::<4>() else { return Ok(None) };
    let length = u32::from_le_bytes(*length) as usize;
    if length > MESSAGE_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "message too long"));
    }
    let Some(body) = input.get(4..4 + length) else { return Ok(None) };
    let message = serde_json::from_slice(body);
    input.drain(..4 + length);
    Ok(Some(message.map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?))
}

/// A message as it goes over the wire.
pub fn frame(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, message)?;
    let length = frame.len() as u32 - 4;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    Ok(frame)
}

/// Bytes as base64 in JSON.
mod bytes {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_of_a_peer_arrive_though_it_did_not_listen_any_more() {
        let (a, b) = UnixStream::pair().unwrap();
        let (mut client, mut holder) = (Channel::new(a).unwrap(), Channel::new(b).unwrap());
        client.send(&ToHolder::Continue).unwrap();
        holder.send(&FromHolder::Exited(Exit::Signal { signal: 9 })).unwrap();
        drop(holder);
        assert!(!client.fill().unwrap());
        assert!(matches!(client.next(), Ok(Some(FromHolder::Exited(Exit::Signal { signal: 9 })))));
    }

    #[test]
    fn messages_and_descriptors_arrive_together_and_in_order() {
        let (a, b) = UnixStream::pair().unwrap();
        let (mut a, mut b) = (Channel::new(a).unwrap(), Channel::new(b).unwrap());
        let (reader, writer) = std::io::pipe().unwrap();
        let offer = Offer { size: Some((80, 24)), input_tty: true, own_keys: true, pane: None, tmux: None };
        a.send_with(&ToHolder::Attach(offer), &[reader.as_fd(), writer.as_fd()]).unwrap();
        a.send(&ToHolder::Reply(vec![0, 255])).unwrap();
        let first: ToHolder = b.wait(Some(Duration::from_secs(10))).unwrap();
        assert!(matches!(first, ToHolder::Attach(Offer { size: Some((80, 24)), .. })));
        let passed = b.descriptor().unwrap();
        assert!(b.descriptor().is_some() && b.descriptor().is_none());
        rustix::io::write(&writer, b"x").unwrap();
        assert_eq!(rustix::io::read(&passed, &mut [0; 8][..]), Ok(1));
        let second: ToHolder = b.wait(Some(Duration::from_secs(10))).unwrap();
        assert!(matches!(second, ToHolder::Reply(bytes) if bytes == [0, 255]));
    }

    #[test]
    fn nonsense_is_an_error_and_not_a_panic() {
        let (a, b) = UnixStream::pair().unwrap();
        let mut b = Channel::new(b).unwrap();
        rustix::io::write(&a, b"\xff\xff\xff\xffrest").unwrap();
        b.fill().unwrap();
        assert!(b.next::<ToHolder>().is_err());
    }
}
