//! Replays a recording with and without hostile text in it, and compares what was seen.

use std::time::Duration;

use extractor::{Composer, Doing, Extractor, Observation, Seen, State, TurnOutcome};
use patterns::Library;

use crate::case;
use crate::draw::Block;
use crate::site::Stage;

/// How long hostile text stands before the recording goes on.
const STANDS: Duration = Duration::from_secs(10);
/// How much sooner a turn may end than it did without, and how much later.
const SOONER: Duration = Duration::from_millis(300);
const LATER: Duration = Duration::from_millis(1500);

/// What was shown while hostile text stood there.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    pub state: State,
    /// Source and rule.
    pub by: String,
    /// What a prompt would be typed into.
    pub composer: Composer,
}

/// What was seen of a replay.
#[derive(Debug)]
pub struct Trace {
    /// The states, without repeats.
    pub states: Vec<State>,
    /// Titles of the dialogs that opened.
    pub dialogs: Vec<String>,
    pub ends: Vec<(Duration, TurnOutcome)>,
    pub began: usize,
    pub idle: Shown,
    pub busy: Shown,
}

/// What is replayed besides the recording.
#[derive(Debug, Clone, Default)]
pub struct Plan<'b> {
    /// Shown, and taken away again, while the agent rests.
    pub idle: Option<Block<'b>>,
    /// Shown, and left there, while the agent works.
    pub busy: Option<Block<'b>>,
    /// Whether it is known that a job has the terminal while the agent works, as it is in a live session.
    pub processes: bool,
}

/// Replays.
pub fn run(stage: &Stage, plan: &Plan) -> Trace {
    let case = &stage.case;
    let mut extractor = Extractor::new(Library::builtin().agent(&case.agent).unwrap(), case.cols, case.rows);
    let (mut seen, mut late, mut shown) = (Vec::new(), Duration::ZERO, Vec::new());
    let mut moments = vec![(stage.busy, true), (stage.idle, false)];
    let mut works = plan.processes;
    for (at, record) in &case.records {
        while let Some((moment, works)) = moments.pop_if(|(moment, _)| *moment < *at) {
            shown.push(stand(&mut extractor, stage, plan, (moment + late, works), &mut seen));
            late += STANDS;
        }
        if works && *at > stage.done {
            works = false;
            extractor.processes(*at + late, job(false), &mut seen);
        }
        case::apply(&mut extractor, *at + late, record, &mut seen);
    }
    extractor.tick(stage.case.end + late, &mut seen);
    let [idle, busy] = shown.try_into().unwrap();
    trace(&seen, idle, busy)
}

fn stand(
    extractor: &mut Extractor,
    stage: &Stage,
    plan: &Plan,
    (at, works): (Duration, bool),
    seen: &mut Vec<Observation>,
) -> Shown {
    extractor.tick(at, seen);
    if plan.processes && works {
        extractor.processes(at, job(true), seen);
    }
    let block = if works { &plan.busy } else { &plan.idle };
    let drawn = block.as_ref().map(|block| match works {
        true => block.at_work(&stage.case, extractor),
        false => block.at_rest(&stage.case, extractor),
    });
    if let Some(drawn) = &drawn {
        extractor.output(at, drawn.show.as_bytes(), seen);
    }
    let after = at + STANDS;
    extractor.tick(after, seen);
    if let Some(drawn) = &drawn {
        let stands = extractor.screen_text().iter().any(|row| row.contains(&drawn.last));
        assert!(stands, "{:?} is not on the screen: {:#?}", drawn.last, extractor.screen_text());
    }
    let claim = extractor.claim();
    let by = format!("{} `{}`", claim.source.as_str(), claim.rule);
    let shown = Shown { state: claim.state, by, composer: extractor.composer() };
    if let Some(drawn) = drawn.filter(|_| !works) {
        extractor.output(after, drawn.hide.as_bytes(), seen);
    }
    shown
}

fn job(away: bool) -> Doing {
    Doing { away, works: false, what: "a job".into() }
}

fn trace(seen: &[Observation], idle: Shown, busy: Shown) -> Trace {
    let mut trace = Trace { states: Vec::new(), dialogs: Vec::new(), ends: Vec::new(), began: 0, idle, busy };
    for o in seen {
        match &o.what {
            Seen::State(claim) => trace.states.push(claim.state),
            Seen::Dialog(Some(dialog)) => trace.dialogs.push(dialog.title.clone()),
            Seen::TurnBegan { .. } => trace.began += 1,
            Seen::TurnEnded { outcome, .. } => trace.ends.push((o.at, *outcome)),
            Seen::Dialog(None) | Seen::Event(_) | Seen::Title(_) | Seen::Query(_) => {}
        }
    }
    trace.states.dedup();
    trace
}

impl Trace {
    /// What is other than without hostile text; empty when nothing is.
    pub fn changes(&self, base: &Trace) -> String {
        let mut all = Vec::new();
        if self.states != base.states {
            let words: Vec<_> = self.states.iter().map(|state| state.as_str()).collect();
            all.push(format!("states: {}", words.join(" ")));
        }
        let new: Vec<_> = self.dialogs.iter().filter(|title| !base.dialogs.contains(title)).collect();
        if !new.is_empty() {
            all.push(format!("dialogs: {new:?}"));
        }
        let outcomes = |trace: &Trace| trace.ends.iter().map(|(_, how)| how.as_str()).collect::<Vec<_>>();
        if outcomes(self) != outcomes(base) || self.began != base.began {
            all.push(format!("turns: {}", outcomes(self).join(" ")));
        } else {
            for ((at, _), (then, _)) in self.ends.iter().zip(&base.ends) {
                if *at + SOONER < *then {
                    all.push(format!("ended {:.1} s sooner", (*then - *at).as_secs_f64()));
                } else if *at > *then + LATER {
                    all.push(format!("ended {:.1} s later", (*at - *then).as_secs_f64()));
                }
            }
        }
        for (when, shown, base) in [("rest", &self.idle, &base.idle), ("work", &self.busy, &base.busy)] {
            // Nothing is typed into an agent that works, whatever its composer looks like.
            let ready = shown.state != State::Busy && shown.composer != base.composer;
            if shown.state != base.state || ready {
                let composer = format!("{:?}", shown.composer).to_lowercase();
                all.push(format!("at {when}: {}, composer {composer}", shown.state.as_str()));
            }
        }
        all.join("; ")
    }
}
