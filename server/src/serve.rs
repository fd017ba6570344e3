//! The life of the server: one per place, from the lock to the last task.
//!
//! Owns: the order of start and end. Must not: know a route or a prompt.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, Mode, flock};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use wire::HostId;
use wire::place::{Place, ServerFile};

use crate::auth::Auth;
use crate::cli::{LogFormat, Serve};
use crate::config::Config;
use crate::feed::Terminals;
use crate::http::{App, accept_tcp, accept_unix, build, router, turned};
use crate::hub::{Admin, Ask, Command, Hub, Settings, now};
use crate::metrics::Metrics;
use crate::store::{Archive, Scope, Store, StoredToken};
use crate::token::Token;

/// How long the tasks may take to end.
const GRACE: Duration = Duration::from_secs(5);
/// How often the control loop is told that time has passed.
const TICK: Duration = Duration::from_millis(500);

/// How often it is kept when tokens were last used: a crash may cost so much of that.
const USED: Duration = Duration::from_secs(10 * 60);
/// How often the server looks whether its place is still there.
const PLACE_LOOK: Duration = Duration::from_secs(5);

/// Serves until a signal or a request ends it.
pub fn serve(args: &Serve) -> anyhow::Result<()> {
    let umask = rustix::process::umask(Mode::from_raw_mode(0o077));
    if args.leave {
        rustix::process::setsid().context("cannot leave the terminal's session")?;
    }
    let place = Place::from_env()?;
    place.create()?;
    let Some(_lock) = lock(&place.state.join("assigner.lock"))? else {
        // In the background there is nobody to be told, and standard output is the log.
        if !args.leave {
            println!("already serving at {}", crate::client::url_of(&place)?);
        }
        return Ok(());
    };
    let config = Config::resolve(&args.said, &place)?;
    log(&args.log, config.log)?;
    let (store, tokens) = open(&place)?;
    let unix = listen_unix(&place.server_socket())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let served = runtime.block_on(run(&place, &config, store, tokens, unix, umask));
    runtime.shutdown_timeout(GRACE);
    // Both say "a server is here"; there is none now. They may be gone already.
    let _ = std::fs::remove_file(place.server_file());
    let _ = std::fs::remove_file(place.server_socket());
    served
}

async fn run(
    place: &Place,
    config: &Config,
    store: Store,
    tokens: Vec<StoredToken>,
    unix: UnixListener,
    umask: Mode,
) -> anyhow::Result<()> {
    let tcp = listen_tcp(&config.ports).await?;
    let port = tcp.local_addr().context("the dashboard's port is unknown")?.port();
    let unix = tokio::net::UnixListener::from_std(unix).context("cannot use the socket")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for signals")?;
    // With a handler, a file that may not grow is an error to be told instead of the end of the process.
    let _too_large = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))
        .context("cannot wait for signals")?;
    let terminals = Arc::new(Terminals::default());
    let metrics = Metrics::default();
    let install = store.install().context("cannot use the database")?;
    let last = store.last_written().context("cannot use the database")?;
    let settings = Settings {
        rules: config.rules.clone(),
        prefer: config.prefer.clone(),
        build: build(),
        host: own_host(place),
        limits: config.limits.clone(),
        metrics: metrics.clone(),
        install: install.clone(),
        traces: config.collector.is_some(),
    };
    let (hub, mut hub_ended) = Hub::start(store, settings, terminals.clone())?;
    let (ending, ends) = watch::channel(false);
    let (end, mut asked) = mpsc::channel(1);
    let (alive, mut gone) = mpsc::channel::<()>(1);
    let app = App::new(
        hub.clone(),
        Auth::new(tokens),
        Archive::new(place.database()),
        metrics,
        terminals,
        port,
        place.clone(),
        ends.clone(),
        end,
        alive.clone(),
    );
    let router = router(app.clone());
    tokio::spawn(accept_unix(unix, router.clone(), app.clone()));
    tokio::spawn(accept_tcp(tcp, router, app.clone()));
    tokio::spawn(crate::post::carry(hub.clone(), app.url(), ends.clone()));
    tokio::spawn(crate::telegram::listen(hub.clone(), ends.clone()));
    if let Some(collector) = config.collector.clone() {
        tokio::spawn(crate::trace::carry::carry(hub.clone(), collector, install, ends.clone()));
    }
    tokio::spawn(crate::starter::tend(hub.clone(), umask, ends.clone()));
    tokio::spawn(crate::keep::tend(app.clone(), config.keep.clone(), last, ends.clone()));
    tokio::spawn(keep_used(app.clone(), ends.clone()));
    tokio::spawn(tick(hub.clone(), ends));
    let file = ServerFile {
        pid: rustix::process::getpid().as_raw_nonzero().get(),
        port,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    write_atomically(&place.server_file(), &serde_json::to_vec(&file)?)?;
    tracing::info!(url = app.url(), pid = file.pid, "serving");
    drop(app);
    let broken = tokio::select! {
        _ = terminate.recv() => false,
        _ = interrupt.recv() => false,
        _ = asked.recv() => false,
        () = vanished(place.server_socket()) => false,
        _ = &mut hub_ended => true,
    };
    tracing::info!("ending");
    ending.send_replace(true);
    drop(alive);
    // Ends when the last task has dropped its share, or at the end of its time.
    let _ = tokio::time::timeout(GRACE, gone.recv()).await;
    if broken {
        bail!(
            "the control loop broke; the log says why. Nothing that was acknowledged is lost: start it again"
        );
    }
    let (done, stopped) = oneshot::channel();
    if hub.send(Command::Stop(done)).await.is_ok() {
        let _ = tokio::time::timeout(GRACE, async { _ = (stopped.await, hub_ended.await) }).await;
    }
    Ok(())
}

/// Who this machine is, as its wrappers say it.
fn own_host(place: &Place) -> Option<HostId> {
    let id = std::fs::read_to_string(place.state.join("host")).ok()?;
    Some(HostId(id.trim().to_owned()))
}

/// Ends when nobody can reach this server any more, because its folder was removed under it.
async fn vanished(socket: PathBuf) {
    let mut every = tokio::time::interval(PLACE_LOOK);
    while socket.exists() {
        every.tick().await;
    }
    tracing::warn!(socket = %socket.display(), "the server's own socket is gone");
}

async fn tick(hub: Hub, mut ending: watch::Receiver<bool>) {
    let mut every = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = turned(&mut ending) => return,
        }
        if hub.send(Command::Tick).await.is_err() {
            return;
        }
    }
}

/// Keeps when tokens were last used, now and then and at the end.
async fn keep_used(app: App, mut ending: watch::Receiver<bool>) {
    let mut every = tokio::time::interval(USED);
    let mut last = false;
    while !last {
        last = tokio::select! {
            _ = every.tick() => false,
            () = turned(&mut ending) => true,
        };
        let used = Admin::UsedTokens(app.auth.used());
        if app.hub.send(Command::Ask(Ask::Admin(used))).await.is_err() {
            return;
        }
    }
}

/// Takes the one lock of a place; `None`: another server has it.
fn lock(path: &Path) -> anyhow::Result<Option<File>> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
        .with_context(|| format!("cannot open the lock {}", path.display()))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(e) => Err(e).with_context(|| format!("cannot lock {}", path.display())),
    }
}

/// Opens the database and brings the token files and it together.
fn open(place: &Place) -> anyhow::Result<(Store, Vec<StoredToken>)> {
    let path = place.database();
    create_private(&path)?;
    let mut store = Store::open(&path).with_context(|| format!("cannot use {}", path.display()))?;
    let at = now();
    store.begin()?;
    let known = store.tokens(at)?;
    for (file, scope) in [(place.cli_token(), Scope::Admin), (place.wrapper_token(), Scope::Wrapper)] {
        let hash = Token::of_file(&file, scope)?.hash();
        if !known.iter().any(|t| t.hash == hash && t.scope == scope) {
            store.save_token(&StoredToken::own(hash, scope, at, None))?;
        }
    }
    let tokens = store.tokens(at)?;
    store.commit()?;
    Ok((store, tokens))
}

/// Makes the database's file private from its first moment, or checks the one that is there.
fn create_private(path: &Path) -> anyhow::Result<()> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path);
    match made {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            let meta = std::fs::symlink_metadata(path)?;
            let own = meta.uid() == rustix::process::geteuid().as_raw();
            if !meta.is_file() || !own || meta.mode() & 0o077 != 0 {
                bail!(
                    "refusing the database {}: it must be a file of yours that others cannot read (chmod 600)",
                    path.display()
                );
            }
            Ok(())
        }
        Err(e) => Err(e).with_context(|| format!("cannot make the database {}", path.display())),
    }
}

/// Listens for local programs. The lock is held, so a socket that is there belongs to no server.
fn listen_unix(path: &Path) -> anyhow::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            return Err(e).with_context(|| format!("cannot replace the old socket {}", path.display()));
        }
        Ok(()) | Err(_) => {}
    }
    // Private from its first moment: no other thread runs yet that this mask could surprise.
    rustix::process::umask(Mode::from_raw_mode(0o177));
    let listener = UnixListener::bind(path);
    rustix::process::umask(Mode::from_raw_mode(0o077));
    let listener = listener.with_context(|| format!("cannot listen on {}", path.display()))?;
    listener.set_nonblocking(true).context("cannot use the socket")?;
    Ok(listener)
}

/// Listens on loopback, on the first of the ports that is free. Never on another address.
async fn listen_tcp(ports: &[u16]) -> anyhow::Result<TcpListener> {
    let mut last = None;
    for port in ports {
        match TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, *port))).await {
            Ok(listener) => return Ok(listener),
            Err(e) => last = Some((port, e)),
        }
    }
    match last {
        Some((port, e)) => Err(e).with_context(|| {
            format!("cannot listen on 127.0.0.1:{port}; choose another with --port, or 0 for any free one")
        }),
        None => bail!("no port to listen on"),
    }
}

fn write_atomically(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let new = path.with_extension("new");
    // Left over from a server that was killed; the lock says that it is nobody's.
    let _ = std::fs::remove_file(&new);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(&new)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&new, path));
    written.with_context(|| format!("cannot write {}", path.display()))
}

fn log(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .with_context(|| format!("'{filter}' does not say what to log"))?;
    // A log that cannot be written must not end the server: its own errors would be printed with a panic.
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .log_internal_errors(false);
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).init(),
    }
    Ok(())
}
