//! The file of a run: steps, values, what a failure means. Pure. Must not: know how steps depend on each other.

use std::collections::BTreeMap;

use jiff::Zoned;
use wire::PromptId;
use wire::prompt::NewPrompt;
use wire::text::{cut, escape};

use super::template::{Part, parts};
use crate::asked;
use crate::tree::{Entry, Fault, Node, Value, unknown};

/// Most steps of a file, and most prompts of a run.
pub const STEPS_MAX: usize = 10_000;
/// Longest name of a step.
const ID_MAX: usize = 64;
/// Faults that are told at once.
const FAULTS_MAX: usize = 20;

/// What the failure of a step means for the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Policy {
    /// Nothing more is queued, and what no session has yet is called off.
    Stop,
    /// What comes after it is left out; the rest goes on.
    #[default]
    Skip,
    /// What comes after it runs all the same.
    Continue,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// What it is called, for people.
    pub name: Option<String>,
    /// Values for `{{vars.NAME}}`.
    pub vars: BTreeMap<String, String>,
    /// Names of those that only the command line gives.
    pub given: Vec<String>,
    /// In the order of the file.
    pub steps: Vec<Step>,
}

/// A step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its name, unique in the file.
    pub id: String,
    /// Where it stands.
    pub line: usize,
    /// What is asked; its texts have blanks, and its directory is as written.
    pub asked: NewPrompt,
    /// Steps that come before, with the line that says so.
    pub after: Vec<(String, usize)>,
    /// What it is repeated for.
    pub each: Option<Each>,
    /// What its failure means.
    pub policy: Policy,
}

/// What a step is repeated for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Each {
    /// These texts, with blanks.
    Items(Vec<String>),
    /// The lines of a text with blanks, without those that are empty.
    Lines(String),
}

impl Each {
    /// Whether other steps tell what it is, so that nobody knows it before.
    pub fn told(&self) -> bool {
        match self {
            Each::Items(_) => false,
            Each::Lines(text) => {
                parts(text).is_ok_and(|parts| parts.iter().any(|p| matches!(p, Part::Step(..))))
            }
        }
    }
}

/// Reads a file. Times of steps count from `now`; `given` are values from the command line.
pub fn read(root: &Node, given: &[(String, String)], now: &Zoned) -> Result<Flow, Vec<Fault>> {
    let mut reader =
        Reader { now, policy: Policy::default(), defaults: NewPrompt::new(""), faults: Vec::new() };
    let flow = reader.flow(root, given);
    if reader.faults.is_empty() {
        return Ok(flow);
    }
    reader.faults.sort();
    reader.faults.truncate(FAULTS_MAX);
    Err(reader.faults)
}

struct Reader<'a> {
    now: &'a Zoned,
    policy: Policy,
    defaults: NewPrompt,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn flow(&mut self, root: &Node, given: &[(String, String)]) -> Flow {
        let mut flow = Flow { name: None, vars: BTreeMap::new(), given: Vec::new(), steps: Vec::new() };
        let mut steps = None;
        match &root.value {
            Value::List(_) => steps = Some(root),
            _ => {
                for entry in self.or(root.table_with("file", &[("steps", "step")])).unwrap_or_default() {
                    match entry.name().as_str() {
                        "steps" | "step" => steps = Some(&entry.node),
                        _ => self.head(entry, &mut flow),
                    }
                }
            }
        }
        let foreign = given.iter().map(|(name, _)| name).filter(|name| !flow.vars.contains_key(*name));
        flow.given = foreign.cloned().collect();
        flow.vars.extend(given.iter().cloned());
        let nodes = steps.map(Node::list).unwrap_or_default();
        if nodes.is_empty() {
            let text = "the file has no steps; write them as [[steps]] in TOML, or under `steps:` in YAML";
            self.faults.push(Fault::new(root.line, text));
        }
        if nodes.len() > STEPS_MAX {
            let text =
                format!("the file has {} steps; {STEPS_MAX} are the most of one run: split it", nodes.len());
            self.faults.push(Fault::new(root.line, text));
            return flow;
        }
        let mut lines = BTreeMap::new();
        for (number, node) in nodes.iter().enumerate() {
            let step = self.step(node, number + 1);
            if let Some(first) = lines.insert(step.id.clone(), step.line) {
                let text = format!("the id '{}' is taken by the step in line {first}", step.id);
                self.faults.push(Fault::new(step.line, text));
            }
            flow.steps.push(step);
        }
        flow
    }

    fn head(&mut self, entry: &Entry, flow: &mut Flow) {
        match entry.name().as_str() {
            "name" => flow.name = self.or(entry.node.text("name")),
            "on-failure" => self.policy = self.or(policy(&entry.node)).unwrap_or_default(),
            "vars" => flow.vars.extend(self.or(entry.node.named_texts("vars")).unwrap_or_default()),
            "defaults" => {
                for entry in self.or(entry.node.table_with("defaults", asked::FORMS)).unwrap_or_default() {
                    let mut prompt = std::mem::replace(&mut self.defaults, NewPrompt::new(""));
                    self.option(&mut prompt, entry, &["on-failure"]);
                    self.defaults = prompt;
                    if entry.name() == "on-failure" {
                        self.policy = self.or(policy(&entry.node)).unwrap_or_default();
                    }
                }
            }
            _ => self.faults.push(entry.unknown(&["name", "vars", "defaults", "on-failure", "steps"])),
        }
    }

    fn step(&mut self, node: &Node, number: usize) -> Step {
        let before = self.faults.len();
        let mut step = Step {
            id: format!("step-{number}"),
            line: node.line,
            asked: self.defaults.clone(),
            after: Vec::new(),
            each: None,
            policy: self.policy,
        };
        if let Value::Text(text) = &node.value {
            step.asked.text.clone_from(text);
        }
        let entries = match &node.value {
            Value::Text(_) => &[][..],
            _ => self.or(node.table_with("step", asked::FORMS)).unwrap_or_default(),
        };
        if let Some(first) = entries.first() {
            step.line = step.line.min(first.line);
        }
        for entry in entries {
            match entry.name().as_str() {
                "id" => self.id(&entry.node, &mut step),
                "prompt" | "text" => step.asked.text = self.or(entry.node.text("prompt")).unwrap_or_default(),
                "after" => self.after(&entry.node, &mut step),
                "foreach" => step.each = self.or(each(&entry.node)),
                "on-failure" => step.policy = self.or(policy(&entry.node)).unwrap_or_default(),
                _ => self.option(&mut step.asked, entry, &["id", "prompt", "after", "foreach", "on-failure"]),
            }
        }
        // Whatever else is wrong with it may be why.
        if step.asked.text.trim().is_empty() && self.faults.len() == before {
            self.faults
                .push(Fault::new(step.line, format!("step {} has no text; give it a `prompt`", step.id)));
        }
        step
    }

    fn option(&mut self, prompt: &mut NewPrompt, entry: &Entry, besides: &[&'static str]) {
        let taken = asked::option(prompt, entry, self.now);
        if self.or(taken) == Some(false) && !besides.contains(&entry.name().as_str()) {
            self.faults.push(entry.unknown(&[besides, asked::NAMES].concat()));
        }
    }

    fn id(&mut self, node: &Node, step: &mut Step) {
        let Some(id) = self.or(node.text("id")) else { return };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || id.len() > ID_MAX || !id.chars().all(plain) {
            let shown = escape(&cut(&id, ID_MAX));
            let text = format!("'{shown}' is no id: letters, digits, `-` and `_`, at most {ID_MAX}");
            return self.faults.push(Fault::new(node.line, text));
        }
        if id.bytes().all(|b| b.is_ascii_digit()) {
            let text = format!(
                "'{id}' is no id: a number in `after` is a prompt of the queue; begin it with a letter"
            );
            return self.faults.push(Fault::new(node.line, text));
        }
        step.id = id;
    }

    /// Names of steps; numbers are prompts that are in the queue already.
    fn after(&mut self, node: &Node, step: &mut Step) {
        for node in node.list() {
            match node.value {
                Value::Number(id) => step.asked.after.push(PromptId(id)),
                _ => {
                    let id = self.or(node.text("after"));
                    step.after.extend(id.map(|id| (id, node.line)));
                }
            }
        }
    }

    fn or<T>(&mut self, value: Result<T, Fault>) -> Option<T> {
        value.map_err(|fault| self.faults.push(fault)).ok()
    }
}

fn policy(node: &Node) -> Result<Policy, Fault> {
    let word = node.text("on-failure")?;
    match word.as_str() {
        "stop" => Ok(Policy::Stop),
        "skip" => Ok(Policy::Skip),
        "continue" => Ok(Policy::Continue),
        _ => Err(Fault::new(node.line, unknown("failure policy", &word, &["stop", "skip", "continue"]))),
    }
}

fn each(node: &Node) -> Result<Each, Fault> {
    match &node.value {
        Value::List(_) => node.texts("foreach").map(Each::Items),
        _ => node.text("foreach").map(Each::Lines),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(text: &str) -> Result<Flow, Vec<Fault>> {
        read(&crate::tree::yaml(text).unwrap(), &[], &Zoned::now())
    }

    fn faults(text: &str) -> Vec<String> {
        flow(text).unwrap_err().iter().map(Fault::to_string).collect()
    }

    #[test]
    fn a_plain_list_of_prompts_is_a_run() {
        let flow = flow("- make it\n- prompt: test it\n  after: step-1\n").unwrap();
        assert_eq!(flow.steps[0].id, "step-1");
        assert_eq!(flow.steps[1].after, [("step-1".to_owned(), 3)]);
    }

    #[test]
    fn toml_and_yaml_say_the_same() {
        let toml = "on-failure = 'stop'\n[vars]\nx = 1\n[defaults]\ntag = 'a'\n[[steps]]\nid = 'a'\nprompt = 'b'\n\
                    tag = 'c'\non_failure = 'continue'\nforeach = ['1', '2']\nafter = [7]\n";
        let yaml = "on-failure: stop\nvars: {x: 1}\ndefaults: {tag: a}\nsteps:\n- id: a\n  prompt: b\n  tag: c\n  \
                    on_failure: continue\n  foreach: [1, 2]\n  after: [7]\n";
        let mut one = read(&crate::tree::toml(toml).unwrap(), &[], &Zoned::now()).unwrap();
        let other = flow(yaml).unwrap();
        assert_eq!(one.steps[0].asked.tags, ["a", "c"]);
        assert_eq!(one.steps[0].policy, Policy::Continue);
        one.steps[0].line = other.steps[0].line;
        assert_eq!(one, other);
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once_with_lines() {
        let told = faults(
            "nam: x\nsteps:\n- id: a\n  promt: x\n- id: a b\n  prompt: y\n- {id: c, prompt: z, priority: 99}\n",
        );
        assert!(told[0].starts_with("line 1: unknown key 'nam'; did you mean 'name'?"), "{told:?}");
        assert!(told.iter().any(|t| t.starts_with("line 4: unknown key 'promt'; did you mean 'prompt'?")));
        assert!(told.iter().any(|t| t.starts_with("line 5: 'a b' is no id")));
        assert!(told.iter().any(|t| t.starts_with("line 7: `priority` must be a number")));
    }

    #[test]
    fn ids_are_unique_and_texts_not_empty() {
        assert!(
            faults("- {id: a, prompt: x}\n- {id: a, prompt: y}\n")[0].contains("taken by the step in line 1")
        );
        assert!(faults("- {id: a, prompt: ' '}\n")[0].contains("no text"));
        assert!(faults("- {id: a}\n")[0].contains("no text"));
        assert!(faults("name: x\n")[0].contains("no steps"));
        assert!(faults(&"- x\n".repeat(STEPS_MAX + 1))[0].contains("split it"));
    }
}
