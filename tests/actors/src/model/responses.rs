//! The OpenAI Responses interface, as far as an agent uses it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{Events, HungUp, Shares, Turn, argument_pieces, is_furniture, pause};
use crate::script::Tool;

pub(super) async fn responses(State(shared): Shares, Json(body): Json<Value>) -> Response {
    let (prompt, results) = last_prompt(&body);
    let asks_for_json = body["text"]["format"]["type"] == "json_schema";
    let no_tools = body["tools"].as_array().is_none_or(Vec::is_empty);
    let side = no_tools || asks_for_json || prompt.starts_with("Generate a concise");
    let turn = Turn::new(&shared, &prompt, results, side, None);
    if results > 0 {
        turn.log("result", &last_result(&body));
    }
    if let Some((status, message)) = turn.error() {
        let code = match status.as_u16() {
            400 => return Events::respond(|events| async move { context_exceeded(&events, &message).await }),
            401 => "invalid_api_key",
            429 => "rate_limit_exceeded",
            _ => "server_error",
        };
        let error = json!({"error": {"message": message, "type": code, "code": code, "param": null}});
        return (status, Json(error)).into_response();
    }
    Events::respond(|events| async move {
        let stream = Stream { events: &events, turn: &turn, body: &body, number: AtomicU64::new(0) };
        let sent = stream.run().await;
        if sent.is_err() {
            turn.log("closed", "");
        }
        sent
    })
}

/// A prompt that is too long is told within the stream, not by a status.
async fn context_exceeded(events: &Events, message: &str) -> Result<(), HungUp> {
    let created = json!({"type": "response.created", "response": {"id": "resp_0"}});
    events.send("response.created", &created).await?;
    let error = json!({"code": "context_length_exceeded", "message": message});
    let failed =
        json!({"type": "response.failed", "response": {"id": "resp_0", "status": "failed", "error": error}});
    events.send("response.failed", &failed).await
}

fn last_prompt(body: &Value) -> (String, usize) {
    let mut results = 0;
    if let Value::String(text) = &body["input"] {
        return (text.clone(), 0);
    }
    for item in body["input"].as_array().into_iter().flatten().rev() {
        let kind = item["type"].as_str().unwrap_or("message");
        if kind == "tool_search_output" {
            // Only of tools: the step is still to come.
        } else if kind.ends_with("_output") {
            results += 1;
        } else if kind == "message" && item["role"] == "user" {
            let text = match &item["content"] {
                Value::String(text) => text.clone(),
                Value::Array(parts) => {
                    parts.iter().filter_map(|p| p["text"].as_str()).collect::<Vec<_>>().join("\n")
                }
                _ => String::new(),
            };
            if !is_furniture(text.trim()) {
                return (text.trim().to_owned(), results);
            }
        }
    }
    (String::new(), results)
}

/// What the last tool gave, as the agent tells it.
fn last_result(body: &Value) -> String {
    let is_output = |item: &&Value| {
        item["type"].as_str().is_some_and(|kind| kind.ends_with("_output") && kind != "tool_search_output")
    };
    let last =
        body["input"].as_array().into_iter().flatten().rev().find(is_output).map(|item| &item["output"]);
    match last {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

struct Stream<'a> {
    events: &'a Events,
    turn: &'a Turn,
    body: &'a Value,
    number: AtomicU64,
}

impl Stream<'_> {
    async fn send(&self, name: &str, mut data: Value) -> Result<(), HungUp> {
        data["type"] = json!(name);
        data["sequence_number"] = json!(self.number.fetch_add(1, Ordering::Relaxed));
        self.events.send(name, &data).await
    }

    async fn run(&self) -> Result<(), HungUp> {
        let base = json!({
            "id": format!("resp_{}", self.turn.id), "object": "response", "created_at": 0,
            "status": "in_progress", "model": self.body["model"], "output": [],
        });
        self.send("response.created", json!({"response": base})).await?;
        self.turn.log("open", "");
        let step = self.turn.step();
        let mut output = Vec::new();
        if self.turn.side {
            output
                .push(self.words(0, [(r#"{"title": "Scripted task"}"#, Duration::ZERO)].into_iter()).await?);
        } else {
            pause(Duration::from_millis(step.wait_ms)).await;
            if !step.text.is_empty() {
                self.turn.log("words", "");
                output.push(self.words(0, step.pieces()).await?);
            }
            if let Some(tool) = &step.tool {
                output.push(self.tool(output.len(), tool).await?);
            }
        }
        let mut whole = base;
        whole["status"] = json!("completed");
        whole["output"] = json!(output);
        whole["usage"] = json!({
            "input_tokens": 1200, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 50,
            "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 1250,
        });
        self.send("response.completed", json!({"response": whole})).await?;
        match (&step.tool, self.turn.side) {
            (Some(_), false) => self.turn.log("tool", "call"),
            (None, _) | (_, true) => self.turn.log("answered", &step.text),
        }
        Ok(())
    }

    async fn words<'a>(
        &self,
        index: usize,
        pieces: impl Iterator<Item = (&'a str, Duration)>,
    ) -> Result<Value, HungUp> {
        let id = format!("msg_{}", self.turn.id);
        let started =
            json!({"id": id, "type": "message", "status": "in_progress", "role": "assistant", "content": []});
        self.send("response.output_item.added", json!({"output_index": index, "item": started})).await?;
        let part = json!({"type": "output_text", "text": "", "annotations": []});
        let place = json!({"item_id": id, "output_index": index, "content_index": 0});
        let with = |name: &str, value: Value| {
            let mut data = place.clone();
            data[name] = value;
            data
        };
        self.send("response.content_part.added", with("part", part)).await?;
        let mut text = String::new();
        for (piece, length) in pieces {
            text.push_str(piece);
            self.send("response.output_text.delta", with("delta", json!(piece))).await?;
            pause(length).await;
        }
        self.send("response.output_text.done", with("text", json!(text))).await?;
        let content = json!([{"type": "output_text", "text": text, "annotations": []}]);
        let item = json!({"id": id, "type": "message", "status": "completed", "role": "assistant", "content": content});
        self.send("response.output_item.done", json!({"output_index": index, "item": item})).await?;
        Ok(item)
    }

    async fn tool(&self, index: usize, tool: &Tool) -> Result<Value, HungUp> {
        if let Some(query) = self.sought(tool) {
            return self.search(index, &query).await;
        }
        let call = self.call(tool);
        let custom = matches!(call, Call::Custom { .. });
        let (kind, name, field, value) = match &call {
            Call::Function { name, arguments } => {
                ("function_call", *name, "arguments", arguments.to_string())
            }
            Call::Mcp { name, arguments, .. } => {
                ("function_call", name.as_str(), "arguments", arguments.to_string())
            }
            Call::Custom { name, input } => ("custom_tool_call", *name, "input", input.clone()),
        };
        let id = format!("fc_{}", self.turn.id);
        let mut item = json!({
            "id": id, "type": kind, "name": name, "status": "in_progress",
            "call_id": format!("call_{}", self.turn.id),
        });
        item[field] = json!("");
        if let Call::Mcp { namespace: Some(namespace), .. } = &call {
            item["namespace"] = json!(namespace);
        }
        self.send("response.output_item.added", json!({"output_index": index, "item": item})).await?;
        let delta = if custom {
            "response.custom_tool_call_input.delta"
        } else {
            "response.function_call_arguments.delta"
        };
        for piece in argument_pieces(&value) {
            self.send(delta, json!({"item_id": id, "output_index": index, "delta": piece})).await?;
        }
        item[field] = json!(value);
        item["status"] = json!("completed");
        self.send("response.output_item.done", json!({"output_index": index, "item": item})).await?;
        Ok(item)
    }

    /// What has to be searched for before the tool is offered.
    fn sought(&self, tool: &Tool) -> Option<String> {
        let Tool::Mcp { server, tool, .. } = tool else { return None };
        let searches = self.body["tools"].as_array()?.iter().any(|offer| offer["type"] == "tool_search");
        (searches && self.space(server).is_none()).then(|| format!("{server} {tool}"))
    }

    async fn search(&self, index: usize, query: &str) -> Result<Value, HungUp> {
        let item = json!({
            "type": "tool_search_call", "id": format!("ts_{}", self.turn.id), "status": "completed",
            "call_id": format!("call_{}", self.turn.id), "execution": "client", "arguments": {"query": query},
        });
        for event in ["response.output_item.added", "response.output_item.done"] {
            self.send(event, json!({"output_index": index, "item": item})).await?;
        }
        Ok(item)
    }

    /// The name under which an MCP server's tools are offered together, at once or after a search.
    fn space(&self, server: &str) -> Option<String> {
        let found = self.body["input"].as_array().into_iter().flatten().map(|item| &item["tools"]);
        let all = std::iter::once(&self.body["tools"]).chain(found).filter_map(Value::as_array).flatten();
        let mut names =
            all.filter(|tool| tool["type"] == "namespace").filter_map(|tool| tool["name"].as_str());
        names.find(|name| name.contains(server)).map(str::to_owned)
    }

    /// The tool in the words of the tools that the agent offered.
    fn call(&self, tool: &Tool) -> Call {
        let offered = |name: &str| {
            let tools = self.body["tools"].as_array().into_iter().flatten();
            tools
                .into_iter()
                .find(|t| t["name"] == name)
                .map(|t| t["type"].as_str().unwrap_or("function").to_owned())
        };
        match tool {
            Tool::Plan { plan } => Call::Function {
                name: "update_plan",
                arguments: json!({"plan": [{"step": plan, "status": "pending"}]}),
            },
            Tool::Write { path, content } => {
                let lines: String = content.lines().map(|l| format!("+{l}\n")).collect();
                let patch = format!("*** Begin Patch\n*** Add File: {path}\n{lines}*** End Patch");
                apply(patch, offered("apply_patch").as_deref(), offered("exec_command").is_some())
            }
            Tool::Shell { command, about, .. } => {
                shell(offered("exec_command").is_some(), command, Some(about))
            }
            Tool::Read { path } => shell(offered("exec_command").is_some(), &format!("cat {path}"), None),
            Tool::Edit { path, old, new } => {
                let patch = patch(path, old, new);
                apply(patch, offered("apply_patch").as_deref(), offered("exec_command").is_some())
            }
            Tool::Ask { question, options } => {
                let options: Vec<_> = options.iter().map(|o| json!({"label": o, "description": o})).collect();
                let question =
                    json!({"id": "q1", "header": "Choice", "question": question, "options": options});
                Call::Function { name: "request_user_input", arguments: json!({"questions": [question]}) }
            }
            Tool::Mcp { server, tool, arguments } => {
                let namespace = self.space(server);
                let name = if namespace.is_some() { tool.clone() } else { format!("mcp__{server}__{tool}") };
                Call::Mcp { namespace, name, arguments: Value::Object(arguments.clone()) }
            }
        }
    }
}

enum Call {
    /// A tool of an MCP server.
    Mcp {
        namespace: Option<String>,
        name: String,
        arguments: Value,
    },
    Function {
        name: &'static str,
        arguments: Value,
    },
    Custom {
        name: &'static str,
        input: String,
    },
}

/// A command; with a reason it asks to leave the sandbox, which needs the user's permission.
fn shell(exec: bool, command: &str, reason: Option<&str>) -> Call {
    if !exec {
        return Call::Function { name: "shell_command", arguments: json!({"command": command}) };
    }
    let mut arguments = json!({"cmd": command});
    if let Some(reason) = reason {
        arguments["sandbox_permissions"] = json!("require_escalated");
        arguments["justification"] = json!(reason);
    }
    Call::Function { name: "exec_command", arguments }
}

/// A patch, by the tool for it in the form that is offered, else by its command.
fn apply(patch: String, offered: Option<&str>, exec: bool) -> Call {
    match offered {
        Some("custom") => Call::Custom { name: "apply_patch", input: patch },
        Some(_) => Call::Function { name: "apply_patch", arguments: json!({"input": patch}) },
        None => shell(exec, &format!("apply_patch <<'EOF'\n{patch}\nEOF\n"), None),
    }
}

fn patch(path: &str, old: &str, new: &str) -> String {
    let lines = |sign: char, text: &str| text.lines().map(|l| format!("{sign}{l}\n")).collect::<String>();
    format!(
        "*** Begin Patch\n*** Update File: {path}\n@@\n{}{}*** End Patch",
        lines('-', old),
        lines('+', new)
    )
}
