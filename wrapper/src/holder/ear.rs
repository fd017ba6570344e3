//! The port on loopback at which the agent tells its telemetry: opened before the agent starts, and lent to each observer,
//! so that one that is started anew hears on. Must not: hear.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

use patterns::TelemetryRecipe;

use crate::log;

/// Bytes of the secret.
const SECRET: usize = 32;

/// A port and what the agent shows there.
pub struct Ear {
    /// Where it listens.
    pub listener: TcpListener,
    /// What the agent shows. It is good for nothing but to tell this session's figures.
    pub secret: String,
}

impl Ear {
    /// Opens a port.
    fn open() -> io::Result<Self> {
        let mut secret = [0; SECRET];
        getrandom::fill(&mut secret).map_err(io::Error::other)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, secret: wire::text::hex(&secret) })
    }

    /// Opens a port if these variables are to tell of one, and gives their values. A session without figures is better than
    /// none: what fails leaves them out.
    pub fn for_agent(wanted: &BTreeMap<String, String>) -> (Option<Self>, Vec<(String, OsString)>) {
        if wanted.is_empty() {
            return (None, Vec::new());
        }
        let opened = Self::open().and_then(|ear| Ok((ear.listener.local_addr()?.port(), ear)));
        match opened {
            Ok((port, ear)) => {
                let env = TelemetryRecipe::filled(wanted, port, &ear.secret).into_iter();
                (Some(ear), env.map(|(name, value)| (name, value.into())).collect())
            }
            Err(fault) => {
                log::line(format_args!("no port for the agent's telemetry: {fault}"));
                (None, Vec::new())
            }
        }
    }
}
