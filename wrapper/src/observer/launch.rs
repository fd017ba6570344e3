//! How a session's program was started, and how it can be started anew somewhere else. Must not: start it.

use std::collections::BTreeMap;

use patterns::Agent;
use patterns::fact::From;
use wire::session::Moves;

use crate::control::Spec;

/// What a relaunch needs to know.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// Program and arguments, with hooks injected.
    argv: Vec<Vec<u8>>,
    /// It was started without a terminal, and may be brought elsewhere.
    free: bool,
    /// The user wants it to stay where it is.
    fixed: bool,
    /// It takes no input.
    pub watched: bool,
    /// The agent's conversation, as it told.
    conversation: Option<String>,
    /// Variables of the next launch.
    pub given: BTreeMap<String, String>,
}

impl Launch {
    /// As the session was started.
    pub fn new(spec: &Spec) -> Self {
        let argv = spec.injected.as_ref().unwrap_or(&spec.argv).clone();
        let free = spec.headless && only_options(&spec.argv);
        Self { argv, free, fixed: spec.fixed, watched: spec.watched, ..Self::default() }
    }

    /// A hook told something: perhaps the conversation's id.
    pub fn heard(&mut self, agent: &Agent, payload: &[u8]) {
        let Some(pointer) = agent.resume.as_ref().and_then(|resume| resume.conversation.as_deref()) else {
            return;
        };
        let Ok(payload) = serde_json::from_slice::<serde_json::Value>(payload) else { return };
        // What no rule knows may be of a conversation of the agent's own, which finds a title or the like.
        if agent.facts.iter().any(|fact| fact.from == From::Hook && fact.holds(&payload))
            && let Some(id) = payload.pointer(pointer).and_then(serde_json::Value::as_str)
            && !id.is_empty()
            && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            && !id.starts_with('-')
        {
            self.conversation = Some(id.to_owned());
        }
    }

    /// How the session can be brought elsewhere now.
    pub fn moves(&self, agent: &Agent, attached: bool) -> Moves {
        match agent.input.moves {
            _ if self.fixed || self.goes_on(agent) => Moves::None,
            patterns::Moves::None => Moves::None,
            patterns::Moves::Shell => Moves::Shell,
            patterns::Moves::Relaunch if self.free && !attached => Moves::Relaunch,
            patterns::Moves::Relaunch => Moves::None,
        }
    }

    /// Whether the user's own words name a conversation: elsewhere it would not be found, and the session would end.
    fn goes_on(&self, agent: &Agent) -> bool {
        let own = |word: &[u8]| {
            let word = word.split(|byte| *byte == b'=').next().unwrap_or(word);
            agent.resume.as_ref().is_some_and(|resume| resume.words.iter().any(|w| w.as_bytes() == word))
        };
        self.argv.iter().skip(1).any(|word| own(word))
    }

    /// The words with which it is started anew; its conversation is gone on with where that is possible.
    pub fn argv(&self, agent: &Agent, same_dir: bool) -> Vec<Vec<u8>> {
        let mut argv = self.argv.clone();
        if let (Some(resume), Some(id)) = (&agent.resume, &self.conversation)
            && (same_dir || resume.anywhere)
        {
            let argument = |word: &String| word.replace("{conversation}", id).into_bytes();
            argv.extend(resume.arguments.iter().map(argument));
        }
        argv
    }
}

/// Whether a command has nothing but options and their values: a prompt among its words would be given again.
fn only_options(argv: &[Vec<u8>]) -> bool {
    let mut words = argv.iter().skip(1);
    let mut before = false;
    words.all(|word| {
        let option = word.starts_with(b"-") && word.len() > 1 && word != b"--";
        let value = before && !word.contains(&b' ') && word != b"--";
        before = option && !word.contains(&b'=');
        option || value
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<Vec<u8>> {
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    fn launch(argv: &[&str]) -> Launch {
        Launch { argv: words(argv), free: true, ..Launch::default() }
    }

    fn agent(name: &str) -> std::sync::Arc<Agent> {
        patterns::Library::builtin().agent(name).unwrap()
    }

    #[test]
    fn a47_a_command_that_carries_a_prompt_is_never_given_again() {
        assert!(only_options(&words(&["claude"])));
        assert!(only_options(&words(&["claude", "--model", "opus", "-v", "--x=y z"])));
        for prompt in [
            &["claude", "fix it"][..],
            &["claude", "fix"],
            &["claude", "-v", "fix it"],
            &["claude", "--", "x"],
        ] {
            assert!(!only_options(&words(prompt)), "{prompt:?}");
        }
    }

    #[test]
    fn a_conversation_is_gone_on_with_only_where_that_works() {
        let (claude, codex) = (agent("claude"), agent("codex"));
        let mut one = launch(&["claude"]);
        one.heard(&claude, br#"{"hook_event_name":"SessionStart","session_id":"a-1"}"#);
        assert_eq!(one.argv(&claude, true), words(&["claude", "--resume", "a-1"]));
        assert_eq!(one.argv(&claude, false), words(&["claude"]));
        let mut two = launch(&["codex"]);
        two.heard(&codex, br#"{"type":"agent-turn-complete","thread-id":"t-1","input-messages":["x"]}"#);
        two.heard(&codex, br#"{"type":"agent-turn-complete","thread-id":"t-2","input-messages":["Generate a concise, single-line task title"]}"#);
        two.heard(&codex, br#"{"type":"agent-turn-complete","thread-id":"--x","input-messages":["x"]}"#);
        assert_eq!(two.argv(&codex, false), words(&["codex", "resume", "t-1"]));
    }

    #[test]
    fn a_person_in_front_of_an_agent_keeps_it_where_it_is() {
        let (claude, shell, any) = (agent("claude"), agent("shell"), agent("any"));
        assert_eq!(launch(&[]).moves(&claude, false), Moves::Relaunch);
        assert_eq!(launch(&[]).moves(&claude, true), Moves::None);
        assert_eq!(Launch::default().moves(&claude, false), Moves::None);
        assert_eq!(Launch::default().moves(&shell, true), Moves::Shell);
        assert_eq!(launch(&[]).moves(&any, false), Moves::None);
        assert_eq!(launch(&["claude", "--model", "x"]).moves(&claude, false), Moves::Relaunch);
        for own in [&["claude", "-c"][..], &["claude", "--resume=x"], &["claude", "--session-id", "x"]] {
            assert_eq!(launch(own).moves(&claude, false), Moves::None, "{own:?}");
        }
        assert_eq!(Launch { fixed: true, ..launch(&[]) }.moves(&shell, false), Moves::None);
    }
}
