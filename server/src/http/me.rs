//! Who is asking. Must not: say what others may do.

use axum::body::Body;
use axum::extract::Extension;
use axum::http::Response;
use wire::admin::Me;

use super::error::answer;
use crate::auth::Principal;

/// The caller, as its credential says.
pub async fn show(Extension(principal): Extension<Principal>) -> Response<Body> {
    answer(Ok(Me { name: principal.name.to_string(), roles: principal.roles.to_vec() }))
}
