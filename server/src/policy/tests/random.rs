//! What holds for any request.

use std::path::Path;

use proptest::prelude::*;

use super::*;

const COMMANDS: &str = "[['cargo', 'test', '...'], ['ls', '*'], ['git', 'log', '...'], ['npm', 'test']]";

/// Text that is nearly a command line that is approved.
fn line() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "cargo",
        "test",
        "ls",
        "git",
        "log",
        "npm",
        " ",
        " ",
        " ",
        "&&",
        "||",
        ";",
        "|",
        "&",
        "'",
        "\"",
        "$",
        "`",
        "\\",
        ">",
        "\n",
        "\0",
        "-x",
        "--output=x",
        "../",
        "/",
        "a",
        "~",
        "=",
        "#",
        "rm",
        "cargo test",
        "ls a",
        "\u{a0}",
        "é",
    ]);
    prop_oneof![
        3 => prop::collection::vec(part, 0..14).prop_map(|parts| parts.concat()),
        1 => any::<String>(),
    ]
}

/// Whether a command is one of those in `COMMANDS`, said once more, in the plainest way.
fn is_known(argv: &[String]) -> bool {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["cargo", "test", ..] | ["npm", "test"] => true,
        ["git", "log", rest @ ..] => !rest.contains(&"--output=x"),
        ["ls", one] => !one.starts_with('-'),
        _ => false,
    }
}

/// The commands of a line that holds only what needs no reading: split at operators and blanks.
fn naive(line: &str) -> Vec<Vec<String>> {
    let plain = line.replace(['|', ';', '&'], ";");
    let words = |part: &str| part.split(' ').filter(|w| !w.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    plain.split(';').map(words).filter(|words| !words.is_empty()).collect()
}

/// A path of few, telling parts.
fn path() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec!["repo", "a", "ab", "..", ".", "", "x"]);
    (any::<bool>(), prop::collection::vec(part, 0..6))
        .prop_map(|(rooted, parts)| format!("{}{}", if rooted { "/" } else { "" }, parts.join("/")))
}

/// Where a path leads from the session's directory, step by step.
fn leads_to(path: &str) -> Vec<&str> {
    let mut at = if path.starts_with('/') { vec![] } else { vec!["repo", "a"] };
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(at.pop()),
            part => at.push(part),
        }
    }
    at
}

proptest! {
    #[test]
    fn whatever_is_approved_consists_only_of_commands_that_match(line in line()) {
        let tool = shell(&line);
        let approved = effect(&for_commands("approve", COMMANDS, ""), &tool) == Effect::Approve;
        let under = effect(&for_commands("approve", COMMANDS, "under = 'session'"), &tool) == Effect::Approve;
        prop_assert!(approved || !under, "a condition more approved more: {:?}", line);
        if approved {
            let read = argv::read(&line).unwrap();
            prop_assert!(!read.is_empty() && read.iter().all(|argv| is_known(argv)), "{line:?}");
            let meant = line.contains(['$', '`', '\n', '\0', '>', '\\', '\u{a0}']);
            prop_assert!(!meant || line.contains(['\'', '"']), "{line:?}");
            if !line.contains(['\'', '"']) {
                prop_assert_eq!(read, naive(&line), "{:?}", line);
            }
        }
    }

    #[test]
    fn no_command_with_a_path_outside_is_approved(path in path(), glue in prop::sample::select(vec!["", "--x=", "-x", "a:", "a=b="])) {
        let rules = for_commands("approve", COMMANDS, "under = 'session'");
        let approved = effect(&rules, &shell(&format!("cargo test '{glue}{path}'"))) == Effect::Approve;
        let looks = path.contains('/') || path == "..";
        let inside = leads_to(&path).starts_with(&["repo", "a"]);
        prop_assert!(!approved || !looks || inside, "{glue}{path}");
    }

    #[test]
    fn no_file_outside_is_approved(paths in prop::collection::vec(path(), 0..3)) {
        let text = "[[rule]]\nname = 'a'\neffect = 'approve'\nactions = ['edit']\nunder = 'session'";
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        if effect(&rules(text), &tool("Edit", Action::Edit, &paths)) == Effect::Approve {
            prop_assert!(!paths.is_empty());
            for path in paths {
                prop_assert!(Path::new(path).is_absolute() && leads_to(path).starts_with(&["repo", "a"]), "{path}");
            }
        }
    }
}
