//! How the steps of a run depend on each other, and whether their blanks can be filled in. Pure.
//!
//! Must not: know what became of a step.

use std::collections::{BTreeMap, BTreeSet};

use wire::text::escape;

use super::file::{Each, Flow, Policy, Step};
use super::template::{Part, Told, parts};
use crate::asked::each_text;
use crate::tree::{Fault, unknown};

/// Longest cycle that is written out.
const CYCLE_MAX: usize = 12;

/// The dependencies of all steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    /// All steps, each after those that it needs, otherwise as in the file.
    pub order: Vec<usize>,
    /// What each step needs.
    pub needs: Vec<Vec<Need>>,
    /// Whether anybody asks for the step's output.
    pub wanted: Vec<bool>,
}

/// A step that comes before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// Which.
    pub step: usize,
    /// It must have ended before the other can be queued: its output or end is told, or its failure does not matter.
    /// Otherwise the queue itself can wait for it.
    pub ended: bool,
}

/// Finds out what needs what.
pub fn graph(flow: &Flow) -> Result<Graph, Vec<Fault>> {
    let known: BTreeMap<&str, usize> =
        flow.steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
    let mut checker = Checker {
        flow,
        known,
        wanted: vec![false; flow.steps.len()],
        used: BTreeSet::new(),
        faults: Vec::new(),
    };
    let needs: Vec<Vec<Need>> = flow.steps.iter().map(|step| checker.step(step)).collect();
    let Checker { wanted, used, mut faults, .. } = checker;
    faults.extend(flow.given.iter().filter(|name| !used.contains(*name)).map(|name| {
        let known: Vec<&str> = flow.vars.keys().map(String::as_str).filter(|known| known != name).collect();
        Fault::new(1, format!("--var: {}", unknown("value", name, &known)))
    }));
    if faults.is_empty() {
        match sorted(flow, &needs) {
            Ok(order) => return Ok(Graph { order, needs, wanted }),
            Err(fault) => faults.push(fault),
        }
    }
    faults.sort();
    faults.dedup();
    faults.truncate(20);
    Err(faults)
}

struct Checker<'a> {
    flow: &'a Flow,
    known: BTreeMap<&'a str, usize>,
    wanted: Vec<bool>,
    /// Values that some blank asks for.
    used: BTreeSet<String>,
    faults: Vec<Fault>,
}

impl Checker<'_> {
    fn step(&mut self, step: &Step) -> Vec<Need> {
        // True when the text needs it to have ended.
        let mut needs: BTreeMap<usize, bool> = BTreeMap::new();
        for (id, line) in &step.after {
            if let Some(at) = self.find(id, *line) {
                needs.entry(at).or_insert(false);
            }
        }
        let told = self.each(step);
        let from_others = !told.is_empty();
        needs.extend(told.into_iter().map(|at| (at, true)));
        let mut used = Vec::new();
        let walked = each_text(&step.asked, |what, text| {
            let found =
                parts(text).map_err(|why| Fault::new(step.line, format!("step {}: {why}", step.id)))?;
            used.extend(found.iter().filter_map(|part| self.part(step, what, *part, from_others)));
            Ok(String::new())
        });
        self.faults.extend(walked.err());
        if step.asked.command && (from_others || !used.is_empty()) {
            self.say(step, "with `command` its text cannot hold another step's output: it could be one");
        }
        needs.extend(used.into_iter().map(|at| (at, true)));
        let soft = |at: usize| self.flow.steps[at].policy == Policy::Continue;
        needs.into_iter().map(|(step, told)| Need { step, ended: told || soft(step) }).collect()
    }

    /// Steps whose output it is repeated for.
    fn each(&mut self, step: &Step) -> Vec<usize> {
        let texts = match &step.each {
            None => return Vec::new(),
            Some(Each::Items(items)) => items.as_slice(),
            Some(Each::Lines(text)) => std::slice::from_ref(text),
        };
        let lines = matches!(step.each, Some(Each::Lines(_)));
        let mut used = Vec::new();
        for text in texts {
            match parts(text) {
                Err(why) => self.say(step, &why),
                Ok(found) => {
                    for part in found {
                        match part {
                            Part::Item => self.say(step, "`foreach` itself cannot use {{item}}"),
                            Part::Step(..) if !lines => {
                                self.say(
                                    step,
                                    "a list in `foreach` is of plain texts; a step's output stands alone",
                                );
                            }
                            part => used.extend(self.part(step, "prompt", part, false)),
                        }
                    }
                }
            }
        }
        used
    }

    /// Judges one blank; the step whose end it needs.
    fn part(&mut self, step: &Step, what: &str, part: Part<'_>, from_others: bool) -> Option<usize> {
        match part {
            Part::Text(_) => None,
            Part::Var(name) => {
                self.used.insert(name.to_owned());
                if !self.flow.vars.contains_key(name) {
                    let known: Vec<&str> = self.flow.vars.keys().map(String::as_str).collect();
                    let hint = format!("or give it with `--var {}=VALUE`", escape(name));
                    let fault = if known.is_empty() {
                        format!("no value is known for '{}'; put it under `vars`", escape(name))
                    } else {
                        unknown("value", name, &known)
                    };
                    self.say(step, &format!("{fault}; {hint}"));
                }
                None
            }
            Part::Item => {
                if step.each.is_none() {
                    self.say(step, "{{item}} is for a step with `foreach`");
                } else if from_others && what != "prompt" {
                    self.say(step, &forbidden("{{item}} from another step's output", what));
                }
                None
            }
            Part::Step(id, told) => {
                if what != "prompt" {
                    self.say(step, &forbidden(&format!("{{{{steps.{}…}}}}", escape(id)), what));
                }
                let at = self.find(id, step.line)?;
                if told != Told::Status {
                    self.wanted[at] = true;
                }
                Some(at)
            }
        }
    }

    fn find(&mut self, id: &str, line: usize) -> Option<usize> {
        let found = self.known.get(id).copied();
        if found.is_none() {
            let known: Vec<&str> = self.known.keys().copied().collect();
            self.faults.push(Fault::new(line, unknown("step", id, &known)));
        }
        found
    }

    fn say(&mut self, step: &Step, text: &str) {
        self.faults.push(Fault::new(step.line, format!("step {}: {text}", step.id)));
    }
}

/// What an agent wrote must never become a command, a directory or a branch.
fn forbidden(blank: &str, what: &str) -> String {
    format!(
        "{blank} can stand in `prompt` only, not in `{what}`: it is an agent's text, and that would be obeyed"
    )
}

/// Each step after those that it needs, otherwise in the order of the file; a cycle is named.
fn sorted(flow: &Flow, needs: &[Vec<Need>]) -> Result<Vec<usize>, Fault> {
    let mut missing: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut after = vec![Vec::new(); needs.len()];
    for (step, needs) in needs.iter().enumerate() {
        needs.iter().for_each(|need| after[need.step].push(step));
    }
    let mut free: BTreeSet<usize> = (0..needs.len()).filter(|step| missing[*step] == 0).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(step) = free.pop_first() {
        order.push(step);
        for next in &after[step] {
            missing[*next] -= 1;
            if missing[*next] == 0 {
                free.insert(*next);
            }
        }
    }
    if order.len() == needs.len() { Ok(order) } else { Err(cycle(flow, needs, &missing)) }
}

/// Every step that is left needs another that is left: going on from need to need comes back somewhere.
fn cycle(flow: &Flow, needs: &[Vec<Need>], missing: &[usize]) -> Fault {
    let next = |step: usize| needs[step].iter().map(|need| need.step).find(|need| missing[*need] > 0);
    let mut way: Vec<usize> = missing.iter().position(|n| *n > 0).into_iter().collect();
    let mut seen: BTreeMap<usize, usize> = way.iter().map(|step| (*step, 0)).collect();
    while let Some(step) = way.last().copied().and_then(next) {
        if let Some(start) = seen.insert(step, way.len()) {
            way.drain(..start);
            way.push(step);
            break;
        }
        way.push(step);
    }
    let names = way.iter().take(CYCLE_MAX).map(|step| flow.steps[*step].id.as_str());
    let more = if way.len() > CYCLE_MAX { " → …" } else { "" };
    let text = format!("steps wait for each other: {}{more}", names.collect::<Vec<_>>().join(" → "));
    Fault::new(way.first().map_or(1, |step| flow.steps[*step].line), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph_of(text: &str) -> Result<Graph, Vec<String>> {
        let flow = crate::run::file::read(&crate::tree::yaml(text).unwrap(), &[], &jiff::Zoned::now());
        graph(&flow.unwrap()).map_err(|faults| faults.iter().map(Fault::to_string).collect())
    }

    #[test]
    fn a_blank_is_a_dependency() {
        let graph = graph_of(
            "- {id: c, prompt: 'x {{steps.a.output}}', after: [b]}\n- {id: b, prompt: x, after: [a]}\n- {id: a, prompt: x}\n",
        )
        .unwrap();
        assert_eq!(graph.order, [2, 1, 0]);
        assert_eq!(graph.needs[0], [Need { step: 1, ended: false }, Need { step: 2, ended: true }]);
        assert_eq!(graph.wanted, [false, false, true]);
    }

    #[test]
    fn the_queue_cannot_wait_for_what_may_fail() {
        let graph =
            graph_of("- {id: a, prompt: x, on-failure: continue}\n- {id: b, prompt: x, after: [a]}\n")
                .unwrap();
        assert_eq!(graph.needs[1], [Need { step: 0, ended: true }]);
    }

    #[test]
    fn a_cycle_is_named() {
        let told = graph_of(
            "- {id: z, prompt: x, after: [a]}\n- {id: a, prompt: x, after: [b]}\n- {id: b, prompt: x, after: [c]}\n\
             - {id: c, prompt: '{{steps.a.status}}'}\n",
        )
        .unwrap_err();
        assert_eq!(told, ["line 2: steps wait for each other: a → b → c → a"]);
        let own = graph_of("- {id: a, prompt: x, after: [a]}\n").unwrap_err();
        assert_eq!(own, ["line 1: steps wait for each other: a → a"]);
    }

    #[test]
    fn unknown_names_are_told_with_what_was_meant() {
        let told =
            graph_of("- {id: build, prompt: x}\n- id: b\n  prompt: 'x {{vars.y}}'\n  after: [bulid]\n")
                .unwrap_err();
        assert!(told[0].starts_with("line 2: step b: no value is known for 'y'"), "{told:?}");
        assert!(told[1].starts_with("line 4: unknown step 'bulid'; did you mean 'build'?"), "{told:?}");
    }

    #[test]
    fn a_value_that_nobody_asks_for_is_no_slip_only_when_the_file_has_it() {
        let given = [("brnch".to_owned(), "x".to_owned()), ("extra".to_owned(), "y".to_owned())];
        let text = "vars: {branch: main, extra: z}\nsteps:\n- '{{vars.branch}}'\n";
        let flow = crate::run::file::read(&crate::tree::yaml(text).unwrap(), &given, &jiff::Zoned::now());
        let told = graph(&flow.unwrap()).unwrap_err();
        assert_eq!(told, [Fault::new(1, "--var: unknown value 'brnch'; did you mean 'branch'?")]);
    }

    #[test]
    fn what_an_agent_wrote_stands_in_texts_only() {
        for field in ["verify", "dir", "branch", "prerequisite", "target", "tag"] {
            let told = graph_of(&format!(
                "- {{id: a, prompt: x}}\n- {{id: b, prompt: x, {field}: '{{{{steps.a.output}}}}'}}\n"
            ));
            assert!(told.unwrap_err()[0].contains("would be obeyed"), "{field}");
            let told = graph_of(&format!(
                "- {{id: a, prompt: x}}\n- {{id: b, prompt: x, foreach: '{{{{steps.a.output}}}}', {field}: '{{{{item}}}}'}}\n"
            ));
            assert!(told.unwrap_err()[0].contains("would be obeyed"), "{field}");
            let fine = format!("- {{id: b, prompt: x, foreach: [a, b], {field}: '{{{{item}}}}'}}\n");
            assert!(graph_of(&fine).is_ok(), "{field}");
        }
        assert!(graph_of("- {id: a, prompt: x}\n- {prompt: '{{steps.a.output}}', command: true}\n").is_err());
        assert!(graph_of("- {id: a, prompt: '{{item}}'}\n").is_err());
        assert!(graph_of("- {id: a, prompt: x, foreach: ['{{item}}']}\n").is_err());
    }
}
