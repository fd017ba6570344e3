//! Runs of many prompts from one file, and tasks that are files: whatever is killed meanwhile, nothing is queued twice.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};

use actors::home::Kind;
use e2e::real::Real;
use e2e::{Muster, signal, wait_for};
use rustix::process::Signal;
use serde_json::Value;

/// A place with one scripted agent that is idle; everything it receives is kept in the file.
fn one_agent() -> (Muster, PathBuf) {
    let muster = Muster::new();
    let project = muster.project("p");
    let kept = muster.folder().join("kept");
    muster.scripted("a", &project, &["--keep", kept.to_str().unwrap()]);
    muster.await_state("a", "idle");
    (muster, kept)
}

/// A file in the place's folder.
fn file(muster: &Muster, name: &str, text: &str) -> String {
    let path = muster.folder().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// All prompts, oldest first.
fn prompts(muster: &Muster) -> Vec<Value> {
    let mut all = muster.json("assign", &["prompts", "-n", "500", "--json"]);
    all.reverse();
    all
}

fn texts(muster: &Muster) -> Vec<String> {
    prompts(muster).iter().map(|p| p["asked"]["text"].as_str().unwrap().to_owned()).collect()
}

/// How often a text was pasted.
fn pasted(kept: &Path, text: &str) -> usize {
    let bytes = fs::read(kept).unwrap_or_default();
    String::from_utf8_lossy(&bytes).matches(&format!("\x1b[200~{text}\x1b[201~")).count()
}

/// A program of ours that goes on beside the test, with what it prints line by line.
struct Beside {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Beside {
    fn start(muster: &Muster, arguments: &[&str]) -> Self {
        let mut command = muster.command("assign");
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next line of JSON; `None` at the end.
    fn next(&mut self) -> Option<Value> {
        let line = self.lines.next()?.unwrap();
        Some(serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}")))
    }

    /// Reads on until a line says so.
    fn until(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        std::iter::from_fn(|| self.next()).find(is).unwrap_or_else(|| panic!("ended without: {what}"))
    }

    fn signal(&mut self, with: Signal) -> Option<i32> {
        signal(i64::from(self.child.id()), with);
        self.child.wait().unwrap().code()
    }

    /// Its exit code, once everything was read.
    fn end(mut self) -> Option<i32> {
        while self.next().is_some() {}
        self.child.wait().unwrap().code()
    }
}

const CHAIN: &str = "
name: words
vars: {one: x}
defaults: {attempts: 1}
steps:
- id: list
  prompt: 'Please list the words {{vars.one}} and {{vars.two}}'
- id: each
  foreach: '{{steps.list.output}}'
  prompt: 'quick run {{item}}'
- id: other
  prompt: 'quick run other'
- id: sum
  after: [other]
  prompt: 'Sum up: {{steps.each.output}} ({{steps.each.status}})'
";

#[test]
fn outputs_go_into_the_texts_of_the_next_and_the_run_ends_with_all_completed() {
    let (muster, kept) = one_agent();
    let path = file(&muster, "chain.yaml", CHAIN);
    let run = ["run", &path, "--var", "two=y", "--json"];
    let plan = muster.json("assign", &[&run[..], &["--dry-run"]].concat());
    assert_eq!(prompts(&muster), Vec::<Value>::new(), "nothing was queued");
    let steps: Vec<&str> = plan.iter().map(|row| row["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["list", "each", "other", "sum"]);
    assert_eq!(plan[0]["session"], muster.session("a").unwrap()["id"]);
    assert_eq!(plan[3]["ended"][0], "each");

    let told = muster.json("assign", &run);
    assert_eq!(told.last().unwrap()["over"]["completed"], 5, "{told:?}");
    let mut queued = texts(&muster);
    queued.sort();
    let sum = "Sum up: Ran x at once.\n\nRan y at once. (completed)";
    let expected = ["Please list the words x and y", sum, "quick run other", "quick run x", "quick run y"];
    assert_eq!(queued, expected);
    assert!(expected.iter().all(|text| pasted(&kept, text) == 1));
    // For people, the same run gone on with finds everything done.
    let id = told[0]["run"].as_str().unwrap();
    let again = muster.ok("assign", &["run", "--resume", id, &path, "--var", "two=y"]);
    assert!(again.ends_with("over: 5 completed\n"), "{again}");
    assert_eq!(prompts(&muster).len(), 5);
    // With other values it is another run.
    let other = muster.run("assign", &["run", "--resume", id, &path, "--var", "two=z"]);
    assert_eq!(other.status.code(), Some(5), "{}", String::from_utf8_lossy(&other.stderr));
}

#[test]
fn whenever_a_run_is_killed_it_goes_on_without_queueing_anything_twice() {
    let (muster, kept) = one_agent();
    let path = file(&muster, "chain.yaml", CHAIN);
    // Every line that is printed is a stage: begun, each prompt queued, each change, until it is over.
    let mut stage = 1;
    loop {
        let word = format!("two=w{stage}");
        let run = ["run", &path, "--json", "--var", &word, "--var", &format!("one=v{stage}")];
        let mut first = Beside::start(&muster, &run);
        let lines: Vec<Value> = (0..stage).map_while(|_| first.next()).collect();
        first.signal(Signal::KILL);
        let id = lines[0]["run"].as_str().unwrap().to_owned();
        let resumed = Beside::start(&muster, &[&run[..], &["--resume", &id]].concat());
        assert_eq!(resumed.end(), Some(0), "killed after {lines:?}");
        let of_this =
            muster.json("assign", &["prompts", "--json", "-n", "100", "--key", &format!("run/{id}/")]);
        assert_eq!(of_this.len(), 5, "killed after {lines:?}");
        assert_eq!(pasted(&kept, &format!("quick run w{stage}")), 1, "killed after {lines:?}");
        if lines.len() < stage {
            break;
        }
        stage += 2;
    }
    assert!(stage > 9, "it was killed at {stage} stages");
}

#[test]
fn a_file_that_is_wrong_is_told_with_its_lines_and_queues_nothing() {
    let muster = Muster::new();
    let cases = [
        (
            "a.yaml",
            "- {id: a, prompt: x, after: [b]}\n- {id: b, prompt: x, after: [a]}\n",
            "line 1: steps wait for each other: a → b → a",
        ),
        (
            "b.toml",
            "[[steps]]\nid = 'a'\nprompt = 'x'\nprioriti = 3\n",
            "line 4: unknown key 'prioriti'; did you mean 'priority'?",
        ),
        (
            "c.yaml",
            "- {id: a, prompt: x}\n- {id: b, prompt: x, branch: '..'}\n",
            "line 2: step b: the branch is not a name that git allows",
        ),
        ("d.yaml", "- {id: a, prompt: '{{vars.x}}'}\n", "--var x=VALUE"),
        ("e.toml", "steps = [\n", "this is not TOML"),
        ("f.yaml", &"- x\n".repeat(1_000_000), "split it"),
    ];
    for (name, text, expected) in cases {
        let path = file(&muster, name, text);
        let out = muster.run("assign", &["run", &path]);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{name}: {said}");
        assert!(said.contains(expected), "{name}: {said}");
    }
    let out = muster.run("assign", &["run", "-"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("Say --format"));
    assert_eq!(prompts(&muster), Vec::<Value>::new());
}

#[test]
fn what_a_failure_means_is_said_by_the_file() {
    let (muster, _) = one_agent();
    let steps = "
defaults: {attempts: 1}
steps:
- {id: a, prompt: Please overload the model, priority: 10}
- {id: b, prompt: quick run b, after: [a]}
- {id: c, prompt: quick run c}
- {id: d, prompt: 'quick run {{steps.a.status}}'}
";
    for (policy, over) in [
        ("skip", [("completed", 1), ("failed", 1), ("skipped", 2), ("cancelled", 0)]),
        ("continue", [("completed", 3), ("failed", 1), ("skipped", 0), ("cancelled", 0)]),
        ("stop", [("completed", 0), ("failed", 1), ("skipped", 2), ("cancelled", 1)]),
    ] {
        let path = file(&muster, "policy.yaml", &format!("on-failure: {policy}\n{steps}"));
        let mut run = Beside::start(&muster, &["run", &path, "--json"]);
        let last = run.until("its end", |line| line["over"].is_object());
        assert_eq!(run.end(), Some(1));
        if policy == "stop" {
            // What was queued at once may have been given out, done, or called off before it was seen to wait.
            let counts = last["over"].as_object().unwrap();
            assert_eq!(
                (&counts["failed"], &counts["held"], &counts["waiting"]),
                (&1.into(), &0.into(), &0.into())
            );
        } else {
            over.iter().for_each(|(what, count)| assert_eq!(last["over"][what], *count, "{policy}: {last}"));
        }
        let open = |p: &Value| matches!(p["state"].as_str(), Some("pending" | "held"));
        assert!(!prompts(&muster).iter().any(open), "{policy}: nothing waits for ever");
    }
}

#[test]
fn an_interrupt_leaves_the_queue_or_clears_it_as_was_asked() {
    let muster = Muster::new();
    // Nobody is there to take them.
    let path = file(&muster, "two.yaml", "- {id: a, prompt: x}\n- {id: b, prompt: y, after: [a]}\n");
    let pending = |n: usize| prompts(&muster).iter().filter(|p| p["state"] != "cancelled").count() == n;
    let mut run = Beside::start(&muster, &["run", &path, "--json"]);
    run.until("both", |line| line["step"] == "b");
    assert_eq!(run.signal(Signal::INT), Some(130));
    assert!(pending(2));
    let mut run = Beside::start(&muster, &["run", &path, "--json", "--cancel-on-interrupt"]);
    run.until("both", |line| line["step"] == "b");
    assert_eq!(run.signal(Signal::INT), Some(130));
    assert!(pending(2), "those of the other run stay");
    assert_eq!(prompts(&muster).len(), 4);
}

#[test]
fn a_run_goes_on_when_the_server_is_killed() {
    let (muster, kept) = one_agent();
    let path = file(&muster, "chain.yaml", CHAIN);
    let mut run = Beside::start(&muster, &["run", &path, "--json", "--var", "two=y"]);
    run.until("the first prompt", |line| line["step"] == "list" && !line["prompt"].is_null());
    signal(muster.server(), Signal::KILL);
    let last = run.until("its end", |line| line["over"].is_object());
    assert_eq!(last["over"]["completed"], 5, "{last}");
    assert_eq!(run.end(), Some(0));
    assert_eq!(pasted(&kept, "quick run y"), 1);
}

const TASK: &str = "---\nid: T-1\ntype: fix\npriority: high\n---\n## Prompt\nquick run it\n";

fn result(muster: &Muster, name: &str) -> Option<Value> {
    let text = fs::read_to_string(muster.folder().join("tasks").join(name)).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|e| panic!("a result is there whole: {e}")))
}

#[test]
fn a_task_file_becomes_a_prompt_and_its_result_stands_beside() {
    let (muster, kept) = one_agent();
    let path = file(&muster, "tasks/fix.task.md", TASK);
    let dir = Path::new(&path).parent().unwrap();
    muster.ok("assign", &["task", "validate", &path]);
    let told = muster.json("assign", &["watch-dir", dir.to_str().unwrap(), "--once", "--json"]);
    assert_eq!(told.last().unwrap()["file"], "done/fix.task.md", "{told:?}");
    let prompt = &prompts(&muster)[0];
    assert_eq!((&prompt["asked"]["priority"], &prompt["asked"]["tags"][0]), (&8.into(), &"fix".into()));
    assert_eq!(pasted(&kept, "## Prompt\nquick run it"), 1);
    let record = result(&muster, "fix.result.json").unwrap();
    assert_eq!((&record["id"], &record["state"]), (&"T-1".into(), &"completed".into()));
    assert_eq!(record["result"]["answer"], "Ran it at once.");
    let schema: Value = serde_json::from_str(&muster.ok("assign", &["task", "schema"])).unwrap();
    let required = schema["required"].as_array().unwrap().iter().map(|key| key.as_str().unwrap());
    assert!(required.into_iter().all(|key| record.get(key).is_some()));
    let known = schema["properties"].as_object().unwrap();
    assert!(record.as_object().unwrap().keys().all(|key| known.contains_key(key)));
    let summary = fs::read_to_string(dir.join("fix.summary.txt")).unwrap();
    assert!(summary.contains("is completed") && summary.contains("Ran it at once."), "{summary}");
    assert!(dir.join("done/fix.task.md").exists() && !Path::new(&path).exists());

    // Put there again, it is wanted again; what was archived stays.
    fs::rename(dir.join("done/fix.task.md"), &path).unwrap();
    muster.ok("assign", &["watch-dir", dir.to_str().unwrap(), "--once"]);
    assert_eq!(prompts(&muster).len(), 2);
    assert_ne!(result(&muster, "fix.result.json").unwrap()["prompt"], record["prompt"]);

    let clean = ["task", "clean", dir.to_str().unwrap(), "--older", "0s"];
    assert_eq!(muster.run("assign", &clean).status.code(), Some(2), "nobody can be asked");
    muster.ok("assign", &[&clean[..], &["--yes"]].concat());
    assert!(!dir.join("done/fix.task.md").exists() && !dir.join("fix.result.json").exists());
}

#[test]
fn a_watcher_goes_on_when_the_server_is_killed() {
    let (muster, kept) = one_agent();
    let dir = muster.folder().join("tasks");
    file(&muster, "tasks/t.task.md", "What is the capital of Japan?");
    let mut watcher = Beside::start(&muster, &["watch-dir", dir.to_str().unwrap(), "--json"]);
    watcher.until("the prompt", |line| line["state"] == "pending");
    signal(muster.server(), Signal::KILL);
    let ended = watcher.until("its end", |line| !line["file"].is_null());
    watcher.signal(Signal::KILL);
    // Between the paste and its proof nobody knows what was typed, but it is one prompt all the same.
    assert_eq!((texts(&muster).len(), ended["prompt"].clone()), (1, prompts(&muster)[0]["id"].clone()));
    assert_eq!(pasted(&kept, "What is the capital of Japan?"), 1);
}

#[test]
fn a_task_that_fails_is_archived_apart_and_told_by_the_exit_code() {
    let (muster, _) = one_agent();
    let path =
        file(&muster, "tasks/bad.task.md", "---\nattempts: 1\nunknown: 1\n---\nPlease overload the model\n");
    let dir = Path::new(&path).parent().unwrap();
    let out = muster.run("assign", &["watch-dir", dir.to_str().unwrap(), "--once"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stderr).contains("unknown key 'unknown'"), "a warning, no failure");
    assert!(dir.join("failed/bad.task.md").exists());
    assert_eq!(result(&muster, "bad.result.json").unwrap()["state"], "failed");
}

#[test]
fn a_broken_task_is_told_beside_it_and_tried_again_only_when_it_changes() {
    let (muster, _) = one_agent();
    let path = file(&muster, "tasks/b.task.md", "---\ntype: fxi\n---\nquick run b\n");
    let dir = Path::new(&path).parent().unwrap().to_path_buf();
    let outside = file(&muster, "secret", "quick run secret");
    std::os::unix::fs::symlink(outside, dir.join("link.task.md")).unwrap();
    fs::write(dir.join("nul.task.md"), "quick run nul\0").unwrap();
    fs::write(dir.join("latin.task.md"), b"quick run caf\xe9").unwrap();
    let error = |name: &str| fs::read_to_string(dir.join(format!("{name}.error.txt"))).ok();
    let watch = ["watch-dir", dir.to_str().unwrap(), "--once"];
    assert_eq!(muster.run("assign", &watch).status.code(), Some(1));
    assert!(error("b").unwrap().contains("line 2: unknown type 'fxi'; did you mean 'fix'?"));
    assert!(error("link").unwrap().contains("symbolic link"));
    assert!(error("nul").unwrap().contains("NUL") && error("latin").unwrap().contains("UTF-8"));
    assert_eq!(prompts(&muster), Vec::<Value>::new());

    let written = fs::metadata(dir.join("b.error.txt")).unwrap().modified().unwrap();
    assert_eq!(muster.run("assign", &watch).status.code(), Some(1), "it is still broken");
    assert_eq!(
        fs::metadata(dir.join("b.error.txt")).unwrap().modified().unwrap(),
        written,
        "and not told anew"
    );

    ["link", "nul", "latin"]
        .iter()
        .for_each(|name| fs::remove_file(dir.join(format!("{name}.task.md"))).unwrap());
    fs::write(&path, "---\ntype: fix\n---\nquick run b\n").unwrap();
    assert_eq!(muster.run("assign", &watch).status.code(), Some(0));
    assert_eq!(error("b"), None);
    assert_eq!(texts(&muster), ["quick run b"]);
}

#[test]
fn a_file_that_is_written_is_waited_for_and_one_put_in_place_is_taken() {
    let (muster, _) = one_agent();
    let dir = muster.folder().join("tasks");
    fs::create_dir(&dir).unwrap();
    let mut watcher = Beside::start(&muster, &["watch-dir", dir.to_str().unwrap(), "--json"]);
    fs::write(dir.join(".slow.task.md.swp"), "quick run swap").unwrap();
    // The front matter has no end yet: rest alone does not make it whole.
    fs::write(dir.join("slow.task.md"), "---\ntype: fix\n").unwrap();
    fs::write(dir.join("tmp"), "quick run moved").unwrap();
    fs::rename(dir.join("tmp"), dir.join("moved.task.md")).unwrap();
    watcher.until("the one put in place", |line| line["task"] == "moved" && line["state"] == "completed");
    fs::write(dir.join("slow.task.md"), "---\ntype: fix\n---\nquick run slow\n").unwrap();
    watcher.until("the slow one", |line| line["task"] == "slow" && line["state"] == "completed");
    watcher.signal(Signal::KILL);
    assert_eq!(texts(&muster), ["quick run moved", "quick run slow"]);
}

#[test]
fn a_task_that_changes_while_its_prompt_is_open_becomes_another() {
    let (muster, kept) = one_agent();
    let path = file(&muster, "tasks/t.task.md", "What is the capital of Japan?");
    let dir = muster.folder().join("tasks");
    let mut watcher = Beside::start(&muster, &["watch-dir", dir.to_str().unwrap(), "--json"]);
    let first = watcher.until("the first", |line| line["state"] == "pending")["prompt"].clone();
    fs::write(&path, "quick run changed").unwrap();
    let ended = watcher.until("its end", |line| line["prompt"] == first && line["state"] == "completed");
    assert_eq!(ended["file"], Value::Null, "what was done is there no more");
    watcher.until("the other", |line| line["file"] == "done/t.task.md");
    watcher.signal(Signal::KILL);
    assert_eq!(texts(&muster), ["What is the capital of Japan?", "quick run changed"]);
    assert_eq!(result(&muster, "t.result.json").unwrap()["result"]["answer"], "Ran changed at once.");
    assert_eq!(pasted(&kept, "quick run changed"), 1);
}

#[test]
fn whenever_a_watcher_is_killed_no_task_is_queued_twice_and_none_is_lost() {
    let (muster, kept) = one_agent();
    let dir = muster.folder().join("tasks");
    let watch = ["watch-dir", dir.to_str().unwrap(), "--json"];
    // Each line is a stage: queued, assigned, in progress, ended.
    for stage in 1..=4 {
        let name = format!("t{stage}");
        let text = format!("quick run {name}");
        file(&muster, &format!("tasks/{name}.task.md"), &text);
        let mut first = Beside::start(&muster, &watch);
        let lines: Vec<Value> = (0..stage).map_while(|_| first.next()).collect();
        first.signal(Signal::KILL);
        let second = Beside::start(&muster, &[&watch[..], &["--once"]].concat());
        assert_eq!(second.end(), Some(0), "killed after {lines:?}");
        assert!(dir.join(format!("done/{name}.task.md")).exists(), "killed after {lines:?}");
        assert_eq!(result(&muster, &format!("{name}.result.json")).unwrap()["state"], "completed");
        assert_eq!(pasted(&kept, &text), 1, "killed after {lines:?}");
        assert_eq!(prompts(&muster).len(), stage);
    }
}

#[test]
fn killed_again_and_again_at_any_moment_both_queue_each_prompt_once() {
    let (muster, kept) = one_agent();
    let dir = muster.folder().join("tasks");
    file(&muster, "tasks/t.task.md", "quick run task");
    let path = file(&muster, "chain.yaml", CHAIN);
    let run = ["run", &path, "--json", "--var", "two=y"];
    let watch = ["watch-dir", dir.to_str().unwrap(), "--json", "--once"];
    let mut first = Beside::start(&muster, &run);
    let id = first.next().unwrap()["run"].as_str().unwrap().to_owned();
    first.signal(Signal::KILL);
    let resume = [&run[..], &["--resume", &id]].concat();
    // Later each time: between what is printed there are moments, too.
    for round in 1..=12 {
        let (mut run, mut watch) = (Beside::start(&muster, &resume), Beside::start(&muster, &watch));
        std::thread::sleep(std::time::Duration::from_millis(round * 10));
        run.signal(Signal::KILL);
        watch.signal(Signal::KILL);
    }
    assert_eq!(Beside::start(&muster, &resume).end(), Some(0));
    assert_eq!(Beside::start(&muster, &watch).end(), Some(0));
    let mut queued = texts(&muster);
    queued.sort();
    let sum = "Sum up: Ran x at once.\n\nRan y at once. (completed)";
    let expected = [
        "Please list the words x and y",
        sum,
        "quick run other",
        "quick run task",
        "quick run x",
        "quick run y",
    ];
    assert_eq!(queued, expected);
    assert!(expected.iter().all(|text| pasted(&kept, text) == 1));
    assert!(dir.join("done/t.task.md").exists() && result(&muster, "t.result.json").is_some());
    let files = fs::read_dir(&dir).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
    let left = files.filter(|name| !name.starts_with(".muster-")).count();
    assert_eq!(left, 3, "done/, the result and the summary");
}

#[test]
fn a_real_agent_does_a_run_and_a_task() {
    let Some(real) = Real::new(Kind::Claude) else { return };
    let project = real.project("p");
    real.start("a", &project);
    real.muster.await_state("a", "idle");
    let path = file(
        &real.muster,
        "run.toml",
        "[[steps]]\nid = 'a'\nprompt = 'What is the capital of France?'\n\
         [[steps]]\nprompt = 'Say whether this is right: {{steps.a.output}}'\n",
    );
    let told = real.muster.json("assign", &["run", &path, "--json"]);
    assert_eq!(told.last().unwrap()["over"]["completed"], 2, "{told:?}");
    assert_eq!(texts(&real.muster)[1], "Say whether this is right: The capital of France is Paris.");
    file(&real.muster, "tasks/t.task.md", "## Prompt\nWhat is the capital of Japan?\n");
    let dir = real.muster.folder().join("tasks");
    real.muster.ok("assign", &["watch-dir", dir.to_str().unwrap(), "--once"]);
    let record = result(&real.muster, "t.result.json").unwrap();
    assert_eq!(record["result"]["answer"], "The capital of Japan is Tokyo.");
    wait_for("the session to rest", || real.muster.session("a").filter(|s| s["claim"]["state"] == "idle"));
}
