//! Makes an agent's hooks call us, for one launch, without a change to any file of the user's.
//!
//! Invariant: the user's own hooks, settings and programs stay in force; where they cannot be read, nothing is
//! injected. Must not: run for anything that is not a conversation.

use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use patterns::fact::OwnSetting;
use patterns::{HookRecipe, Via};
use serde_json::{Value, json};

use crate::hook;

/// Where a launch happens.
pub struct Launch<'l> {
    /// This program.
    pub program: &'l Path,
    /// The session's folder.
    pub folder: &'l Path,
    /// Where the agent will work.
    pub dir: &'l Path,
    /// A variable of the environment.
    pub var: &'l dyn Fn(&str) -> Option<OsString>,
}

/// The command with our hooks injected, or `None` when it is to be run as it is.
pub fn inject(recipe: &HookRecipe, command: &[Vec<u8>], launch: &Launch) -> Option<Vec<Vec<u8>>> {
    let first = command.get(1).map(|word| String::from_utf8_lossy(word).into_owned());
    if first.is_some_and(|first| recipe.skip.contains(&first)) {
        return None;
    }
    match recipe.via {
        Via::Settings => settings(recipe, command, launch),
        Via::Notify => notify(recipe, command, launch),
    }
}

/// One merged file of settings takes the place of the user's.
fn settings(recipe: &HookRecipe, command: &[Vec<u8>], launch: &Launch) -> Option<Vec<Vec<u8>>> {
    let (mut rest, given) = take_argument(&command[1..], &recipe.argument);
    let mut settings = match given.last() {
        Some(given) => read_settings(given, launch.dir)?,
        None => json!({}),
    };
    let ours = json!({"type": "command", "command": shell_word(launch.program), "timeout": recipe.timeout_s});
    let hooks = settings.as_object_mut()?.entry("hooks").or_insert_with(|| json!({})).as_object_mut()?;
    for event in &recipe.events {
        let groups = hooks.entry(event.clone()).or_insert_with(|| json!([])).as_array_mut()?;
        groups.push(json!({"hooks": [ours]}));
    }
    let path = launch.folder.join("settings.json");
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).ok()?;
    file.write_all(settings.to_string().as_bytes()).ok()?;
    let mut out = vec![
        command.first()?.clone(),
        recipe.argument.clone().into_bytes(),
        path.into_os_string().into_vec(),
    ];
    out.append(&mut rest);
    Some(out)
}

/// Takes every use of an argument out of a command's words, and gives the values. What comes after `--` is left alone.
pub fn take_argument(words: &[Vec<u8>], argument: &str) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut rest, mut given) = (Vec::new(), Vec::new());
    let joined = format!("{argument}=");
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == b"--" {
            rest.push(word.clone());
            rest.extend(words.by_ref().cloned());
        } else if word == argument.as_bytes() {
            given.extend(words.next().cloned());
        } else if let Some(value) = word.strip_prefix(joined.as_bytes()) {
            given.push(value.to_vec());
        } else {
            rest.push(word.clone());
        }
    }
    (rest, given)
}

/// Settings as given: JSON itself, or a file's path.
pub fn read_settings(given: &[u8], dir: &Path) -> Option<Value> {
    let text = match given.trim_ascii_start().first() {
        Some(b'{') => given.to_vec(),
        _ => fs::read(dir.join(PathBuf::from(OsString::from_vec(given.to_vec())))).ok()?,
    };
    serde_json::from_slice(&text).ok()
}

/// Our program takes the place of the user's, which it calls afterwards.
fn notify(recipe: &HookRecipe, command: &[Vec<u8>], launch: &Launch) -> Option<Vec<Vec<u8>>> {
    let own = recipe.own.as_ref()?;
    let mut chain = vec![launch.program.to_str()?.to_owned(), hook::VERB.to_owned(), hook::THEN.to_owned()];
    chain.extend(own_program(recipe, own, command, launch)?);
    let words = chain.into_iter().map(toml::Value::String).collect();
    let setting = format!("{}={}", own.key, toml::Value::Array(words));
    // The last one counts: ours comes after the user's, and before anything that is no option.
    let at = last_use(&command[1..], recipe, own).map_or(1, |at| at + 1);
    let mut out = command.to_vec();
    out.splice(at..at, [recipe.argument.clone().into_bytes(), setting.into_bytes()]);
    Some(out)
}

/// The index after the last words of the command that give the setting, counted from its second word.
fn last_use(words: &[Vec<u8>], recipe: &HookRecipe, own: &OwnSetting) -> Option<usize> {
    let until = words.iter().position(|word| word == b"--").unwrap_or(words.len());
    let gives = |i: &usize| {
        words[*i] == recipe.argument.as_bytes() && words.get(i + 1).is_some_and(|w| is_setting(w, own))
    };
    (0..until).rev().find(gives).map(|i| i + 2)
}

fn is_setting(word: &[u8], own: &OwnSetting) -> bool {
    let text = String::from_utf8_lossy(word);
    text.split_once('=').is_some_and(|(key, _)| key.trim() == own.key)
}

/// The user's own program: on the command line, else in the file; nothing when there is none.
fn own_program(
    recipe: &HookRecipe,
    own: &OwnSetting,
    command: &[Vec<u8>],
    launch: &Launch,
) -> Option<Vec<String>> {
    let value = match last_use(&command[1..], recipe, own) {
        Some(after) => {
            let text = String::from_utf8_lossy(&command[after]).into_owned();
            text.parse::<toml::Table>().ok()?.remove(&own.key)?
        }
        None => {
            let home = (launch.var)(&own.variable).filter(|value| !value.is_empty()).map(PathBuf::from);
            let folder = home.or_else(|| Some(PathBuf::from((launch.var)("HOME")?).join(&own.folder)))?;
            let text = match fs::read_to_string(folder.join(&own.file)) {
                Ok(text) => text,
                Err(fault) if fault.kind() == std::io::ErrorKind::NotFound => return Some(Vec::new()),
                Err(_) => return None,
            };
            match text.parse::<toml::Table>().ok()?.remove(&own.key) {
                Some(value) => value,
                None => return Some(Vec::new()),
            }
        }
    };
    value.as_array()?.iter().map(|word| word.as_str().map(str::to_owned)).collect()
}

/// Our own call as one line for a shell.
fn shell_word(program: &Path) -> String {
    let path = String::from_utf8_lossy(program.as_os_str().as_bytes()).replace('\'', "'\\''");
    format!("'{path}' {}", hook::VERB)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(name: &str) -> HookRecipe {
        let agents = patterns::Library::builtin().agents();
        let found = agents.iter().filter_map(|agent| agent.hooks.clone());
        let via = if name == "settings" { Via::Settings } else { Via::Notify };
        found.into_iter().find(|recipe| recipe.via == via).unwrap()
    }

    fn words(words: &[&str]) -> Vec<Vec<u8>> {
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    fn injected(via: &str, home: &Path, command: &[&str]) -> Option<Vec<String>> {
        let var = |name: &str| (name == "HOME").then(|| home.as_os_str().to_owned());
        let launch = Launch { program: Path::new("/o'x/wrap"), folder: home, dir: home, var: &var };
        let out = inject(&recipe(via), &words(command), &launch)?;
        Some(out.into_iter().map(|word| String::from_utf8(word).unwrap()).collect())
    }

    fn written(home: &Path) -> Value {
        serde_json::from_slice(&fs::read(home.join("settings.json")).unwrap()).unwrap()
    }

    #[test]
    fn a50_settings_are_one_private_file_and_the_rest_of_the_command_stays() {
        let home = tempfile::tempdir().unwrap();
        let out =
            injected("settings", home.path(), &["agent", "--resume", "x", "--", "--settings", "y"]).unwrap();
        let path = home.path().join("settings.json");
        assert_eq!(out[1..3], ["--settings".to_owned(), path.to_str().unwrap().to_owned()]);
        assert_eq!(out[3..], ["--resume", "x", "--", "--settings", "y"]);
        let call = &written(home.path())["hooks"]["Stop"][0]["hooks"][0]["command"];
        assert_eq!(call, "'/o'\\''x/wrap' __hook");
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a50_the_users_own_settings_and_hooks_stay_in_force() {
        for by_path in [true, false] {
            let home = tempfile::tempdir().unwrap();
            let own = r#"{"model":"m","hooks":{"Stop":[{"hooks":[{"type":"command","command":"mine"}]}]}}"#;
            fs::write(home.path().join("mine.json"), own).unwrap();
            let given = if by_path { "--settings=mine.json".to_owned() } else { format!("--settings={own}") };
            let out = injected("settings", home.path(), &["agent", &given, "-p", "hi"]).unwrap();
            assert_eq!(out[3..], ["-p", "hi"]);
            let merged = written(home.path());
            assert_eq!(merged["model"], "m");
            assert_eq!(merged["hooks"]["Stop"][0]["hooks"][0]["command"], "mine");
            assert_eq!(merged["hooks"]["Stop"].as_array().unwrap().len(), 2);
        }
        let home = tempfile::tempdir().unwrap();
        assert_eq!(injected("settings", home.path(), &["agent", "--settings", "absent.json"]), None);
        assert_eq!(injected("settings", home.path(), &["agent", "--settings", "{broken"]), None);
    }

    #[test]
    fn what_is_no_conversation_is_run_as_it_is() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(injected("settings", home.path(), &["agent", "mcp", "list"]), None);
        assert_eq!(injected("notify", home.path(), &["agent", "login"]), None);
        assert_eq!(injected("notify", home.path(), &["agent", "--version"]), None);
    }

    #[test]
    fn the_users_own_program_is_called_after_ours() {
        let home = tempfile::tempdir().unwrap();
        let out = injected("notify", home.path(), &["agent", "-m", "x"]).unwrap();
        assert_eq!(out[1..], ["-c", r#"notify=["/o'x/wrap", "__hook", "--then"]"#, "-m", "x"]);
        fs::create_dir(home.path().join(".codex")).unwrap();
        fs::write(home.path().join(".codex/config.toml"), "notify = [\"say\", \"it\"]\n").unwrap();
        let out = injected("notify", home.path(), &["agent"]).unwrap();
        assert_eq!(out[2], r#"notify=["/o'x/wrap", "__hook", "--then", "say", "it"]"#);
        let out = injected("notify", home.path(), &["agent", "-c", "notify=[\"other\"]", "do"]).unwrap();
        assert_eq!(out[3..], ["-c", r#"notify=["/o'x/wrap", "__hook", "--then", "other"]"#, "do"]);
        fs::write(home.path().join(".codex/config.toml"), "notify = broken").unwrap();
        assert_eq!(injected("notify", home.path(), &["agent"]), None);
    }
}
