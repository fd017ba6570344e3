//! The past: what is found by words, events of all sessions, and numbers that equal the lists they belong to.

mod support;

use std::collections::BTreeMap;

use serde_json::json;
use support::peer::Wrapper;
use support::{Home, Server};
use wire::UnixMillis;
use wire::event::{Event, EventKind, Origin, Severity};
use wire::http::{ErrorBody, Events};
use wire::insight::Insight;
use wire::prompt::{Outcome, Prompt, PromptState, Step};
use wire::search::{Found, Hit, HitKind};
use wire::session::State;
use wire::wrapper::Report;

fn event(at: i64, text: &str, severity: Severity) -> Event {
    Event {
        at: UnixMillis(at),
        kind: EventKind::Error,
        severity,
        origin: Origin::Tool,
        rule: "test.error".into(),
        text: text.into(),
        fields: BTreeMap::new(),
        offset: 77,
        fingerprint: format!("print of {text}"),
    }
}

fn told(wrapper: &mut Wrapper, report: Report) {
    let seq = wrapper.report(report);
    assert!(wrapper.acked(seq));
}

fn encode(words: &str) -> String {
    words.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn search(server: &Server, words: &str, more: &str) -> Found {
    let (status, found) = server.ask("GET", &format!("/v1/search?q={}{more}", encode(words)), "");
    assert_eq!(status, 200, "{words}");
    found
}

fn text(hit: &Hit) -> String {
    hit.excerpt.iter().map(|piece| piece.text.as_str()).collect()
}

fn marked(hit: &Hit) -> Vec<&str> {
    hit.excerpt.iter().filter(|piece| piece.hit).map(|piece| piece.text.as_str()).collect()
}

fn clock() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("the clock is past 1970")
        .as_millis() as i64
}

/// A prompt that ended in this session.
fn worked(server: &Server, wrapper: &mut Wrapper, text: &str, outcome: Outcome) -> i64 {
    let id = server.enqueue(&json!({ "text": text, "dir": "/w", "attempts": 1 }));
    let offer = wrapper.offer();
    wrapper.receipt(offer.attempt, Step::Accepted);
    let seq = wrapper.ended(offer.attempt, outcome, &format!("answer to {text}"));
    assert!(wrapper.acked(seq));
    id
}

#[test]
fn events_can_be_read_in_the_order_in_which_they_came_each_once() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "api");
    // Each happened before the one that came before it.
    for n in 0..5 {
        told(&mut wrapper, Report::Event { event: event(100 - n, &format!("e{n}"), Severity::Error) });
    }
    let page = |query: &str| -> (Vec<String>, Option<u64>) {
        let (status, events): (u16, Events) = server.ask("GET", &format!("/v1/events?{query}"), "");
        assert_eq!((status, events.next), (200, None), "{query}");
        (events.events.into_iter().map(|found| found.event.text).collect(), events.upto)
    };
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(page("after=0&limit=2"), (texts(&["e0", "e1"]), Some(2)));
    assert_eq!(page("after=2&limit=9"), (texts(&["e2", "e3", "e4"]), Some(5)));
    assert_eq!(page("after=5"), (Vec::new(), Some(5)));
    assert_eq!(page("latest=true&limit=2"), (texts(&["e3", "e4"]), Some(5)));
    // What a filter leaves out has been read all the same.
    assert_eq!(page("after=1&severity=warning"), (Vec::new(), Some(5)));
    assert_eq!(page(&format!("after={}", u64::MAX)), (Vec::new(), Some(5)));
    for query in ["after=1&latest=true", "after=1&cursor=5.1", "latest=true&cursor=5.1", "after=-1"] {
        let (status, _): (u16, ErrorBody) = server.ask("GET", &format!("/v1/events?{query}"), "");
        assert_eq!(status, 400, "{query}");
    }
}

#[test]
fn words_are_found_wherever_they_stand_newest_first() {
    let home = Home::new();
    let server = home.serve();
    let mut wrapper = Wrapper::start(&server, "api");
    let id = worked(&server, &mut wrapper, "mend the zebra crossing", Outcome::Completed);
    told(&mut wrapper, Report::Event { event: event(5, "zebra not found", Severity::Error) });
    told(&mut wrapper, Report::Text { offset: 900, text: "one line\nthe Zébra, striped".into() });
    let found = search(&server, "zebra", "");
    let kinds: Vec<_> = found.hits.iter().map(|hit| hit.kind).collect();
    assert_eq!(kinds, [HitKind::Text, HitKind::Event, HitKind::Result, HitKind::Prompt]);
    assert_eq!(found.next, None);
    assert_eq!(marked(&found.hits[0]), ["Zébra"]);
    assert_eq!((found.hits[0].offset, found.hits[1].offset), (Some(900), Some(77)));
    assert!(found.hits.iter().all(|hit| hit.session_name.as_deref() == Some("api")));
    assert_eq!(found.hits[3].prompt.map(|p| p.0), Some(id));
    assert_eq!(text(&found.hits[3]), "mend the zebra crossing");
    assert_eq!(search(&server, "crossing zeb", "").hits.len(), 2, "the last word may be a beginning");
    assert_eq!(search(&server, "zebra", "&kind=event").hits.len(), 1);
    let first = search(&server, "zebra", "&session=api&limit=3");
    let rest = search(&server, "zebra", &format!("&limit=3&cursor={}", first.next.expect("there is more")));
    assert_eq!((first.hits.len(), rest.hits.len(), rest.next), (3, 1, None));
}

#[test]
fn what_is_forgotten_or_edited_is_not_found_any_longer() {
    let home = Home::new();
    let server = home.serve();
    let id = server.enqueue(&json!({ "text": "an aardvark" }));
    let (status, _): (u16, Prompt) =
        server.ask("PATCH", &format!("/v1/prompts/{id}"), r#"{"asked":{"text":"a badger"}}"#);
    assert_eq!(status, 200);
    assert!(search(&server, "aardvark", "").hits.is_empty());
    assert_eq!(search(&server, "badger", "").hits.len(), 1);
    let (_, _): (u16, Prompt) = server.ask("POST", &format!("/v1/prompts/{id}/cancel"), "");
    server.send("POST", "/v1/prompts/clear", "{}", &[]);
    assert!(search(&server, "badger", "").hits.is_empty());
}

#[test]
fn every_query_gives_hits_or_says_what_is_wrong_with_it() {
    let home = Home::new();
    let server = home.serve();
    server.enqueue(&json!({ "text": "say \"NEAR\" or not: a-b (c) col:on *" }));
    for words in [
        "\"",
        "a AND",
        "NEAR(",
        "col:on",
        "a*b",
        "-a",
        "^a",
        "{a b}",
        "a\0b",
        "(",
        "a\" OR \"b",
        "%",
        "é\u{301}",
        "中",
    ] {
        let answer = server.send("GET", &format!("/v1/search?q={}", encode(words)), "", &[]);
        match answer.status {
            200 => drop(answer.json::<Found>()),
            400 => assert!(!answer.json::<ErrorBody>().hint.is_empty(), "{words:?}"),
            other => panic!("{words:?}: {other}"),
        }
    }
    assert_eq!(search(&server, "\"NEAR\" a-b (c) col:on", "").hits.len(), 1);
    assert!(search(&server, "a OR badger", "").hits.is_empty(), "OR is a word");
    for bad in ["", "?q=", "?q=...", "?q=a&cursor=x", "?q=a&kind=odd", &format!("?q={}", "a+".repeat(40))] {
        assert_eq!(server.send("GET", &format!("/v1/search{bad}"), "", &[]).status, 400, "{bad}");
    }
}

#[test]
fn events_of_all_sessions_are_listed_page_by_page_without_loss() {
    let home = Home::new();
    let server = home.serve();
    let mut one = Wrapper::start(&server, "one");
    let mut two = Wrapper::start(&server, "two");
    for n in 0..5 {
        let wrapper = if n % 2 == 0 { &mut one } else { &mut two };
        // Two of one instant: a page may end between them.
        let severity = if n == 4 { Severity::Info } else { Severity::Error };
        told(wrapper, Report::Event { event: event(100 + n / 2, "same", severity) });
    }
    let page = |more: &str| server.ask::<Events>("GET", &format!("/v1/events?limit=2{more}"), "").1;
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let events = page(&cursor);
        all.extend(events.events.iter().map(|e| (e.event.at.0, e.session_name.clone())));
        let Some(next) = events.next else { break };
        cursor = format!("&cursor={next}");
    }
    let names: Vec<_> = all.iter().map(|(at, name)| (*at, name.as_str())).collect();
    assert_eq!(names, [(102, "one"), (101, "two"), (101, "one"), (100, "two"), (100, "one")]);
    let count = |more: &str| page(more).events.len();
    assert_eq!((count("&session=two"), count("&since=102"), count("&until=100")), (2, 1, 0));
    assert_eq!((count("&severity=info"), count("&kind=git"), count("&fingerprint=other")), (1, 0, 0));
    assert_eq!((count("&fingerprint=print+of+same&since=101&until=102"), count("&agent=nobody")), (2, 0));
    assert_eq!(server.send("GET", "/v1/events?cursor=odd", "", &[]).status, 400);
    assert_eq!(server.send("GET", "/v1/events?session=nobody", "", &[]).status, 404);
}

#[test]
fn every_number_equals_what_its_list_gives() {
    let home = Home::new();
    let server = home.serve();
    let begin = clock();
    let mut one = Wrapper::start(&server, "one");
    for (n, outcome) in [Outcome::Completed, Outcome::Failed, Outcome::Completed].into_iter().enumerate() {
        let id = worked(&server, &mut one, &format!("task {n}"), outcome);
        let state = if outcome == Outcome::Failed { PromptState::Failed } else { PromptState::Completed };
        server.until(id, state);
    }
    one.state(State::Busy);
    one.state(State::Idle);
    for text in ["a", "a", "b"] {
        told(&mut one, Report::Event { event: event(clock(), text, Severity::Error) });
    }
    let to = clock() + 1;
    let (status, insight): (u16, Insight) =
        server.ask("GET", &format!("/v1/insight?from={begin}&to={to}&offset_minutes=60"), "");
    assert_eq!(status, 200);
    assert_eq!(insight.ends.iter().map(|e| e.count).sum::<u32>(), 3);
    for ends in &insight.ends {
        let (since, until) = (begin.max(ends.at.0), to.min(ends.at.0 + insight.step_ms as i64));
        let path = format!("/v1/prompts?since={since}&until={until}&outcome={}", ends.outcome);
        assert_eq!(server.ask::<Vec<Prompt>>("GET", &path, "").1.len(), ends.count as usize);
    }
    for usage in &insight.usage {
        let (since, until) = (begin.max(usage.day.0), to.min(usage.day.0 + 86_400_000));
        let (agent, project) = (encode(&usage.agent), encode(&usage.project));
        let path = format!("/v1/prompts?since={since}&until={until}&agent={agent}&project={project}");
        assert_eq!(server.ask::<Vec<Prompt>>("GET", &path, "").1.len(), usage.prompts as usize);
    }
    let errors: Vec<_> =
        insight.errors.iter().map(|e| (e.text.as_str(), e.count, e.sessions.len())).collect();
    assert_eq!(errors, [("a", 2, 1), ("b", 1, 1)]);
    for group in &insight.errors {
        let print = encode(&group.fingerprint);
        let path = format!("/v1/events?fingerprint={print}&severity=error&since={begin}&until={to}");
        assert_eq!(server.ask::<Events>("GET", &path, "").1.events.len(), group.count as usize);
    }
    assert!(insight.phases.iter().filter(|p| p.phase != "verification").all(|p| p.took.count == 3));
    assert_eq!((insight.matches.in_context, insight.matches.moved), (3, 0));
    let time = &insight.utilisation[0];
    let sum = time.busy_ms + time.waiting_ms + time.idle_ms + time.other_ms;
    assert!(time.name == "one" && sum <= (to - begin).unsigned_abs());
    let other: Insight = server.ask("GET", &format!("/v1/insight?from={begin}&to={to}&agent=other"), "").1;
    assert!(other.ends.is_empty() && other.errors.is_empty() && other.utilisation.is_empty());
    for bad in [
        "from=5&to=5",
        "from=0&to=99999999999999",
        "from=-5&to=3",
        "offset_minutes=900",
        "offset_minutes=-9223372036854775808",
        "from=x",
    ] {
        assert_eq!(server.send("GET", &format!("/v1/insight?{bad}"), "", &[]).status, 400, "{bad}");
    }
}
