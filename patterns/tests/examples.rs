//! Every rule does what its examples promise, and every file reads.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use patterns::{Library, Pattern, builtin, library};

fn check(file: &str, rule: &str, pattern: &str, matches: &[String], rejects: &[String]) {
    let compiled = Pattern::new(pattern);
    if let Err(cause) = compiled.check() {
        panic!("{file}: {rule}: {cause}");
    }
    assert!(!matches.is_empty(), "{file}: {rule} has no example");
    assert!(!rejects.is_empty(), "{file}: {rule} has no counter-example");
    for example in matches {
        assert!(compiled.is_match(example), "{file}: {rule} must match {example:?}");
    }
    for example in rejects {
        assert!(!compiled.is_match(example), "{file}: {rule} must not match {example:?}");
    }
}

#[test]
fn every_rule_of_every_agent_matches_its_examples_and_rejects_the_others() {
    for (file, text) in builtin::AGENTS {
        assert_eq!(patterns::check::agent(file, text), Vec::<String>::new());
    }
}

#[test]
fn every_cause_matches_its_examples_and_the_first_that_does_counts() {
    let (causes, refusals) = patterns::cause::tables().unwrap();
    for table in refusals {
        check("causes.toml", &table.id, &table.pattern, &table.matches, &table.rejects);
    }
    for table in causes {
        check("causes.toml", &table.id, &table.pattern, &table.matches, &table.rejects);
        for example in &table.matches {
            assert_eq!(patterns::cause::of(example).map(|(cause, _)| cause), Some(table.cause), "{example}");
        }
    }
    assert_eq!(patterns::cause::of("API Error: 529 Overloaded"), None);
    let until = |reason: &str| patterns::cause::of(reason).and_then(|(_, until)| until);
    assert_eq!(
        until("You've hit your limit · resets 3pm (Europe/Berlin)").as_deref(),
        Some("3pm (Europe/Berlin)")
    );
    assert_eq!(
        until("You've hit your usage limit. Try again in 2 days 3 hours.").as_deref(),
        Some("2 days 3 hours")
    );
}

#[test]
fn every_event_rule_matches_its_examples_and_rejects_the_others() {
    for (file, text) in builtin::SETS {
        for rule in library::set(file, text).unwrap() {
            check(file, &rule.id, rule.pattern.source(), &rule.matches, &rule.rejects);
        }
    }
}

#[test]
fn ids_names_and_commands_are_unique_and_begin_with_their_file() {
    let (mut ids, mut commands) = (BTreeSet::new(), BTreeSet::new());
    for (file, text) in builtin::SETS {
        let set = library::parse_set(file, text).unwrap();
        assert_eq!(format!("{}.toml", set.name), *file);
        for rule in set.rules {
            assert!(rule.id.starts_with(&format!("{}.", set.name)), "{}", rule.id);
            assert!(ids.insert(rule.id.clone()), "{} stands twice", rule.id);
        }
    }
    for agent in Library::builtin().agents() {
        for command in &agent.commands {
            assert!(commands.insert(command.clone()), "{command} belongs to two agents");
        }
    }
}

#[test]
fn a_command_leads_to_its_agent_and_anything_else_to_the_unknown_one() {
    let library = Library::builtin();
    for (command, name) in
        [("claude", "claude"), ("codex", "codex"), ("zsh", "shell"), ("vim", "any"), ("", "any")]
    {
        assert_eq!(library.agent_for_command(command).name, name);
    }
    assert!(library.agent("nobody").is_none());
}

#[test]
fn an_error_names_its_file_and_its_rule() {
    let text = "name = \"x\"\n[[rule]]\nid = \"x.a\"\nmeanin = \"\"\n";
    let error = library::set("x.toml", text).unwrap_err().to_string();
    assert!(error.contains("x.toml") && error.contains("meanin"), "{error}");
    let rule = "[[rule]]\nid = \"x.a\"\nmeaning = \"\"\nkind = \"url\"\npattern = \"a\"\nmatches = []\nrejects = []\n";
    let error = library::set("x.toml", &format!("name = \"x\"\n{rule}{rule}")).unwrap_err().to_string();
    assert!(error.contains("x.a"), "{error}");
}
