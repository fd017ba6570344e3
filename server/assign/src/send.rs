//! A prompt is sent. Must not: decide where it goes.

use std::io::{IsTerminal, Read};

use hyper::Method;
use wire::prompt::Prompt;

use crate::client::Client;
use crate::failure::Failure;
use crate::print::Printer;
use crate::queued;
use crate::sending::Send;
use crate::wait;

/// Sends it, and waits for its end if asked. Gives the exit code.
pub async fn send(client: &Client, print: &Printer, args: Send) -> Result<u8, Failure> {
    let text = text(&args)?;
    let wait = args.wait;
    let key = args.idempotency_key.clone().unwrap_or_else(queued::fresh_key);
    let new = args.prompt(text)?;
    let body = serde_json::to_string(&new).map_err(|e| Failure::failed(e.to_string()))?;
    // Listening begins before the prompt is there, so that nothing of it is missed.
    let feed = if wait { Some(client.feed().await?) } else { None };
    let prompt: Prompt = client.ask(Method::POST, "/v1/prompts", Some(body), Some(&key)).await?;
    match feed {
        Some(feed) => wait::wait(client, print, feed, prompt).await,
        None => {
            print.object_or(&prompt, || prompt.id.to_string())?;
            Ok(0)
        }
    }
}

/// The text that was given, from wherever it comes.
pub fn text(args: &Send) -> Result<String, Failure> {
    if let Some(path) = &args.file {
        return std::fs::read_to_string(path)
            .map_err(|e| Failure::Usage(format!("cannot read the prompt from {}: {e}", path.display())));
    }
    match args.text.as_deref() {
        Some("-") => stdin(),
        Some(text) => Ok(text.to_owned()),
        None if !std::io::stdin().is_terminal() => stdin(),
        None => Err(Failure::Usage("what is to be done? Give a prompt, or see `assign --help`".to_owned())),
    }
}

pub fn stdin() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let most = wire::PROMPT_MAX as u64 + 1;
    std::io::stdin()
        .lock()
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|e| Failure::Usage(format!("cannot read the prompt from standard input: {e}")))?;
    String::from_utf8(bytes).map_err(|_| Failure::Usage("standard input is not UTF-8 text".to_owned()))
}
