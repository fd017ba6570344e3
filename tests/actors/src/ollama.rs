//! A stand-in for `ollama run MODEL`, whose real program cannot be had from a package registry.
//!
//! Owns: what its public sources say of its terminal: prompt and grey placeholder, lines that go on, the spinner, the
//! streamed answer, what Ctrl-C, `/bye` and errors do. It asks the scripted model as the real one asks its server, so
//! the model's log tells what is true. Must not: be taken for a recording of the real program.

mod line;
mod server;

use std::io::{Write, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::Context;

use line::{Input, Line};
use server::Piece;

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/// How often the spinner turns.
const TURN: Duration = Duration::from_millis(100);
/// What ends and begins a message of several lines.
const QUOTES: &str = "\"\"\"";

/// Runs until `/bye`, Ctrl-D or an error of the server; the exit status.
pub fn run(model: &str) -> anyhow::Result<i32> {
    let host = std::env::var("OLLAMA_HOST").context("OLLAMA_HOST says where the scripted model is")?;
    let host = host.trim_start_matches("http://").to_owned();
    let interrupted = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&interrupted))?;
    let mut chat = Chat { host, model: model.to_owned(), interrupted };
    chat.load()?;
    print!("\x1b[?2004h");
    let status = chat.converse();
    print!("\x1b[?2004l");
    stdout().flush()?;
    status
}

struct Chat {
    host: String,
    model: String,
    interrupted: Arc<AtomicBool>,
}

impl Chat {
    /// Shows the spinner while the server makes the model ready.
    fn load(&self) -> anyhow::Result<()> {
        let ready = server::show(&self.host, &self.model);
        let mut spinner = Spinner::default();
        for _ in 0..8 {
            spinner.turn()?;
            std::thread::sleep(TURN);
        }
        spinner.clear()?;
        ready
    }

    fn converse(&mut self) -> anyhow::Result<i32> {
        let mut message = String::new();
        let (mut quoted, mut input) = (false, Input::default());
        loop {
            match input.read(quoted)? {
                Line::End => {
                    println!();
                    return Ok(0);
                }
                Line::Interrupt => {
                    println!("\nUse Ctrl + d or /bye to exit.");
                    (quoted, message) = (false, String::new());
                    continue;
                }
                Line::Text(text) if quoted => match text.strip_suffix(QUOTES) {
                    Some(last) => {
                        message.push_str(last);
                        quoted = false;
                    }
                    None => message += &(text + "\n"),
                },
                Line::Text(text) if text.starts_with(QUOTES) => {
                    let text = text.trim_start_matches(QUOTES);
                    quoted = !text.ends_with(QUOTES);
                    message.push_str(text.trim_end_matches(QUOTES));
                    if quoted {
                        message.push('\n');
                    }
                }
                Line::Text(text) if input.pasting => {
                    message += &(text + "\n");
                    continue;
                }
                Line::Text(text) if text.starts_with("/bye") || text.starts_with("/exit") => return Ok(0),
                Line::Text(text) if text.starts_with('/') => {
                    let command = text.split_whitespace().next().unwrap_or_default();
                    println!("Unknown command '{command}'. Type /? for help");
                    continue;
                }
                Line::Text(text) => message.push_str(&text),
            }
            if !message.is_empty() && !quoted {
                if let Some(error) = self.answer(&message)? {
                    eprintln!("Error: {error}");
                    return Ok(1);
                }
                message.clear();
            }
        }
    }

    /// Shows an answer; an error of the server's when there is one.
    fn answer(&self, prompt: &str) -> anyhow::Result<Option<String>> {
        self.interrupted.store(false, Ordering::Relaxed);
        let pieces: Receiver<Piece> = server::chat(&self.host, &self.model, prompt);
        let mut spinner = Some(Spinner::default());
        loop {
            if self.interrupted.load(Ordering::Relaxed) {
                match spinner.take() {
                    // Nothing was said yet: the spinner's row is the prompt's.
                    Some(spinner) => spinner.clear()?,
                    None => print!("\n\n"),
                }
                return Ok(None);
            }
            match pieces.recv_timeout(TURN) {
                Ok(Piece::Words(words)) => {
                    if let Some(spinner) = spinner.take() {
                        spinner.clear()?;
                    }
                    print!("{words}");
                    stdout().flush()?;
                }
                Ok(Piece::Error(error)) => {
                    if let Some(spinner) = spinner.take() {
                        spinner.clear()?;
                    }
                    return Ok(Some(error));
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(spinner) = &mut spinner {
                        spinner.turn()?;
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    print!("\n\n");
                    return Ok(None);
                }
            }
        }
    }
}

/// Stands where the answer will begin.
#[derive(Default)]
struct Spinner {
    turns: usize,
}

impl Spinner {
    fn turn(&mut self) -> std::io::Result<()> {
        let part = SPINNER[self.turns % SPINNER.len()];
        self.turns += 1;
        let mut to = std::io::stderr();
        write!(to, "\x1b[?2026h\x1b[?25l\x1b[1G{part} \x1b[K\x1b[?25h\x1b[?2026l")
    }

    fn clear(self) -> std::io::Result<()> {
        write!(std::io::stderr(), "\x1b[?25l\x1b[2K\x1b[1G\x1b[?25h")
    }
}
