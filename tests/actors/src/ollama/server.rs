//! Asks the server, in a thread of its own: one request, one connection. Must not: draw.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::Context;
use serde_json::{Value, json};

/// A part of an answer.
pub(super) enum Piece {
    /// Words.
    Words(String),
    /// The server refused, or cannot be reached.
    Error(String),
}

/// Asks what the model is; an error when there is no server.
pub(super) fn show(host: &str, model: &str) -> anyhow::Result<()> {
    request(host, "/api/show", &json!({"model": model})).map(drop)
}

/// Asks for an answer. The receiver ends with the answer; dropping it closes the connection.
pub(super) fn chat(host: &str, model: &str, prompt: &str) -> Receiver<Piece> {
    let (sender, receiver) = channel();
    let body = json!({"model": model, "messages": [{"role": "user", "content": prompt}], "stream": true});
    let host = host.to_owned();
    std::thread::spawn(move || {
        if let Err(error) = read(&host, &body, &sender) {
            let _ = sender.send(Piece::Error(format!("{error:#}")));
        }
    });
    receiver
}

fn request(host: &str, path: &str, body: &Value) -> anyhow::Result<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect(host).context("could not connect to ollama app, is it running?")?;
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}",
        body.len()
    );
    stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes())?;
    Ok(BufReader::new(stream))
}

fn read(host: &str, body: &Value, pieces: &Sender<Piece>) -> anyhow::Result<()> {
    let mut answer = request(host, "/api/chat", body)?;
    let mut status = String::new();
    answer.read_line(&mut status)?;
    let status = status.trim().split_once(' ').map_or("", |(_, status)| status).to_owned();
    let mut chunked = false;
    loop {
        let mut line = String::new();
        if answer.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        chunked |= line.to_ascii_lowercase().starts_with("transfer-encoding: chunked");
    }
    if !status.starts_with("200") {
        let mut body = String::new();
        answer.read_to_string(&mut body)?;
        let error: Value = serde_json::from_str(&body).unwrap_or_default();
        anyhow::bail!("{status}: {}", error["error"].as_str().unwrap_or(&body));
    }
    while let Some(line) = next(&mut answer, chunked)? {
        let Ok(row) = serde_json::from_str::<Value>(&line) else { continue };
        let words = row["message"]["content"].as_str().unwrap_or_default().to_owned();
        if row["done"] == json!(true) || pieces.send(Piece::Words(words)).is_err() {
            break;
        }
    }
    Ok(())
}

/// The next line of the body. The server sends each in a chunk of its own.
fn next(answer: &mut BufReader<TcpStream>, chunked: bool) -> anyhow::Result<Option<String>> {
    if !chunked {
        let mut line = String::new();
        return Ok((answer.read_line(&mut line)? > 0).then_some(line));
    }
    let mut size = String::new();
    if answer.read_line(&mut size)? == 0 {
        return Ok(None);
    }
    let size = usize::from_str_radix(size.trim(), 16).context("no size of a chunk")?;
    let mut chunk = vec![0; size + 2];
    answer.read_exact(&mut chunk)?;
    chunk.truncate(size);
    Ok((size > 0).then(|| String::from_utf8_lossy(&chunk).into_owned()))
}
