//! What a user's shell knows of the commands.
#![allow(clippy::unwrap_used)]

use std::process::Command;

use e2e::Muster;

/// What bash would offer after these words, the last of which is being typed, but for options.
fn offered(muster: &Muster, words: &[&str]) -> Vec<String> {
    let program = words[0];
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source <({program} completions bash)\n\
         COMP_WORDS=({}) COMP_CWORD={} COMP_TYPE=9\n\
         _clap_complete_{program} {program}\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        words.len() - 1
    );
    let folder = muster.program(program).parent().unwrap().to_owned();
    let mut bash = Command::new("bash");
    bash.args(["--norc", "--noprofile", "-c", &script]).env("MUSTER_HOME", muster.home());
    bash.env("PATH", format!("{}:{}", folder.display(), std::env::var("PATH").unwrap()));
    let out = bash.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let lines = String::from_utf8(out.stdout).unwrap();
    lines.lines().filter(|word| !word.starts_with('-')).map(str::to_owned).collect()
}

#[test]
fn a_shell_completes_the_names_that_live_now() {
    let muster = Muster::new();
    assert!(offered(&muster, &["assign", "context", ""]).is_empty());
    assert!(!muster.home().join("run/assigner.json").exists(), "no server is started for it");

    let project = muster.ready("api");
    muster.ok("assign", &["--in", "2h", "Later"]);
    muster.ok("assign", &["pool", "add", "spare", "--agent", "sh", "--dir", project.to_str().unwrap()]);

    assert_eq!(offered(&muster, &["assign", "context", ""]), ["api"]);
    assert_eq!(offered(&muster, &["assign", "reassign", "1", "--to", "a"]), ["api"]);
    assert_eq!(offered(&muster, &["assign", "cancel", ""])[0], "1");
    assert_eq!(offered(&muster, &["assign", "pool", "rm", ""]), ["spare"]);
    assert_eq!(offered(&muster, &["wrap", "attach", ""]), ["api"]);
    assert!(offered(&muster, &["assign", "pr"]).contains(&"prompts".to_owned()));
}
