//! A run before it begins: each prompt is shown to the server, which judges it and says who would get it.
//!
//! Must not: change anything.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;
use wire::http::Planned;
use wire::prompt::NewPrompt;
use wire::session::Session;
use wire::text::{counted, cut, escape};

use super::Run;
use super::file::{Each, STEPS_MAX, Step};
use super::template::{Part, fill, parts};
use crate::asked::each_text;
use crate::client::Client;
use crate::failure::Failure;
use crate::print::Printer;
use crate::sending;
use crate::tree::Fault;

/// Stands for what is not known before the run.
const UNKNOWN: &str = "…";
/// Faults that are told at once.
const FAULTS_MAX: usize = 20;

/// What the server says of all prompts.
#[derive(Default)]
pub struct Foreseen {
    /// What it would not take.
    pub faults: Vec<Fault>,
    rows: Vec<Row>,
}

/// What is foreseen of one prompt.
#[derive(Serialize, JsonSchema)]
pub struct Row {
    step: String,
    /// What it is one of several for.
    item: Option<String>,
    /// Steps that it comes after.
    after: Vec<String>,
    /// Steps whose end is waited for before it is queued.
    ended: Vec<String>,
    /// What holds blanks.
    blanks: Vec<&'static str>,
    /// Who would get it now.
    session: Option<String>,
    /// Why nobody would, or why it would wait.
    waits: Option<String>,
    text: String,
}

/// Shows every prompt to the server that can be written before the run.
pub async fn foresee(client: &Client, run: &Run) -> Result<Foreseen, Failure> {
    let mut foreseen = Foreseen::default();
    for at in run.graph.order.iter().copied() {
        let step = &run.flow.steps[at];
        let items = items(run, step).map_err(Failure::Usage)?;
        if foreseen.rows.len() + items.len() > STEPS_MAX {
            let text = format!("the run has more than {STEPS_MAX} prompts; split it");
            foreseen.faults.push(Fault::new(step.line, text));
            return Ok(foreseen);
        }
        for item in items {
            let asked = sketch(run, step, item.as_deref()).map_err(Failure::Usage)?;
            let body = serde_json::to_string(&asked).map_err(|e| Failure::failed(e.to_string()))?;
            match client.post::<Planned>("/v1/plan", Some(body)).await {
                Ok(planned) => foreseen.rows.push(row(run, at, item, planned)),
                Err(Failure::Usage(why) | Failure::NotFound(why)) => {
                    foreseen.faults.push(Fault::new(step.line, format!("step {}: {why}", step.id)));
                    if foreseen.faults.len() >= FAULTS_MAX {
                        return Ok(foreseen);
                    }
                    break;
                }
                Err(failure) => return Err(failure),
            }
        }
    }
    Ok(foreseen)
}

/// Prints who would get what.
pub async fn show(client: &Client, print: &Printer, run: &Run, foreseen: &Foreseen) -> Result<(), Failure> {
    let sessions: Vec<Session> = client.get("/v1/sessions").await?;
    print.objects_or(&foreseen.rows, || {
        let lines = foreseen.rows.iter().enumerate().map(|(at, row)| line(at + 1, row, &sessions));
        let mut out: Vec<String> = lines.collect();
        out.push(format!("{}; nothing was queued", counted(run.flow.steps.len(), "step")));
        out.join("\n")
    })
}

fn line(number: usize, row: &Row, sessions: &[Session]) -> String {
    let item = row.item.as_deref().map(|item| format!("[{}]", escape(&cut(item, 30)))).unwrap_or_default();
    let mut out = format!("{number}. {}{item}: {}", row.step, escape(&cut(&row.text.replace('\n', " "), 60)));
    let mut tell = |text: String| out.push_str(&format!("\n     {text}"));
    if !row.ended.is_empty() {
        tell(format!("queued once {} ended", all(&row.ended)));
    }
    if !row.after.is_empty() {
        tell(format!("after {}", row.after.join(", ")));
    }
    if !row.blanks.is_empty() {
        tell(format!("filled in: {}", row.blanks.join(", ")));
    }
    match (&row.session, &row.waits) {
        (Some(id), _) => {
            let named = sessions.iter().find(|s| s.id.0 == *id);
            tell(format!("goes to {}", escape(named.map_or(id, |s| &s.name))));
        }
        (None, waits) => tell(escape(waits.as_deref().unwrap_or("waits for a session"))),
    }
    out
}

fn all(names: &[String]) -> String {
    let verb = if names.len() == 1 { "has" } else { "have" };
    format!("{} {verb}", names.join(", "))
}

fn row(run: &Run, at: usize, item: Option<String>, planned: Planned) -> Row {
    let step = &run.flow.steps[at];
    let names = |ended: bool| {
        let needs = run.graph.needs[at].iter().filter(|need| need.ended == ended);
        needs.map(|need| run.flow.steps[need.step].id.clone()).collect()
    };
    let mut blanks = Vec::new();
    // Its texts were judged before.
    let _ = each_text(&step.asked, |what, text| {
        if parts(text)?.iter().any(|part| !matches!(part, Part::Text(_))) && !blanks.contains(&what) {
            blanks.push(what);
        }
        Ok::<_, String>(String::new())
    });
    Row {
        step: step.id.clone(),
        item,
        after: names(false),
        ended: names(true),
        blanks,
        session: planned.session.map(|id| id.0),
        waits: planned.waits,
        text: planned.text,
    }
}

/// What a step is repeated for, as far as it is known before.
fn items(run: &Run, step: &Step) -> Result<Vec<Option<String>>, String> {
    match &step.each {
        None => Ok(vec![None]),
        Some(Each::Items(items)) => items.iter().map(|item| filled(run, item, None).map(Some)).collect(),
        Some(told) if told.told() => Ok(vec![Some(UNKNOWN.to_owned())]),
        Some(Each::Lines(text)) => {
            let text = filled(run, text, None)?;
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            Ok(lines.map(|line| Some(line.to_owned())).collect())
        }
    }
}

/// The prompt, with a mark for what other steps will tell.
fn sketch(run: &Run, step: &Step, item: Option<&str>) -> Result<NewPrompt, String> {
    let mut prompt = each_text(&step.asked, |_, text| filled(run, text, item))?;
    let dir = prompt.dir.as_deref().map(|dir| sending::directory(dir, &run.base)).transpose();
    prompt.dir = dir.map_err(|e| e.text().unwrap_or_default().to_owned())?;
    Ok(prompt)
}

fn filled(run: &Run, text: &str, item: Option<&str>) -> Result<String, String> {
    fill(text, |part| match part {
        Part::Var(name) => {
            let value =
                run.flow.vars.get(name).ok_or_else(|| format!("there is no value for {}", escape(name)))?;
            Ok(Cow::Borrowed(value.as_str()))
        }
        Part::Item => Ok(Cow::Owned(item.unwrap_or(UNKNOWN).to_owned())),
        Part::Text(_) | Part::Step(..) => Ok(Cow::Borrowed(UNKNOWN)),
    })
}
