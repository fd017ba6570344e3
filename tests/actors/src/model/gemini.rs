//! The Gemini interface (`generateContent`, `streamGenerateContent`, `countTokens`), as far as an agent uses it.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::toolbox::{self, Offer};
use super::{Events, HungUp, Shares, Turn, is_furniture, pause, without_reminders};

pub(super) async fn generate(
    State(shared): Shares,
    Path(call): Path<String>,
    Json(body): Json<Value>,
) -> Response {
    let (model, verb) = call.split_once(':').unwrap_or((&call, ""));
    if verb == "countTokens" {
        return Json(json!({"totalTokens": 1200})).into_response();
    }
    let (prompt, results) = last_prompt(&body);
    let side = body["tools"].as_array().is_none_or(Vec::is_empty) || verb == "generateContent";
    let turn = Turn::new(&shared, &prompt, results, side, None);
    if let Some((status, message)) = turn.error() {
        let word = match status.as_u16() {
            400 => "INVALID_ARGUMENT",
            401 => "UNAUTHENTICATED",
            429 => "RESOURCE_EXHAUSTED",
            500 => "INTERNAL",
            _ => "UNAVAILABLE",
        };
        let error = json!({"error": {"code": status.as_u16(), "message": message, "status": word}});
        return (status, Json(error)).into_response();
    }
    let model = model.to_owned();
    if verb == "generateContent" {
        let answer = part(&model, json!([{"text": aside(&body)}]), json!("STOP"));
        turn.log("answered", "");
        return Json(answer).into_response();
    }
    Events::respond(|events| async move {
        let sent = stream(&events, &turn, &model, &body).await;
        if sent.is_err() {
            turn.log("closed", "");
        }
        sent
    })
}

/// What the agent wants to hear when it asks for itself: the form is in its request.
fn aside(body: &Value) -> &'static str {
    let form = body["generationConfig"].to_string();
    if form.contains("next_speaker") {
        r#"{"reasoning": "The answer is whole.", "next_speaker": "user"}"#
    } else if form.contains("model_choice") {
        r#"{"reasoning": "simple", "model_choice": "pro"}"#
    } else if form.contains("complexity") {
        r#"{"complexity_reasoning": "simple", "complexity_score": 80}"#
    } else if form.contains("chema") {
        "{}"
    } else {
        "ok"
    }
}

fn last_prompt(body: &Value) -> (String, usize) {
    let mut results = 0;
    for content in body["contents"].as_array().into_iter().flatten().rev().filter(|c| c["role"] == "user") {
        let parts = || content["parts"].as_array().into_iter().flatten();
        if parts().any(|p| !p["functionResponse"].is_null()) {
            results += 1;
            continue;
        }
        // What the agent says of the folder stands before the prompt.
        let mut texts: Vec<_> = parts().filter_map(|p| p["text"].as_str()).map(without_reminders).collect();
        texts.retain(|text| !is_furniture(text));
        if let Some(text) = texts.pop() {
            return (text, results);
        }
    }
    (String::new(), results)
}

fn part(model: &str, parts: Value, finish: Value) -> Value {
    let mut candidate = json!({"content": {"role": "model", "parts": parts}, "index": 0});
    if !finish.is_null() {
        candidate["finishReason"] = finish;
    }
    json!({
        "candidates": [candidate], "modelVersion": model, "responseId": "scripted",
        "usageMetadata": {"promptTokenCount": 1200, "candidatesTokenCount": 42, "totalTokenCount": 1242},
    })
}

async fn stream(events: &Events, turn: &Turn, model: &str, body: &Value) -> Result<(), HungUp> {
    let send =
        |parts: Value, finish: Value| events.write(format!("data: {}\r\n\r\n", part(model, parts, finish)));
    turn.log("open", "");
    if turn.side {
        send(json!([{"text": aside(body)}]), json!("STOP")).await?;
        turn.log("answered", "");
        return Ok(());
    }
    let step = turn.step();
    pause(Duration::from_millis(step.wait_ms)).await;
    turn.log("words", "");
    for (piece, length) in step.pieces() {
        send(json!([{"text": piece}]), Value::Null).await?;
        pause(length).await;
    }
    let offers = offers(body);
    let call = step.tool.as_ref().and_then(|tool| toolbox::call(turn, tool, &offers));
    if let Some((name, arguments)) = &call {
        let id = format!("call-{}", turn.id);
        let call =
            json!({"functionCall": {"name": name, "args": arguments, "id": id}, "thoughtSignature": "c2ln"});
        send(json!([call]), Value::Null).await?;
    }
    send(json!([{"text": ""}]), json!("STOP")).await?;
    match call {
        Some((name, _)) => turn.log("tool", &name),
        None => turn.log("answered", &step.text),
    }
    Ok(())
}

fn offers(body: &Value) -> Vec<Offer<'_>> {
    let tools = body["tools"].as_array().into_iter().flatten();
    let functions = tools.flat_map(|tool| tool["functionDeclarations"].as_array().into_iter().flatten());
    functions
        .filter_map(|function| {
            let schema = ["parametersJsonSchema", "parameters"].iter().map(|name| &function[*name]);
            let schema = schema.into_iter().find(|s| !s.is_null()).unwrap_or(&Value::Null);
            Some(Offer { name: function["name"].as_str()?, schema })
        })
        .collect()
}
