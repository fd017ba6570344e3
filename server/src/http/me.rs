//! Who is asking, and what an agent says of itself. Must not: say what others may do.

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::Response;
use wire::admin::{Me, Note, Question};

use super::App;
use super::error::{answer, read};
use crate::auth::Principal;
use crate::hub::{Ask, Own};

/// The caller, as its credential says.
pub async fn show(Extension(principal): Extension<Principal>) -> Response<Body> {
    answer(Ok(Me {
        name: principal.name.to_string(),
        roles: principal.roles.to_vec(),
        bounds: principal.bounds,
    }))
}

/// What an agent does, for the prompt that its session works on.
pub async fn note(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Response<Body> {
    let by = principal.by();
    answer(match read::<Note>(request.into_body()).await {
        Ok(note) => app.hub.ask(|reply| Ask::Own(Own::Note(note, by, reply))).await,
        Err(fault) => Err(fault),
    })
}

/// What an agent asks a person.
pub async fn ask(
    State(app): State<App>,
    Extension(principal): Extension<Principal>,
    request: Request,
) -> Response<Body> {
    let by = principal.by();
    answer(match read::<Question>(request.into_body()).await {
        Ok(question) => app.hub.ask(|reply| Ask::Own(Own::Ask(question, by, reply))).await,
        Err(fault) => Err(fault),
    })
}
