//! Pools of sessions, over HTTP. Must not: start a session.

use axum::body::Body;
use axum::extract::{Extension, Path, Request, State};
use axum::http::Response;
use wire::pool::NewPool;

use super::App;
use super::error::{answer, read_named};
use crate::auth::Principal;
use crate::hub::{Ask, Pools};

/// All of them, as they are.
pub async fn list(State(app): State<App>) -> Response<Body> {
    answer(app.hub.ask(|reply| Ask::Pools(Pools::List(reply))).await)
}

/// Keeps one.
pub async fn keep(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    request: Request,
) -> Response<Body> {
    let by = principal.by();
    answer(match read_named("pool", &name, request.into_body(), |pool: &NewPool| &pool.name).await {
        Ok(pool) => app.hub.ask(|reply| Ask::Pools(Pools::Keep(Box::new(pool), by, reply))).await,
        Err(fault) => Err(fault),
    })
}

/// Forgets one; its sessions go on.
pub async fn forget(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
) -> Response<Body> {
    let by = principal.by();
    answer(app.hub.ask(|reply| Ask::Pools(Pools::Forget(name, by, reply))).await)
}
