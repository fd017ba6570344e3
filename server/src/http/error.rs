//! Faults as answers. Must not: say more than the fault does.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wire::http::ErrorCode;

use crate::fault::Fault;

/// Largest body, in bytes: a prompt of the largest size, with every character escaped.
pub const BODY_MAX: usize = 6 * wire::PROMPT_MAX + (64 << 10);
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);

impl IntoResponse for Fault {
    fn into_response(self) -> Response<Body> {
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        json(status, &self.0)
    }
}

/// An answer with a JSON body.
pub fn json<T: Serialize>(status: StatusCode, value: &T) -> Response<Body> {
    match serde_json::to_vec(value) {
        Ok(body) => {
            let kind = HeaderValue::from_static("application/json");
            let mut response = (status, body).into_response();
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// What a handler gives.
pub fn answer<T: Serialize>(value: Result<T, Fault>) -> Response<Body> {
    match value {
        Ok(value) => json(StatusCode::OK, &value),
        Err(fault) => fault.into_response(),
    }
}

/// Reads a JSON body, within its size and its time.
pub async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Fault> {
    let collected = tokio::time::timeout(BODY_TIME, Limited::new(body, BODY_MAX).collect());
    let bytes = match collected.await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(e)) if e.is::<LengthLimitError>() => {
            return Err(Fault::new(
                ErrorCode::TooLarge,
                format!("the body is larger than {} KiB", BODY_MAX >> 10),
                "send less",
            ));
        }
        Ok(Err(_)) => return Err(Fault::bad("the body could not be read", "send it again")),
        Err(_) => return Err(Fault::bad("the body did not arrive in time", "send it again")),
    };
    parse(&bytes)
}

/// Reads the bytes of a JSON body.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    let unfit = |e: &dyn std::fmt::Display| {
        let hint = "see the route's description in /v1/openapi.json";
        Fault::bad(format!("the body is not what this route takes: {e}"), hint)
    };
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(unfit(&"it is not an object"));
    }
    // The error names the field.
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let error = match serde_path_to_error::deserialize(&mut json) {
        Ok(value) => return json.end().map(|()| value).map_err(|e| unfit(&e)),
        Err(error) => error,
    };
    let Ok(mut value) = serde_json::from_slice(bytes) else { return Err(unfit(&error)) };
    if !whole(&mut value) {
        return Err(unfit(&error));
    }
    serde_path_to_error::deserialize(value).map_err(|e| unfit(&e))
}

/// JSON knows one kind of number: a whole one may be written like `3.0`. True: one was.
fn whole(value: &mut Value) -> bool {
    match value {
        Value::Number(number) => {
            // Up to here a float holds every whole number; its reader may be off by the last digit.
            let near = |float: &f64| (float - float.round()).abs() <= float.abs() * f64::EPSILON;
            let exact = number.as_f64().filter(|float| near(float) && float.abs() < 9_007_199_254_740_992.0);
            let Some(float) = exact.filter(|_| number.is_f64()) else { return false };
            *number = serde_json::Number::from(float.round() as i64);
            true
        }
        Value::Array(items) => items.iter_mut().fold(false, |any, item| whole(item) | any),
        Value::Object(fields) => fields.values_mut().fold(false, |any, field| whole(field) | any),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// The number of a thing in a path, from 1; `what` it is and `which` command lists them.
pub fn numbered<T>(text: &str, id: impl FnOnce(i64) -> T, what: &str, which: &str) -> Result<T, Fault> {
    let number = text.parse().ok().filter(|number| *number > 0).map(id);
    let fault = || Fault::bad(format!("'{}' is no {what}'s number", wire::text::escape(text)), which);
    number.ok_or_else(fault)
}

/// A thing is called the same in its address and in its body.
fn same_name(what: &str, address: &str, body: &str) -> Result<(), Fault> {
    let fault =
        || Fault::bad(format!("the {what} is called otherwise in the address"), "use the same name in both");
    (address == body).then_some(()).ok_or_else(fault)
}

/// A body whose name is also in the address.
pub async fn read_named<T: DeserializeOwned>(
    what: &str,
    address: &str,
    body: axum::body::Body,
    name: impl FnOnce(&T) -> &str,
) -> Result<T, Fault> {
    let value = read::<T>(body).await?;
    same_name(what, address, name(&value))?;
    Ok(value)
}

/// The query of a URL; what cannot be read is told in our own form.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        let query = Query::<T>::try_from_uri(&parts.uri);
        let hint = "see the route's description in /v1/openapi.json";
        query.map(|Query(value)| Self(value)).map_err(|e| Fault::bad(format!("the query: {e}"), hint))
    }
}

/// A route that exists, called in another way.
pub async fn wrong_method() -> Fault {
    Fault::new(ErrorCode::WrongMethod, "this route is not called with this method", "see /v1/openapi.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_may_be_written_as_any_other() {
        let read = |text: &str| {
            let mut value: Value = serde_json::from_str(text).unwrap();
            whole(&mut value);
            value.to_string()
        };
        assert_eq!(read(r#"{"a":[3.0,-2.0,1870016024407735.0,0.0]}"#), r#"{"a":[3,-2,1870016024407735,0]}"#);
        assert_eq!(read("[0.5,3.25,1e300]"), "[0.5,3.25,1e+300]");
    }

    #[test]
    fn a_body_is_one_object_and_says_each_thing_once() {
        let priority = |text: &str| parse::<wire::http::Edit>(text.as_bytes()).map(|edit| edit.priority);
        assert_eq!(priority(r#" {"priority":3}"#).unwrap(), Some(3));
        assert_eq!(priority(r#"{"priority":3.0}"#).unwrap(), Some(3));
        for wrong in ["[null,3]", "3", "", r#"{"priority":3,"priority":4}"#, r#"{"priority":3.5}"#] {
            assert!(priority(wrong).is_err(), "{wrong}");
        }
    }
}
