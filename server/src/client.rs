//! `assigner stop`, `login`, `status`: asks the running server. Must not: start one.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use wire::http::{Done, ErrorBody, LoginLink, Status};
use wire::place::Place;
use wire::text::escape;

use crate::token::Token;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the end of the server is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// Whether the server that was asked to end has done so: it has cleaned up, or another serves already, as sessions start one
/// at once when theirs is gone.
fn is_over(place: &Place, asked: Option<i32>) -> bool {
    match place.serving() {
        Some(server) => asked.is_some_and(|asked| asked != server.pid),
        None => !place.server_socket().exists() && !place.server_file().exists(),
    }
}

/// Ends the server and waits until it is gone.
pub fn stop() -> anyhow::Result<()> {
    let place = Place::from_env()?;
    if UnixStream::connect(place.server_socket()).is_err() {
        println!("no server runs");
        return Ok(());
    }
    let asked = place.serving().map(|server| server.pid);
    let _: Done = ask(&place, "POST", "/v1/stop")?;
    let until = Instant::now() + PATIENCE;
    while !is_over(&place, asked) {
        if Instant::now() > until {
            bail!("the server was asked to end, but has not ended yet");
        }
        std::thread::sleep(LOOK);
    }
    println!("stopped");
    Ok(())
}

/// Prints a login link.
pub fn login() -> anyhow::Result<()> {
    let link: LoginLink = ask(&Place::from_env()?, "POST", "/v1/login-links")?;
    println!("{}", escape(&link.url));
    eprintln!("It logs one browser in, once, within {} seconds.", link.expires_s);
    Ok(())
}

/// Prints what the server has.
pub fn status(json: bool) -> anyhow::Result<()> {
    let status: Status = ask(&Place::from_env()?, "GET", "/v1/status")?;
    if json {
        println!("{}", serde_json::to_string(&status)?);
        return Ok(());
    }
    println!("assigner {} at {}", escape(&status.version), escape(&status.url));
    for (what, counts) in [("sessions", &status.sessions), ("prompts", &status.prompts)] {
        let counts: Vec<String> = counts.iter().map(|(word, n)| format!("{n} {}", escape(word))).collect();
        let counts = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
        println!("{what}: {counts}");
    }
    Ok(())
}

/// Where the dashboard of the running server is.
pub fn url_of(place: &Place) -> anyhow::Result<String> {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(file) = place.serving() {
            return Ok(format!("http://127.0.0.1:{}", file.port));
        }
        if Instant::now() > until {
            bail!("a server has the lock but does not listen; see {}/assigner.log", place.state.display());
        }
        std::thread::sleep(LOOK);
    }
}

fn ask<T: DeserializeOwned>(place: &Place, method: &str, path: &str) -> anyhow::Result<T> {
    let socket = place.server_socket();
    let mut stream = UnixStream::connect(&socket).with_context(|| {
        format!("no server answers at {}; start one with `assigner serve`", socket.display())
    })?;
    stream.set_read_timeout(Some(PATIENCE)).context("cannot use the socket")?;
    let token = Token::read_file(&place.cli_token())?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Length: 0\r\n\
         Connection: close\r\n\r\n",
        token.reveal()
    );
    stream.write_all(request.as_bytes()).context("the server hung up")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).context("the server did not answer")?;
    let answer = String::from_utf8(answer).context("the server's answer is not text")?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the server's answer is cut")?;
    if head.split(' ').nth(1).is_some_and(|status| status.starts_with('2')) {
        return serde_json::from_str(body).context("the server's answer cannot be read");
    }
    match serde_json::from_str::<ErrorBody>(body) {
        Ok(error) => bail!("{}; {}", escape(&error.message), escape(&error.hint)),
        Err(_) => bail!("the server said: {}", escape(head.lines().next().unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use wire::place::ServerFile;

    use super::*;

    #[test]
    fn a_server_has_ended_also_when_another_serves_already() {
        let home = tempfile::tempdir().unwrap();
        let place = Place::find(|name| (name == "MUSTER_HOME").then(|| home.path().into())).unwrap();
        place.create().unwrap();
        let serve = |pid: i32| {
            let file = ServerFile { pid, port: 1, version: String::new() };
            std::fs::write(place.server_file(), serde_json::to_vec(&file).unwrap()).unwrap();
        };
        serve(7);
        assert!(!is_over(&place, Some(7)));
        serve(8);
        assert!(is_over(&place, Some(7)));
        std::fs::write(place.server_socket(), "").unwrap();
        std::fs::remove_file(place.server_file()).unwrap();
        assert!(!is_over(&place, Some(7)), "it is cleaning up");
        std::fs::remove_file(place.server_socket()).unwrap();
        assert!(is_over(&place, Some(7)));
    }
}
