//! What a prompt asks for, as files say it: the names are those of the command line. Pure.
//!
//! Must not: send it, or decide whether it can be met.

use jiff::Zoned;
use wire::UnixMillis;
use wire::prompt::{NewPrompt, WorktreePolicy};

use crate::time;
use crate::tree::{Entry, Fault, Node, Value, unknown};

/// Names that have a second form.
pub const FORMS: &[(&str, &str)] = &[
    ("target", "to"),
    ("cap", "caps"),
    ("tag", "tags"),
    ("prerequisite", "prerequisites"),
    ("prompt", "text"),
];

/// All names, for suggestions, each in its first form.
pub const NAMES: &[&str] = &[
    "target",
    "priority",
    "dir",
    "branch",
    "env",
    "prerequisite",
    "worktree",
    "agent",
    "prefer",
    "role",
    "cap",
    "thread",
    "tag",
    "at",
    "in",
    "verify",
    "wait-timeout",
    "accept-timeout",
    "timeout",
    "silence",
    "attempts",
    "command",
];

/// Takes one option of a file into a prompt; false when it is none. Times count from `now`.
pub fn option(prompt: &mut NewPrompt, entry: &Entry, now: &Zoned) -> Result<bool, Fault> {
    let Entry { key, node, .. } = entry;
    match entry.name().as_str() {
        "target" | "to" => prompt.target = Some(node.text(key)?),
        "priority" => prompt.priority = node.number(key, 0, 10)? as u8,
        "dir" => prompt.dir = Some(node.text(key)?),
        "branch" => prompt.branch = Some(node.text(key)?),
        "env" => prompt.env.extend(node.named_texts(key)?),
        "prerequisite" | "prerequisites" => prompt.prerequisites = node.texts(key)?,
        "worktree" => prompt.worktree = worktree(node)?,
        "agent" => prompt.agent = Some(node.text(key)?),
        "prefer" => prompt.prefer = Some(node.text(key)?),
        "role" => prompt.role = Some(node.text(key)?),
        "cap" | "caps" => prompt.caps = node.texts(key)?,
        "thread" => prompt.thread = Some(node.text(key)?),
        "tag" | "tags" => prompt.tags.extend(node.texts(key)?),
        "at" => prompt.not_before = Some(instant(node, key, now)?),
        "in" => {
            let ms = i64::try_from(duration(node, key)?).unwrap_or(i64::MAX);
            prompt.not_before = Some(UnixMillis(now.timestamp().as_millisecond().saturating_add(ms)));
        }
        "verify" => prompt.verify = Some(node.text(key)?),
        "wait-timeout" => prompt.wait_ms = Some(duration(node, key)?),
        "accept-timeout" => prompt.accept_ms = Some(duration(node, key)?),
        "timeout" => prompt.timeout_ms = Some(duration(node, key)?),
        "silence" => prompt.silence_ms = Some(duration(node, key)?),
        "attempts" => prompt.attempts = Some(node.number(key, 1, 20)? as u32),
        "command" => prompt.command = node.flag(key)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Changes every text of a prompt; `change` is told what it is called.
pub fn each_text<E>(
    prompt: &NewPrompt,
    mut change: impl FnMut(&'static str, &str) -> Result<String, E>,
) -> Result<NewPrompt, E> {
    let mut one = |what, text: &Option<String>| text.as_deref().map(|text| change(what, text)).transpose();
    let (target, dir, branch) =
        (one("target", &prompt.target)?, one("dir", &prompt.dir)?, one("branch", &prompt.branch)?);
    let (agent, prefer, role) =
        (one("agent", &prompt.agent)?, one("prefer", &prompt.prefer)?, one("role", &prompt.role)?);
    let (thread, verify) = (one("thread", &prompt.thread)?, one("verify", &prompt.verify)?);
    let mut all =
        |what, texts: &[String]| texts.iter().map(|text| change(what, text)).collect::<Result<Vec<_>, E>>();
    let (caps, tags) = (all("cap", &prompt.caps)?, all("tag", &prompt.tags)?);
    let prerequisites = all("prerequisite", &prompt.prerequisites)?;
    let env = prompt.env.iter().map(|(name, value)| Ok((name.clone(), change("env", value)?)));
    Ok(NewPrompt {
        env: env.collect::<Result<_, E>>()?,
        text: change("prompt", &prompt.text)?,
        target,
        dir,
        branch,
        agent,
        prefer,
        role,
        thread,
        verify,
        caps,
        tags,
        prerequisites,
        after: prompt.after.clone(),
        ..*prompt
    })
}

fn worktree(node: &Node) -> Result<Option<WorktreePolicy>, Fault> {
    match &node.value {
        Value::Flag(true) => Ok(Some(WorktreePolicy::Keep)),
        Value::Flag(false) => Ok(None),
        _ => {
            let word = node.text("worktree")?;
            let policy = word.parse().map(Some);
            policy.map_err(|_| Fault::new(node.line, unknown("work tree policy", &word, &["keep", "remove"])))
        }
    }
}

fn duration(node: &Node, what: &str) -> Result<u64, Fault> {
    let read = time::duration(&node.text(what)?);
    read.map_err(|why| Fault::new(node.line, format!("`{what}`: {why}")))
}

fn instant(node: &Node, what: &str, now: &Zoned) -> Result<UnixMillis, Fault> {
    let read = time::instant_after(&node.text(what)?, now);
    read.map(UnixMillis).map_err(|why| Fault::new(node.line, format!("`{what}`: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<NewPrompt, Fault> {
        let mut prompt = NewPrompt::new("x");
        for entry in crate::tree::yaml(text)?.table("file")? {
            assert!(option(&mut prompt, entry, &Zoned::now())?, "{} is known", entry.key);
        }
        Ok(prompt)
    }

    #[test]
    fn every_option_of_the_command_line_can_be_written() {
        let text = "to: api\npriority: 8\ndir: /a\nbranch: b\nenv: {CI: 1}\nprerequisites: make deps\nworktree: true\n\
                    agent: x\nprefer: y\nrole: r\ncaps: [a, b]\nthread: t\ntag: fix\nin: 2h\nverify: make\n\
                    wait-timeout: 1h\naccept_timeout: 1m\ntimeout: 45m\nsilence: 5m\nattempts: 2\ncommand: true\n";
        let prompt = asked(text).unwrap();
        assert_eq!((prompt.priority, prompt.timeout_ms, prompt.attempts), (8, Some(2_700_000), Some(2)));
        assert_eq!(prompt.env["CI"], "1");
        assert_eq!(prompt.worktree, Some(WorktreePolicy::Keep));
        assert_eq!((prompt.caps.len(), prompt.prerequisites.len(), prompt.command), (2, 1, true));
        assert!(prompt.not_before.is_some() && prompt.accept_ms == Some(60_000));
    }

    #[test]
    fn a_value_that_does_not_fit_is_told_with_its_line() {
        for text in [
            "\npriority: 11",
            "\ntimeout: soon",
            "\nworktree: kepe",
            "\nenv: 5",
            "\ncommand: 3",
            "\nat: noon",
        ] {
            assert_eq!(asked(text).unwrap_err().line, 2, "{text}");
        }
        assert!(asked("worktree: kepe").unwrap_err().text.contains("did you mean 'keep'"));
    }

    #[test]
    fn every_text_is_changed_once() {
        let text = "target: a\ndir: a\nbranch: a\nenv: {A: a}\nprerequisite: a\nagent: a\nprefer: a\nrole: a\ncap: a\n\
                    thread: a\ntag: a\nverify: a\n";
        let mut seen = Vec::new();
        let changed = each_text(&asked(text).unwrap(), |what, text| {
            seen.push(what);
            Ok::<_, ()>(format!("{text}b"))
        });
        assert_eq!(seen.len(), 13);
        let json = serde_json::to_string(&changed.unwrap()).unwrap();
        assert_eq!(json.matches("\"ab\"").count(), 12, "{json}");
    }
}
