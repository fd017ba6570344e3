//! The HTTP interface: decodes, asks the control loop or the feed, encodes.
//!
//! Owns: the routes, who may call each, and the guard before all of them. Must not: decide about prompts or sessions.

mod access;
mod alerts;
mod approvals;
mod attempts;
mod audit;
mod connection;
pub mod error;
pub mod guard;
mod hosts;
mod login;
mod me;
pub mod openapi;
mod past;
mod peer;
mod policies;
mod pools;
mod prompts;
mod request_id;
mod routing;
mod sessions;
mod shell;
mod status;
mod templates;
mod tokens;
mod viewer;
mod wall;
mod wrapper;

pub use connection::{Via, accept_tcp, accept_unix, turned};
pub use shell::build;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::routing::{delete, get, post, put};
use axum::{Router, middleware};
use tokio::sync::{mpsc, watch};
use wire::place::Place;

use crate::auth::Auth;
use crate::feed::Terminals;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::store::Archive;
use wall::Wall;

/// What every request can reach.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// The inside of [`App`].
pub struct Inner {
    /// The control loop.
    pub hub: Hub,
    /// Who may do what.
    pub auth: Auth,
    /// The past, read beside the loop.
    pub archive: Archive,
    /// What Prometheus is told.
    pub metrics: Metrics,
    /// Watched terminals.
    pub terminals: Arc<Terminals>,
    /// Port of the dashboard.
    pub port: u16,
    /// Where what is kept is.
    pub place: Place,
    /// Limits on connections.
    pub wall: Wall,
    /// Turns true when the server ends.
    pub ending: watch::Receiver<bool>,
    /// Ends the server.
    pub end: mpsc::Sender<()>,
    /// Each task holds a clone: the server waits until all are gone.
    pub alive: mpsc::Sender<()>,
    connections: AtomicU64,
}

impl std::ops::Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Puts the parts together.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a part of its own, named once, where the server starts"
    )]
    pub fn new(
        hub: Hub,
        auth: Auth,
        archive: Archive,
        metrics: Metrics,
        terminals: Arc<Terminals>,
        port: u16,
        place: Place,
        ending: watch::Receiver<bool>,
        end: mpsc::Sender<()>,
        alive: mpsc::Sender<()>,
    ) -> Self {
        let connections = AtomicU64::new(1);
        let wall = Wall::default();
        Self(Arc::new(Inner {
            hub,
            auth,
            archive,
            metrics,
            terminals,
            port,
            place,
            wall,
            ending,
            end,
            alive,
            connections,
        }))
    }

    /// Where the dashboard is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A number for a connection of a wrapper or a viewer.
    fn number(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }
}

/// All routes, behind the guard. [`access::ROUTES`] says who may call each; a test compares.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/healthz", get(status::healthz))
        .route("/login", get(login::login))
        .route("/v1/login-links", post(login::make_link))
        .route("/v1/logout", post(login::logout))
        .route("/v1/me", get(me::show))
        .route("/metrics", get(status::metrics))
        .route("/v1/status", get(status::status))
        .route("/v1/stop", post(status::stop))
        .route("/v1/openapi.json", get(openapi::show))
        .route("/v1/me/progress", post(me::note))
        .route("/v1/me/questions", post(me::ask))
        .route("/v1/sessions", get(sessions::list))
        .route("/v1/sessions/{session}", get(sessions::show))
        .route("/v1/sessions/{session}/events", get(sessions::events))
        .route("/v1/sessions/{session}/states", get(sessions::states))
        .route("/v1/sessions/{session}/answer", post(sessions::answer))
        .route("/v1/sessions/{session}/contexts", get(sessions::contexts))
        .route("/v1/sessions/{session}/recording", get(sessions::recording))
        .route("/v1/prompts", get(prompts::list).post(prompts::create))
        .route("/v1/prompts/cancel", post(prompts::cancel_all))
        .route("/v1/prompts/retry", post(prompts::retry_all))
        .route("/v1/prompts/clear", post(prompts::clear))
        .route("/v1/prompts/seen", post(prompts::see))
        .route("/v1/prompts/{prompt}", get(prompts::show).patch(prompts::edit))
        .route("/v1/prompts/{prompt}/cancel", post(prompts::cancel))
        .route("/v1/prompts/{prompt}/retry", post(prompts::retry))
        .route("/v1/prompts/{prompt}/reassign", post(prompts::reassign))
        .route("/v1/plan", get(prompts::plan).post(prompts::foresee))
        .route("/v1/routing", post(routing::set))
        .route("/v1/sessions/{session}/routing", post(routing::set_session))
        .route("/v1/attempts", get(attempts::list))
        .route("/v1/attempts/{attempt}", get(attempts::show))
        .route("/v1/approvals", get(approvals::list))
        .route("/v1/approvals/{approval}", get(approvals::show))
        .route("/v1/approvals/{approval}/answer", post(approvals::answer))
        .route("/v1/policies", get(policies::show).put(policies::set))
        .route("/v1/policies/examples", get(policies::examples))
        .route("/v1/policies/test", post(policies::test))
        .route("/v1/purge", post(past::purge))
        .route("/v1/search", get(past::search))
        .route("/v1/events", get(past::events))
        .route("/v1/insight", get(past::insight))
        .route("/v1/audit", get(audit::list))
        .route("/v1/alerts", get(alerts::list))
        .route("/v1/sinks", get(alerts::sinks))
        .route("/v1/sinks/{sink}", put(alerts::keep).delete(alerts::forget))
        .route("/v1/sinks/{sink}/test", post(alerts::test))
        .route("/v1/hosts", get(hosts::list))
        .route("/v1/tokens", get(tokens::list).post(tokens::make))
        .route("/v1/tokens/{token}", delete(tokens::revoke))
        .route("/v1/pools", get(pools::list))
        .route("/v1/pools/{pool}", put(pools::keep).delete(pools::forget))
        .route("/v1/templates", get(templates::list))
        .route("/v1/templates/{template}", put(templates::keep).delete(templates::forget))
        .route("/v1/wrapper", get(wrapper::upgrade))
        .route("/v1/cli", get(viewer::upgrade))
        .route("/v1/feed", get(viewer::upgrade))
        .fallback(shell::serve)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(middleware::from_fn_with_state(app.clone(), guard::guard))
        .layer(middleware::from_fn(request_id::name))
        .with_state(app)
}
