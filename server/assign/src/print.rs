//! The one way to standard output. Must not: print what is not escaped, or complain about a closed pipe.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::failure::Failure;

/// Writes for people or for programs.
#[derive(Debug, Clone, Copy)]
pub struct Printer {
    /// For programs.
    pub json: bool,
}

impl Printer {
    /// For programs when `json`.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a person looks at a terminal.
    pub fn on_terminal(&self) -> bool {
        !self.json && io::stdout().is_terminal()
    }

    /// A line, or several.
    pub fn line(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).map_err(Failure::output)
    }

    /// Bytes as they are: made here, or escaped before.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(Failure::output)
    }

    /// One JSON object, on one line.
    pub fn object<T: Serialize>(&self, value: &T) -> Result<(), Failure> {
        let text = serde_json::to_string(value).map_err(|e| Failure::failed(e.to_string()))?;
        self.line(&text)
    }

    /// A JSON object for programs, text for people.
    pub fn object_or<T: Serialize>(&self, value: &T, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json { self.object(value) } else { self.line(&text()) }
    }

    /// One JSON object a line for programs, text for people.
    pub fn objects_or<T: Serialize>(
        &self,
        values: &[T],
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json { values.iter().try_for_each(|v| self.object(v)) } else { self.line(&text()) }
    }
}
