//! The files of the dashboard's page, built into the server. Must not: hold anything secret: they are open.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use rust_embed::RustEmbed;
use sha2::{Digest, Sha256};
use wire::http::ErrorCode;

use crate::fault::Fault;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../web/dist"]
#[allow_missing = true]
struct Files;

const FALLBACK: &str = include_str!("fallback.html");
/// How long a file whose name holds its hash may be kept by a browser.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Hash of the page: a browser that has another is told to reload.
pub fn build() -> String {
    let page = Files::get("index.html").map_or_else(|| FALLBACK.as_bytes().to_vec(), |f| f.data.into_owned());
    wire::text::hex(&Sha256::digest(page)[..8])
}

/// Gives a file, or the page.
pub async fn serve(request: Request) -> Response<Body> {
    if *request.method() != Method::GET && *request.method() != Method::HEAD {
        return Fault::bad("this is a file", "GET it").into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    let name = if path.is_empty() { "index.html" } else { path };
    match Files::get(name) {
        Some(file) => give(name, file.data.into_owned()),
        None if name == "index.html" => give(name, FALLBACK.as_bytes().to_vec()),
        None => {
            Fault::new(ErrorCode::NotFound, "there is no such page", "the dashboard is at /").into_response()
        }
    }
}

fn give(name: &str, data: Vec<u8>) -> Response<Body> {
    let mut response = (StatusCode::OK, data).into_response();
    let cache = if name.starts_with("assets/") { FOR_EVER } else { "no-cache" };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
    response
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
