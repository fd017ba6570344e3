//! Whether an agent is asked for its telemetry, for one launch: never when the user has a word of his own about it.
//!
//! Invariant: where the user's settings cannot be read, nothing is asked for. Must not: listen.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use patterns::TelemetryRecipe;
use serde_json::Value;

use crate::hooks::{Launch, read_settings, take_argument};

/// Variables to start the agent with, which have places for port and secret; none when it is not to be asked. `names` are
/// those of the environment.
pub fn wanted(
    recipe: &TelemetryRecipe,
    command: &[Vec<u8>],
    launch: &Launch,
    mut names: impl Iterator<Item = OsString>,
) -> BTreeMap<String, String> {
    let theirs = names.any(|name| recipe.is_theirs(&name.to_string_lossy()));
    if theirs || says_something(recipe, command, launch).unwrap_or(true) {
        return BTreeMap::new();
    }
    recipe.env.clone()
}

/// Whether settings of the user's set such a variable; `None` when they cannot be read.
fn says_something(recipe: &TelemetryRecipe, command: &[Vec<u8>], launch: &Launch) -> Option<bool> {
    let says = |settings: &Value| {
        let env = settings.get("env").and_then(Value::as_object);
        env.is_some_and(|env| env.keys().any(|name| recipe.is_theirs(name)))
    };
    if let Some(argument) = &recipe.argument
        && let (_, given) = take_argument(command.get(1..)?, argument)
    {
        for given in given {
            if says(&read_settings(&given, launch.dir)?) {
                return Some(true);
            }
        }
    }
    for path in files(recipe, launch)? {
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(fault) if matches!(fault.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => continue,
            Err(_) => return None,
        };
        if says(&serde_json::from_slice(&text).ok()?) {
            return Some(true);
        }
    }
    Some(false)
}

/// Where settings may be.
fn files(recipe: &TelemetryRecipe, launch: &Launch) -> Option<Vec<PathBuf>> {
    let moved =
        recipe.variable.as_ref().and_then(|name| (launch.var)(name)).filter(|value| !value.is_empty());
    let home = match moved {
        Some(moved) => PathBuf::from(moved),
        None => PathBuf::from((launch.var)("HOME")?).join(&recipe.folder),
    };
    let places = [("{home}/", home.as_path()), ("{dir}/", launch.dir)];
    let place = |file: &String| {
        let below = places.iter().find_map(|(word, folder)| Some(folder.join(file.strip_prefix(word)?)));
        below.unwrap_or_else(|| PathBuf::from(file))
    };
    Some(recipe.settings.iter().map(place).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn recipe() -> TelemetryRecipe {
        let text = r#"
            theirs = ["OTEL_", "ENABLE"]
            settings = ["{home}/settings.json", "{dir}/.own/settings.json", "/nowhere/at/all.json"]
            argument = "--settings"
            variable = "OWN_DIR"
            folder = ".own"
            [env]
            OTEL_PLACE = "http://127.0.0.1:{port}"
        "#;
        toml::from_str(text).unwrap()
    }

    fn asked(home: &Path, command: &[&str], names: &[&str]) -> bool {
        let var = |name: &str| (name == "HOME").then(|| home.as_os_str().to_owned());
        let dir = home.join("work");
        let launch = Launch { program: Path::new("/wrap"), folder: home, dir: &dir, var: &var };
        let command: Vec<Vec<u8>> = command.iter().map(|word| word.as_bytes().to_vec()).collect();
        !wanted(&recipe(), &command, &launch, names.iter().map(OsString::from)).is_empty()
    }

    #[test]
    fn an_agent_is_asked_unless_its_user_set_a_variable_of_telemetry() {
        let home = tempfile::tempdir().unwrap();
        assert!(asked(home.path(), &["agent"], &["PATH", "HOME"]));
        assert!(!asked(home.path(), &["agent"], &["PATH", "OTEL_TRACES_EXPORTER"]));
        assert!(!asked(home.path(), &["agent"], &["ENABLE"]));
    }

    #[test]
    fn settings_of_the_users_that_name_one_are_heard_wherever_they_stand() {
        for file in [".own/settings.json", "work/.own/settings.json"] {
            let home = tempfile::tempdir().unwrap();
            let path = home.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, r#"{"env":{"PATH":"/bin"}}"#).unwrap();
            assert!(asked(home.path(), &["agent"], &[]));
            fs::write(&path, r#"{"env":{"OTEL_METRICS_EXPORTER":"none"}}"#).unwrap();
            assert!(!asked(home.path(), &["agent"], &[]), "{file}");
        }
        let home = tempfile::tempdir().unwrap();
        assert!(asked(home.path(), &["agent", "--settings", "{}"], &[]));
        assert!(!asked(home.path(), &["agent", r#"--settings={"env":{"OTEL_A":"1"}}"#], &[]));
    }

    #[test]
    fn settings_that_cannot_be_read_may_say_anything() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".own")).unwrap();
        fs::write(home.path().join(".own/settings.json"), "{ broken").unwrap();
        assert!(!asked(home.path(), &["agent"], &[]));
        fs::write(home.path().join(".own/settings.json"), "{}").unwrap();
        assert!(!asked(home.path(), &["agent", "--settings", "missing.json"], &[]));
        assert!(asked(home.path(), &["agent"], &[]));
    }
}
