//! What the rules promise: how files of them are read, and which requests they answer.

mod commands;
mod examples;
mod places;
mod random;

use super::*;

/// A command, as the agent told it.
fn shell(command: &str) -> ToolRequest {
    ToolRequest { command: Some(command.into()), ..tool("Bash", Action::Shell, &[]) }
}

fn tool(name: &str, action: Action, paths: &[&str]) -> ToolRequest {
    ToolRequest {
        tool: name.into(),
        detail: String::new(),
        arguments: "{}".into(),
        action,
        command: None,
        paths: paths.iter().map(|p| (*p).to_owned()).collect(),
    }
}

/// A session in `/repo/a` of the repository `/repo`.
fn asked<'a>(role: Option<&'a str>, tool: &'a ToolRequest) -> Request<'a> {
    Request { agent: "claude", role, session: "one", dir: "/repo/a", repo: Some("/repo"), tool: Some(tool) }
}

fn rules(text: &str) -> Rules {
    Rules::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// A rule for commands with more conditions.
fn for_commands(effect: &str, commands: &str, more: &str) -> Rules {
    rules(&format!("[[rule]]\nname = 'r'\neffect = '{effect}'\ncommands = {commands}\n{more}"))
}

fn effect(rules: &Rules, tool: &ToolRequest) -> Effect {
    judge(rules, &asked(None, tool)).effect
}

#[track_caller]
fn refused(text: &str, part: &str) {
    let error = Rules::parse(text).expect_err(text).to_string();
    assert!(error.contains(part), "{text}: {error}");
}

#[test]
fn a_file_that_is_wrong_says_where_and_what_was_meant() {
    refused("[[rules]]\nname = 'a'", "did you mean `rule`?");
    let wrong = "[[rule]]\nname = 'a'\neffect = 'ask'\n\n[[rule]]\nname = 'b'\neffect = 'ask'\ncomands = []";
    refused(wrong, "line 8");
    refused(wrong, "did you mean `commands`?");
    refused("[[rule]]\nname = 'a'\neffect = 'aprove'", "did you mean `approve`?");
    refused("[[rule]]\nname = 'a", "line 2");
    refused(
        "[[rule]]\nname = 'a'\neffect = 'ask'\n[[rule]]\nname = 'a'\neffect = 'deny'",
        "line 4: rule `a`: another",
    );
    refused("[[rule]]\nname = ' '\neffect = 'ask'", "no name");
}

#[test]
fn a_rule_that_would_approve_more_than_it_shows_is_refused() {
    let approve =
        |rest: &str, why: &str| refused(&format!("[[rule]]\nname = 'a'\neffect = 'approve'\n{rest}"), why);
    approve("", "approve everything");
    approve("roles = ['worker']", "any command");
    approve("tools = ['Bash']", "any command");
    approve("under = 'session'", "any command");
    approve("actions = ['shell']", "list its `commands`");
    approve("actions = ['read', 'shell']\ntools = ['Bash']\nunder = 'repo'", "list its `commands`");
    approve("actions = ['edit']", "changes to any file");
    approve("actions = ['other']", "list the `tools`");
    approve("actions = ['read']\ncommands = [['ls']]", "never match");
    for (command, why) in [
        ("[]", "without words"),
        ("['*']", "name a program"),
        ("['']", "name a program"),
        ("['...']", "name a program"),
        ("['cargo test']", "as a word of its own"),
        ("['cargo', '...', 'x']", "only stand at the end"),
        ("['ls', '*.rs']", "no glob"),
        ("['sudo', '...']", "`sudo` runs other commands"),
        ("['/usr/bin/env', '*']", "`env` runs other commands"),
        ("['git', '...']", "name it"),
        ("['git', '-C', '*', 'status']", "name it"),
        ("['git', 'st', '...']", "`git st` may run"),
        ("['cargo', '*']", "name it"),
        ("['npm', 'exec', '...']", "`npm exec` may run"),
    ] {
        approve(&format!("commands = [{command}]"), why);
    }
    rules("[[rule]]\nname = 'a'\neffect = 'approve'\nactions = ['read']\n");
    rules("[[rule]]\nname = 'a'\neffect = 'deny'\ncommands = [['sudo', '...'], ['git', '...']]\n");
    rules("[[rule]]\nname = 'a'\neffect = 'approve'\ncommands = [['sudo', 'systemctl', 'status']]\n");
}

#[test]
fn the_first_rule_that_matches_decides_and_without_one_a_person_is_asked() {
    let text = "
        [[rule]]\nname = 'push'\neffect = 'ask'\ncommands = [['git', 'push', '...']]
        [[rule]]\nname = 'no'\neffect = 'deny'\ncommands = [['git', 'push', '--force']]
        [[rule]]\nname = 'git'\neffect = 'approve'\ncommands = [['git', 'push', '...'], ['git', 'pull']]";
    let judged = |line: &str| judge(&rules(text), &asked(None, &shell(line)));
    assert_eq!(judged("git push --force").rule.as_deref(), Some("push"));
    assert_eq!((judged("git pull").effect, judged("git pull").why), (Effect::Approve, None));
    assert_eq!(judged("git pull && git push").effect, Effect::Ask);
    assert_eq!(judged("ls"), Judged::ask("no rule matches"));
    assert!(judged("ls > x").why.unwrap().contains("read with certainty"));
}

#[test]
fn a39_a_request_that_the_agent_did_not_tell_is_never_answered() {
    let text = "
        [[rule]]\nname = 'no'\neffect = 'deny'
        [[rule]]\nname = 'yes'\neffect = 'approve'\nactions = ['read']";
    let nothing = shell("");
    let request = Request { tool: None, ..asked(None, &nothing) };
    let judged = judge(&rules(text), &request);
    assert_eq!((judged.effect, judged.rule), (Effect::Ask, None));
    assert_eq!(effect(&rules(text), &shell("ls")), Effect::Deny);
}

#[test]
fn each_condition_that_is_given_must_hold() {
    let text = |more: &str| format!("[[rule]]\nname = 'a'\neffect = 'approve'\nactions = ['read']\n{more}");
    let read = tool("Read", Action::Read, &["/repo/a/x"]);
    let check = |more: &str, role: Option<&str>, approved: bool| {
        let is = judge(&rules(&text(more)), &asked(role, &read)).effect == Effect::Approve;
        assert_eq!(is, approved, "{more} {role:?}");
    };
    for (more, approved) in [
        ("agents = ['claude']", true),
        ("agents = ['codex']", false),
        ("sessions = ['two', 'one']", true),
        ("sessions = ['two']", false),
        ("tools = ['Read']", true),
        ("tools = ['read']", false),
        ("roles = ['']", true),
        ("roles = ['worker']", false),
        ("tools = ['Read']\nagents = ['codex']", false),
    ] {
        check(more, None, approved);
    }
    check("roles = ['']", Some("worker"), false);
    check("roles = ['worker', '']", Some("worker"), true);
    assert_eq!(effect(&rules(&text("")), &tool("Edit", Action::Edit, &["/repo/a/x"])), Effect::Ask);
}

#[test]
fn a_command_is_approved_as_a_command_or_not_at_all() {
    let reads = rules("[[rule]]\nname = 'a'\neffect = 'approve'\nactions = ['read', 'fetch']");
    let disguised = ToolRequest { action: Action::Read, ..shell("rm -rf x") };
    assert_eq!(effect(&reads, &disguised), Effect::Ask);
    let commands = for_commands("approve", "[['ls']]", "");
    assert_eq!(effect(&commands, &tool("Bash", Action::Shell, &[])), Effect::Ask, "its command is not known");
    assert_eq!(effect(&commands, &ToolRequest { action: Action::Read, ..shell("ls") }), Effect::Approve);
}
