//! A prompt is sent. Must not: decide where it goes.

use std::io::{IsTerminal, Read};
use std::path::{Component, Path, PathBuf};

use hyper::Method;
use wire::prompt::{NewPrompt, Prompt};

use crate::cli::Send;
use crate::client::Client;
use crate::failure::Failure;
use crate::print::Printer;
use crate::wait;

/// Sends it, and waits for its end if asked. Gives the exit code.
pub async fn send(client: &Client, print: &Printer, args: Send) -> Result<u8, Failure> {
    let text = text(&args)?;
    let new = NewPrompt {
        target: args.target,
        priority: args.priority.unwrap_or_else(wire::prompt::default_priority),
        dir: args.dir.as_deref().map(absolute).transpose()?,
        branch: args.branch,
        agent: args.agent,
        timeout_ms: args.timeout,
        attempts: args.attempts,
        command: args.command,
        ..NewPrompt::new(text)
    };
    let body = serde_json::to_string(&new).map_err(|e| Failure::failed(e.to_string()))?;
    // Listening begins before the prompt is there, so that nothing of it is missed.
    let feed = if args.wait { Some(client.feed().await?) } else { None };
    let key = args.idempotency_key.as_deref();
    let prompt: Prompt = client.ask(Method::POST, "/v1/prompts", Some(body), key).await?;
    match feed {
        Some(feed) => wait::wait(client, print, feed, prompt).await,
        None => {
            print.object_or(&prompt, || prompt.id.to_string())?;
            Ok(0)
        }
    }
}

fn text(args: &Send) -> Result<String, Failure> {
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

fn stdin() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let most = wire::PROMPT_MAX as u64 + 1;
    std::io::stdin()
        .lock()
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|e| Failure::Usage(format!("cannot read the prompt from standard input: {e}")))?;
    String::from_utf8(bytes).map_err(|_| Failure::Usage("standard input is not UTF-8 text".to_owned()))
}

/// A directory as sessions report theirs: absolute and without symbolic links, as far as it exists here.
fn absolute(dir: &Path) -> Result<String, Failure> {
    let bad = |e| Failure::Usage(format!("cannot use the directory {}: {e}", dir.display()));
    let path = match std::fs::canonicalize(dir) {
        Ok(path) => path,
        Err(_) => plain(&std::path::absolute(dir).map_err(bad)?),
    };
    path.into_os_string()
        .into_string()
        .map_err(|_| Failure::Usage(format!("the directory {} is not UTF-8", dir.display())))
}

fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_becomes_absolute_and_plain() {
        assert_eq!(absolute(Path::new("/nowhere/at/../all/.")).unwrap(), "/nowhere/all");
        assert!(absolute(Path::new(".")).unwrap().starts_with('/'));
    }
}
