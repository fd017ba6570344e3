//! The Ollama interface (`/api/show`, `/api/chat`), as far as its own command line uses it.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::{Events, HungUp, Shares, Turn, pause};

pub(super) async fn show() -> Json<Value> {
    Json(json!({"details": {"family": "scripted", "parameter_size": "0B"}, "capabilities": ["completion"]}))
}

pub(super) async fn chat(State(shared): Shares, Json(body): Json<Value>) -> Response {
    let messages = body["messages"].as_array();
    let prompt = messages.and_then(|m| m.iter().rev().find(|m| m["role"] == "user"));
    let prompt = prompt.and_then(|m| m["content"].as_str()).unwrap_or_default();
    let turn = Turn::new(&shared, prompt, 0, false, None);
    if let Some((status, message)) = turn.error() {
        return (status, Json(json!({"error": message}))).into_response();
    }
    Events::respond(|events| async move {
        let sent = stream(&events, &turn, &body).await;
        if sent.is_err() {
            turn.log("closed", "");
        }
        sent
    })
}

/// One JSON object a line, the last with `done`.
async fn stream(events: &Events, turn: &Turn, body: &Value) -> Result<(), HungUp> {
    let send = |text: &str, done: bool| {
        let line = json!({
            "model": body["model"], "created_at": "2026-01-01T00:00:00Z",
            "message": {"role": "assistant", "content": text}, "done": done,
        });
        events.write(format!("{line}\n"))
    };
    turn.log("open", "");
    let step = turn.step();
    pause(Duration::from_millis(step.wait_ms)).await;
    turn.log("words", "");
    for (piece, length) in step.pieces() {
        send(piece, false).await?;
        pause(length).await;
    }
    send("", true).await?;
    turn.log("answered", &step.text);
    Ok(())
}
