//! The one matcher finds what each rule alone finds: no rule is lost by what is searched for instead of it.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use patterns::prefilter::{Guard, guard};
use patterns::{EventKind, EventRule, Level, Library, Matcher, Pattern};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::string::string_regex;

fn fast(matcher: &Matcher, text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    matcher.scan(text, |f| found.push((f.line, f.rule.id.clone())));
    found
}

/// Each rule on each line.
fn slow(matcher: &Matcher, text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in text.split('\n').enumerate() {
        let hits = matcher.rules().iter().filter(|rule| rule.pattern.is_match(line));
        found.extend(hits.map(|rule| (number, rule.id.clone())));
    }
    found
}

fn builtin() -> &'static Matcher {
    Library::builtin().matcher()
}

/// What stands in every line of an example must be what is searched for.
fn guarded(guard: &Guard, line: &str) -> bool {
    match guard {
        Guard::Texts(texts) => {
            texts.iter().any(|text| line.as_bytes().windows(text.len()).any(|part| part == text.as_slice()))
        }
        Guard::Start(start) => {
            let line = start.skip.pass(line).as_bytes();
            start.prefixes.iter().any(|prefix| line.starts_with(prefix))
        }
        Guard::None => true,
    }
}

/// The pattern without what a generator of texts cannot follow: anchors and borders of words.
fn generator(pattern: &str) -> Option<impl Strategy<Value = String>> {
    let mut plain = pattern.replace("\\b", "");
    for (anchored, loose) in [("(?i)^", "(?i)"), ("|^", "|"), ("$|", "|")] {
        plain = plain.replace(anchored, loose);
    }
    let plain = plain.strip_prefix('^').unwrap_or(&plain);
    let plain = plain.strip_suffix('$').unwrap_or(plain);
    string_regex(plain).ok()
}

/// Every rule has texts of which one stands in every match, or a beginning of every match, proven from the expression;
/// here that proof is tried on many matches.
#[test]
fn every_rule_is_guarded_and_no_match_escapes_its_guard() {
    assert_eq!(
        builtin().unguarded(),
        Vec::<&str>::new(),
        "these run over every line: give them a literal text"
    );
    let (mut tried, mut without) = (0, Vec::new());
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for rule in builtin().rules() {
        let guard = guard(&regex_syntax::parse(rule.pattern.source()).unwrap());
        assert_ne!(guard, Guard::None, "{}", rule.id);
        for example in &rule.matches {
            assert!(guarded(&guard, example), "{}: {example:?}", rule.id);
        }
        let Some(texts) = generator(rule.pattern.source()) else {
            without.push(rule.id.as_str());
            continue;
        };
        for _ in 0..60 {
            let text = texts.new_tree(&mut runner).unwrap().current();
            let line = text.split('\n').next().unwrap_or_default();
            if rule.pattern.is_match(line) {
                tried += 1;
                assert!(guarded(&guard, line), "{}: {line:?} by {guard:?}", rule.id);
            }
        }
    }
    assert!(without.is_empty(), "no texts could be made for {without:?}");
    assert!(tried > 40 * builtin().rules().len(), "{tried}");
}

#[test]
fn all_examples_at_once_give_what_each_rule_alone_gives() {
    let lines = builtin().rules().iter().flat_map(|r| r.matches.iter().chain(&r.rejects));
    let text = lines.map(String::as_str).collect::<Vec<_>>().join("\n");
    assert_eq!(fast(builtin(), &text), slow(builtin(), &text));
}

#[test]
fn one_search_is_enough_for_the_rules_there_are() {
    assert!(builtin().passes() <= 2, "{} searches over every text", builtin().passes());
}

fn line() -> impl Strategy<Value = String> {
    let examples: Vec<String> =
        builtin().rules().iter().flat_map(|rule| rule.matches.iter().chain(&rule.rejects)).cloned().collect();
    let example = proptest::sample::select(examples);
    let blanks = prop_oneof![
        4 => Just(String::new()), 2 => Just("  ".to_owned()), 1 => Just("\t".to_owned()),
        1 => Just("\u{a0}\u{3000} ".to_owned()), 1 => Just("⎿ \u{2028}".to_owned()), 1 => Just("● ".to_owned()),
    ];
    prop_oneof![
        4 => (blanks, example.clone()).prop_map(|(blanks, line)| blanks + &line),
        2 => (example.clone(), example.clone(), any::<prop::sample::Index>(), any::<prop::sample::Index>())
            .prop_map(|(a, b, i, j)| {
                let cut = |text: &str, at: &prop::sample::Index| {
                    let ends: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
                    ends[at.index(ends.len())]
                };
                format!("{}{}", &a[..cut(&a, &i)], &b[cut(&b, &j)..])
            }),
        2 => (example.clone(), any::<prop::sample::Index>(), "[ -~é●\u{17f}\u{212a}]").prop_map(|(line, at, new)| {
            let mut chars: Vec<char> = line.chars().collect();
            let at = at.index(chars.len());
            chars.splice(at..=at, new.chars());
            chars.into_iter().collect()
        }),
        1 => example.clone().prop_map(|line| line.to_uppercase()),
        1 => example.prop_map(|line| line.to_lowercase().replace('k', "\u{212a}").replace('s', "\u{17f}")),
        2 => "[ -~]{0,60}",
        1 => "\\PC{0,30}",
        1 => Just(String::new()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_lines_give_what_each_rule_alone_gives(
        lines in proptest::collection::vec(line(), 0..30),
        tail in prop_oneof![Just(""), Just("\n")],
    ) {
        let text = lines.join("\n") + tail;
        prop_assert_eq!(fast(builtin(), &text), slow(builtin(), &text));
    }
}

/// With many more rules, and rules that nothing guards, more searches are done and nothing is lost.
#[test]
fn many_rules_need_more_searches_and_lose_nothing() {
    let rule = |id: usize, pattern: String| EventRule {
        id: id.to_string(),
        meaning: String::new(),
        kind: EventKind::Error,
        severity: Level::Info,
        pattern: Pattern::new(pattern),
        fields: Default::default(),
        matches: Vec::new(),
        rejects: Vec::new(),
    };
    let word = |i: usize| -> String {
        // Scattered, so that few words share a part.
        let mut rest = (i + 1) * 7_919_777;
        let letter = |_| {
            rest = rest.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'a' + (rest >> 40) as u8 % 26)
        };
        (0..5).map(letter).collect()
    };
    let patterns = (0..700).map(|i| match i % 10 {
        8 => format!(r"^\d*{}", &word(i)[..2]),
        9 => r"[a-f]\d+$".to_owned(),
        7 => format!(r"^\s*{}\b", word(i)),
        _ => format!(r"{} \d+", word(i)),
    });
    let matcher = Matcher::new(patterns.enumerate().map(|(i, pattern)| rule(i, pattern)).collect());
    assert!(matcher.passes() > 2, "{} searches", matcher.passes());
    assert!(!matcher.unguarded().is_empty());
    let lines: Vec<String> =
        (0..700).map(|i| format!("{} {i} x{} a{i}", word(i), word(i * 3 % 700))).collect();
    let text = lines.join("\n");
    let found = fast(&matcher, &text);
    assert_eq!(found, slow(&matcher, &text));
    assert!(found.iter().map(|(_, rule)| rule).collect::<BTreeSet<_>>().len() > 500);
}
