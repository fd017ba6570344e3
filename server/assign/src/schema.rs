//! The shapes of what `--json` prints, made from the types that are printed. Must not: describe what is not printed.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use wire::admin::{MadeToken, Routing, Template, TokenRow};
use wire::alert::{Alert, Sink};
use wire::approval::{Approval, Policies, PolicyExample, Verdict};
use wire::feed::ToViewer;
use wire::http::{
    Audit, ContextRow, Counted, Done, EventRow, FoundEvent, LoginLink, Plan, PromptDetail, Status,
};
use wire::pool::Pool;
use wire::prompt::Prompt;
use wire::search::Hit;
use wire::session::Session;

use crate::doctor::Finding;
use crate::events::PromptLine;
use crate::failure::Failure;
use crate::print::Printer;
use crate::run::{Begun, Change, Over, Row};
use crate::tmux::{Captured, Pane};

/// A command with the shape of its lines.
type Shape = (&'static str, fn() -> Schema);

/// Every command that prints JSON; `send` is the one without a name.
const SHAPES: &[Shape] = &[
    ("send", of::<Prompt>),
    ("status", of::<Status>),
    ("sessions", of::<Session>),
    ("prompts", of::<Prompt>),
    ("plan", of::<Plan>),
    ("edit", of::<Prompt>),
    ("show", of::<PromptDetail>),
    ("why", of::<PromptDetail>),
    ("cancel", either::<Prompt, Counted>),
    ("retry", either::<Prompt, Counted>),
    ("clear", of::<Counted>),
    ("purge", of::<wire::purge::Purged>),
    ("reassign", of::<Prompt>),
    ("pause", of::<Routing>),
    ("resume", of::<Routing>),
    ("approvals", of::<Approval>),
    ("approve", of::<Done>),
    ("deny", of::<Done>),
    ("answer", of::<Done>),
    ("policy show", of::<Policies>),
    ("policy test", of::<Verdict>),
    ("policy examples", of::<PolicyExample>),
    ("policy set", of::<Policies>),
    ("alerts", of::<Alert>),
    ("sink ls", of::<Sink>),
    ("sink set", of::<Sink>),
    ("sink test", of::<Done>),
    ("sink rm", of::<Done>),
    ("pool ls", of::<Pool>),
    ("pool add", of::<Pool>),
    ("pool rm", of::<Done>),
    ("run", line_of_a_run),
    ("task validate", of::<crate::tasks::Verdict>),
    ("task clean", of::<crate::tasks::Removed>),
    ("tmux ls", of::<Pane>),
    ("tmux new", of::<Pane>),
    ("tmux adopt", of::<Pane>),
    ("tmux allow", of::<Pane>),
    ("tmux send", of::<Done>),
    ("tmux capture", of::<Captured>),
    ("tmux wrap", of::<Pane>),
    ("tmux open", of::<Pane>),
    ("tmux kill", of::<Done>),
    ("template ls", of::<Template>),
    ("template set", of::<Template>),
    ("template rm", of::<Done>),
    ("token ls", of::<TokenRow>),
    ("token add", either::<MadeToken, TokenRow>),
    ("token rm", of::<Done>),
    ("search", of::<Hit>),
    ("audit", of::<Audit>),
    ("context", of::<ContextRow>),
    ("logs", of::<EventRow>),
    ("events", either::<FoundEvent, PromptLine>),
    ("watch", of::<ToViewer>),
    ("doctor", of::<Finding>),
    ("login", of::<LoginLink>),
    ("schema", of::<Described>),
];

/// A line of `assign schema --json`.
#[derive(Serialize, JsonSchema)]
struct Described {
    /// The command; `send` is the one without a name.
    command: &'static str,
    /// What each line of its `--json` is, as a JSON Schema (2020-12).
    schema: Schema,
}

/// Prints the schema of one command, or tells which there are.
pub fn print(print: &Printer, command: &[String]) -> Result<(), Failure> {
    let wanted = command.join(" ");
    if wanted.is_empty() {
        let names: Vec<&str> = SHAPES.iter().map(|(name, _)| *name).collect();
        if !print.json {
            return print.line(&names.join("\n"));
        }
        return SHAPES
            .iter()
            .try_for_each(|(command, make)| print.object(&Described { command, schema: make() }));
    }
    let Some((_, make)) = SHAPES.iter().find(|(name, _)| *name == wanted) else {
        return Err(unknown(&wanted));
    };
    if print.json {
        return print.object(&make());
    }
    let text = serde_json::to_string_pretty(&make()).map_err(|e| Failure::failed(e.to_string()))?;
    print.line(&text)
}

fn unknown(wanted: &str) -> Failure {
    let within: Vec<&str> =
        SHAPES.iter().map(|(name, _)| *name).filter(|name| name.starts_with(&format!("{wanted} "))).collect();
    let hint = match &within[..] {
        [] => "`assign schema` lists those that do".to_owned(),
        several => format!("there are: {}", several.join(", ")),
    };
    Failure::Usage(format!("no command '{}' prints JSON; {hint}", wire::text::escape(wanted)))
}

fn generator() -> SchemaGenerator {
    // What is printed has all fields; what is read may lack some.
    SchemaSettings::draft2020_12().for_serialize().into_generator()
}

fn of<T: JsonSchema>() -> Schema {
    generator().into_root_schema_for::<T>()
}

fn either<A: JsonSchema, B: JsonSchema>() -> Schema {
    any(|generator| vec![generator.subschema_for::<A>(), generator.subschema_for::<B>()])
}

fn any(of: impl FnOnce(&mut SchemaGenerator) -> Vec<Schema>) -> Schema {
    let mut generator = generator();
    let one_of = of(&mut generator);
    let definitions = generator.take_definitions(true);
    json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "anyOf": one_of,
        "$defs": definitions,
    })
}

/// How it begins, each change, and its end; with `--dry-run` what would be sent.
fn line_of_a_run() -> Schema {
    any(|generator| {
        vec![
            generator.subschema_for::<Begun<'static>>(),
            generator.subschema_for::<Change<'static>>(),
            generator.subschema_for::<Over<'static>>(),
            generator.subschema_for::<Row>(),
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// Commands that print something else.
    const NOT_JSON: [&str; 8] =
        ["completions", "man", "mcp", "task new", "task schema", "tmux follow", "tmux next", "watch-dir"];

    fn leaves(command: &clap::Command, before: &str, out: &mut Vec<String>) {
        for sub in command.get_subcommands() {
            let name = format!("{before}{}", sub.get_name());
            match sub.has_subcommands() {
                true => leaves(sub, &format!("{name} "), out),
                false => out.push(name),
            }
        }
    }

    #[test]
    fn every_command_is_described_and_nothing_else() {
        let mut commands = vec!["send".to_owned()];
        leaves(&crate::cli::Cli::command(), "", &mut commands);
        commands.retain(|name| !NOT_JSON.contains(&name.as_str()));
        commands.sort();
        let mut described: Vec<&str> = SHAPES.iter().map(|(name, _)| *name).collect();
        described.sort_unstable();
        assert_eq!(described, commands);
    }
}
