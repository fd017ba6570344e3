//! Checks a profile against its own promises: every pattern compiles, every rule matches what it says it matches.
//! Must not: read files; it is given their texts.

use serde_json::Value;

use crate::fact::{Action, FactRule, Place};
use crate::schema::{AgentFile, ComposerTable, DialogTable, FactTable, ToolTable};
use crate::{Pattern, TelemetryRecipe, library};

/// What is wrong with a profile; nothing when all is well. Each fault names the file and the rule.
pub fn agent(file: &str, text: &str) -> Vec<String> {
    let raw = match library::parse_agent(file, text) {
        Ok(raw) => raw,
        Err(error) => return vec![error.to_string()],
    };
    let mut faults = Faults { file, all: Vec::new() };
    faults.rules(&raw);
    if let Some(table) = &raw.composer {
        faults.composer(table);
    }
    if let Some(t) = &raw.answer {
        let others = t.skip.iter().chain(&t.tool).chain(&t.tool_body).chain(&t.end).chain(&t.begin);
        let others = others.chain([&t.prompt]);
        faults.compile("answer", others);
    }
    faults.compile("version", raw.version.iter().chain(&raw.not_with));
    faults.compile("transcript", raw.transcript.iter().filter_map(|t| t.open.as_ref()));
    if let Some(fault) = raw.telemetry.as_ref().and_then(TelemetryRecipe::fault) {
        faults.say("telemetry", fault);
    }
    raw.facts.iter().for_each(|table| faults.fact(table));
    if let Err(error) = library::agent(file, text) {
        faults.all.push(error.to_string());
    }
    faults.all
}

struct Faults<'f> {
    file: &'f str,
    all: Vec<String>,
}

impl Faults<'_> {
    fn say(&mut self, rule: &str, fault: &str) {
        self.all.push(format!("{}: {rule}: {fault}", self.file));
    }

    fn rules(&mut self, raw: &AgentFile) {
        if let Some(t) = &raw.input.command {
            self.rule("input.command", &t.pattern, &t.matches, &t.rejects);
        }
        for t in &raw.titles {
            self.rule(&t.id, &t.pattern, &t.matches, &t.rejects);
        }
        for t in &raw.screens {
            self.rule(&t.id, &t.pattern, &t.matches, &t.rejects);
        }
        for t in &raw.dialogs {
            self.dialog(t);
        }
        for t in raw.turn_ends.iter().chain(&raw.failures).chain(&raw.interruptions) {
            self.rule(&t.id, &t.pattern, &t.matches, &t.rejects);
        }
        for t in &raw.metrics {
            self.rule(&t.id, &t.pattern, &t.matches, &t.rejects);
        }
        for t in &raw.tools {
            self.rule(&format!("tool {}", t.name), &t.name, &t.matches, &t.rejects);
            self.tool(t);
        }
    }

    fn rule(&mut self, id: &str, pattern: &str, matches: &[String], rejects: &[String]) {
        let compiled = Pattern::new(pattern);
        if let Err(cause) = compiled.check() {
            return self.say(id, &cause);
        }
        self.examples(id, matches, rejects, |text| Ok(compiled.is_match(text)));
    }

    fn examples(
        &mut self,
        id: &str,
        matches: &[String],
        rejects: &[String],
        holds: impl Fn(&str) -> Result<bool, String>,
    ) {
        if matches.is_empty() {
            self.say(id, "has no example that it matches");
        }
        if rejects.is_empty() {
            self.say(id, "has no example that it rejects");
        }
        for (example, wanted) in matches.iter().map(|e| (e, true)).chain(rejects.iter().map(|e| (e, false))) {
            match holds(example) {
                Ok(found) if found == wanted => {}
                Ok(true) => self.say(id, &format!("must not match {example:?}")),
                Ok(false) => self.say(id, &format!("must match {example:?}")),
                Err(cause) => self.say(id, &format!("example {example:?}: {cause}")),
            }
        }
    }

    fn compile<'p>(&mut self, id: &str, patterns: impl Iterator<Item = &'p String>) {
        for pattern in patterns {
            if let Err(cause) = Pattern::new(pattern.as_str()).check() {
                self.say(id, &cause);
            }
        }
    }

    fn dialog(&mut self, t: &DialogTable) {
        self.rule(&t.id, &t.text, &t.matches, &t.rejects);
        let others = [Some(&t.end), t.top.as_ref(), t.option.as_ref(), t.approve.as_ref()];
        self.compile(&t.id, others.into_iter().flatten());
    }

    /// What a rule of the user's may decide by must be sound: a wrong place would let it judge something else.
    fn tool(&mut self, t: &ToolTable) {
        let id = format!("tool {}", t.name);
        self.compile(&id, t.unless.values());
        if t.command.is_some() != (t.action == Some(Action::Shell)) {
            self.say(&id, "names a command exactly when its action is \"shell\"");
        }
        let told = t.command.is_some() || !t.paths.is_empty() || t.here || !t.unless.is_empty();
        if t.action.is_none() && told {
            self.say(&id, "says what its arguments mean, but not what it does: give an action");
        }
        let places = t.command.iter().chain(&t.paths).chain(t.unless.keys());
        for place in places.filter(|place| !place.starts_with('/')) {
            self.say(&id, &format!("{place:?} is no JSON pointer: it begins with a slash"));
        }
    }

    fn composer(&mut self, t: &ComposerTable) {
        self.rule("composer", &t.marker, &t.matches, &t.rejects);
        let others = t.ghost.iter().chain(&t.pasted).chain(t.above.as_ref()).chain(t.below.as_ref());
        self.compile("composer", others);
    }

    fn fact(&mut self, t: &FactTable) {
        self.compile(&t.id, t.when.values().chain(t.unless.values()));
        let place = |(pointer, pattern): (&String, &String)| Place {
            pointer: pointer.clone(),
            pattern: Pattern::new(pattern.as_str()),
        };
        let (when, unless): (Vec<_>, Vec<_>) =
            (t.when.iter().map(place).collect(), t.unless.iter().map(place).collect());
        self.examples(&t.id, &t.matches, &t.rejects, |example| {
            let payload: Value = serde_json::from_str(example).map_err(|cause| cause.to_string())?;
            Ok(FactRule::all_hold(&when, &unless, &payload))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "name = \"x\"\ntitle = \"X\"\n[input]\npaste = \"never\"\nenter = \"\\r\"\ninterrupt = \"\"\n\
                        settle_ms = 0\n";

    fn faults(more: &str) -> String {
        agent("x.toml", &format!("{GOOD}{more}")).join("\n")
    }

    #[test]
    fn a_profile_that_keeps_its_promises_has_no_faults() {
        assert_eq!(faults(""), "");
    }

    #[test]
    fn a_broken_promise_is_told_with_file_rule_and_example() {
        let rule = |pattern: &str, matches: &str| {
            format!(
                "[[turn_end]]\nid = \"x.a\"\nmeaning = \"\"\npattern = '{pattern}'\nmatches = [{matches}]\nrejects = [\"no\"]\n"
            )
        };
        assert_eq!(faults(&rule("^yes", "\"yes\"")), "");
        assert_eq!(faults(&rule("^yes", "\"say yes\"")), "x.toml: x.a: must match \"say yes\"");
        assert_eq!(faults(&rule("o", "\"o\"")), "x.toml: x.a: must not match \"no\"");
        assert!(faults(&rule("(", "\"o\"")).contains("unclosed"));
        assert!(faults(&rule("^yes", "")).contains("has no example"));
        let twice = rule("^yes", "\"yes\"").repeat(2);
        assert!(faults(&twice).contains("already taken"));
    }

    #[test]
    fn what_rules_decide_by_must_be_sound() {
        let tool = |more: &str| {
            let head = "[[tool]]\nname = '^Run$'\nkind = \"command\"\ndetail = []\nmatches = [\"Run\"]\nrejects = [\"Runs\"]\n";
            faults(&format!("{head}{more}"))
        };
        assert_eq!(tool("action = \"shell\"\ncommand = \"/command\"\n"), "");
        assert!(tool("action = \"shell\"\n").contains("names a command exactly when"));
        assert!(tool("action = \"edit\"\ncommand = \"/command\"\n").contains("names a command exactly when"));
        assert!(tool("paths = [\"/path\"]\n").contains("give an action"));
        assert!(tool("action = \"edit\"\npaths = [\"path\"]\n").contains("no JSON pointer"));
    }

    #[test]
    fn telemetry_tells_port_and_secret_and_never_overrules_the_user() {
        let recipe = |env: &str| faults(&format!("[telemetry]\ntheirs = [\"OTEL_\"]\nenv = {{ {env} }}\n"));
        assert_eq!(recipe("OTEL_A = \"http://127.0.0.1:{port}\", OTEL_B = \"{secret}\""), "");
        assert!(recipe("OTEL_A = \"http://127.0.0.1:{port}\"").contains("telemetry: a variable must tell"));
        assert!(recipe("OTEL_A = \"{port}\", B = \"{secret}\"").contains("left alone"));
    }

    #[test]
    fn the_example_of_a_fact_must_be_json() {
        let fact = "[[fact]]\nid = \"x.f\"\nmeaning = \"\"\nfrom = \"hook\"\nmeans = \"done\"\nwhen = { \"/a\" = \"^b$\" }\n\
                    matches = ['{\"a\":\"b\"}', 'a']\nrejects = ['{\"a\":1}']\n";
        let said = faults(fact);
        assert!(said.contains("x.f") && said.lines().count() == 1, "{said}");
    }
}
