//! The spans of one life of a prompt, from what the database keeps of it. Pure. Must not: tell texts or answers.
//!
//! A life goes from the queue to an end; a person's wish for another try after that begins the next one. Times of
//! receipts are of the wrapper's clock, all others of the server's: a child never reaches beyond its parent.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::{Span, Status, status::StatusCode};
use wire::prompt::{Attempt, Outcome, PromptState, Receipt, Step};
use wire::{PromptId, UnixMillis};

use super::Trace;

/// One life of a prompt that is over.
#[derive(Debug, Clone)]
pub struct Life {
    /// Where it belongs.
    pub trace: Trace,
    /// Which prompt.
    pub prompt: PromptId,
    /// Its priority.
    pub priority: u8,
    /// How it ended.
    pub state: PromptState,
    /// When it was queued, or wished for again.
    pub began: UnixMillis,
    /// When it was over.
    pub ended: UnixMillis,
    /// All tries, oldest first.
    pub tries: Vec<Try>,
}

/// One try.
#[derive(Debug, Clone)]
pub struct Try {
    /// As it is kept.
    pub attempt: Attempt,
    /// When it was over.
    pub ended: UnixMillis,
    /// The agent that had it.
    pub agent: String,
    /// From when to when its session asked a person.
    pub asked: Vec<(UnixMillis, UnixMillis)>,
}

/// The steps that end a phase, and what the phase is called.
const PHASES: [(Step, &str); 6] = [
    (Step::Offered, "offered"),
    (Step::Prepared, "prepared"),
    (Step::Submitted, "typed"),
    (Step::Accepted, "accepted"),
    (Step::Ended, "running"),
    (Step::Verified, "verified"),
];

/// All spans of a life; none when whoever began the trace does not record it.
pub fn spans(life: &Life) -> Vec<Span> {
    if !life.trace.sampled {
        return Vec::new();
    }
    let mut tree = Tree { trace: &life.trace, spans: Vec::new() };
    let root = tree.root(life);
    let mut from = life.began;
    for one in &life.tries {
        let leased = at(&one.attempt, Step::Leased).unwrap_or(from).clamp(from, life.ended.max(from));
        tree.child(root, ("waiting", one.attempt.id.0), "waiting", (from, leased));
        let ended = one.ended.clamp(leased, life.ended.max(leased));
        tree.attempt(root, one, (leased, ended));
        from = ended;
    }
    if life.tries.is_empty() {
        tree.child(root, ("waiting", 0), "waiting", (life.began, life.ended));
    }
    tree.spans
}

/// Spans that are put below each other.
struct Tree<'l> {
    trace: &'l Trace,
    spans: Vec<Span>,
}

impl Tree<'_> {
    fn root(&mut self, life: &Life) -> [u8; 8] {
        let id = root(self.trace, life.began);
        let mut span = self.span(id, self.trace.parent, "prompt", (life.began, life.ended));
        let last = life.tries.last();
        span.attributes = vec![
            number("muster.prompt.id", life.prompt.0),
            word("muster.prompt.state", life.state.as_str()),
            number("muster.prompt.priority", life.priority.into()),
            number("muster.prompt.attempts", i64::try_from(life.tries.len()).unwrap_or(i64::MAX)),
        ];
        span.attributes.extend(last.map(|last| word("session.id", &last.attempt.session.0)));
        if life.state == PromptState::Failed {
            let why = last.and_then(|last| fault(&last.attempt)).unwrap_or("failed");
            fail(&mut span, why);
        }
        self.spans.push(span);
        id
    }

    fn attempt(&mut self, root: [u8; 8], one: &Try, (from, to): (UnixMillis, UnixMillis)) {
        let Try { attempt, agent, asked, .. } = one;
        let id = attempt_span(self.trace, attempt.id.0);
        let mut span = self.span(id, Some(root), "attempt", (from, to));
        span.attributes = vec![
            number("muster.attempt.id", attempt.id.0),
            number("muster.attempt.number", attempt.number.into()),
            word("session.id", &attempt.session.0),
            word("gen_ai.agent.name", agent),
        ];
        if let Some(result) = &attempt.result {
            span.attributes.push(word("muster.attempt.outcome", result.outcome.as_str()));
        }
        if let Some(why) = fault(attempt) {
            fail(&mut span, why);
        }
        self.spans.push(span);
        let mut begun = from;
        for (step, phase) in PHASES {
            let reached = at(attempt, step);
            // A phase in which it ended has no receipt: it goes on to that end.
            let open = reached.is_none() && is_next(attempt, step);
            if reached.is_none() && !open {
                continue;
            }
            let until = reached.unwrap_or(to).clamp(begun, to.max(begun));
            let span = self.child(id, (phase, attempt.id.0), phase, (begun, until));
            match phase {
                "typed" => span.events = events(&attempt.receipts),
                "running" => invocation(span, attempt, agent),
                _ => {}
            }
            let parent = span.span_id.clone();
            if phase == "running" {
                self.asked(&parent, attempt.id.0, asked, (begun, until));
            }
            begun = until;
        }
    }

    /// When the agent waited for a person, as far as that lies within the turn.
    fn asked(
        &mut self,
        parent: &[u8],
        attempt: i64,
        asked: &[(UnixMillis, UnixMillis)],
        (from, to): (UnixMillis, UnixMillis),
    ) {
        for (n, (opened, closed)) in asked.iter().enumerate() {
            let (opened, closed) = (*opened.max(&from), *closed.min(&to));
            if opened < closed {
                let which = i64::try_from(n).unwrap_or(i64::MAX);
                let id = self.trace.span(&format!("blocked {which} of"), attempt);
                let mut span = self.span(id, None, "blocked", (opened, closed));
                span.parent_span_id = parent.to_vec();
                span.attributes = vec![word("muster.phase", "blocked")];
                self.spans.push(span);
            }
        }
    }

    fn child(
        &mut self,
        parent: [u8; 8],
        (what, which): (&str, i64),
        phase: &str,
        time: (UnixMillis, UnixMillis),
    ) -> &mut Span {
        let mut span = self.span(self.trace.span(what, which), Some(parent), phase, time);
        span.attributes = vec![word("muster.phase", phase)];
        self.spans.push(span);
        let last = self.spans.len() - 1;
        &mut self.spans[last]
    }

    fn span(
        &self,
        id: [u8; 8],
        parent: Option<[u8; 8]>,
        name: &str,
        (from, to): (UnixMillis, UnixMillis),
    ) -> Span {
        Span {
            trace_id: self.trace.id.to_vec(),
            span_id: id.to_vec(),
            parent_span_id: parent.map(Vec::from).unwrap_or_default(),
            name: name.to_owned(),
            kind: SpanKind::Internal.into(),
            start_time_unix_nano: nanos(from),
            end_time_unix_nano: nanos(to),
            // Recorded, as W3C's flag says.
            flags: 1,
            ..Span::default()
        }
    }
}

/// The name of the span of a whole life.
pub fn root(trace: &Trace, began: UnixMillis) -> [u8; 8] {
    trace.span("prompt", began.0)
}

/// The name of the span of a try.
pub fn attempt_span(trace: &Trace, attempt: i64) -> [u8; 8] {
    trace.span("attempt", attempt)
}

/// The agent's work, in the words of <https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-agent-spans/>.
fn invocation(span: &mut Span, attempt: &Attempt, agent: &str) {
    span.name = format!("invoke_agent {agent}");
    span.attributes.extend([
        word("gen_ai.operation.name", "invoke_agent"),
        word("gen_ai.agent.name", agent),
        word("session.id", &attempt.session.0),
    ]);
    if let Some(why) = fault(attempt).filter(|_| at(attempt, Step::Verified).is_none()) {
        fail(span, why);
    }
    let Some(summary) = attempt.result.as_ref().and_then(|result| result.summary.as_ref()) else { return };
    let tokens = [
        ("gen_ai.usage.input_tokens", summary.tokens_in),
        ("gen_ai.usage.output_tokens", summary.tokens_out),
    ];
    for (name, tokens) in tokens {
        span.attributes.extend(tokens.filter(|n| n.is_finite()).map(|tokens| number(name, tokens as i64)));
    }
    if let Some(cost) = summary.cost_usd.filter(|n| n.is_finite()) {
        span.attributes.push(attribute("muster.cost_usd", Value::DoubleValue(cost)));
    }
}

/// What a try that went wrong died of; `None`: it ended well, was called off, or was never typed.
fn fault(attempt: &Attempt) -> Option<&'static str> {
    let result = attempt.result.as_ref()?;
    match result.outcome {
        Outcome::Completed | Outcome::NotTyped | Outcome::Cancelled => None,
        Outcome::Failed | Outcome::Interrupted | Outcome::Unknown | Outcome::TimedOut => {
            Some(result.cause.map_or(result.outcome.as_str(), |cause| cause.as_str()))
        }
    }
}

fn fail(span: &mut Span, why: &str) {
    span.attributes.push(word("error.type", why));
    span.status = Some(Status { message: why.to_owned(), code: StatusCode::Error.into() });
}

/// Whether a try was on its way to this step when it ended.
fn is_next(attempt: &Attempt, step: Step) -> bool {
    let reached = attempt.receipts.iter().map(|receipt| receipt.step).max().unwrap_or(Step::Leased);
    let next = PHASES.iter().map(|(step, _)| *step).find(|step| *step > reached);
    // Not every turn is verified, and what needs no preparation is prepared by being offered.
    next == Some(step) && step != Step::Verified
}

fn events(receipts: &[Receipt]) -> Vec<Event> {
    let typed = receipts.iter().filter(|r| matches!(r.step, Step::Intent | Step::Written | Step::Seen));
    let event = |receipt: &Receipt| Event {
        time_unix_nano: nanos(receipt.at),
        name: receipt.step.as_str().to_owned(),
        ..Event::default()
    };
    typed.map(event).collect()
}

fn at(attempt: &Attempt, step: Step) -> Option<UnixMillis> {
    attempt.receipts.iter().find(|receipt| receipt.step == step).map(|receipt| receipt.at)
}

fn nanos(at: UnixMillis) -> u64 {
    u64::try_from(at.0).unwrap_or(0).saturating_mul(1_000_000)
}

fn word(name: &str, value: &str) -> KeyValue {
    attribute(name, Value::StringValue(value.to_owned()))
}

fn number(name: &str, value: i64) -> KeyValue {
    attribute(name, Value::IntValue(value))
}

/// A name with its value.
pub fn attribute(name: &str, value: Value) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::prompt::{Cause, PromptResult};
    use wire::{AttemptId, SessionId};

    fn attempt(receipts: &[(Step, i64)], result: PromptResult) -> Attempt {
        Attempt {
            id: AttemptId(1),
            prompt: PromptId(7),
            session: SessionId("s".into()),
            fence: 1,
            number: 1,
            receipts: receipts
                .iter()
                .map(|(step, at)| Receipt { step: *step, at: UnixMillis(*at) })
                .collect(),
            result: Some(result),
            progress: None,
        }
    }

    fn life(state: PromptState, tries: Vec<Try>) -> Life {
        let trace = Trace::of("test", PromptId(7), None);
        let (began, ended) = (UnixMillis(100), UnixMillis(900));
        Life { trace, prompt: PromptId(7), priority: 5, state, began, ended, tries }
    }

    fn one(attempt: Attempt, asked: &[(i64, i64)]) -> Try {
        let asked = asked.iter().map(|(from, to)| (UnixMillis(*from), UnixMillis(*to))).collect();
        Try { attempt, ended: UnixMillis(900), agent: "claude".into(), asked }
    }

    /// Each span with what it hangs below and its time, in milliseconds.
    fn tree(spans: &[Span]) -> Vec<String> {
        let name = |id: &[u8]| spans.iter().find(|s| s.span_id == id).map_or("-", |s| s.name.as_str());
        let line = |span: &Span| {
            let (from, to) = (span.start_time_unix_nano / 1_000_000, span.end_time_unix_nano / 1_000_000);
            let failed = span.status.as_ref().map(|s| format!(" {}", s.message)).unwrap_or_default();
            format!("{} > {} {from}-{to}{failed}", name(&span.parent_span_id), span.name)
        };
        spans.iter().map(line).collect()
    }

    #[test]
    fn a_turn_is_told_phase_by_phase_with_the_wait_for_a_person() {
        let receipts = [
            (Step::Leased, 200),
            (Step::Offered, 210),
            (Step::Intent, 220),
            (Step::Written, 230),
            (Step::Seen, 240),
            (Step::Submitted, 250),
            (Step::Accepted, 300),
            (Step::Started, 310),
            (Step::Ended, 800),
            (Step::Verified, 880),
        ];
        let attempt = attempt(&receipts, PromptResult::new(Outcome::Completed, "secret", "status"));
        let spans = spans(&life(PromptState::Completed, vec![one(attempt, &[(250, 400), (500, 600)])]));
        let told = [
            "- > prompt 100-900",
            "prompt > waiting 100-200",
            "prompt > attempt 200-900",
            "attempt > offered 200-210",
            "attempt > typed 210-250",
            "attempt > accepted 250-300",
            "attempt > invoke_agent claude 300-800",
            "invoke_agent claude > blocked 300-400",
            "invoke_agent claude > blocked 500-600",
            "attempt > verified 800-880",
        ];
        assert_eq!(tree(&spans), told);
        assert!(!format!("{spans:?}").contains("secret"), "no text is told");
        let mut ids: Vec<_> = spans.iter().map(|span| &span.span_id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), spans.len(), "each span has a name of its own");
    }

    #[test]
    fn a_turn_that_did_not_end_by_itself_fails_where_it_was() {
        let receipts =
            [(Step::Leased, 200), (Step::Offered, 210), (Step::Submitted, 250), (Step::Accepted, 300)];
        let result =
            PromptResult { cause: Some(Cause::Silent), ..PromptResult::new(Outcome::TimedOut, "", "server") };
        let spans = spans(&life(PromptState::Failed, vec![one(attempt(&receipts, result), &[])]));
        let told = [
            "- > prompt 100-900 silent",
            "prompt > waiting 100-200",
            "prompt > attempt 200-900 silent",
            "attempt > offered 200-210",
            "attempt > typed 210-250",
            "attempt > accepted 250-300",
            "attempt > invoke_agent claude 300-900 silent",
        ];
        assert_eq!(tree(&spans), told);
    }

    #[test]
    fn a_wrappers_clock_moves_no_child_beyond_its_parent() {
        let receipts = [(Step::Leased, 200), (Step::Offered, 50), (Step::Accepted, 5_000), (Step::Ended, 40)];
        let result = PromptResult::new(Outcome::Completed, "", "status");
        let spans = spans(&life(PromptState::Completed, vec![one(attempt(&receipts, result), &[])]));
        for span in &spans {
            let (from, to) = (span.start_time_unix_nano, span.end_time_unix_nano);
            assert!(from <= to && from >= 100_000_000 && to <= 900_000_000, "{}: {from} {to}", span.name);
        }
    }

    #[test]
    fn what_nobody_took_only_waited_and_what_is_not_recorded_is_not_told() {
        let mut called_off = life(PromptState::Cancelled, Vec::new());
        assert_eq!(tree(&spans(&called_off)), ["- > prompt 100-900", "prompt > waiting 100-900"]);
        called_off.trace.sampled = false;
        assert!(spans(&called_off).is_empty());
    }
}
