//! How a server that is gone, or cannot just now, is sought again: the same for every command. Must not: print.

use std::time::Duration;

use crate::client::{Client, Feed};
use crate::failure::Failure;

/// Pause before the server is asked again.
pub const PAUSE: Duration = Duration::from_millis(500);
/// How often it is asked again by whoever wants one answer.
pub const TRIES: u32 = 20;
/// The first pause of whoever seeks it for as long as it takes, and the longest.
const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);

/// Asks again while the server cannot answer; only for what may be asked twice.
pub async fn patiently<T>(ask: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Failure> {
    for _ in 0..TRIES {
        match ask().await {
            Err(failure) if failure.passes() => tokio::time::sleep(PAUSE).await,
            answer => return answer,
        }
    }
    ask().await
}

/// Listens anew to a server that was gone; gives up when it does not come back.
pub async fn again(client: &Client) -> Result<Feed, Failure> {
    tokio::time::sleep(PAUSE).await;
    patiently(async || client.feed().await).await
}

/// Listens anew however long it takes. A server that refuses is not sought again.
pub async fn at_any_time(client: &Client) -> Result<Feed, Failure> {
    let mut pause = FIRST;
    loop {
        tokio::time::sleep(pause).await;
        match client.feed().await {
            Err(failure) if failure.passes() => pause = (pause * 2).min(LONGEST),
            answer => return answer,
        }
    }
}
