//! The tools that an agent offers, in its own words: which of them does what a script asks for, and with which
//! arguments. For interfaces whose agents differ. Must not: know an interface.

use serde_json::{Map, Value, json};

use super::Turn;
use crate::script::Tool;

/// Names that agents give to a tool, and to what it takes.
const SHELL: &[&str] = &["bash", "run_shell_command", "shell", "Shell", "Bash"];
const READ: &[&str] = &["read_file", "read", "view", "ReadFile"];
const EDIT: &[&str] = &["replace", "edit", "search_replace", "StrReplaceFile", "edit_file"];
const WRITE: &[&str] = &["write_file", "write", "WriteFile"];
const ASK: &[&str] = &["ask_user", "ask_user_question", "question", "AskUserQuestion"];
const PATH: &[&str] = &["file_path", "absolute_path", "filePath", "path"];
const OLD: &[&str] = &["old_string", "oldString", "oldText", "old_str"];
const NEW: &[&str] = &["new_string", "newString", "newText", "new_str"];

/// A tool that was offered: its name and the schema of its arguments.
pub(super) struct Offer<'a> {
    pub name: &'a str,
    pub schema: &'a Value,
}

/// The call in the agent's words; none when it offers no such tool.
pub(super) fn call(turn: &Turn, tool: &Tool, offers: &[Offer]) -> Option<(String, Value)> {
    let find = |names: &[&str]| names.iter().find_map(|name| offers.iter().find(|o| o.name == *name));
    match tool {
        Tool::Shell { command, about, background } => {
            let offer = find(SHELL)?;
            let mut call = Call::new(offer);
            call.set(&["command"], json!(command));
            call.set(&["description"], json!(about));
            call.set(&["is_background"], json!(background));
            Some(call.done())
        }
        Tool::Read { path } => {
            let mut call = Call::new(find(READ)?);
            call.set(PATH, json!(turn.path(path)));
            Some(call.done())
        }
        Tool::Edit { path, old, new } => {
            let mut call = Call::new(find(EDIT)?);
            call.set(&["instruction"], json!("change it"));
            let path = json!(turn.path(path));
            call.set(PATH, path);
            call.set(OLD, json!(old));
            call.set(NEW, json!(new));
            call.set(&["edits"], json!([{"oldText": old, "newText": new}]));
            call.set(&["content"], json!(format!("<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE")));
            Some(call.done())
        }
        Tool::Write { path, content } => {
            let mut call = Call::new(find(WRITE)?);
            call.set(PATH, json!(turn.path(path)));
            call.set(&["content"], json!(content));
            Some(call.done())
        }
        Tool::Ask { question, options } => {
            let options: Vec<_> = options.iter().map(|o| json!({"label": o, "description": o})).collect();
            let offer = find(ASK)?;
            let mut question = json!({"question": question, "header": "Choice", "options": options});
            // Some take the kind of question, some refuse what they do not know.
            if offer.schema.to_string().contains("\"choice\"") {
                question["type"] = json!("choice");
            }
            Some((offer.name.to_owned(), json!({"questions": [question]})))
        }
        Tool::Mcp { tool, arguments, .. } => {
            let offer = offers.iter().find(|offer| offer.name.ends_with(tool.as_str()))?;
            Some((offer.name.to_owned(), Value::Object(arguments.clone())))
        }
        Tool::Plan { plan } => {
            let mut call = Call::new(find(&["exit_plan_mode", "ExitPlanMode"])?);
            call.set(&["plan"], json!(plan));
            Some(call.done())
        }
    }
}

/// Arguments that keep to the offered schema.
struct Call<'a> {
    offer: &'a Offer<'a>,
    arguments: Map<String, Value>,
}

impl<'a> Call<'a> {
    fn new(offer: &'a Offer<'a>) -> Self {
        Self { offer, arguments: Map::new() }
    }

    /// Sets the first of the names that the tool takes.
    fn set(&mut self, names: &[&str], value: Value) {
        let known = |name: &&&str| !self.offer.schema["properties"][**name].is_null();
        if let Some(name) = names.iter().find(known) {
            self.arguments.insert((*name).to_owned(), value);
        }
    }

    fn done(self) -> (String, Value) {
        (self.offer.name.to_owned(), Value::Object(self.arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_only_the_arguments_that_the_agent_offers() {
        let schema = json!({"properties": {"command": {}, "timeout": {}}});
        let offer = Offer { name: "bash", schema: &schema };
        let mut call = Call::new(&offer);
        call.set(&["command"], json!("ls"));
        call.set(&["description"], json!("look"));
        call.set(PATH, json!("/p"));
        assert_eq!(call.done(), ("bash".to_owned(), json!({"command": "ls"})));
    }

    #[test]
    fn a_path_goes_by_the_agents_own_name_for_it() {
        let schema = json!({"properties": {"absolute_path": {}}});
        let offer = Offer { name: "read_file", schema: &schema };
        let mut call = Call::new(&offer);
        call.set(PATH, json!("/p"));
        assert_eq!(call.done().1, json!({"absolute_path": "/p"}));
    }
}
