//! The description of the interface, made from the types that it speaks: OpenAPI 3.1, at `/v1/openapi.json`.
//!
//! Owns: what each route takes and gives, in words and as schemas. Must not: serve a route of its own making; a test
//! compares with [`super::access::ROUTES`].

use std::sync::OnceLock;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode, header};
use axum::response::IntoResponse;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use wire::admin::{HostRow, MadeToken, Me, NewToken, Note, Question, Routing, Template, TokenRow};
use wire::alert::{Alert, NewSink, Sink};
use wire::approval::{Approval, Policies, PolicyExample, PolicyText, PolicyTrial, Verdict};
use wire::event::Event;
use wire::feed::{FromViewer, ToViewer};
use wire::http::{
    Answer, Audit, ContextRow, Counted, Done, Edit, ErrorBody, EventRow, Events, LoginLink, Plan, Planned,
    PromptDetail, Reassign, RecordingPart, Selection, Status,
};
use wire::insight::Insight;
use wire::pool::{NewPool, Pool};
use wire::prompt::{Attempt, NewPrompt, Prompt};
use wire::purge::{Purge, Purged};
use wire::search::Found;
use wire::session::{Claim, Session};
use wire::wrapper::{ToServer, ToWrapper};

use super::access::{Access, ROUTES};
use super::{App, alerts, approvals, attempts, audit, past, prompts, sessions};

/// One route.
struct Operation {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    query: Option<Value>,
    body: Option<Value>,
    /// Status and schema of the answer; without one it is not JSON.
    answers: Vec<(u16, Option<Value>)>,
    /// Other statuses that it may give.
    errors: &'static [u16],
}

/// The whole document, for whoever may use the interface.
pub async fn show(State(_): State<App>) -> Response<Body> {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| document().to_string());
    ([(header::CONTENT_TYPE, "application/json")], text.clone()).into_response()
}

/// The document.
pub fn document() -> Value {
    let mut schemas = SchemaSettings::openapi3().into_generator();
    let mut paths = Map::new();
    let _ = schemas.subschema_for::<ErrorBody>();
    for operation in operations(&mut schemas) {
        let access = ROUTES.iter().find(|(m, p, _)| *m == operation.method && *p == operation.path);
        let access = access.map_or(Access::Owner, |(.., access)| *access);
        let path = paths.entry(operation.path.to_owned()).or_insert_with(|| json!({}));
        let method = operation.method.to_lowercase();
        path[method] = described(operation, access);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Muster: assigner",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
            "description": "Sessions of coding agents, the prompts queued for them, what came of each, and what they \
                ask. Times are milliseconds since the Unix epoch, lengths of time milliseconds. Every answer outside \
                2xx is an ErrorBody: a word for programs, what went wrong, what to do, and whether the same request \
                may succeed later. Lists are newest first; `before` with the last item's id gives the next page."
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "The file `cli.token` of this user." }
            }
        }
    });
    bound(&mut document);
    document
}

/// Says of each number how large it may be: the formats alone are only names.
fn bound(value: &mut Value) {
    let most = match value.get("format").and_then(Value::as_str) {
        Some("uint8") => Some(json!(u8::MAX)),
        Some("uint16") => Some(json!(u16::MAX)),
        Some("uint32") => Some(json!(u32::MAX)),
        Some("uint64") => Some(json!(u64::MAX)),
        Some("int64") => Some(json!(i64::MAX)),
        _ => None,
    };
    match value {
        Value::Object(fields) => {
            if let Some(most) = most {
                fields.entry("maximum").or_insert(most);
            }
            fields.values_mut().for_each(bound);
        }
        Value::Array(items) => items.iter_mut().for_each(bound),
        _ => {}
    }
}

/// What is read and what is changed, route by route.
fn operations(schemas: &mut SchemaGenerator) -> Vec<Operation> {
    let mut all = about_the_server(schemas);
    all.extend(about_sessions(schemas));
    all.extend(about_prompts(schemas));
    all.extend(about_approvals(schemas));
    all.extend(about_alerts(schemas));
    all.extend(about_administration(schemas));
    all.extend(about_the_past(schemas));
    all
}

fn about_the_server(s: &mut SchemaGenerator) -> Vec<Operation> {
    vec![
        get("/healthz", "Whether the server answers at all").plain(200),
        get("/metrics", "The server for Prometheus, as OpenMetrics text").plain(200),
        get("/login", "Takes the code of a login link; gives a cookie")
            .query::<super::login::Code>(s)
            .plain(303),
        post("/v1/login-links", "Makes a link that logs one browser in, once").gives::<LoginLink>(s, 200),
        post("/v1/logout", "Logs the browser out that asks: its cookie opens nothing any more")
            .gives::<Done>(s, 200),
        get("/v1/me", "Who is asking, and what it may do").gives::<Me>(s, 200),
        post("/v1/me/progress", "What an agent says of the prompt that its session works on")
            .takes::<Note>(s)
            .gives::<Done>(s, 200)
            .may(&[409, 429]),
        post("/v1/me/questions", "What an agent asks a person, as an item of the inbox")
            .takes::<Question>(s)
            .gives::<Approval>(s, 200)
            .may(&[409, 429]),
        get("/v1/status", "The server in numbers").gives::<Status>(s, 200),
        post("/v1/stop", "Ends the server; sessions go on").gives::<Done>(s, 200),
        get("/v1/openapi.json", "This document").gives::<Value>(s, 200),
        get("/v1/audit", "Who did what").query::<audit::Which>(s).gives::<Audit>(s, 200),
        get(
            "/v1/wrapper",
            "A session's wrapper: WebSocket, ToServer and ToWrapper as JSON, terminal bytes as frames",
        )
        .speaks::<ToServer, ToWrapper>(s),
        get("/v1/cli", "The command line's feed: WebSocket, FromViewer and ToViewer as JSON")
            .speaks::<FromViewer, ToViewer>(s),
        get("/v1/feed", "The dashboard's feed: the same, for the server's own page")
            .speaks::<FromViewer, ToViewer>(s),
    ]
}

fn about_sessions(s: &mut SchemaGenerator) -> Vec<Operation> {
    let _ = s.subschema_for::<Event>();
    vec![
        get("/v1/sessions", "Sessions, live ones or all")
            .query::<sessions::Which>(s)
            .gives::<Vec<Session>>(s, 200),
        get("/v1/sessions/{session}", "One, by name or id").gives::<Session>(s, 200).may(&[404, 409]),
        get(
            "/v1/sessions/{session}/events",
            "What was found in its output: after a number, or the latest; oldest first",
        )
        .query::<sessions::Rows>(s)
        .gives::<Vec<EventRow>>(s, 200)
        .may(&[404, 409]),
        get("/v1/sessions/{session}/states", "Its states with their causes")
            .query::<sessions::Rows>(s)
            .gives::<Vec<Claim>>(s, 200)
            .may(&[404, 409]),
        get("/v1/sessions/{session}/contexts", "Where it worked")
            .query::<sessions::Rows>(s)
            .gives::<Vec<ContextRow>>(s, 200)
            .may(&[404, 409]),
        get("/v1/sessions/{session}/recording", "A part of its recording, from its host, without secrets")
            .query::<sessions::Range>(s)
            .gives::<RecordingPart>(s, 200)
            .may(&[404, 409, 429, 504]),
        post("/v1/sessions/{session}/answer", "Answers what it asks, bound to the dialog that was seen")
            .takes::<Answer>(s)
            .gives::<Done>(s, 200)
            .may(&[404, 409, 504]),
    ]
}

fn about_prompts(s: &mut SchemaGenerator) -> Vec<Operation> {
    vec![
        get("/v1/prompts", "Prompts")
            .query::<prompts::Which>(s)
            .gives::<Vec<Prompt>>(s, 200)
            .may(&[404, 409]),
        post(
            "/v1/prompts",
            "Queues one; under an Idempotency-Key that was used for the same, gives that one (200)",
        )
        .takes::<NewPrompt>(s)
        .gives::<Prompt>(s, 201)
        .gives::<Prompt>(s, 200)
        .may(&[409, 413]),
        get("/v1/prompts/{prompt}", "One with its attempts and scores")
            .gives::<PromptDetail>(s, 200)
            .may(&[404]),
        patch("/v1/prompts/{prompt}", "Changes one that no session has")
            .takes::<Edit>(s)
            .gives::<Prompt>(s, 200)
            .may(&[404, 409, 413]),
        post("/v1/prompts/{prompt}/cancel", "Calls one off; a running turn is interrupted")
            .gives::<Prompt>(s, 200)
            .may(&[404, 409]),
        post("/v1/prompts/{prompt}/retry", "Tries one again").gives::<Prompt>(s, 200).may(&[404, 409]),
        post("/v1/prompts/{prompt}/reassign", "Gives one to another session")
            .takes::<Reassign>(s)
            .gives::<Prompt>(s, 200)
            .may(&[404, 409]),
        post("/v1/prompts/cancel", "Calls many off")
            .takes::<Selection>(s)
            .gives::<Counted>(s, 200)
            .may(&[404, 409]),
        post("/v1/prompts/retry", "Tries many again")
            .takes::<Selection>(s)
            .gives::<Counted>(s, 200)
            .may(&[404, 409]),
        post("/v1/prompts/clear", "Forgets many that have ended and that no other waits for")
            .takes::<Selection>(s)
            .gives::<Counted>(s, 200)
            .may(&[404, 409]),
        get("/v1/plan", "What the queue would do now, without doing it")
            .query::<prompts::Limit>(s)
            .gives::<Plan>(s, 200),
        post("/v1/prompts/seen", "Takes note of how many ended: they ask for attention no longer")
            .takes::<Selection>(s)
            .gives::<Counted>(s, 200)
            .may(&[404, 409]),
        post("/v1/plan", "Who would get a prompt now, without queueing it")
            .takes::<NewPrompt>(s)
            .gives::<Planned>(s, 200)
            .may(&[413]),
        post("/v1/routing", "Gives out no prompts any longer, or again; what runs goes on")
            .takes::<Routing>(s)
            .gives::<Routing>(s, 200),
        post("/v1/sessions/{session}/routing", "The same for one session")
            .takes::<Routing>(s)
            .gives::<Routing>(s, 200)
            .may(&[404, 409]),
        get("/v1/attempts", "Attempts")
            .query::<attempts::Which>(s)
            .gives::<Vec<Attempt>>(s, 200)
            .may(&[404, 409]),
        get("/v1/attempts/{attempt}", "One with its receipts and its result")
            .gives::<Attempt>(s, 200)
            .may(&[404]),
    ]
}

fn about_approvals(s: &mut SchemaGenerator) -> Vec<Operation> {
    vec![
        get("/v1/approvals", "What agents asked")
            .query::<approvals::Which>(s)
            .gives::<Vec<Approval>>(s, 200)
            .may(&[404, 409]),
        get("/v1/approvals/{approval}", "One of them").gives::<Approval>(s, 200).may(&[404]),
        post("/v1/approvals/{approval}/answer", "Answers one, once, bound to what was seen")
            .takes::<Answer>(s)
            .gives::<Done>(s, 200)
            .may(&[404, 409, 504]),
        get("/v1/policies", "The rules in force").gives::<Policies>(s, 200),
        put("/v1/policies", "Sets new rules").takes::<PolicyText>(s).gives::<Policies>(s, 200),
        get("/v1/policies/examples", "Rules to begin with").gives::<Vec<PolicyExample>>(s, 200),
        post("/v1/policies/test", "Tries rules on what was asked lately, and changes nothing")
            .query::<prompts::Limit>(s)
            .takes::<PolicyTrial>(s)
            .gives::<Vec<Verdict>>(s, 200),
    ]
}

fn about_the_past(s: &mut SchemaGenerator) -> Vec<Operation> {
    vec![
        get(
            "/v1/search",
            "Where words stand: in prompts, results, events and settled text; a cursor gives the next page",
        )
        .query::<past::Words>(s)
        .gives::<Found>(s, 200)
        .may(&[404]),
        post(
            "/v1/purge",
            "Deletes for good what ended: a session with its prompts, or all that ended so long ago",
        )
        .takes::<Purge>(s)
        .gives::<Purged>(s, 200)
        .may(&[404, 409]),
        get("/v1/insight", "The past in numbers, for a range of time")
            .query::<past::Range>(s)
            .gives::<Insight>(s, 200),
        get("/v1/events", "Events of all sessions; a cursor gives the next page")
            .query::<past::Which>(s)
            .gives::<Events>(s, 200)
            .may(&[404]),
    ]
}

fn about_alerts(s: &mut SchemaGenerator) -> Vec<Operation> {
    vec![
        get("/v1/alerts", "Conditions that a person should know of")
            .query::<alerts::Which>(s)
            .gives::<Vec<Alert>>(s, 200),
        get("/v1/sinks", "Where alerts are told").gives::<Vec<Sink>>(s, 200),
        put("/v1/sinks/{sink}", "Keeps a sink, in the place of the one of its name")
            .takes::<NewSink>(s)
            .gives::<Sink>(s, 200),
        delete("/v1/sinks/{sink}", "Forgets a sink, with what waits for it")
            .gives::<Done>(s, 200)
            .may(&[404]),
        post("/v1/sinks/{sink}/test", "Sends a notice to a sink now").gives::<Done>(s, 200).may(&[404, 504]),
    ]
}

fn about_administration(s: &mut SchemaGenerator) -> Vec<Operation> {
    vec![
        get("/v1/hosts", "Hosts with live sessions, and what they can spare").gives::<Vec<HostRow>>(s, 200),
        get("/v1/tokens", "Credentials, without their secrets").gives::<Vec<TokenRow>>(s, 200),
        post("/v1/tokens", "Makes a credential; its secret is told this once")
            .takes::<NewToken>(s)
            .gives::<MadeToken>(s, 200)
            .may(&[409]),
        delete("/v1/tokens/{token}", "Revokes one, by its id; what is open with it is closed")
            .gives::<Done>(s, 200)
            .may(&[404, 409]),
        get("/v1/pools", "Pools of sessions that are started when work waits").gives::<Vec<Pool>>(s, 200),
        put("/v1/pools/{pool}", "Keeps a pool, in the place of the one of its name")
            .takes::<NewPool>(s)
            .gives::<Pool>(s, 200)
            .may(&[400, 403, 409, 413]),
        delete("/v1/pools/{pool}", "Forgets a pool; its sessions go on").gives::<Done>(s, 200).may(&[404]),
        get("/v1/templates", "Prompts to begin with").gives::<Vec<Template>>(s, 200),
        put("/v1/templates/{template}", "Keeps a template, in the place of the one of its name")
            .takes::<Template>(s)
            .gives::<Template>(s, 200)
            .may(&[409, 413]),
        delete("/v1/templates/{template}", "Forgets a template").gives::<Done>(s, 200).may(&[404]),
    ]
}

fn get(path: &'static str, summary: &'static str) -> Operation {
    Operation { method: "GET", path, summary, query: None, body: None, answers: Vec::new(), errors: &[] }
}

fn post(path: &'static str, summary: &'static str) -> Operation {
    Operation { method: "POST", ..get(path, summary) }
}

fn put(path: &'static str, summary: &'static str) -> Operation {
    Operation { method: "PUT", ..get(path, summary) }
}

fn delete(path: &'static str, summary: &'static str) -> Operation {
    Operation { method: "DELETE", ..get(path, summary) }
}

fn patch(path: &'static str, summary: &'static str) -> Operation {
    Operation { method: "PATCH", ..get(path, summary) }
}

impl Operation {
    fn query<T: JsonSchema>(mut self, schemas: &mut SchemaGenerator) -> Self {
        self.query = Some(schemas.root_schema_for::<T>().to_value());
        self
    }

    fn takes<T: JsonSchema>(mut self, schemas: &mut SchemaGenerator) -> Self {
        self.body = Some(schemas.subschema_for::<T>().to_value());
        self
    }

    fn gives<T: JsonSchema>(mut self, schemas: &mut SchemaGenerator, status: u16) -> Self {
        self.answers.push((status, Some(schemas.subschema_for::<T>().to_value())));
        self
    }

    fn plain(mut self, status: u16) -> Self {
        self.answers.push((status, None));
        self
    }

    /// A WebSocket: what each side says is among the schemas.
    fn speaks<Said: JsonSchema, Heard: JsonSchema>(mut self, schemas: &mut SchemaGenerator) -> Self {
        let _ = (schemas.subschema_for::<Said>(), schemas.subschema_for::<Heard>());
        self.answers.push((101, None));
        self
    }

    fn may(mut self, errors: &'static [u16]) -> Self {
        self.errors = errors;
        self
    }
}

/// One operation in the document's own form.
fn described(operation: Operation, access: Access) -> Value {
    let Operation { method, path, summary, query, body, answers, errors } = operation;
    let mut parameters: Vec<Value> = names_in(path)
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": path_schema(name) }))
        .collect();
    parameters.extend(query.iter().flat_map(parameters_of));
    if (method, path) == ("POST", "/v1/prompts") {
        let schema =
            json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]([ -~]*[!-~])?$" });
        parameters
            .push(json!({ "name": "Idempotency-Key", "in": "header", "required": false, "schema": schema }));
        // What is no trace is left out, as W3C has it: nothing here is refused.
        let trace = json!({ "type": "string", "description": "W3C trace context; the prompt continues it" });
        parameters.push(json!({ "name": "traceparent", "in": "header", "required": false, "schema": trace }));
    }
    let mut responses = Map::new();
    for (status, schema) in answers {
        let mut response = json!({ "description": reason(status) });
        if let Some(schema) = schema {
            response["content"] = json!({ "application/json": { "schema": schema } });
        }
        responses.insert(status.to_string(), response);
    }
    let usual: &[u16] =
        if access == Access::Open { &[400, 401, 403, 421, 429] } else { &[400, 401, 403, 421, 500, 507] };
    for status in usual.iter().chain(errors) {
        let schema = json!({ "$ref": "#/components/schemas/ErrorBody" });
        let response = json!({
            "description": reason(*status), "content": { "application/json": { "schema": schema } }
        });
        responses.insert(status.to_string(), response);
    }
    let mut out = json!({ "summary": summary, "operationId": id(method, path), "responses": responses });
    if !parameters.is_empty() {
        out["parameters"] = Value::Array(parameters);
    }
    if let Some(schema) = body {
        out["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    if access != Access::Open {
        out["security"] = json!([{ "token": [] }]);
    }
    out
}

fn names_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn path_schema(name: &str) -> Value {
    match name {
        "session" | "sink" | "template" | "token" => {
            json!({ "type": "string", "minLength": 1, "maxLength": 100 })
        }
        _ => json!({ "type": "integer", "format": "int64", "minimum": 1 }),
    }
}

/// The fields of a query's type, each a parameter.
fn parameters_of(schema: &Value) -> Vec<Value> {
    let fields = schema["properties"].as_object();
    let required =
        |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|n| n == name));
    let parameter = |(name, field): (&String, &Value)| json!({ "name": name, "in": "query", "required": required(name), "schema": field });
    fields.into_iter().flatten().map(parameter).collect()
}

fn id(method: &str, path: &str) -> String {
    let words = path.split(['/', '{', '}', '-', '.']).filter(|word| !word.is_empty() && *word != "v1");
    std::iter::once(method.to_lowercase()).chain(words.map(str::to_owned)).collect::<Vec<_>>().join("_")
}

fn reason(status: u16) -> &'static str {
    StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("As its body says")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let mut schemas = SchemaSettings::openapi3().into_generator();
        let described: std::collections::BTreeSet<_> =
            operations(&mut schemas).iter().map(|o| (o.method, o.path)).collect();
        let routed = ROUTES.iter().map(|(method, path, _)| (*method, *path)).collect();
        assert_eq!(described, routed);
    }
}
