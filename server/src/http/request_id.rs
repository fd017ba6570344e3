//! The name of each request: in its answer, and in every line of the log that it is the cause of. Must not: know routes.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response};
use axum::middleware::Next;
use tracing::Instrument;

/// Where it stands, in requests and answers.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest name that is taken over from who asks.
const LENGTH_MAX: usize = 64;

/// Names a request, and says what came of it: of one that changes something always, of a question when asked for more.
pub async fn name(request: Request, next: Next) -> Response<Body> {
    let id = given(request.headers()).unwrap_or_else(fresh);
    let Ok(header) = HeaderValue::from_str(&id) else { return next.run(request).await };
    let span = tracing::info_span!("request", request_id = id);
    let method = request.method().clone();
    // As the route is written: a path may hold what somebody typed.
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let begun = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    response.headers_mut().insert(X_REQUEST_ID, header);
    let _within = span.enter();
    let (status, ms) = (response.status().as_u16(), begun.elapsed().as_millis() as u64);
    let (route, reads) = (route.unwrap_or_default(), matches!(method, Method::GET | Method::HEAD));
    match (status, reads) {
        (500.., _) => tracing::warn!(method = method.as_str(), route, status, ms, "a request failed"),
        (_, true) => tracing::debug!(method = method.as_str(), route, status, ms, "answered"),
        (_, false) => tracing::info!(method = method.as_str(), route, status, ms, "answered"),
    }
    response
}

/// The name that it came with, if it is one.
fn given(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(X_REQUEST_ID)?.to_str().ok()?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    ((1..=LENGTH_MAX).contains(&id.len()) && id.bytes().all(plain)).then(|| id.to_owned())
}

/// One of its own. It only tells requests of one log apart.
fn fresh() -> String {
    let mut bytes = [0; 8];
    // Without chance, the clock tells them apart well enough.
    if getrandom::fill(&mut bytes).is_err() {
        bytes = crate::hub::now().0.to_be_bytes();
    }
    wire::text::hex(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_name_is_taken_over() {
        let of = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(X_REQUEST_ID, HeaderValue::from_str(id).unwrap());
            given(&headers)
        };
        assert_eq!(of("ci-42.a_b").as_deref(), Some("ci-42.a_b"));
        for wrong in ["", "a b", "a\"b", "a=b", &"x".repeat(65)] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        assert_ne!(fresh(), fresh());
    }
}
