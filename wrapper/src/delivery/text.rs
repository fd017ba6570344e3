//! What is typed: a prompt, cleaned and made literal, or a shell's way into another context. Must not: type it.

use std::collections::BTreeMap;

use wire::prompt::{Failed, Hold, HoldCode};
use wire::text::{clean_prompt, cut};
use wire::wrapper::Offer;

use super::typing::brackets;
use crate::gate::{View, hold};

/// Most characters that are told of an attempt that failed.
const FAILURE_MAX: usize = 2_000;

/// A prompt as it will be typed, or why it must not be.
pub fn prompt(view: &View, offer: &Offer) -> Result<String, Hold> {
    let text = clean_prompt(&offer.text);
    if text.trim().is_empty() {
        return Err(hold(HoldCode::TextRefused, "nothing is left of the text after cleaning it"));
    }
    if text.contains('\n') && !brackets(view) {
        let why = "the program does not take a text of several lines as one; send it as one line";
        return Err(hold(HoldCode::TextRefused, why));
    }
    if text.trim_end().contains('\n') && view.recipe.interpreter && !offer.command {
        let why = "to a shell each line is a command of its own; join them with && or ;, or send it with --command if \
                   that is meant";
        return Err(hold(HoldCode::TextRefused, why));
    }
    let command = view.recipe.command.as_ref().filter(|_| !offer.command);
    if command.is_some_and(|rule| rule.is_match(text.trim_start())) {
        let why = "the agent would take it for a command of its own; let it begin with a word, or send it with --command \
                   if that is meant";
        return Err(hold(HoldCode::TextRefused, why));
    }
    let switches = text.starts_with(|c| view.recipe.prefixes.contains(&c));
    let text = match (switches && !offer.command, &view.recipe.guard) {
        (false, _) => text,
        (true, Some(guard)) => format!("{guard}{text}"),
        (true, None) => {
            let why =
                "its first character would switch the agent's mode; send it with --command if that is meant";
            return Err(hold(HoldCode::TextRefused, why));
        }
    };
    Ok(match &offer.failed {
        Some(failed) if view.recipe.told_failures && !offer.command => {
            let told = failure(failed);
            match brackets(view) {
                true => format!("{text}\n\n{told}"),
                false => format!("{text} {}", told.split_whitespace().collect::<Vec<_>>().join(" ")),
            }
        }
        _ => text,
    })
}

/// What the next attempt is told of the one before it.
fn failure(failed: &Failed) -> String {
    let reason = clean_prompt(&failed.reason);
    let reason = cut(reason.trim_end_matches('.'), FAILURE_MAX / 4);
    let mut told = format!("(An earlier attempt at this, number {}, failed: {reason}.", failed.number);
    let output = clean_prompt(&failed.output);
    if !output.trim().is_empty() {
        told.push_str(" Its check said:\n");
        // The end of an output says most.
        let room = FAILURE_MAX - told.chars().count() - 1;
        let skip = output.chars().count().saturating_sub(room);
        told.extend(output.chars().skip(skip));
    }
    told.push(')');
    told
}

/// The line that brings a shell into a directory and sets variables.
pub fn shell_move(dir: Option<&str>, env: &BTreeMap<String, String>) -> Result<String, Hold> {
    let cannot =
        |what: &str| Err(hold(HoldCode::NotPrepared, &format!("{what} cannot be typed into a shell")));
    let mut parts = Vec::new();
    if let Some(dir) = dir {
        if dir.contains(char::is_control) {
            return cannot("the directory's name");
        }
        parts.push(format!("cd -- {}", quoted(dir)));
    }
    for (name, value) in env {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) {
            return cannot(&format!("the variable {name:?}"));
        }
        // What cleaning would change must not be typed changed.
        if value.contains(char::is_control) {
            return cannot(&format!("the value of {name}"));
        }
        parts.push(format!("export {name}={}", quoted(value)));
    }
    Ok(parts.join(" && "))
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
