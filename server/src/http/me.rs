//! Who is asking. Must not: say what others may do.

use axum::body::Body;
use axum::extract::Extension;
use axum::http::Response;
use wire::admin::{Me, Role};

use super::error::answer;
use crate::auth::Principal;

/// The caller. Whoever gets this far is this user, at the command line or in a browser that was logged in.
pub async fn show(Extension(principal): Extension<Principal>) -> Response<Body> {
    answer(Ok(Me { name: principal.by().as_str().to_owned(), roles: vec![Role::Admin] }))
}
