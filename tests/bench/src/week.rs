//! A simulated week: the router that is in the product, against first come, first served. Must not: touch a clock.
//!
//! Five evenings, each with a hundred prompts that people leave behind: threads of one to twelve in one of six
//! directories, mixed with each other as they came, for eight sessions that can be moved. A prompt takes its time
//! (log-normal around the middle that is given); a session that has to be moved first takes the time of a switch on
//! top: the agent is started anew there and reads what it knew elsewhere already. Both orders get the same prompts
//! with the same times.

use std::collections::BTreeMap;

use server::queue::{Queue, Waiting};
use server::route::past::Past;
use server::route::plan::{Depth, Rules, Step, Verdict, plan};
use server::route::{Candidate, Fit, Wanted};
use wire::prompt::Outcome;
use wire::session::{Claim, Context, Link, Moves, Session, Size, Source, State};
use wire::{HostId, PromptId, SessionId, UnixMillis};

const DIRECTORIES: usize = 6;
const SESSIONS: usize = 8;
const PROMPTS: usize = 500;
const EVENINGS: usize = 5;
const HOUR: i64 = 3_600_000;
/// How often waiting prompts are looked at when nothing else happens: as the server's own tick.
const TICK: i64 = 1_000;

/// A prompt of the week.
struct Task {
    at: i64,
    dir: usize,
    thread: usize,
    takes: i64,
}

/// What a week came to.
#[derive(Debug, Clone, Copy)]
struct Week {
    in_context: usize,
    switches: usize,
    /// Milliseconds during which anything was queued or running.
    busy: i64,
    /// Sum over prompts from queued to done, in milliseconds.
    turnaround: i64,
}

/// Simulates weeks with several seeds and prints the medians, for some lengths of a switch.
pub fn run(weeks: usize, task_minutes: f64, switch_minutes: &[f64]) {
    println!(
        "{PROMPTS} prompts, {SESSIONS} sessions, {DIRECTORIES} directories, {weeks} weeks each; a prompt takes {task_minutes} min in the middle"
    );
    println!("switch  order    in context  switches/h/session  prompts/h  of first come  turnaround");
    for minutes in switch_minutes {
        let switch = (minutes * 60_000.0) as i64;
        let seeds = 1..=weeks as u64;
        let pairs: Vec<(Week, Week)> = seeds
            .map(|seed| {
                let tasks = tasks(seed, task_minutes);
                (first_come(&tasks, switch), routed(&tasks, switch))
            })
            .collect();
        let ratios: Vec<f64> = pairs.iter().map(|(fifo, ours)| fifo.busy as f64 / ours.busy as f64).collect();
        line(*minutes, "fifo", &pairs.iter().map(|p| p.0).collect::<Vec<_>>(), 1.0);
        line(*minutes, "muster", &pairs.iter().map(|p| p.1).collect::<Vec<_>>(), median(ratios));
    }
}

fn line(minutes: f64, order: &str, weeks: &[Week], ratio: f64) {
    let of = |figure: fn(&Week) -> f64| median(weeks.iter().map(figure).collect());
    let share = of(|w| w.in_context as f64 / PROMPTS as f64);
    let switches = of(|w| w.switches as f64 / SESSIONS as f64 / (w.busy as f64 / HOUR as f64));
    let speed = of(|w| PROMPTS as f64 / (w.busy as f64 / HOUR as f64));
    let turnaround = of(|w| w.turnaround as f64 / PROMPTS as f64 / 60_000.0);
    println!(
        "{minutes:>5}m  {order:<7}  {:>9.1}%  {switches:>18.2}  {speed:>9.1}  {ratio:>13.2}  {turnaround:>7.0} min",
        share * 100.0
    );
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// The prompts of a week: threads that were begun at random and mixed as they came.
fn tasks(seed: u64, minutes: f64) -> Vec<Task> {
    let mut random = Random(seed);
    let mut tasks = Vec::new();
    for evening in 0..EVENINGS {
        let begins = evening as i64 * 24 * HOUR;
        let mut thread = evening * 1000;
        let mut of_evening = Vec::new();
        while of_evening.len() < PROMPTS / EVENINGS {
            let dir = random.below(DIRECTORIES);
            thread += 1;
            for _ in 0..=random.below(12) {
                let at = begins + random.below(HOUR as usize) as i64;
                let takes = (minutes * 60_000.0 * (random.normal() * 0.5).exp()) as i64;
                of_evening.push(Task { at, dir, thread, takes });
            }
        }
        of_evening.truncate(PROMPTS / EVENINGS);
        tasks.extend(of_evening);
    }
    tasks.sort_by_key(|task| task.at);
    tasks
}

/// Who is free longest takes the oldest prompt, wherever it is.
fn first_come(tasks: &[Task], switch: i64) -> Week {
    let mut free: Vec<(i64, usize)> = (0..SESSIONS).map(|n| (0, n % DIRECTORIES)).collect();
    let mut sum = Sum::default();
    for task in tasks {
        let session = (0..SESSIONS).min_by_key(|n| free[*n].0).unwrap_or_default();
        let (at, dir) = free[session];
        let from = at.max(task.at);
        let fits = dir == task.dir;
        let until = from + task.takes + if fits { 0 } else { switch };
        free[session] = (until, task.dir);
        sum.add(task.at, until, fits);
    }
    sum.week()
}

/// The product's queue and planner.
fn routed(tasks: &[Task], switch: i64) -> Week {
    let rules = Rules::default();
    let mut sessions: Vec<Session> = (0..SESSIONS).map(session).collect();
    let mut pasts = vec![Past::default(); SESSIONS];
    let mut until = [0; SESSIONS];
    let mut took = [0_i64; SESSIONS];
    let mut queue = Queue::default();
    let mut coming = tasks.iter().enumerate().peekable();
    let mut sum = Sum::default();
    let mut now = 0;
    while coming.peek().is_some() || !queue.is_empty() {
        while let Some((n, task)) = coming.next_if(|(_, task)| task.at <= now) {
            queue.put(waiting(n, task));
        }
        for (n, session) in sessions.iter_mut().enumerate().filter(|(n, _)| until[*n] <= now) {
            if session.claim.state == State::Busy {
                session.claim.state = State::Idle;
                session.claim.since = UnixMillis(until[n]);
                session.active = UnixMillis(until[n]);
                pasts[n].ended(&[], Outcome::Completed, took[n].unsigned_abs());
            }
        }
        let steps = decide(&queue, &sessions, &pasts, &rules, now);
        for step in steps {
            let id = step.id;
            let (chosen, fit) = match step.verdict {
                Verdict::Gets(session, fit) => (session, fit),
                Verdict::Passed(_) => {
                    queue.turn(id, UnixMillis(now));
                    continue;
                }
                Verdict::Waits(_) => continue,
            };
            let task = &tasks[id.0 as usize - 1];
            let n = sessions.iter().position(|s| s.id == chosen).unwrap_or_default();
            let _ = queue.remove(id);
            pasts[n].given(Some(&task.thread.to_string()), &[], UnixMillis(now));
            until[n] = now + task.takes + if fit == Fit::In { 0 } else { switch };
            took[n] = until[n] - now;
            sessions[n].claim.state = State::Busy;
            sessions[n].context = context(task.dir);
            sum.add(task.at, until[n], fit == Fit::In);
        }
        let next_task = coming.peek().map(|(_, task)| task.at);
        let next_end = until.iter().copied().filter(|end| *end > now).min();
        let soonest = next_task.into_iter().chain(next_end).min();
        now = if queue.is_empty() { soonest.unwrap_or(now + TICK) } else { now + TICK };
    }
    sum.week()
}

fn decide(queue: &Queue, sessions: &[Session], pasts: &[Past], rules: &Rules, now: i64) -> Vec<Step> {
    let candidate = |(session, past)| Candidate {
        session,
        settled: true,
        paused: false,
        leased: false,
        keyboard: None,
        provider: None,
        past,
    };
    let mut candidates: Vec<_> = sessions.iter().zip(pasts).map(candidate).collect();
    let now = UnixMillis(now);
    plan(queue.due(now), &mut candidates, rules, Depth::Act, now)
}

/// Adds up what happened.
#[derive(Default)]
struct Sum {
    in_context: usize,
    switches: usize,
    turnaround: i64,
    spans: Vec<(i64, i64)>,
}

impl Sum {
    fn add(&mut self, queued: i64, done: i64, fits: bool) {
        self.in_context += usize::from(fits);
        self.switches += usize::from(!fits);
        self.turnaround += done - queued;
        self.spans.push((queued, done));
    }

    fn week(mut self) -> Week {
        self.spans.sort_unstable();
        let (mut busy, mut reached) = (0, i64::MIN);
        for (from, to) in self.spans {
            busy += (to - from.max(reached)).max(0);
            reached = reached.max(to);
        }
        Week { in_context: self.in_context, switches: self.switches, busy, turnaround: self.turnaround }
    }
}

fn waiting(n: usize, task: &Task) -> Waiting {
    let at = UnixMillis(task.at);
    let wanted = Wanted {
        dir: Some(context(task.dir).dir),
        thread: Some(task.thread.to_string()),
        priority: 5,
        ..Wanted::default()
    };
    let until = UnixMillis(i64::MAX);
    Waiting { id: PromptId(n as i64 + 1), created: at, due: at, turn: None, until, wanted }
}

fn context(dir: usize) -> Context {
    let dir = format!("/home/anna/project-{dir}");
    Context {
        repo: Some(dir.clone()),
        branch: Some("main".into()),
        env: BTreeMap::new(),
        hash: String::new(),
        dir,
    }
}

fn session(n: usize) -> Session {
    let claim = Claim {
        state: State::Idle,
        source: Source::Status,
        rule: String::new(),
        evidence: String::new(),
        since: UnixMillis(0),
        background: false,
    };
    Session {
        id: SessionId(format!("s{n}")),
        name: format!("s{n}"),
        host: HostId("h".into()),
        host_name: "here".into(),
        agent: "agent".into(),
        argv: Vec::new(),
        role: None,
        caps: Vec::new(),
        pool: None,
        moves: Moves::Relaunch,
        interpreter: false,
        paused: false,
        limited: None,
        claim,
        link: Link::Connected,
        link_since: UnixMillis(0),
        context: context(n % DIRECTORIES),
        title: String::new(),
        dialog: None,
        prompt: None,
        size: Size { cols: 120, rows: 40 },
        attached: false,
        kept: false,
        keyboard: None,
        last_line: String::new(),
        metrics: BTreeMap::new(),
        started: UnixMillis(0),
        active: UnixMillis(0),
        exit: None,
    }
}

/// A small generator (SplitMix64), so that a seed gives the same week everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Around 0 with a spread of 1: the sum of twelve even ones.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next() as f64 / u64::MAX as f64).sum::<f64>() - 6.0
    }
}
