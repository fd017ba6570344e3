//! The line that is typed: raw while it is read, as the shell left it at all other times. Must not: know what it means.

use std::io::{Read, Write, stdin, stdout};

use rustix::termios::{InputModes, LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// What was typed.
pub(super) enum Line {
    /// A line, without its end.
    Text(String),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D, or nobody is there any more.
    End,
}

/// The keyboard.
#[derive(Default)]
pub(super) struct Input {
    /// Between the marks of a paste: lines are not sent yet.
    pub pasting: bool,
}

/// The terminal's settings, put back when the line is read.
struct Raw(Termios);

impl Raw {
    fn set() -> std::io::Result<Self> {
        let before = tcgetattr(stdin())?;
        let mut raw = before.clone();
        raw.input_modes -= InputModes::ICRNL | InputModes::INLCR | InputModes::IGNCR | InputModes::IXON;
        raw.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        Ok(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}

impl Input {
    /// Reads a line; `goes_on` when it belongs to a message that was begun.
    pub(super) fn read(&mut self, goes_on: bool) -> std::io::Result<Line> {
        let _raw = Raw::set()?;
        print!("{}", if goes_on || self.pasting { "... " } else { ">>> " });
        let mut text = Vec::new();
        loop {
            if text.is_empty() && (!self.pasting || goes_on) {
                let ghost = if goes_on { "Press Enter to send" } else { "Send a message (/? for help)" };
                print!("\x1b[38;5;245m{ghost}\x1b[{}D\x1b[0m", ghost.len());
            }
            stdout().flush()?;
            let Some(key) = key()? else { return Ok(Line::End) };
            if text.is_empty() {
                print!("\x1b[K");
            }
            match key {
                0x1b => self.escape()?,
                0x03 => return Ok(Line::Interrupt),
                0x04 if text.is_empty() => return Ok(Line::End),
                b'\r' | b'\n' => {
                    println!();
                    return Ok(Line::Text(String::from_utf8_lossy(&text).into_owned()));
                }
                0x7f | 0x08 if !text.is_empty() => {
                    while text.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
                    print!("\x1b[1D \x1b[1D");
                }
                0x20.. => {
                    text.push(key);
                    stdout().write_all(&[key])?;
                }
                _ => {}
            }
        }
    }

    /// An escape sequence; only the marks of a paste mean something.
    fn escape(&mut self) -> std::io::Result<()> {
        let mut sequence = Vec::new();
        while let Some(key) = key()? {
            sequence.push(key);
            if sequence.len() > 1 && (0x40..=0x7e).contains(&key) {
                break;
            }
        }
        match sequence.as_slice() {
            b"[200~" => self.pasting = true,
            b"[201~" => self.pasting = false,
            _ => {}
        }
        Ok(())
    }
}

fn key() -> std::io::Result<Option<u8>> {
    let mut byte = [0];
    Ok((stdin().read(&mut byte)? == 1).then_some(byte[0]))
}
