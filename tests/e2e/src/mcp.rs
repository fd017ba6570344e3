//! An agent's end of the Model Context Protocol, line by line. Must not: know a tool.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::Muster;

/// A running `assign mcp` and the pipes to it.
pub struct Mcp {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    next: i64,
    /// Notifications that came meanwhile.
    pub told: Vec<Value>,
}

impl Mcp {
    /// Starts it with a token, in a session if one is named by its id, and shakes hands.
    #[track_caller]
    pub fn start(muster: &Muster, token: &str, session: Option<&str>, arguments: &[&str]) -> Self {
        let mut mcp = Self::open(muster, token, session, arguments);
        let hello = json!({
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
        });
        let answer = mcp.ask("initialize", hello);
        assert_eq!(answer["result"]["serverInfo"]["name"], "muster", "{answer}");
        mcp.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string());
        mcp
    }

    /// Starts it and says nothing.
    pub fn open(muster: &Muster, token: &str, session: Option<&str>, arguments: &[&str]) -> Self {
        let mut command = muster.command("assign");
        command.arg("mcp").args(arguments).env("MUSTER_TOKEN", token).env_remove("MUSTER_SESSION");
        command.envs(session.map(|id| ("MUSTER_SESSION", id)));
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it can be started");
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().expect("its output is piped"));
        Self { child, to, from, next: 1, told: Vec::new() }
    }

    /// Sends a line as it is.
    pub fn say(&mut self, line: &str) {
        let to = self.to.as_mut().expect("the pipe is open");
        writeln!(to, "{line}").and_then(|()| to.flush()).expect("it reads");
    }

    /// Sends a request; its number.
    pub fn send(&mut self, method: &str, parameters: Value) -> i64 {
        let id = self.next;
        self.next += 1;
        let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters });
        self.say(&request.to_string());
        id
    }

    /// The answer to a request.
    #[track_caller]
    pub fn answer(&mut self, id: i64) -> Value {
        loop {
            let mut line = String::new();
            self.from.read_line(&mut line).expect("it writes UTF-8");
            assert!(!line.is_empty(), "it ended without an answer to {id}");
            let message: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
            if message["id"] == id {
                return message;
            }
            self.told.push(message);
        }
    }

    /// A request and its answer.
    #[track_caller]
    pub fn ask(&mut self, method: &str, parameters: Value) -> Value {
        let id = self.send(method, parameters);
        self.answer(id)
    }

    /// The names of the tools.
    #[track_caller]
    pub fn tools(&mut self) -> Vec<String> {
        let answer = self.ask("tools/list", json!({}));
        let tools = answer["result"]["tools"].as_array().expect("a list of tools");
        tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// Calls a tool: whether it went well, and what it says.
    #[track_caller]
    pub fn call(&mut self, tool: &str, arguments: Value) -> Result<String, String> {
        let id = self.begin(tool, arguments);
        self.end(id)
    }

    /// Calls a tool without waiting.
    pub fn begin(&mut self, tool: &str, arguments: Value) -> i64 {
        let meta = json!({ "progressToken": self.next });
        self.send("tools/call", json!({ "name": tool, "arguments": arguments, "_meta": meta }))
    }

    /// What came of such a call.
    #[track_caller]
    pub fn end(&mut self, id: i64) -> Result<String, String> {
        let answer = self.answer(id);
        let text = answer["result"]["content"][0]["text"].as_str().map(str::to_owned);
        let text = text.unwrap_or_else(|| panic!("no text: {answer}"));
        if answer["result"]["isError"] == true { Err(text) } else { Ok(text) }
    }

    /// Closes the pipe to it; its exit code.
    pub fn close(mut self) -> Option<i32> {
        drop(self.to.take());
        self.child.wait().expect("it was started").code()
    }
}

impl Drop for Mcp {
    fn drop(&mut self) {
        drop(self.to.take());
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
