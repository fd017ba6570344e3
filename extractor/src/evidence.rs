//! Weighs all evidence of one moment by rank and names the state it speaks for. Must not: remember or debounce.
//!
//! Rank: the program's own status, a dialog that has the keyboard, shell marks and title, the screen. What contradicts
//! a stronger source must stand longer before it is believed.

use std::time::Duration;

use patterns::{Absent, Agent, Processes, StateWord};

use crate::fact::{Telling, Told, Word};
use crate::observation::{DialogKind, Doing, Exit, Source, State};
use crate::reading::{Hit, Reading};
use crate::signal::{Mark, Status, StatusWord, Title};

/// How long a dialog must stand against a status that says otherwise.
const DIALOG_AGAINST_STATUS: Duration = Duration::from_millis(700);
/// How long the picture of an answered dialog may stand.
const DIALOG_LATE: Duration = Duration::from_secs(6);
/// How long a status of rest waits for the frame that belongs to it.
const STATUS_REST: Duration = Duration::from_millis(100);
/// How long the screen must look busy against a status of rest.
const BUSY_AGAINST_STATUS: Duration = Duration::from_secs(4);
/// How long the screen must look busy against a title of rest.
const BUSY_AGAINST_TITLE: Duration = Duration::from_millis(300);
/// How long a title of rest waits for a picture that agrees.
const PICTURE: Duration = Duration::from_millis(2500);
/// How long work that nobody asked for must go on.
const UNASKED: Duration = Duration::from_millis(400);
/// How much later than the title a sign of work must change to be newer.
const LAG: Duration = Duration::from_millis(200);
/// How long a program that nobody typed to must look busy before its start counts as a turn.
const BUSY_AT_START: Duration = Duration::from_millis(2500);
/// How long a turn that was told to begin waits, when the terminal looks at rest, to be told to have ended.
const UNTOLD_END: Duration = Duration::from_millis(250);
/// How long the terminal must look at rest, without a title that says so, against a hook that told of work.
const REST_AGAINST_HOOK: Duration = Duration::from_secs(2);
/// How long permission that was asked for may wait for its dialog: a rule of the user's may grant it before.
const DIALOG_AFTER_HOOK: Duration = Duration::from_millis(600);
/// How long a title may turn after a hook told the end; after that another hook of the user's made the turn go on.
const TITLE_AFTER_END: Duration = Duration::from_millis(2500);
/// How long a sign of work may stand unchanged and still outweigh the program's own word.
const STILL: Duration = Duration::from_secs(2);
/// How long an answer may pause while it streams.
const UNMARKED: Duration = Duration::from_secs(4);
/// How long a program may say that it is blocked while its composer stands there.
const BLOCKED_WITH_COMPOSER: Duration = Duration::from_millis(1500);

/// All that is known at one moment.
#[derive(Debug)]
pub struct Facts<'f> {
    /// The agent's profile.
    pub agent: &'f Agent,
    /// The last status.
    pub status: Option<&'f Status>,
    /// What its processes do.
    pub processes: Option<&'f Doing>,
    /// What the agent told by hooks or its transcript.
    pub telling: &'f Telling,
    /// The last title that a rule matched.
    pub title: Option<&'f Title>,
    /// The last shell mark.
    pub mark: Option<Mark>,
    /// The last screen.
    pub reading: &'f Reading,
    /// Whether it was idle or busy before.
    pub ready: bool,
    /// Whether Enter was pressed.
    pub entered: bool,
    /// Whether work now would be work that somebody asked for.
    pub expected: bool,
    /// Whether a turn runs.
    pub running: bool,
    /// A program that switches bracketed paste on for its prompt has it off.
    pub away: bool,
    /// Whether the last thing on the screen is the mark of a turn's end.
    pub over: bool,
    /// The last output.
    pub output: Duration,
    /// The last change of the screen's text.
    pub changed: Duration,
    /// The last change of the screen's signs of work.
    pub worked: Duration,
    /// When the dialog on the screen was first seen, and when a key was last pressed.
    pub asked: Duration,
    /// The last key.
    pub key: Option<Duration>,
    /// The last Enter.
    pub enter: Option<Duration>,
    /// Now.
    pub now: Duration,
}

/// The state that the evidence speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The state.
    pub state: State,
    /// The kind of evidence.
    pub source: Source,
    /// The rule.
    pub rule: String,
    /// What it saw.
    pub evidence: String,
    /// Work goes on in the background.
    pub background: bool,
    /// How long it must stand before it is believed.
    pub hold: Duration,
}

impl Candidate {
    /// Nothing spoke yet.
    pub fn starting() -> Self {
        Self::certain(State::Starting, Source::Silence, "start", String::new())
    }

    /// The program has ended.
    pub fn exited(exit: Exit) -> Self {
        let evidence = match exit {
            Exit::Code(code) => format!("exit status {code}"),
            Exit::Signal(signal) => format!("signal {signal}"),
        };
        Self::certain(State::Exited, Source::Exit, "process.exit", evidence)
    }

    fn certain(state: State, source: Source, rule: &str, evidence: String) -> Self {
        Self { state, source, rule: rule.to_owned(), evidence, background: false, hold: Duration::ZERO }
    }
}

impl Facts<'_> {
    /// Weighs; `None` when nothing speaks.
    pub fn weigh(&self) -> Option<Candidate> {
        let by_status = self.status.and_then(|status| self.status(status));
        let dialog = || if self.answered() { None } else { self.asked() };
        let by_hook = || self.telling.last.as_ref().and_then(|told| self.hook(told));
        let candidate = by_status
            .or_else(dialog)
            .or_else(by_hook)
            .or_else(|| self.jobs())
            .or_else(|| self.mark())
            .or_else(|| self.title())
            .or_else(|| self.screen())
            .or_else(|| self.cpu())?;
        let untold = candidate.state == State::Idle && candidate.source != Source::Hook && self.telling.open;
        let hold = if untold { candidate.hold.max(UNTOLD_END) } else { candidate.hold };
        Some(Candidate { hold, ..candidate })
    }

    /// The dialog on the screen; one that a hook has announced is believed at once.
    fn asked(&self) -> Option<Candidate> {
        let told = self.telling.last.as_ref().filter(|told| told.word == Word::Asking);
        match told {
            Some(told) => {
                let dialog = self.dialog(Duration::ZERO)?;
                Some(Candidate { source: Source::Hook, evidence: told.evidence.clone(), ..dialog })
            }
            None => self.dialog(self.dialog_hold()),
        }
    }

    /// What hooks say, as far as the terminal does not know better: an interrupt, a refused permission and an answered
    /// dialog are told by no hook.
    fn hook(&self, told: &Told) -> Option<Candidate> {
        let say =
            |state| Some(self.candidate(state, Source::Hook, &told.rule, &told.evidence, Duration::ZERO));
        let newer = self.title.filter(|title| title.since > told.at).map(|title| title.state);
        let turning = self.title.filter(|title| title.state == StateWord::Busy);
        match told.word {
            Word::Working => {
                let alone = self.title.is_none() || self.key.is_some_and(|key| key > told.at);
                let rests =
                    self.resting_screen() && self.now >= told.at.max(self.changed) + REST_AGAINST_HOOK;
                if newer.is_some() || (alone && rests) { None } else { say(State::Busy) }
            }
            Word::Asking => {
                let answered = self.reading.composer.is_some() || newer == Some(StateWord::Busy);
                let early = self.now < told.at + DIALOG_AFTER_HOOK;
                if answered || early { None } else { say(State::WaitingPermission) }
            }
            Word::Resting => {
                let goes_on = turning.is_some_and(|title| {
                    self.now < told.at + TITLE_AFTER_END || title.at > told.at + TITLE_AFTER_END / 2
                });
                // Another hook of the user's may run still, and make the turn go on: the screen rests when all are done.
                let works = self.reading.busy.is_some()
                    && (self.working(told.at).is_some() || self.now < told.at + TITLE_AFTER_END);
                if goes_on || works { None } else { say(State::Idle) }
            }
        }
    }

    /// When the weight may change although nothing happens.
    pub fn recheck(&self) -> Option<Duration> {
        let lease = self.title.filter(|t| !t.lease.is_zero()).map(|t| self.output + t.lease);
        let working =
            self.status.filter(|s| s.word == StatusWord::Working).map(|_| self.changed + self.lease());
        let blocked =
            self.status.filter(|s| s.word == StatusWord::Blocked).map(|s| s.at + BLOCKED_WITH_COMPOSER);
        let late = self.status.filter(|_| self.reading.dialog.is_some()).map(|s| s.at + DIALOG_LATE);
        let told = self.telling.last.as_ref();
        let hook = told.map(|told| match told.word {
            Word::Working => told.at.max(self.changed) + REST_AGAINST_HOOK,
            Word::Asking => told.at + DIALOG_AFTER_HOOK,
            Word::Resting => told.at + TITLE_AFTER_END,
        });
        let still = self.reading.busy.as_ref().map(|_| self.worked + STILL);
        [lease, working, blocked, late, hook, still].into_iter().flatten().filter(|at| *at > self.now).min()
    }

    /// Whether the dialog on the screen is an old picture: it was answered, and the title went to work after that.
    fn answered(&self) -> bool {
        let key = self.key.filter(|key| *key >= self.asked);
        let title = self.title.filter(|title| title.state == StateWord::Busy);
        let went_on = matches!((key, title), (Some(key), Some(title)) if title.since >= key);
        // What asks on a line of a shell takes an Enter, and draws nothing before it goes on.
        let typed = self.enter.is_some_and(|enter| enter >= self.asked && self.changed < enter);
        went_on || (typed && self.agent.composer.as_ref().is_some_and(|rule| rule.absent == Absent::Busy))
    }

    fn status(&self, status: &Status) -> Option<Candidate> {
        let evidence = match status.message.as_str() {
            "" => format!("state={:?}", status.word).to_lowercase(),
            message => message.to_owned(),
        };
        let told = |state, hold| self.candidate(state, Source::Status, "status.protocol", &evidence, hold);
        match status.word {
            StatusWord::Working => {
                let silent = self.now >= self.changed + self.lease() && self.resting_screen();
                // A dialog that is older than this word was answered, and its picture is late.
                let late = self.asked <= status.at && self.now < status.at + DIALOG_LATE;
                match self.dialog(DIALOG_AGAINST_STATUS).filter(|_| !late) {
                    Some(dialog) => Some(dialog),
                    None if silent => {
                        self.screen().map(|c| Candidate { background: c.state == State::Idle, ..c })
                    }
                    None => Some(told(State::Busy, self.unasked())),
                }
            }
            StatusWord::Blocked => {
                if let Some(dialog) = self.dialog(Duration::ZERO) {
                    return Some(Candidate { source: Source::Status, evidence, ..dialog });
                }
                let composer = self.reading.composer.is_some();
                match status.kind.as_str() {
                    "auth" if composer => Some(told(State::Idle, self.told_rest())),
                    _ if composer && self.now >= status.at + BLOCKED_WITH_COMPOSER => None,
                    "permission" => Some(told(State::WaitingPermission, Duration::ZERO)),
                    _ => Some(told(State::WaitingInput, Duration::ZERO)),
                }
            }
            StatusWord::Idle | StatusWord::Done | StatusWord::Error => {
                if let Some(dialog) = self.dialog(self.dialog_hold()) {
                    return Some(dialog);
                }
                match &self.reading.busy {
                    // A picture that stands still says nothing new.
                    Some(hit)
                        if self.worked >= status.at + BUSY_AGAINST_STATUS
                            && self.now < self.worked + STILL =>
                    {
                        Some(self.hit(State::Busy, hit, BUSY_AGAINST_STATUS))
                    }
                    _ => Some(told(State::Idle, self.told_rest())),
                }
            }
        }
    }

    fn dialog(&self, hold: Duration) -> Option<Candidate> {
        let asked = self.reading.dialog.as_ref()?;
        let state = match asked.dialog.kind {
            DialogKind::Permission | DialogKind::Plan => State::WaitingPermission,
            DialogKind::Question | DialogKind::Trust | DialogKind::Login | DialogKind::Other => {
                State::WaitingInput
            }
        };
        let evidence: String = asked.dialog.title.chars().take(200).collect();
        Some(self.candidate(state, Source::Screen, &asked.rule, &evidence, hold))
    }

    /// A shell without the terminal works, whatever is printed.
    fn jobs(&self) -> Option<Candidate> {
        let doing = self.processes.filter(|doing| doing.away)?;
        (self.agent.processes == Processes::Jobs).then(|| self.process("process.job", doing))
    }

    /// The least that can be known of a program that nobody has described.
    fn cpu(&self) -> Option<Candidate> {
        let doing = self.processes.filter(|doing| doing.works)?;
        (self.agent.processes == Processes::Cpu).then(|| self.process("process.cpu", doing))
    }

    fn process(&self, rule: &str, doing: &Doing) -> Candidate {
        self.candidate(State::Busy, Source::Silence, rule, &doing.what, Duration::ZERO)
    }

    fn mark(&self) -> Option<Candidate> {
        if !self.agent.shell_marks {
            return None;
        }
        let (state, evidence) = match self.mark? {
            Mark::Running => (State::Busy, "C"),
            Mark::Prompt | Mark::Ended(_) if self.away => (State::Busy, "bracketed paste is off"),
            Mark::Prompt => (State::Idle, "B"),
            Mark::Ended(_) => (State::Idle, "D"),
        };
        Some(self.candidate(state, Source::Terminal, "shell.marks", evidence, Duration::ZERO))
    }

    fn title(&self) -> Option<Candidate> {
        let title = self.title?;
        if !title.lease.is_zero() && self.now >= self.output + title.lease {
            return None;
        }
        let told = |state, hold| self.candidate(state, Source::Terminal, &title.rule, &title.text, hold);
        match title.state {
            StateWord::Busy => Some(told(State::Busy, self.at_start(Duration::ZERO))),
            StateWord::WaitingPermission => Some(told(State::WaitingPermission, Duration::ZERO)),
            StateWord::WaitingInput => Some(told(State::WaitingInput, Duration::ZERO)),
            StateWord::Starting => Some(told(State::Starting, Duration::ZERO)),
            StateWord::Idle => match (self.working(title.since), &self.reading.starting) {
                (Some(hit), _) => Some(self.hit(State::Busy, hit, self.at_start(BUSY_AGAINST_TITLE))),
                (None, Some(hit)) => Some(self.hit(State::Starting, hit, Duration::ZERO)),
                (None, None) if self.reading.composer.is_some() => {
                    // An old picture of work: the new one may be a dialog, which such a title announces as well.
                    let stale = self.reading.busy.is_some();
                    Some(told(State::Idle, if stale { self.rest().max(PICTURE) } else { self.rest() }))
                }
                (None, None) => None,
            },
        }
    }

    fn screen(&self) -> Option<Candidate> {
        let reading = self.reading;
        if let Some((permission, hit)) = &reading.waiting {
            let state = if *permission { State::WaitingPermission } else { State::WaitingInput };
            return Some(self.hit(state, hit, self.dialog_hold()));
        }
        if let Some(hit) = &reading.busy {
            return Some(self.hit(State::Busy, hit, self.at_start(millis(self.agent.timing.busy_ms))));
        }
        if let Some(hit) = reading.starting.as_ref().filter(|_| !self.ready) {
            return Some(self.hit(State::Starting, hit, Duration::ZERO));
        }
        if let Some(hit) = &reading.idle {
            return Some(self.hit(State::Idle, hit, self.idle()));
        }
        let rule = self.agent.composer.as_ref()?;
        match &reading.composer {
            Some(field) if rule.idle => {
                let evidence = if field.text.is_empty() { "empty composer" } else { "composer with a draft" };
                let id = format!("{}.composer", self.agent.name);
                let hold = self.idle().max(self.unmarked());
                Some(self.candidate(State::Idle, Source::Screen, &id, evidence, hold))
            }
            None if rule.absent == Absent::Busy && self.ready => {
                let id = format!("{}.composer.absent", self.agent.name);
                Some(self.candidate(State::Busy, Source::Screen, &id, "no prompt", Duration::ZERO))
            }
            Some(_) | None => None,
        }
    }

    /// A sign of work that is newer than the title: the screen may lag behind the title by seconds.
    fn working(&self, since: Duration) -> Option<&Hit> {
        self.reading.busy.as_ref().filter(|_| self.worked > since + LAG)
    }

    fn resting_screen(&self) -> bool {
        self.reading.composer.is_some() && self.reading.busy.is_none()
    }

    fn lease(&self) -> Duration {
        millis(self.agent.timing.lease_ms)
    }

    /// A word of the program's own about its rest: only the last frame of the turn is waited for, and not even that when
    /// the answer was told.
    fn told_rest(&self) -> Duration {
        if self.telling.end.is_some() {
            return Duration::ZERO;
        }
        millis(self.agent.timing.rest_ms).min(STATUS_REST)
    }

    fn rest(&self) -> Duration {
        millis(self.agent.timing.rest_ms).max(if self.ready || self.status.is_some() {
            Duration::ZERO
        } else {
            self.idle()
        })
    }

    fn idle(&self) -> Duration {
        let timing = self.agent.timing;
        millis(if self.ready { timing.idle_ms } else { timing.ready_ms })
    }

    /// A composer alone does not tell rest from an answer that streams: without a mark of the turn's end it must stand
    /// for longer than an answer pauses.
    fn unmarked(&self) -> Duration {
        let shows_work = self.agent.composer.as_ref().is_some_and(|rule| rule.absent == Absent::Busy);
        match (self.running && !self.over && !shows_work, self.agent.turn_ends.is_empty()) {
            (true, false) => UNMARKED,
            (true, true) => UNMARKED / 2,
            (false, _) => Duration::ZERO,
        }
    }

    fn dialog_hold(&self) -> Duration {
        millis(self.agent.timing.dialog_ms)
    }

    fn at_start(&self, hold: Duration) -> Duration {
        if self.ready || self.entered { hold.max(self.unasked()) } else { BUSY_AT_START }
    }

    /// Agents work for a moment when they start: only work that was asked for is believed at once.
    fn unasked(&self) -> Duration {
        if self.expected { Duration::ZERO } else { UNASKED }
    }

    fn hit(&self, state: State, hit: &Hit, hold: Duration) -> Candidate {
        self.candidate(state, Source::Screen, &hit.rule, &hit.evidence, hold)
    }

    fn candidate(
        &self,
        state: State,
        source: Source,
        rule: &str,
        evidence: &str,
        hold: Duration,
    ) -> Candidate {
        let background = state == State::Idle && (self.reading.background || self.telling.background);
        Candidate { state, source, rule: rule.to_owned(), evidence: evidence.to_owned(), background, hold }
    }
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
