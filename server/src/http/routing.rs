//! Pause and resume over HTTP. Must not: know what follows from it.

use axum::body::Body;
use axum::extract::{Extension, Path, Request, State};
use axum::http::Response;
use wire::admin::Routing;

use super::App;
use super::error::{answer, read};
use crate::auth::Principal;
use crate::hub::{Ask, By};

/// For all sessions.
pub async fn set(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Response<Body> {
    pause(&app, None, principal.by(), request).await
}

/// For one, by name or id.
pub async fn set_session(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    request: Request,
) -> Response<Body> {
    pause(&app, Some(name), principal.by(), request).await
}

async fn pause(app: &App, session: Option<String>, by: By, request: Request) -> Response<Body> {
    answer(match read::<Routing>(request.into_body()).await {
        Ok(Routing { paused }) => app.hub.ask(|reply| Ask::Pause(session, paused, by, reply)).await,
        Err(fault) => Err(fault),
    })
}
