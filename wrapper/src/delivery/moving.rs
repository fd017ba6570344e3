//! Bringing a session into another context: typed into a shell, or by starting its program anew. Must not: type
//! anything but the way there.

use wire::UnixMillis;
use wire::prompt::{Hold, HoldCode, Outcome, PromptResult};
use wire::session::Moves;

use super::Effect;
use super::text;
use super::typing::{Progress, Typing};
use crate::gate::{self, View, Wanted, hold};

/// Longest time that it may take; an agent that starts anew takes some.
const MOVE_MS: u64 = 120_000;

/// How long after a shell took the line its directory may still be the old one.
const LAG_MS: u64 = 3_000;

/// After this long a shell that does not tell of the ends of commands is believed to have run one.
const QUIET_MS: u64 = 2_000;

/// A session on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    wanted: Wanted,
    since: UnixMillis,
    way: Way,
}

/// How it goes there.
#[derive(Debug, Clone, PartialEq)]
enum Way {
    /// A line is being typed.
    Typing(Typing),
    /// The shell has run it.
    Typed(UnixMillis),
    /// The program is started anew.
    Relaunching,
}

/// What came of a look.
#[derive(Debug, PartialEq)]
pub enum Going {
    /// It is on its way.
    On,
    /// This is to be done.
    Do(Effect),
    /// It is there, and may be typed to.
    There,
    /// It does not get there.
    Stuck(Hold),
}

impl Move {
    /// Sets out, if the session can be moved at all and may be typed to now.
    pub fn begin(now: UnixMillis, view: &View, mut wanted: Wanted) -> Result<(Self, Effect), Hold> {
        gate::ready(now, view)?;
        wanted.branch = None;
        let (way, effect) = match view.moves {
            Moves::None => {
                let different = gate::in_context(view.context, &wanted).err();
                let different = different.map_or_else(String::new, |hold| format!("{}, and ", hold.text));
                let why = format!("{different}the session cannot be brought elsewhere");
                return Err(hold(HoldCode::WrongContext, &why));
            }
            Moves::Shell => {
                let dir = wanted.dir.as_deref().filter(|dir| *dir != view.context.dir);
                let (typing, bytes) = Typing::begin(now, view, text::shell_move(dir, &wanted.env)?);
                (Way::Typing(typing), Effect::Type(bytes))
            }
            Moves::Relaunch => {
                let dir = wanted.dir.clone().unwrap_or_else(|| view.context.dir.clone());
                (Way::Relaunching, Effect::Relaunch { dir, env: wanted.env.clone() })
            }
        };
        Ok((Self { wanted, since: now, way }, effect))
    }

    /// Whether an Enter was asked for, and nobody knows yet whether it was written.
    pub fn is_entering(&self) -> bool {
        matches!(&self.way, Way::Typing(typing) if typing.is_entering())
    }

    /// The holder wrote what was asked for, or refused.
    pub fn written(&mut self, now: UnixMillis, view: &View, written: bool) -> Going {
        let Way::Typing(typing) = &mut self.way else { return Going::On };
        let progress = typing.written(now, view, written, gate::ready(now, view));
        Self::follow(progress)
    }

    /// A command of the shell ended.
    pub fn ended(&mut self, now: UnixMillis, result: &PromptResult) -> Going {
        match &self.way {
            Way::Typing(typing) if typing.is_submitted() => {}
            Way::Typing(_) | Way::Typed(_) | Way::Relaunching => return Going::On,
        }
        if result.outcome != Outcome::Completed {
            let why = format!("the shell could not be brought there: {}", result.reason);
            return Going::Stuck(hold(HoldCode::NotPrepared, &why));
        }
        self.ran(now)
    }

    fn ran(&mut self, now: UnixMillis) -> Going {
        self.way = Way::Typed(now);
        Going::Do(Effect::Exported(self.wanted.env.clone()))
    }

    /// Time passed or the screen changed.
    pub fn look(&mut self, now: UnixMillis, view: &View, late: bool) -> Going {
        let late = late || now.since(self.since) > MOVE_MS;
        let there = gate::open(now, view, &self.wanted);
        match &mut self.way {
            Way::Typing(typing) => {
                if typing.is_gone(now, view, QUIET_MS) && gate::ready(now, view).is_ok() {
                    return self.ran(now);
                }
                let progress = typing.look(now, view, late);
                Self::follow(progress)
            }
            Way::Typed(at) => match there {
                Ok(()) => Going::There,
                Err(fault) if late || now.since(*at) > LAG_MS => not_there(&fault),
                Err(_) => Going::On,
            },
            Way::Relaunching => match there {
                Ok(()) => Going::There,
                Err(fault) if late => not_there(&fault),
                Err(_) => Going::On,
            },
        }
    }

    fn follow(progress: Progress) -> Going {
        match progress {
            Progress::Nothing | Progress::Reached(_) | Progress::Taken => Going::On,
            Progress::Write(bytes) => Going::Do(Effect::Type(bytes)),
            Progress::Stuck(fault) => not_there(&fault),
        }
    }
}

fn not_there(fault: &Hold) -> Going {
    let why = format!("the session could not be brought into the context asked for: {}", fault.text);
    Going::Stuck(hold(HoldCode::NotPrepared, &why))
}
