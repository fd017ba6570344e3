//! What may be asked: a new prompt is checked, cleaned and filled in. Pure. Must not: know other prompts.

use std::collections::BTreeMap;

use wire::admin::Template;
use wire::http::ErrorCode;
use wire::pool::NewPool;
use wire::prompt::NewPrompt;

use crate::fault::Fault;

/// Tries in all when the sender does not say.
const ATTEMPTS: u32 = 3;
/// Most tries that may be asked for.
const ATTEMPTS_MAX: u32 = 20;
/// Longest name, directory or branch, in bytes.
const NAME_MAX: usize = 4096;
/// Longest command: a prerequisite, a verification.
const COMMAND_MAX: usize = 16 << 10;
/// Most entries of a list: variables, prerequisites, tags, prompts that it waits for.
const LIST_MAX: usize = 100;
/// Longest name of a pool, in bytes.
const POOL_NAME: usize = 32;
/// Most sessions of a pool.
const POOL_MAX: u32 = 100;
/// Least time that an idle session of a pool is left, in milliseconds.
const IDLE_MIN: u64 = 10_000;
/// Longest role or capability.
const WORD_MAX: usize = 40;
/// Longest time that may be asked for: thirty days, in milliseconds.
const TIME_MAX: u64 = 30 * 24 * 60 * 60_000;

/// The limits of time: what each is called, its value when the sender does not say, in milliseconds.
const WAIT: (&str, u64) = ("longest wait for a session", 24 * 60 * 60_000);
const ACCEPT: (&str, u64) = ("longest time until accepted", 10 * 60_000);
const TURN: (&str, u64) = ("timeout", 30 * 60_000);
const SILENCE: (&str, u64) = ("longest silence", 30 * 60_000);

/// Checks what was asked, cleans its text and fills in the defaults.
pub fn check(mut asked: NewPrompt) -> Result<NewPrompt, Fault> {
    asked.text = text(&asked.text)?;
    if asked.priority > 10 {
        return Err(Fault::bad(format!("priority {} is outside 0 to 10", asked.priority), "10 is first"));
    }
    names(&asked)?;
    variables(&asked.env)?;
    commands(&asked)?;
    asked.dir = asked.dir.map(plain_dir).transpose()?;
    if asked.branch.as_deref().is_some_and(|branch| !is_branch(branch)) {
        return Err(Fault::bad(
            "the branch is not a name that git allows",
            "`git check-ref-format --branch` tells",
        ));
    }
    let lists =
        [asked.after.len(), asked.tags.len(), asked.caps.len(), asked.env.len(), asked.prerequisites.len()];
    if lists.iter().any(|length| *length > LIST_MAX) {
        return Err(Fault::bad(format!("a list has more than {LIST_MAX} entries"), "ask for less"));
    }
    asked.after.sort_unstable();
    asked.after.dedup();
    asked.attempts = Some(attempts(asked.attempts)?);
    asked.wait_ms = Some(time(WAIT, asked.wait_ms)?);
    asked.accept_ms = Some(time(ACCEPT, asked.accept_ms)?);
    asked.timeout_ms = Some(time(TURN, asked.timeout_ms)?);
    asked.silence_ms = Some(time(SILENCE, asked.silence_ms)?);
    Ok(asked)
}

/// Checks a prompt to begin with, as one that is sent. What its sender did not say stays unsaid: the defaults are those
/// of the day on which it is used. Blanks like `{{word}}` are text like any other.
pub fn template(template: Template) -> Result<Template, Fault> {
    let Template { name, prompt } = template;
    let NewPrompt { attempts, wait_ms, accept_ms, timeout_ms, silence_ms, .. } = prompt;
    let prompt = NewPrompt { attempts, wait_ms, accept_ms, timeout_ms, silence_ms, ..check(prompt)? };
    Ok(Template { name, prompt })
}

fn text(text: &str) -> Result<String, Fault> {
    if text.len() > wire::PROMPT_MAX {
        return Err(Fault::new(
            ErrorCode::TooLarge,
            format!("the prompt is longer than {} KiB", wire::PROMPT_MAX >> 10),
            "write it to a file and send a prompt that names the file",
        ));
    }
    let clean = wire::text::clean_prompt(text);
    if clean.trim().is_empty() {
        return Err(Fault::bad("the prompt has no text", "send some"));
    }
    Ok(clean)
}

fn names(asked: &NewPrompt) -> Result<(), Fault> {
    let single = [
        ("target", &asked.target),
        ("directory", &asked.dir),
        ("branch", &asked.branch),
        ("agent", &asked.agent),
        ("preferred agent", &asked.prefer),
        ("role", &asked.role),
        ("thread", &asked.thread),
    ];
    let single = single.into_iter().filter_map(|(what, name)| Some((what, name.as_ref()?)));
    let tags = asked.tags.iter().map(|tag| ("tag", tag));
    let caps = asked.caps.iter().map(|cap| ("capability", cap));
    for (what, name) in single.chain(tags).chain(caps) {
        if name.is_empty() || name.len() > NAME_MAX || name.chars().any(char::is_control) {
            return Err(Fault::bad(
                format!("the {what} is empty, too long, or holds control characters"),
                "leave it out or correct it",
            ));
        }
    }
    Ok(())
}

/// Checks a pool.
pub fn pool(mut asked: NewPool) -> Result<NewPool, Fault> {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !(1..=POOL_NAME).contains(&asked.name.len())
        || !asked.name.bytes().all(letter)
        || asked.name.starts_with('-')
    {
        let name = wire::text::escape(&asked.name);
        return Err(Fault::bad(
            format!("the pool's name '{name}' is not one"),
            "lower-case letters, digits and dashes, at most 32",
        ));
    }
    let words = &asked.command;
    let bad = |word: &String| word.contains('\0') || word.len() > COMMAND_MAX;
    if words.first().is_none_or(|program| program.trim().is_empty())
        || words.len() > LIST_MAX
        || words.iter().any(bad)
    {
        return Err(Fault::bad(
            "the pool's command is empty or too long",
            "name the agent's program, then its arguments",
        ));
    }
    if !(1..=POOL_MAX).contains(&asked.max) || asked.min > asked.max {
        return Err(Fault::bad(
            format!("{} to {} sessions is no size of a pool", asked.min, asked.max),
            format!("at most {POOL_MAX}, and the least not more than the most"),
        ));
    }
    if !(IDLE_MIN..=TIME_MAX).contains(&asked.idle_ms) {
        return Err(Fault::bad(
            "an idle session may rest 10 seconds to 30 days",
            "give `idle_ms` in milliseconds",
        ));
    }
    let word = |word: &str| {
        !word.is_empty()
            && word.len() <= WORD_MAX
            && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    };
    if asked.caps.len() > LIST_MAX || !asked.caps.iter().chain(&asked.role).all(|each| word(each)) {
        return Err(Fault::bad(
            "a role or capability is not a short word",
            "letters, digits, dashes, dots and underscores",
        ));
    }
    variables(&asked.env)?;
    asked.dir = plain_dir(asked.dir)?;
    Ok(asked)
}

fn variables(env: &BTreeMap<String, String>) -> Result<(), Fault> {
    for (name, value) in env {
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let first = name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
        if !plain
            || !first
            || name.len() > 200
            || value.len() > NAME_MAX
            || value.chars().any(char::is_control)
        {
            return Err(Fault::bad(
                format!("the variable '{}' cannot be set", wire::text::escape(name)),
                "a name has letters, digits and underscores; a value is one line of at most 4096 bytes",
            ));
        }
    }
    Ok(())
}

fn commands(asked: &NewPrompt) -> Result<(), Fault> {
    for (what, command) in asked
        .prerequisites
        .iter()
        .map(|c| ("prerequisite", c))
        .chain(asked.verify.iter().map(|c| ("verification", c)))
    {
        if command.trim().is_empty() || command.len() > COMMAND_MAX || command.contains('\0') {
            return Err(Fault::bad(
                format!("the {what} is empty or too long"),
                "it is a command for `sh -c`",
            ));
        }
    }
    Ok(())
}

fn attempts(asked: Option<u32>) -> Result<u32, Fault> {
    let attempts = asked.unwrap_or(ATTEMPTS);
    if attempts == 0 || attempts > ATTEMPTS_MAX {
        return Err(Fault::bad(
            format!("{attempts} attempts are outside 1 to {ATTEMPTS_MAX}"),
            format!("{ATTEMPTS} is the default"),
        ));
    }
    Ok(attempts)
}

fn time((what, default): (&str, u64), asked: Option<u64>) -> Result<u64, Fault> {
    let time = asked.unwrap_or(default);
    if !(1_000..=TIME_MAX).contains(&time) {
        return Err(Fault::bad(
            format!("the {what} is shorter than a second or longer than thirty days"),
            "leave it out, or write it like 45m",
        ));
    }
    Ok(time)
}

/// Git's own rules for a branch's name, as far as they keep it from being read as anything else.
fn is_branch(name: &str) -> bool {
    let bad = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c);
    !name.starts_with('-')
        && !name.starts_with('/')
        && !name.ends_with('/')
        && !name.ends_with('.')
        && !name.chars().any(bad)
        && !["..", "@{", "//"].iter().any(|part| name.contains(part))
        && name != "@"
        && name.split('/').all(|part| !part.starts_with('.') && !part.ends_with(".lock"))
}

/// The one way to write a directory: absolute, no `.` or `..`, no slash at the end.
fn plain_dir(dir: String) -> Result<String, Fault> {
    let path = std::path::Path::new(&dir);
    let plain = path
        .components()
        .all(|c| matches!(c, std::path::Component::RootDir | std::path::Component::Normal(_)));
    if !path.is_absolute() || !plain {
        return Err(Fault::bad(
            format!("the directory '{}' is not absolute and plain", wire::text::escape(&dir)),
            "write it from the root, without `.` and `..`",
        ));
    }
    Ok(path.components().collect::<std::path::PathBuf>().to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a32_the_text_is_cleaned_where_it_comes_in() {
        let checked = check(NewPrompt::new("run\u{1b}[201~\rrm -rf\u{9b}x\0\u{202e}")).unwrap();
        assert_eq!(checked.text, "run[201~\nrm -rfx");
    }

    #[test]
    fn what_cannot_be_run_is_refused_with_what_to_do() {
        let long = "x".repeat(wire::PROMPT_MAX + 1);
        for text in ["", " \n\t", "\u{1b}\u{7}", &long] {
            assert!(check(NewPrompt::new(text)).is_err());
        }
        for dir in ["relative", "/a/../b", "/a\u{7}"] {
            assert!(check(NewPrompt { dir: Some(dir.into()), ..NewPrompt::new("x") }).is_err(), "{dir}");
        }
        let dir = check(NewPrompt { dir: Some("/a//b/".into()), ..NewPrompt::new("x") }).unwrap().dir;
        assert_eq!(dir.as_deref(), Some("/a/b"));
        assert!(check(NewPrompt { priority: 11, ..NewPrompt::new("x") }).is_err());
        assert!(check(NewPrompt { attempts: Some(0), ..NewPrompt::new("x") }).is_err());
        assert!(check(NewPrompt { timeout_ms: Some(1), ..NewPrompt::new("x") }).is_err());
    }

    #[test]
    fn a64_a_branch_cannot_be_an_option_or_a_range() {
        for branch in ["--force", "a..b", "a b", "a~1", "@{-1}", "/a", "a.lock", "a:b", "@", "a//b", ".a"] {
            assert!(
                check(NewPrompt { branch: Some(branch.into()), ..NewPrompt::new("x") }).is_err(),
                "{branch}"
            );
        }
        for branch in ["main", "feature/x-1", "v1.2", "ünïcode"] {
            assert!(
                check(NewPrompt { branch: Some(branch.into()), ..NewPrompt::new("x") }).is_ok(),
                "{branch}"
            );
        }
    }

    #[test]
    fn a_variable_is_a_name_and_one_line() {
        for (name, value) in [("A=B", "x"), ("1A", "x"), ("", "x"), ("A", "x\ny"), ("A;rm", "x")] {
            let env = [(name.to_owned(), value.to_owned())].into();
            assert!(check(NewPrompt { env, ..NewPrompt::new("x") }).is_err(), "{name}={value}");
        }
    }
}
