//! What a rule over commands approves and denies, and what gets past it: nothing.

use super::*;

#[track_caller]
fn check(commands: &str, line: &str, approved: bool) {
    let judged = judge(&for_commands("approve", commands, ""), &asked(None, &shell(line)));
    assert_eq!(judged.effect == Effect::Approve, approved, "{commands}: {line:?}");
}

#[test]
fn a_wildcard_is_one_argument_that_is_no_option_and_dots_are_any_number() {
    for (line, approved) in [
        ("cargo test", true),
        ("cargo  'test'", true),
        ("cargo test a", false),
        ("cargo", false),
        ("cargo build a", true),
        ("cargo build", false),
        ("cargo build -r", false),
        ("cargo build a b", false),
        ("cargo bench", true),
        ("cargo bench -p a -- b", true),
        ("cargo test && cargo bench | cargo build x", true),
        ("cargo test && cargo doc", false),
    ] {
        check("[['cargo', 'test'], ['cargo', 'build', '*'], ['cargo', 'bench', '...']]", line, approved);
    }
}

#[test]
fn nothing_is_smuggled_past_a_rule_that_approves_tests() {
    for line in [
        "cargo test; rm -rf /",
        "cargo test $(x)",
        "cargo test `x`",
        "cargo test\nrm -rf .",
        "cargo test\r\nrm -rf .",
        "cargo test > /etc/x",
        "cargo test >> x",
        "cargo test < x",
        "cargo test 2>&1",
        "cargo test <(x)",
        "cargo test &",
        "cargo test & rm x",
        "FOO=1 cargo test",
        "RUSTC_WRAPPER=./x cargo test",
        "cargo test || sudo x",
        "cargo test | sh",
        "bash -c 'cargo test'",
        "env cargo test",
        "sudo cargo test",
        "cargo\u{a0}test",
        "cargo test\u{a0}",
        "cargo test\u{3000}x",
        "cargo test \0",
        "cargo test\0; x",
        "cargo te\u{200b}st",
        "cargo test --config 'build.rustc-wrapper=\"x\"'",
        "cargo test --config=x",
        "cargo test --conf x",
        "cargo test -Zx",
        "cargo test -vZ x",
        "cargo test --manifest-path ../x/Cargo.toml",
        "(cargo test)",
        "{ cargo test; }",
        "! cargo test",
        "time cargo test",
        "cargo test *",
        "cargo test ~",
        "cargo test ${IFS}x",
        "cargo test $'\\x3b'",
        "cargo test #",
        "cargo test \\; x",
        "\"cargo test\"",
        "cargo +nightly test",
        "./cargo test",
        "Cargo test",
        "if cargo test; then cargo test; fi",
        "cargo test 'x",
        "cargo test \"$x\"",
        "cargo test {a,b}",
        "cargo test !!",
        "cargo -C /x test",
        "",
        ";",
        "cargo test;",
        "cargo test && ",
    ] {
        check("[['cargo', 'test', '...']]", line, false);
    }
    check("[['cargo', 'test', '...']]", "cargo \"test\" 'a b; c' -- --nocapture", true);
}

#[test]
fn no_wildcard_reaches_into_a_program_that_runs_others() {
    let git =
        "[['git', 'log', '...'], ['git', 'fetch', '...'], ['git', 'grep', '...'], ['git', 'rebase', '...']]";
    for line in [
        "git -c core.pager=x log",
        "git --exec-path=x log",
        "git log --ext-diff",
        "git log --ext",
        "git log --output=x",
        "git log --outp x",
        "git fetch --upload-pack=x",
        "git fetch --upload-p x",
        "git grep -Ox y",
        "git grep --open x",
        "git rebase -x ls",
        "git rebase --exec=ls",
        "git rebase -ix ls",
    ] {
        check(git, line, false);
    }
    check(git, "git log --oneline -n 5 main && git fetch origin", true);
    for (commands, line) in [
        ("[['go', 'test', '...']]", "go test -exec x ."),
        ("[['go', 'test', '...']]", "go test --toolexec=x ."),
        ("[['make', '*']]", "make SHELL=x"),
        ("[['make', '...']]", "make -sf x"),
        ("[['gmake', '...']]", "gmake --eval x"),
        ("[['python', '...']]", "python -c x"),
        ("[['python3.12', '...']]", "python3.12 -Ic x"),
        ("[['python', '-c', '...']]", "python -c x"),
        ("[['perl', '...']]", "perl -pe x"),
        ("[['node', '...']]", "node --eval=x"),
        ("[['ruby', '-e', '*']]", "ruby -e x"),
        ("[['npm', 'run', '...']]", "npm run test --script-shell=x"),
        ("[['pytest', '...']]", "pytest -p x"),
        ("[['rg', '...']]", "rg --pre x y"),
        ("[['tar', '...']]", "tar -xf x --to-command=y"),
    ] {
        check(commands, line, false);
    }
    check("[['go', 'test', '...']]", "go test -count=1 -run X", true);
    check("[['python', '-m', 'pytest', '...']]", "python -m pytest -q", true);
    check("[['make', '...']]", "make -j4 test", true);
}

#[test]
fn a_program_that_runs_others_is_approved_only_as_it_is_spelled() {
    let commands =
        "[['sudo', 'systemctl', 'status'], ['git', '-C', 'sub', 'status'], ['bash', '-c', 'cargo test']]";
    check(commands, "sudo systemctl status", true);
    check(commands, "git -C sub status", true);
    check(commands, "bash -c 'cargo test'", true);
    check(commands, "bash -c 'cargo test; x'", false);
    check(commands, "sudo systemctl status x", false);
}

#[test]
fn one_command_of_a_line_is_enough_to_deny_it_but_not_one_that_cannot_be_read() {
    let deny = for_commands("deny", "[['rm', '...'], ['sudo', '...'], ['git', '...']]", "");
    for (line, denied) in [
        ("rm -rf x", true),
        ("ls && 'rm' x", true),
        ("ls | sudo tee x", true),
        ("git -c a=b log", true),
        ("ls", false),
        ("rm $(x)", false),
    ] {
        assert_eq!(effect(&deny, &shell(line)) == Effect::Deny, denied, "{line}");
    }
    let all = rules("[[rule]]\nname = 'a'\neffect = 'deny'\nactions = ['shell']");
    assert_eq!(effect(&all, &shell("rm $(x)")), Effect::Deny, "a rule over all commands need not read them");
}
