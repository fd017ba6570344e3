//! What stand-ins for services on loopback have in common: a request read whole, and an answer. Must not: know a service.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A request as a service saw it.
pub struct Taken {
    /// The request line and the headers.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
    stream: TcpStream,
}

impl Taken {
    /// Reads a request; one whose sender is killed in the middle was not heard.
    pub fn read(stream: TcpStream) -> std::io::Result<Self> {
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        });
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        Ok(Self { head, body, stream: reader.into_inner() })
    }

    /// Answers it, and ends the connection.
    pub fn answer(&mut self, status: u16, body: &str) -> std::io::Result<()> {
        let head = format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\n");
        let length = body.len();
        write!(self.stream, "{head}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
    }
}
