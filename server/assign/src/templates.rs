//! Prompts to begin with. Must not: fill one in.

use clap::{Args, Subcommand};
use hyper::Method;
use wire::admin::Template;
use wire::http::Done;
use wire::text::escape;

use crate::client::{Client, segment};
use crate::failure::Failure;
use crate::print::Printer;
use crate::send;
use crate::sending::Send;

/// What is done with templates.
#[derive(Debug, Subcommand)]
pub enum TemplateVerb {
    /// List the templates
    Ls,
    /// Keep a prompt as a template, in the place of the one of its name; `{{word}}` in it is a blank
    Set(Box<TemplateArgs>),
    /// Forget a template
    Rm {
        /// Its name
        name: String,
    },
}

/// A template: a prompt with the options that it is sent with.
#[derive(Debug, Args)]
pub struct TemplateArgs {
    /// Its name
    name: String,
    #[command(flatten)]
    prompt: Send,
}

/// Shows, keeps or forgets templates.
pub async fn run(client: &Client, print: &Printer, verb: TemplateVerb) -> Result<(), Failure> {
    match verb {
        TemplateVerb::Ls => {
            let templates: Vec<Template> = client.get("/v1/templates").await?;
            print.objects_or(&templates, || match &templates[..] {
                [] => "no templates; `assign template set NAME PROMPT` keeps one".to_owned(),
                templates => templates.iter().map(line).collect::<Vec<_>>().join("\n"),
            })
        }
        TemplateVerb::Set(args) => {
            let template = asked(*args)?;
            let path = format!("/v1/templates/{}", segment(&template.name));
            let body = serde_json::to_string(&template).map_err(|e| Failure::failed(e.to_string()))?;
            let kept: Template = client.ask(Method::PUT, &path, Some(body), None).await?;
            print.object_or(&kept, || line(&kept))
        }
        TemplateVerb::Rm { name } => {
            let path = format!("/v1/templates/{}", segment(&name));
            let done: Done = client.ask(Method::DELETE, &path, None, None).await?;
            print.object_or(&done, || "forgotten".to_owned())
        }
    }
}

fn asked(args: TemplateArgs) -> Result<Template, Failure> {
    let TemplateArgs { name, prompt } = args;
    if !prompt.rest.is_empty() {
        return Err(Failure::Usage("a prompt is one argument: put it in quotes".to_owned()));
    }
    if prompt.wait || prompt.delay.is_some() || prompt.idempotency_key.is_some() {
        let text = "--wait, --in and --idempotency-key are for a prompt that is sent, not for a template";
        return Err(Failure::Usage(text.to_owned()));
    }
    let text = send::text(&prompt)?;
    Ok(Template { name, prompt: prompt.prompt(text)? })
}

fn line(template: &Template) -> String {
    let text = template.prompt.text.lines().next().unwrap_or_default();
    format!("{:<16}  {}", escape(&template.name), escape(&wire::text::cut(text, 100)))
}
