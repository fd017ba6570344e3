//! The rules over requests, over HTTP. Must not: judge.

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::Response;
use wire::approval::{PolicyExample, PolicyText, PolicyTrial};

use super::App;
use super::error::{Params, answer, read};
use super::prompts::Limit;
use crate::auth::Principal;
use crate::hub::{Ask, People};
use crate::policy;

/// The rules in force.
pub async fn show(State(app): State<App>) -> Response<Body> {
    answer(app.hub.ask(|reply| Ask::People(People::Policies(reply))).await)
}

/// Rules to begin with.
pub async fn examples() -> Response<Body> {
    let example =
        |(name, text): &(&str, &str)| PolicyExample { name: (*name).to_owned(), text: (*text).to_owned() };
    answer(Ok(policy::examples::examples().iter().map(example).collect::<Vec<_>>()))
}

/// Sets new ones.
pub async fn set(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Response<Body> {
    let by = principal.by();
    answer(match read::<PolicyText>(request.into_body()).await {
        Ok(PolicyText { text }) => {
            app.hub.ask(|reply| Ask::People(People::SetPolicies(text, by, reply))).await
        }
        Err(fault) => Err(fault),
    })
}

/// Tries rules on what was asked lately.
pub async fn test(State(app): State<App>, Params(which): Params<Limit>, request: Request) -> Response<Body> {
    let limit = which.limit.unwrap_or(200);
    answer(match read::<PolicyTrial>(request.into_body()).await {
        Ok(PolicyTrial { text }) => {
            app.hub.ask(|reply| Ask::People(People::TestPolicies(text, limit, reply))).await
        }
        Err(fault) => Err(fault),
    })
}
