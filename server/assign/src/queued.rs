//! Prompts that are queued under a key: sent again they stay one prompt, and whoever comes later finds them.
//!
//! Must not: know who names the keys. Invariant: a key that is looked for ends in `/`, so that it begins no other key.

use hyper::Method;
use wire::prompt::{NewPrompt, Prompt};

use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::seek::{PAUSE, TRIES, patiently};

/// Queues a prompt, or finds the one that was queued under its key; a server that is gone at this moment is sought.
pub async fn post_once(client: &Client, prompt: &NewPrompt, key: &str) -> Result<Prompt, Failure> {
    let body = serde_json::to_string(prompt).map_err(|e| Failure::failed(e.to_string()))?;
    // Written out, as a tool's handler must be `Send` and a borrowed closure's future is not seen to be.
    for _ in 0..TRIES {
        match client.ask(Method::POST, "/v1/prompts", Some(body.clone()), Some(key)).await {
            Err(failure) if failure.passes() => tokio::time::sleep(PAUSE).await,
            answer => return answer,
        }
    }
    client.ask(Method::POST, "/v1/prompts", Some(body), Some(key)).await
}

/// A key for what is sent once, so that it stays one prompt when the answer is lost: unique enough for one server, as this
/// process and this moment are.
pub fn fresh_key() -> String {
    format!("assign-{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond())
}

/// The latest prompt whose key begins so, if there is one.
pub async fn find(client: &Client, key: &str) -> Result<Option<Prompt>, Failure> {
    let path = format!("/v1/prompts?limit=1&key={}", segment(key));
    let found: Vec<Prompt> = patiently(async || client.get(&path).await).await?;
    Ok(found.into_iter().next())
}
