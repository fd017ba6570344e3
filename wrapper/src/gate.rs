//! Whether a prompt may be typed now, and if not, why. Must not: type.

use std::collections::BTreeMap;

use extractor::{Composer, Shown, State};
use patterns::InputRecipe;
use wire::UnixMillis;
use wire::prompt::{Hold, HoldCode};
use wire::session::{Context, Moves};

/// How long a person who typed has the keyboard to themselves, in milliseconds.
pub const PERSON_MS: u64 = 3_000;

/// Why nothing is typed into a session that takes no input.
pub const WATCHED: &str =
    "the session is only watched; to have prompts typed, end it and: assign tmux adopt --may-type";

/// Why nothing is typed into a session whose user keeps others out.
pub const KEPT: &str =
    "the person at its terminal keeps the keyboard (Ctrl-\\ and then l there lets others type again)";

/// What speaks for or against doing something in a session now.
pub struct Looks {
    /// The session takes no input.
    pub watched: bool,
    /// The user's own terminal keeps the keyboard.
    pub kept: bool,
    /// State of the agent.
    pub state: State,
    /// What stands where a prompt would be typed.
    pub composer: Composer,
    /// A dialog is on the screen.
    pub dialog: bool,
    /// The agent condenses its conversation.
    pub compacting: bool,
    /// When a person last pressed a key.
    pub person: Option<UnixMillis>,
}

/// What the session looks like at the moment of a decision about a prompt.
pub struct View<'a> {
    /// Whether anything may be typed.
    pub looks: Looks,
    /// Whether a given text stands where a prompt would be typed.
    pub shows: &'a dyn Fn(&str) -> Shown,
    /// The program asked for bracketed paste.
    pub bracketed_paste: bool,
    /// Where the agent works.
    pub context: &'a Context,
    /// The commit that is checked out there.
    pub commit: &'a dyn Fn() -> Option<String>,
    /// How it can be brought elsewhere now.
    pub moves: Moves,
    /// When there was last a sign that the turn gets on.
    pub progress: UnixMillis,
    /// All that was used in the turn that ended has been told, as far as it will be.
    pub counted: bool,
    /// How this agent is typed to.
    pub recipe: &'a InputRecipe,
}

impl std::ops::Deref for View<'_> {
    type Target = Looks;
    fn deref(&self) -> &Looks {
        &self.looks
    }
}

/// The context that a prompt needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Directory, absolute.
    pub dir: Option<String>,
    /// Branch that is checked out in it.
    pub branch: Option<String>,
    /// Variables that are set.
    pub env: BTreeMap<String, String>,
}

/// Whether a prompt that needs this context may be typed now.
pub fn open(now: UnixMillis, view: &View, wanted: &Wanted) -> Result<(), Hold> {
    in_context(view.context, wanted)?;
    ready(now, view)
}

/// Whether any prompt may be typed now; no less is asked before a session is ended.
pub fn ready(now: UnixMillis, looks: &Looks) -> Result<(), Hold> {
    if looks.watched {
        return Err(hold(HoldCode::Person, WATCHED));
    }
    if looks.kept {
        return Err(hold(HoldCode::Person, KEPT));
    }
    let waits = matches!(looks.state, State::WaitingPermission | State::WaitingInput);
    if looks.dialog || waits {
        return Err(hold(HoldCode::DialogOpen, "the agent asks something; answer it first"));
    }
    if looks.state != State::Idle {
        let why = format!("the session is {}, not idle", looks.state.as_str());
        return Err(hold(HoldCode::NotIdle, &why));
    }
    if looks.compacting {
        return Err(hold(HoldCode::NotIdle, "the agent condenses its conversation"));
    }
    if looks.person.is_some_and(|person| now.since(person) < PERSON_MS) {
        return Err(hold(HoldCode::HumanTyping, "a person typed in the session a moment ago"));
    }
    match looks.composer {
        Composer::Empty => Ok(()),
        Composer::Holds(_) => Err(hold(HoldCode::Draft, "the composer holds a draft; send or clear it")),
        Composer::Absent | Composer::Unreadable => Err(hold(
            HoldCode::ComposerUnreadable,
            "the place where a prompt is typed cannot be found on the screen",
        )),
    }
}

/// Whether the session is where it must be, else what is different.
pub fn in_context(context: &Context, wanted: &Wanted) -> Result<(), Hold> {
    let wrong = |what: &str, wanted: &str, is: &str| {
        Err(hold(HoldCode::WrongContext, &format!("the session's {what} is {is}, not {wanted}")))
    };
    if let Some(dir) = &wanted.dir
        && *dir != context.dir
    {
        return wrong("directory", dir, &context.dir);
    }
    if let Some(branch) = &wanted.branch
        && context.branch.as_ref() != Some(branch)
    {
        return wrong("branch", branch, context.branch.as_deref().unwrap_or("not known"));
    }
    // A value may be secret: only the name is told.
    match wanted.env.iter().find(|(name, value)| context.env.get(*name) != Some(value)) {
        Some((name, _)) => Err(hold(
            HoldCode::WrongContext,
            &format!("the variable {name} is not set in the session as asked"),
        )),
        None => Ok(()),
    }
}

/// A refusal.
pub fn hold(code: HoldCode, text: &str) -> Hold {
    Hold { code, text: text.to_owned() }
}
