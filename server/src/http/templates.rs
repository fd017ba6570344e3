//! Prompts to begin with, over HTTP. Must not: fill one in.

use axum::body::Body;
use axum::extract::{Extension, Path, Request, State};
use axum::http::Response;
use wire::admin::Template;

use super::App;
use super::error::{answer, read_named};
use crate::auth::Principal;
use crate::hub::{Admin, Ask};

/// All of them.
pub async fn list(State(app): State<App>) -> Response<Body> {
    answer(app.hub.ask(|reply| Ask::Admin(Admin::Templates(reply))).await)
}

/// Keeps one.
pub async fn keep(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
    request: Request,
) -> Response<Body> {
    let by = principal.by();
    let template = read_named("template", &name, request.into_body(), |template: &Template| &template.name);
    answer(match template.await {
        Ok(template) => {
            let template = Box::new(template);
            app.hub.ask(|reply| Ask::Admin(Admin::KeepTemplate(template, by, reply))).await
        }
        Err(fault) => Err(fault),
    })
}

/// Forgets one.
pub async fn forget(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Path(name): Path<String>,
) -> Response<Body> {
    let by = principal.by();
    answer(app.hub.ask(|reply| Ask::Admin(Admin::ForgetTemplate(name, by, reply))).await)
}
