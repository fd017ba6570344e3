//! The OpenAI Chat Completions interface, as far as an agent uses it.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::toolbox::{self, Offer};
use super::{Events, HungUp, Shares, Turn, argument_pieces, is_furniture, pause, without_reminders};

/// What requests of an agent for itself begin with, where they offer tools as those of the task do.
const SIDE: [&str; 3] = ["Managed memory directory", "Generate a title", "# Conversation History"];

pub(super) async fn completions(State(shared): Shares, Json(body): Json<Value>) -> Response {
    let (prompt, results) = last_prompt(&body);
    // An agent without tools names no task either: then the script that knows the prompt tells.
    let tools = body["tools"].as_array().is_some_and(|tools| !tools.is_empty());
    let known = shared.scripts.pick(&prompt).name != "any";
    let side = !(tools || known) || SIDE.iter().any(|words| prompt.starts_with(words));
    let turn = Turn::new(&shared, &prompt, results, side, None);
    if let Some((status, message)) = turn.error() {
        let error =
            json!({"error": {"message": message, "type": "api_error", "code": status.as_u16().to_string()}});
        return (status, Json(error)).into_response();
    }
    if body["stream"] != json!(true) {
        let text = if side { "Scripted session" } else { &turn.step().text };
        let message = json!({"role": "assistant", "content": text});
        let answer = json!({
            "id": format!("chatcmpl-{}", turn.id), "object": "chat.completion", "created": 0, "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage(),
        });
        turn.log("answered", text);
        return Json(answer).into_response();
    }
    Events::respond(|events| async move {
        let sent = stream(&events, &turn, &body).await;
        if sent.is_err() {
            turn.log("closed", "");
        }
        sent
    })
}

fn usage() -> Value {
    json!({"prompt_tokens": 1200, "completion_tokens": 42, "total_tokens": 1242})
}

/// The last words of the user, and how many results of tools came after them.
fn last_prompt(body: &Value) -> (String, usize) {
    let mut results = 0;
    for message in body["messages"].as_array().into_iter().flatten().rev() {
        if message["role"] == "tool" {
            results += 1;
        } else if message["role"] == "user" {
            let mut texts: Vec<_> = match &message["content"] {
                Value::Array(parts) => {
                    parts.iter().filter_map(|p| p["text"].as_str()).map(without_reminders).collect()
                }
                text => vec![without_reminders(text.as_str().unwrap_or_default())],
            };
            texts.retain(|text| !is_furniture(text));
            if let Some(text) = texts.pop() {
                return (text, results);
            }
        }
    }
    (String::new(), results)
}

async fn stream(events: &Events, turn: &Turn, body: &Value) -> Result<(), HungUp> {
    let send = |delta: Value, finish: Value, usage: Value| {
        let data = json!({
            "id": format!("chatcmpl-{}", turn.id), "object": "chat.completion.chunk", "created": 0,
            "model": body["model"], "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], "usage": usage,
        });
        events.write(format!("data: {data}\n\n"))
    };
    let words = |text: &str| send(json!({"content": text}), Value::Null, Value::Null);
    send(json!({"role": "assistant", "content": ""}), Value::Null, Value::Null).await?;
    turn.log("open", "");
    let step = turn.step();
    let mut finish = "stop";
    let mut called = None;
    if turn.side {
        words("Scripted session").await?;
    } else {
        pause(Duration::from_millis(step.wait_ms)).await;
        turn.log("words", "");
        for (piece, length) in step.pieces() {
            words(piece).await?;
            pause(length).await;
        }
        let offers = offers(body);
        if let Some((name, arguments)) =
            step.tool.as_ref().and_then(|tool| toolbox::call(turn, tool, &offers))
        {
            finish = "tool_calls";
            let id = format!("call_{}", turn.id);
            let begun = json!({"index": 0, "id": id, "type": "function", "function": {"name": name, "arguments": ""}});
            send(json!({"tool_calls": [begun]}), Value::Null, Value::Null).await?;
            for piece in argument_pieces(&arguments.to_string()) {
                let more = json!({"index": 0, "function": {"arguments": piece}});
                send(json!({"tool_calls": [more]}), Value::Null, Value::Null).await?;
            }
            called = Some(name);
        }
    }
    send(json!({}), json!(finish), usage()).await?;
    events.write("data: [DONE]\n\n".to_owned()).await?;
    match called {
        Some(name) => turn.log("tool", &name),
        None => turn.log("answered", &step.text),
    }
    Ok(())
}

fn offers(body: &Value) -> Vec<Offer<'_>> {
    let tools = body["tools"].as_array().into_iter().flatten();
    tools
        .filter_map(|tool| {
            let function = &tool["function"];
            Some(Offer { name: function["name"].as_str()?, schema: &function["parameters"] })
        })
        .collect()
}
