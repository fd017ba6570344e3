//! Tools about the agent's own session: how far it is, and what it asks a person. Must not: answer for the person.

use wire::ApprovalId;
use wire::admin::{Note, Question};
use wire::approval::{Approval, ApprovalState};
use wire::http::Done;

use super::answer::Answer;
use super::fleet::seconds;
use super::service::{Call, Service};
use super::tools::{AskHuman, ReportProgress};
use crate::failure::Failure;

/// How far the agent is with its present prompt.
pub async fn report(service: &Service, asked: ReportProgress) -> Result<Answer, Failure> {
    let note = Note { text: asked.text, percent: asked.percent };
    let _: Done = service.client.post("/v1/me/progress", Some(json(&note)?)).await?;
    Ok(Answer::plain("Noted."))
}

/// A question, and its answer if it comes in time.
pub async fn ask(service: &Service, asked: AskHuman, call: &Call) -> Result<Answer, Failure> {
    let seconds = seconds(asked.seconds)?;
    let id = match (asked.question, asked.item) {
        (Some(text), None) => {
            let question = Question { text, options: asked.options };
            let made = service.client.post::<Approval>("/v1/me/questions", Some(json(&question)?)).await;
            made.map_err(perhaps_asked)?.id
        }
        (None, Some(item)) => ApprovalId(item),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Failure::Usage("give a question, or the item of one that was asked".to_owned()));
        }
    };
    let path = format!("/v1/approvals/{id}");
    let mut patience = call.patience(seconds, format!("question {id} waits for a person"));
    loop {
        let item: Approval = service.get(&path).await?;
        if item.asked_by.is_none() || Some(&item.session) != service.who.session.as_ref() {
            return Err(Failure::Refused(format!("item {id} is no question of yours")));
        }
        match item.state {
            ApprovalState::Answered => return Ok(answered(&item)),
            _ if item.closed.is_some() => {
                return Ok(Answer::plain(format!("Question {id} was withdrawn without an answer.")));
            }
            _ if !patience.again().await => {
                return Ok(Answer::plain(format!(
                    "Nobody has answered question {id} yet. Go on with what does not depend on it, or call ask_human \
                     with item = {id}."
                )));
            }
            _ => {}
        }
    }
}

/// A question has no key: what was asked twice is two questions.
fn perhaps_asked(failure: Failure) -> Failure {
    match failure {
        Failure::Unreachable(why) => Failure::Unreachable(format!(
            "{why}; the question may stand before a person all the same: wait a while before you ask it again"
        )),
        failure => failure,
    }
}

/// What comes back is the agent's own words, chosen by the person, or the person's: neither needs a fence.
fn answered(item: &Approval) -> Answer {
    if let Some(words) = &item.words {
        let words = wire::text::escape_lines(words);
        return Answer::plain(format!("A person answered question {} in their own words: {words}", item.id));
    }
    let chosen = item.dialog.options.iter().find(|option| option.selected);
    let number = chosen.map_or(0, |option| option.index + 1);
    let label = chosen.map_or(String::new(), |option| wire::text::escape(&option.label));
    Answer::plain(format!("A person chose option {number} of question {}: {label}", item.id))
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|e| Failure::failed(e.to_string()))
}
