//! The rules that answer what agents ask. Must not: judge.

use std::path::Path;

use hyper::Method;
use wire::approval::{Policies, PolicyExample, PolicyTrial, Verdict};

use crate::cli::PolicyVerb;
use crate::client::Client;
use crate::failure::Failure;
use crate::print::Printer;
use crate::tables::{self, age, now};

/// Shows, tries or sets them.
pub async fn run(client: &Client, print: &Printer, verb: PolicyVerb) -> Result<(), Failure> {
    match verb {
        PolicyVerb::Show => {
            let policies: Policies = client.get("/v1/policies").await?;
            print.object_or(&policies, || shown(&policies))
        }
        PolicyVerb::Examples { name } => examples(client, print, name).await,
        PolicyVerb::Set { file } => {
            let body = body(Some(&file))?;
            let policies: Policies = client.ask(Method::PUT, "/v1/policies", Some(body), None).await?;
            print.object_or(&policies, || {
                format!("version {} with {} rules is in force", policies.version, policies.rules.len())
            })
        }
        PolicyVerb::Test { file, limit } => {
            let body = body(file.as_deref())?;
            let verdicts: Vec<Verdict> =
                client.post(&format!("/v1/policies/test?limit={limit}"), Some(body)).await?;
            print.objects_or(&verdicts, || tables::verdicts(&verdicts, now()))
        }
    }
}

async fn examples(client: &Client, print: &Printer, name: Option<String>) -> Result<(), Failure> {
    let mut examples: Vec<PolicyExample> = client.get("/v1/policies/examples").await?;
    if let Some(name) = &name {
        examples.retain(|example| example.name == *name);
    }
    match (&examples[..], name) {
        ([], Some(name)) => Err(Failure::NotFound(format!(
            "no example is called '{}'; `assign policy examples` lists them",
            wire::text::escape(&name)
        ))),
        ([example], Some(_)) => print.object_or(example, || example.text.trim_end().to_owned()),
        _ => print.objects_or(&examples, || {
            examples.iter().map(|example| example.name.as_str()).collect::<Vec<_>>().join("\n")
        }),
    }
}

fn shown(policies: &Policies) -> String {
    match (policies.at, &policies.by) {
        (Some(at), Some(by)) => {
            let since = age(at, now());
            format!("# version {}, set {since} ago by {by}\n{}", policies.version, policies.text.trim_end())
        }
        _ => "no rules: a person is asked for everything; `assign policy set FILE` sets some".to_owned(),
    }
}

fn body(file: Option<&Path>) -> Result<String, Failure> {
    let read = |path: &Path| {
        std::fs::read_to_string(path)
            .map_err(|e| Failure::Usage(format!("cannot read the rules from {}: {e}", path.display())))
    };
    let text = file.map(read).transpose()?;
    serde_json::to_string(&PolicyTrial { text }).map_err(|e| Failure::failed(e.to_string()))
}
