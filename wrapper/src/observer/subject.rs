//! What an observer is to observe, as its holder tells it. Must not: observe.

use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::Context;
use tokio::net::unix::pipe;

use super::holder::Holder;
use crate::control::{Channel, FromHolder, Spec};

/// What there is to observe.
pub struct Subject {
    /// The session.
    pub spec: Spec,
    /// The program's process.
    pub pid: i32,
    /// Number of this observer.
    pub epoch: u64,
    /// The output is to be left alone.
    pub quarantined: bool,
    /// With the holder, and what tells that the recording has grown.
    pub conversation: Option<(Holder, pipe::Receiver)>,
    /// Where the agent tells its telemetry, and what it shows there.
    pub ear: Option<(TcpListener, String)>,
}

impl Subject {
    /// Hears it from the holder.
    pub fn hear() -> anyhow::Result<Self> {
        let stdin = rustix::stdio::stdin().try_clone_to_owned()?;
        let mut holder = Channel::new(UnixStream::from(stdin))?;
        let first = holder.wait(Some(Duration::from_secs(10))).context("the holder does not speak")?;
        let FromHolder::Follow { spec, pid, epoch, quarantined, secret } = first else {
            anyhow::bail!("the holder said {first:?} instead of what to follow");
        };
        let grown = holder.descriptor().context("the holder did not say when the recording grows")?;
        rustix::io::ioctl_fionbio(&grown, true)?;
        let grown = pipe::Receiver::from_owned_fd(grown)?;
        let ear = secret.and_then(|secret| Some((TcpListener::from(holder.descriptor()?), secret)));
        let conversation = Some((Holder::new(holder)?, grown));
        Ok(Self { spec: *spec, pid, epoch, quarantined, conversation, ear })
    }
}
