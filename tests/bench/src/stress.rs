//! Many simulated wrappers before a real server, over loopback: how soon an event is on a viewer's socket, what sessions
//! and events cost, and how soon all are back when the server was killed. Must not: know what the server does inside.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::{SinkExt, StreamExt};
use tokio::net::UnixStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use wire::event::{Event, EventKind, Origin, Severity};
use wire::place::Place;
use wire::wrapper::{Hello, Numbered, Report, ToServer};
use wire::{HostId, SessionId};

use crate::crowd::{cpu, resident};
use crate::queue::{hello_of, now};
use crate::table::{Goal, Table};

/// How long all sessions together may take to come, or to come back.
const COME: Duration = Duration::from_secs(240);
/// What the first seconds show is not counted.
const WARM: Duration = Duration::from_secs(5);
/// How often leases are renewed.
const BEAT: Duration = Duration::from_secs(5);

/// How many of them, how many events all report in a second, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Stress {
    /// Sessions.
    pub sessions: usize,
    /// Events a second, of all.
    pub events: f64,
    /// How long.
    pub seconds: u64,
}

/// What the sessions share.
struct Shared {
    place: Place,
    began: Instant,
    sessions: usize,
    /// Connected now, ever, and events that were reported.
    up: AtomicUsize,
    welcomed: AtomicUsize,
    told: AtomicUsize,
    /// Whether events are reported.
    talks: AtomicBool,
    every: Duration,
}

/// Starts the server and the sessions, and measures.
pub fn measure(bin: &Path, stress: Stress, table: &mut Table) -> anyhow::Result<()> {
    let bin = bin.canonicalize()?;
    let home = tempfile::tempdir()?;
    let place = Place::find(|name| (name == "MUSTER_HOME").then(|| home.path().into()))?;
    let title = format!("server, {} sessions", stress.sessions);
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    if limit.is_some_and(|limit| (limit as usize) < stress.sessions + 200) {
        table.not_tried(&title, "`ulimit -n` is too low for so many connections");
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let shared = Arc::new(Shared {
        place,
        began: Instant::now(),
        sessions: stress.sessions,
        up: AtomicUsize::new(0),
        welcomed: AtomicUsize::new(0),
        told: AtomicUsize::new(0),
        talks: AtomicBool::new(false),
        every: Duration::from_secs_f64(stress.sessions as f64 / stress.events.max(0.001)),
    });
    let mut server = Server::start(&bin, home.path(), &shared.place)?;
    let done = run(&bin, home.path(), stress, &title, &shared, &runtime, &mut server, table);
    runtime.shutdown_timeout(Duration::from_secs(1));
    let _ = server.0.kill();
    let _ = server.0.wait();
    done
}

struct Server(Child);

impl Server {
    /// Starts one; returns when it takes connections.
    fn start(bin: &Path, home: &Path, place: &Place) -> anyhow::Result<Self> {
        let mut serve = Command::new(bin.join("assigner"));
        serve.arg("serve").env("MUSTER_HOME", home).env("MUSTER_PORT", "0");
        let server = Self(serve.stdin(Stdio::null()).stderr(Stdio::null()).spawn()?);
        let begun = Instant::now();
        while !place.wrapper_token().exists()
            || std::os::unix::net::UnixStream::connect(place.server_socket()).is_err()
        {
            anyhow::ensure!(begun.elapsed() < Duration::from_secs(60), "the server does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(server)
    }
}

#[allow(clippy::too_many_arguments, reason = "one run, told from its beginning to its end")]
fn run(
    bin: &Path,
    home: &Path,
    stress: Stress,
    title: &str,
    shared: &Arc<Shared>,
    runtime: &tokio::runtime::Runtime,
    server: &mut Server,
    table: &mut Table,
) -> anyhow::Result<()> {
    let pid = server.0.id();
    let empty = resident(pid)? as f64;
    let begun = Instant::now();
    for n in 0..stress.sessions {
        runtime.spawn(session(n, Arc::clone(shared)));
    }
    all_up(shared, stress.sessions)?;
    table.row(&format!("{title}: all connected"), begun.elapsed().as_secs_f64(), "s", Goal::None);
    std::thread::sleep(WARM);
    let each = (resident(pid)? as f64 - empty) / stress.sessions as f64;
    table.row(&format!("{title}: memory of each"), each, "KiB", Goal::None);
    let busy = cpu(pid)?;
    std::thread::sleep(Duration::from_secs(10));
    table.row(&format!("{title}, at rest: processor"), (cpu(pid)? - busy) * 10.0, "% of a core", Goal::None);

    let heard = Arc::new(Mutex::new(Vec::new()));
    let feed = runtime.block_on(dial(&shared.place, "cli", &shared.place.cli_token()))?;
    runtime.spawn(listen(feed, Arc::clone(&heard), shared.began));
    shared.talks.store(true, Ordering::Relaxed);
    std::thread::sleep(WARM);
    let take = || std::mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner));
    take();
    let (size, told, busy, begun) =
        (database(&shared.place), shared.told.load(Ordering::Relaxed), cpu(pid)?, Instant::now());
    std::thread::sleep(Duration::from_secs(stress.seconds));
    let mut took: Vec<f64> = take();
    let (told, wall) = (shared.told.load(Ordering::Relaxed) - told, begun.elapsed().as_secs_f64());
    let (grown, busy) = (database(&shared.place) - size, cpu(pid)? - busy);
    anyhow::ensure!(!took.is_empty(), "no event came to the viewer");
    took.sort_by(f64::total_cmp);
    let at = |part: f64| took[((took.len() - 1) as f64 * part).round() as usize];
    let title = format!("{title}, {:.0} events a second wanted, {} s", stress.events, stress.seconds);
    let wanted = Goal::AtLeast(stress.events * 0.99);
    table.row(&format!("{title}: reported"), told as f64 / wall, "a second", Goal::None);
    table.row(&format!("{title}: came to a viewer"), took.len() as f64 / wall, "a second", wanted);
    table.row(&format!("{title}: to a viewer's socket, p50"), at(0.5), "ms", Goal::None);
    table.row(&format!("{title}: to a viewer's socket, p99"), at(0.99), "ms", Goal::None);
    table.row(&format!("{title}: server's processor"), busy / wall * 100.0, "% of a core", Goal::None);
    table.row(&format!("{title}: server's memory"), resident(pid)? as f64 / 1024.0, "MiB", Goal::None);
    let million = grown / told as f64;
    table.row(&format!("{title}: database, per million events"), million, "MB", Goal::None);

    shared.talks.store(false, Ordering::Relaxed);
    server.0.kill()?;
    server.0.wait()?;
    let begun = Instant::now();
    while shared.up.load(Ordering::Relaxed) > 0 {
        anyhow::ensure!(begun.elapsed() < COME, "sessions do not see that the server is gone");
        std::thread::sleep(Duration::from_millis(5));
    }
    let begun = Instant::now();
    *server = Server::start(bin, home, &shared.place)?;
    let serves = begun.elapsed().as_secs_f64();
    all_up(shared, stress.sessions)?;
    let back = begun.elapsed().as_secs_f64();
    table.row(&format!("server killed, {} sessions: serves again", stress.sessions), serves, "s", Goal::None);
    table.row(&format!("server killed, {} sessions: all back", stress.sessions), back, "s", Goal::None);
    Ok(())
}

fn all_up(shared: &Shared, sessions: usize) -> anyhow::Result<()> {
    let begun = Instant::now();
    while shared.up.load(Ordering::Relaxed) < sessions {
        let up = shared.up.load(Ordering::Relaxed);
        anyhow::ensure!(begun.elapsed() < COME, "only {up} of {sessions} sessions came up");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// One simulated wrapper, which comes back whenever the server goes.
async fn session(n: usize, shared: Arc<Shared>) {
    let mut seq = 0;
    // They do not all begin in the same moment, and come back as real ones do: soon, each at its own time.
    let mut pause = Duration::from_millis((n % 1_000) as u64);
    loop {
        tokio::time::sleep(pause).await;
        pause = Duration::from_millis(250 + (n % 500) as u64);
        let Ok(socket) = dial(&shared.place, "wrapper", &shared.place.wrapper_token()).await else {
            continue;
        };
        let _ = talk(n, &shared, socket, &mut seq).await;
    }
}

async fn talk(
    n: usize,
    shared: &Shared,
    socket: WebSocketStream<UnixStream>,
    seq: &mut u64,
) -> anyhow::Result<()> {
    let (mut to, mut from) = socket.split();
    let mut hello = Hello {
        host: HostId(format!("h{}", n % 7)),
        host_name: format!("host-{}", n % 7),
        last_seq: *seq,
        ..hello_of(&SessionId(format!("stress-{n}")))
    };
    hello.now.context.dir = format!("/home/anna/project-{}", n % 20);
    to.send(text(&ToServer::Hello(hello))?).await?;
    from.next().await.context("no welcome")??;
    shared.welcomed.fetch_add(1, Ordering::Relaxed);
    shared.up.fetch_add(1, Ordering::Relaxed);
    let _up = Up(&shared.up);
    let phase = |whole: Duration| whole.mul_f64(n as f64 / shared.sessions as f64);
    let start = tokio::time::Instant::now();
    let mut events = tokio::time::interval_at(start + phase(shared.every), shared.every);
    let mut beats = tokio::time::interval_at(start + phase(BEAT), BEAT);
    loop {
        tokio::select! {
            message = from.next() => drop(message.context("the server hung up")??),
            _ = beats.tick() => to.send(text(&ToServer::Heartbeat { holds: None, resources: None })?).await?,
            _ = events.tick() => {
                if !shared.talks.load(Ordering::Relaxed) {
                    continue;
                }
                *seq += 1;
                let event = event(n, *seq, shared.began);
                let report = Numbered { seq: *seq, at: now(), report: Report::Event { event } };
                to.send(text(&ToServer::Reports { reports: vec![report] })?).await?;
                shared.told.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Counts a session as connected as long as it is there.
struct Up<'c>(&'c AtomicUsize);

impl Drop for Up<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn text(message: &ToServer) -> anyhow::Result<Message> {
    Ok(Message::text(serde_json::to_string(message)?))
}

/// Says in its text when it was made.
fn event(n: usize, seq: u64, began: Instant) -> Event {
    let micros = began.elapsed().as_micros();
    Event {
        at: now(),
        kind: EventKind::Command,
        severity: Severity::Info,
        origin: Origin::Agent,
        rule: "stress".to_owned(),
        text: format!("cargo test -p part-{} made-at={micros}; all is well", n % 50),
        fields: Default::default(),
        offset: seq,
        fingerprint: format!("{:016x}", n % 500),
    }
}

/// A viewer that notes how long each event was on its way.
async fn listen(mut feed: WebSocketStream<UnixStream>, heard: Arc<Mutex<Vec<f64>>>, began: Instant) {
    while let Some(Ok(message)) = feed.next().await {
        let Message::Text(said) = message else { continue };
        if !said.contains(r#""type":"event""#) {
            continue;
        }
        let made = said.split_once("made-at=").and_then(|(_, rest)| rest.split_once(';'));
        if let Some(made) = made.and_then(|(made, _)| made.parse::<f64>().ok()) {
            let took = began.elapsed().as_micros() as f64 - made;
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(took / 1e3);
        }
    }
}

async fn dial(place: &Place, what: &str, token: &Path) -> anyhow::Result<WebSocketStream<UnixStream>> {
    let token = std::fs::read_to_string(token)?;
    let mut request = format!("ws://localhost/v1/{what}").into_client_request()?;
    request.headers_mut().insert("authorization", format!("Bearer {}", token.trim()).parse()?);
    let stream = UnixStream::connect(place.server_socket()).await?;
    let config = WebSocketConfig::default().read_buffer_size(wire::READ_AT_ONCE);
    Ok(tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await?.0)
}

/// Bytes of the server's database, with what it has not moved into it yet.
fn database(place: &Place) -> f64 {
    let mut log = place.database().into_os_string();
    log.push("-wal");
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    (size(&place.database()) + size(Path::new(&log))) as f64
}
