//! `assigner serve --detach`: starts the server in the background and waits until it listens.
//!
//! Must not: serve.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::ValueEnum;
use rustix::fs::OFlags;
use wire::place::Place;

use crate::cli::Serve;

/// How long the server may take to listen.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Starts the server, unless one runs; says where it is.
pub fn start(args: &Serve) -> anyhow::Result<()> {
    // The user's mask is left to the server, for what it starts; what is made here has modes of its own.
    let place = Place::from_env()?;
    place.create()?;
    if listens(&place).is_some() {
        println!("already serving at {}", crate::client::url_of(&place)?);
        return Ok(());
    }
    let log_path = place.state.join("assigner.log");
    let log = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(&log_path)
        .with_context(|| format!("cannot open the log {}", log_path.display()))?;
    let own = std::env::current_exe().context("cannot find the own program")?;
    let mut command = Command::new(own);
    command.args(["serve", "--leave", "--log", &args.log]);
    if let Some(format) = args.said.log_format.and_then(|format| format.to_possible_value()) {
        command.args(["--log-format", format.get_name()]);
    }
    if let Some(port) = args.said.port {
        command.args(["--port", &port.to_string()]);
    }
    if let Some(config) = &args.said.config {
        command.arg("--config").arg(config);
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("cannot share the log")?)
        .stderr(log)
        .current_dir(&place.state)
        .spawn()
        .context("cannot start the server")?;
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        let ended = child.try_wait().context("cannot wait for the server")?;
        if ended.is_some_and(|status| !status.success()) {
            bail!("the server could not start; {} says why", log_path.display());
        }
        // A child that ended well has found another server, which is as good. One that still starts must not be
        // left behind: it could take the place of the other later.
        let listening = listens(&place);
        if listening.is_some_and(|pid| ended.is_some() || pid == i64::from(child.id())) {
            println!("serving at {}", crate::client::url_of(&place)?);
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
    bail!("the server does not listen after {} s; see {}", PATIENCE.as_secs(), log_path.display())
}

/// The process of the server that listens, if one does.
fn listens(place: &Place) -> Option<i64> {
    UnixStream::connect(place.server_socket()).ok()?;
    place.serving().map(|server| i64::from(server.pid))
}
