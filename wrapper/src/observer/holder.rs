//! The observer's end of the conversation with its holder. Must not: act on a message.

use std::io;
use std::os::unix::net::UnixStream;

use tokio::io::Interest;

use crate::control::Channel;

/// The conversation with the holder, and what tells that it has said something.
pub struct Holder {
    /// Messages.
    pub channel: Channel,
    /// Ready when there is something to read.
    pub ready: tokio::net::UnixStream,
}

impl Holder {
    /// Takes the conversation over.
    pub fn new(channel: Channel) -> io::Result<Self> {
        let copy = UnixStream::from(channel.as_fd().try_clone_to_owned()?);
        Ok(Self { ready: tokio::net::UnixStream::from_std(copy)?, channel })
    }

    /// Reads what has come. `false` when the holder is gone.
    pub fn fill(&mut self) -> bool {
        let channel = &mut self.channel;
        let mut open = true;
        // "Would block" is how the readiness is cleared; the channel reads until it is true.
        let _ = self.ready.try_io(Interest::READABLE, || {
            open = channel.flush().and_then(|()| channel.fill()).unwrap_or(false);
            Err::<(), _>(io::ErrorKind::WouldBlock.into())
        });
        open
    }
}
