//! The Anthropic Messages interface, as far as an agent uses it.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{Events, HungUp, Shares, Turn, argument_pieces, is_furniture, pause, without_reminders};
use crate::script::Tool;

pub(super) async fn messages(State(shared): Shares, Json(body): Json<Value>) -> Response {
    let (prompt, results) = last_prompt(&body);
    let has_tools = body["tools"].as_array().is_some_and(|tools| tools.iter().any(|t| t["name"] == "Bash"));
    let side = !has_tools || prompt.starts_with("[SUGGESTION MODE");
    let directory = directory(&body);
    let turn = Turn::new(&shared, &prompt, results, side, directory.as_deref());
    if results > 0 {
        turn.log("result", &last_result(&body));
    }
    if let Some((status, message)) = turn.error() {
        let kind = match status.as_u16() {
            400 => "invalid_request_error",
            401 => "authentication_error",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            _ => "api_error",
        };
        let error = json!({"type": "error", "error": {"type": kind, "message": message}});
        return (status, Json(error)).into_response();
    }
    if body["stream"] != json!(true) {
        let text = if side { "ok" } else { &turn.step().text };
        return Json(message(&turn, &body, json!([{"type": "text", "text": text}]), json!("end_turn")))
            .into_response();
    }
    Events::respond(|events| async move {
        let sent = stream(&events, &turn, &body).await;
        if sent.is_err() {
            turn.log("closed", "");
        }
        sent
    })
}

/// The last words of the user, and how many results of tools came after them. An agent may put results and words
/// into one message.
fn last_prompt(body: &Value) -> (String, usize) {
    let mut results = 0;
    for message in body["messages"].as_array().into_iter().flatten().rev().filter(|m| m["role"] == "user") {
        let parts = match &message["content"] {
            Value::Array(parts) => parts.clone(),
            text => vec![json!({"type": "text", "text": text})],
        };
        for part in parts.iter().rev() {
            let text = without_reminders(part["text"].as_str().unwrap_or_default());
            if part["type"] == "tool_result" {
                results += 1;
            } else if !is_furniture(&text) {
                return (text, results);
            }
        }
    }
    (String::new(), results)
}

/// What the last tool gave, as the agent tells it.
fn last_result(body: &Value) -> String {
    let messages = body["messages"].as_array().into_iter().flatten().rev();
    let parts = messages.flat_map(|message| message["content"].as_array().into_iter().flatten().rev());
    let last = parts.into_iter().find(|part| part["type"] == "tool_result").map(|part| &part["content"]);
    match last {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        Some(_) | None => String::new(),
    }
}

/// Where the agent says that it works.
fn directory(body: &Value) -> Option<String> {
    let text = body.to_string();
    let (_, after) = text.split_once("orking directory: ")?;
    Some(after.split(['\\', '"', '\n']).next()?.trim().to_owned())
}

fn message(turn: &Turn, body: &Value, content: Value, stop: Value) -> Value {
    json!({
        "id": format!("msg_{}", turn.id), "type": "message", "role": "assistant", "model": body["model"], "content": content,
        "stop_reason": stop, "stop_sequence": null,
        "usage": {"input_tokens": 1200, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 5},
    })
}

async fn stream(events: &Events, turn: &Turn, body: &Value) -> Result<(), HungUp> {
    let send = |name: &'static str, mut data: Value| {
        data["type"] = json!(name);
        async move { events.send(name, &data).await }
    };
    send("message_start", json!({"message": message(turn, body, json!([]), Value::Null)})).await?;
    turn.log("open", "");
    let step = turn.step();
    if turn.side {
        send("content_block_start", json!({"index": 0, "content_block": {"type": "text", "text": ""}}))
            .await?;
        let answer = r#"{"title": "Scripted session"}"#;
        send("content_block_delta", json!({"index": 0, "delta": {"type": "text_delta", "text": answer}}))
            .await?;
        send("content_block_stop", json!({"index": 0})).await?;
        return end(events, "end_turn").await;
    }
    pause(Duration::from_millis(step.wait_ms)).await;
    let mut index = 0;
    if !step.text.is_empty() {
        send("content_block_start", json!({"index": index, "content_block": {"type": "text", "text": ""}}))
            .await?;
        turn.log("words", "");
        for (piece, length) in step.pieces() {
            send(
                "content_block_delta",
                json!({"index": index, "delta": {"type": "text_delta", "text": piece}}),
            )
            .await?;
            pause(length).await;
        }
        send("content_block_stop", json!({"index": index})).await?;
        index += 1;
    }
    let Some(tool) = &step.tool else {
        end(events, "end_turn").await?;
        turn.log("answered", &step.text);
        return Ok(());
    };
    let (name, arguments) = call(turn, tool);
    let id = format!("toolu_{}", turn.id);
    let block = json!({"type": "tool_use", "id": id, "name": name, "input": {}});
    send("content_block_start", json!({"index": index, "content_block": block})).await?;
    for piece in argument_pieces(&arguments.to_string()) {
        let delta = json!({"type": "input_json_delta", "partial_json": piece});
        send("content_block_delta", json!({"index": index, "delta": delta})).await?;
    }
    send("content_block_stop", json!({"index": index})).await?;
    end(events, "tool_use").await?;
    turn.log("tool", &name);
    Ok(())
}

async fn end(events: &Events, stop: &str) -> Result<(), HungUp> {
    let delta = json!({
        "type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null}, "usage": {"output_tokens": 42},
    });
    events.send("message_delta", &delta).await?;
    events.send("message_stop", &json!({"type": "message_stop"})).await
}

fn call(turn: &Turn, tool: &Tool) -> (String, Value) {
    let (name, arguments) = match tool {
        Tool::Mcp { server, tool, arguments } => {
            return (format!("mcp__{server}__{tool}"), Value::Object(arguments.clone()));
        }
        Tool::Shell { command, about, background: false } => {
            ("Bash", json!({"command": command, "description": about}))
        }
        Tool::Shell { command, about, background: true } => {
            ("Bash", json!({"command": command, "description": about, "run_in_background": true}))
        }
        Tool::Write { path, content } => ("Write", json!({"file_path": turn.path(path), "content": content})),
        Tool::Plan { plan } => ("ExitPlanMode", json!({"plan": plan})),
        Tool::Read { path } => ("Read", json!({"file_path": turn.path(path)})),
        Tool::Edit { path, old, new } => {
            ("Edit", json!({"file_path": turn.path(path), "old_string": old, "new_string": new}))
        }
        Tool::Ask { question, options } => {
            let options: Vec<_> = options.iter().map(|o| json!({"label": o, "description": o})).collect();
            let question =
                json!({"question": question, "header": "Choice", "multiSelect": false, "options": options});
            ("AskUserQuestion", json!({"questions": [question]}))
        }
    };
    (name.to_owned(), arguments)
}
