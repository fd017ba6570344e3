//! Connections: accepted, bounded in number and time, ended at shutdown. Must not: read a request's meaning.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt;

use super::App;
use super::peer::Peer;

/// Connections at once on each listener; those beyond wait to be accepted.
const CONNECTIONS: usize = 12_000;
/// Connections of browsers at once.
const BROWSERS: usize = 512;
/// How long the head of a request may take to arrive.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Largest head of a request, in bytes.
const HEAD_MAX: usize = 64 << 10;
/// Pause after a failure to accept, for example when no descriptor is free.
const PAUSE: Duration = Duration::from_millis(100);

/// How a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// By the Unix socket: a local program of the same user.
    Unix,
    /// By TCP on loopback: a browser, or anything else.
    Tcp,
}

/// Serves local programs. Peers of another user are refused.
pub async fn accept_unix(listener: UnixListener, router: Router, app: App) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS));
    let mut ending = app.ending.clone();
    while let Some(seat) = seat(&seats, &mut ending).await {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = turned(&mut ending) => return,
        };
        match accepted {
            Ok((stream, _)) if is_own(&stream) => {
                let pid = stream.peer_cred().ok().and_then(|peer| peer.pid());
                // Now, while it waits: later it may be gone.
                let peer = Peer::of(pid, &app.place.sessions());
                spawn(stream, Via::Unix, peer, &router, &app, seat);
            }
            Ok(_) => tracing::warn!("a connection of another user was refused"),
            Err(error) => rest(&error).await,
        }
    }
}

/// Serves browsers.
pub async fn accept_tcp(listener: TcpListener, router: Router, app: App) {
    let seats = Arc::new(Semaphore::new(BROWSERS));
    let mut ending = app.ending.clone();
    while let Some(seat) = seat(&seats, &mut ending).await {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = turned(&mut ending) => return,
        };
        match accepted {
            Ok((stream, _)) => {
                // Keys and frames are small and must not wait for more; failing costs only time.
                let _ = stream.set_nodelay(true);
                spawn(stream, Via::Tcp, Peer::Outside, &router, &app, seat);
            }
            Err(error) => rest(&error).await,
        }
    }
}

async fn seat(seats: &Arc<Semaphore>, ending: &mut watch::Receiver<bool>) -> Option<OwnedSemaphorePermit> {
    tokio::select! {
        seat = seats.clone().acquire_owned() => seat.ok(),
        () = turned(ending) => None,
    }
}

/// Waits until a signal is true, or its sender is gone.
pub async fn turned(signal: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is an end as well.
    let _ = signal.wait_for(|on| *on).await;
}

async fn rest(error: &io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(PAUSE).await;
}

fn is_own(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == rustix::process::geteuid().as_raw())
}

fn spawn<S>(stream: S, via: Via, peer: Peer, router: &Router, app: &App, seat: OwnedSemaphorePermit)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = router.clone();
    let alive = app.alive.clone();
    let mut ending = app.ending.clone();
    tokio::spawn(async move {
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(via);
            request.extensions_mut().insert(peer.clone());
            router.clone().oneshot(request.map(Body::new))
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(HEAD_MAX)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        tokio::pin!(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = turned(&mut ending) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            tracing::debug!(%error, "a connection ended badly");
        }
        drop((seat, alive));
    });
}
