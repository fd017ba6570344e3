//! What lies under a root, and what only seems to.

use super::*;

fn commands(under: &str) -> Rules {
    let commands = "[['cargo', 'test', '...'], ['cat', '...'], ['cd', '...'], ['cd', 'b'], ['dd', '...']]";
    for_commands("approve", commands, &format!("under = '{under}'"))
}

#[test]
fn no_argument_of_an_approved_command_is_a_path_outside() {
    for line in [
        "cargo \"test\" ../../x",
        "cargo test ../b",
        "cargo test ..",
        "cargo test /repo/ab/x",
        "cat /etc/passwd",
        "cat b/../../x",
        "cat ./../x",
        "cat '~/x'",
        "cat '~'",
        "cat x/../../../y",
        "cat b/../x",
        "cargo test --target=/x",
        "cargo test --x=a=/y",
        "cargo test -I/usr",
        "cargo test -C..",
        "cargo test --x=..",
        "dd of=/dev/sda",
        "dd if=../x",
        "cat x:/etc/y",
        "cat @/etc/x",
        "cat a,/etc/b",
        "cat file:///etc/x",
        "cat /repo/a/../b",
        "cd b",
        "cd && cat x",
        "cd - && cat x",
        "cat //etc/x",
    ] {
        assert_eq!(effect(&commands("session"), &shell(line)), Effect::Ask, "{line}");
    }
    for line in [
        "cargo test",
        "cargo test b/c",
        "cat /repo/a/x",
        "cat ./x",
        "cat x..y",
        "cargo test --x=b/c",
        "cat a::b",
        "cat -n x",
    ] {
        assert_eq!(effect(&commands("session"), &shell(line)), Effect::Approve, "{line}");
    }
}

#[test]
fn a_command_may_climb_once_and_not_out_of_its_repository() {
    for (line, approved) in [
        ("cat ../b/x", true),
        ("cat /repo/x", true),
        ("cat ../../x", false),
        ("cat /repository/x", false),
        ("cat -C .. ../x", false),
    ] {
        assert_eq!(effect(&commands("repo"), &shell(line)) == Effect::Approve, approved, "{line}");
    }
    let line = shell("cat x");
    let outside = Request { repo: None, ..asked(None, &line) };
    assert_eq!(judge(&commands("repo"), &outside).effect, Effect::Ask);
    let elsewhere = Request { dir: "/elsewhere", ..asked(None, &line) };
    assert_eq!(judge(&commands("repo"), &elsewhere).effect, Effect::Ask);
}

#[test]
fn files_lie_under_a_root_by_components_and_all_of_them() {
    let rules = rules(
        "[[rule]]\nname = 'a'\neffect = 'approve'\nactions = ['edit', 'read', 'fetch']\nunder = 'session'",
    );
    for (paths, approved) in [
        (&["/repo/a/x"][..], true),
        (&["/repo/a"], true),
        (&["/repo/a/x", "/repo/a/b/y"], true),
        (&["/repo/a/x", "/etc/passwd"], false),
        (&["/repo/ab/x"], false),
        (&["/repo/a/../b"], false),
        (&["x"], false),
        (&[""], false),
        (&["~/x"], false),
        (&[], false),
    ] {
        for action in [Action::Edit, Action::Read, Action::Fetch] {
            let is = effect(&rules, &tool("T", action, paths)) == Effect::Approve;
            assert_eq!(is, approved, "{action} {paths:?}");
        }
    }
    assert_eq!(effect(&rules, &tool("T", Action::Edit, &["/repo/a/.git/config"])), Effect::Ask);
    assert_eq!(effect(&rules, &tool("T", Action::Read, &["/repo/a/.git/config"])), Effect::Approve);
}
