//! What agents ask, over HTTP. Must not: answer by itself.

use axum::body::Body;
use axum::extract::{Extension, Path, Request, State};
use axum::http::Response;
use schemars::JsonSchema;
use serde::Deserialize;
use wire::ApprovalId;
use wire::approval::ApprovalState;
use wire::http::Answer;

use super::App;
use super::error::{Params, answer as respond, numbered, read};
use super::sessions::within;
use crate::auth::Principal;
use crate::fault::Fault;
use crate::hub::{Ask, People};

/// Which of them, and how many.
#[derive(Deserialize, JsonSchema)]
pub struct Which {
    session: Option<String>,
    state: Option<ApprovalState>,
    before: Option<i64>,
    limit: Option<u32>,
}

/// The newest ones; `before` gives the next page.
pub async fn list(State(app): State<App>, Params(which): Params<Which>) -> Response<Body> {
    let Which { session, state, before, limit } = which;
    let (before, limit) = (before.map(ApprovalId), limit.unwrap_or(200));
    respond(app.hub.ask(|reply| Ask::People(People::Approvals(session, state, before, limit, reply))).await)
}

/// One of them.
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Response<Body> {
    respond(match parse(&id) {
        Ok(id) => app.hub.ask(|reply| Ask::People(People::Approval(id, reply))).await,
        Err(fault) => Err(fault),
    })
}

/// Answers one; the answer comes when the wrapper has done it.
pub async fn answer(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    Path(id): Path<String>,
    request: Request,
) -> Response<Body> {
    let by = principal.by();
    respond(match (parse(&id), read::<Answer>(request.into_body()).await) {
        (Ok(id), Ok(answer)) => {
            within(app.hub.ask(|reply| Ask::People(People::AnswerApproval(id, answer, by, reply)))).await
        }
        (Err(fault), _) | (_, Err(fault)) => Err(fault),
    })
}

fn parse(id: &str) -> Result<ApprovalId, Fault> {
    numbered(id, ApprovalId, "approval", "`assign approvals` lists them")
}
