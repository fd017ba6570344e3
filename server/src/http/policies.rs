//! The rules over requests, over HTTP. Must not: judge.

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::Response;
use wire::approval::PolicyText;

use super::App;
use super::error::{Params, answer, read};
use super::prompts::Limit;
use crate::auth::Principal;
use crate::fault::Fault;
use crate::hub::Ask;

/// The rules in force.
pub async fn show(State(app): State<App>) -> Response<Body> {
    answer(app.hub.ask(Ask::Policies).await)
}

/// Sets new ones.
pub async fn set(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Response<Body> {
    let by = principal.by();
    answer(match read::<PolicyText>(request.into_body()).await {
        Ok(PolicyText { text: Some(text) }) => app.hub.ask(|reply| Ask::SetPolicies(text, by, reply)).await,
        Ok(PolicyText { text: None }) => {
            Err(Fault::bad("the rules are missing", "send them as `text`; an empty text is no rules"))
        }
        Err(fault) => Err(fault),
    })
}

/// Tries rules on what was asked lately.
pub async fn test(State(app): State<App>, Params(which): Params<Limit>, request: Request) -> Response<Body> {
    let limit = which.limit.unwrap_or(200);
    answer(match read::<PolicyText>(request.into_body()).await {
        Ok(PolicyText { text }) => app.hub.ask(|reply| Ask::TestPolicies(text, limit, reply)).await,
        Err(fault) => Err(fault),
    })
}
