//! The tables of checks and guarantees in SECURITY.md are what the tests' names say. `MUSTER_WRITE=1 cargo test -p tidy`
//! writes them.

use std::collections::{BTreeMap, BTreeSet};

use tidy::{check, files, read, root};

/// The tables, by their names in `checks.toml` and in the marks around them.
const TABLES: [&str; 2] = ["check", "guarantee"];

/// What a test that needs something which is not everywhere calls; without it the test says "not tried".
const COUNTERPARTS: [(&str, &str); 2] = [("Browser::start()", "a browser"), ("Real::new(", "real agents")];

#[derive(Debug, Default)]
struct Tests {
    /// Files, with how many tests there carry the id.
    files: BTreeMap<String, usize>,
    /// Some of them can be tried anywhere.
    anywhere: bool,
    /// What the others need.
    needs: BTreeSet<&'static str>,
}

/// The ids at the beginning of a test's name: `a40_a41_no_agent` has two, `g7_a35_a_dialog` as well.
fn ids(name: &str) -> Vec<String> {
    let is_number = |digits: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let id = |part: &&str| match part.split_at_checked(1) {
        Some(("a", digits)) => is_number(digits, 2..=2),
        Some(("g", digits)) => is_number(digits, 1..=2),
        _ => false,
    };
    name.split(['_', ':']).take_while(id).map(str::to_uppercase).collect()
}

/// Names of the tests of a source.
fn names<'s>(path: &str, source: &'s str) -> Vec<&'s str> {
    let starts: &[&str] = if path.ends_with(".rs") { &["fn "] } else { &["test('", "it('"] };
    let name = |line: &'s str| {
        let line = line.trim_start().trim_start_matches("async ");
        starts.iter().find_map(|start| line.strip_prefix(start))
    };
    source.lines().filter_map(name).collect()
}

fn tests() -> BTreeMap<String, Tests> {
    let mut all: BTreeMap<String, Tests> = BTreeMap::new();
    for path in files(&[".rs", ".test.ts"]) {
        let source = read(&path);
        // The helpers define what the tests call.
        let needs: Vec<&str> =
            COUNTERPARTS.iter().filter(|(call, _)| source.contains(call)).map(|(_, what)| *what).collect();
        for id in names(&path, &source).into_iter().flat_map(ids) {
            let tests = all.entry(id).or_default();
            *tests.files.entry(path.clone()).or_default() += 1;
            tests.anywhere |= needs.is_empty();
            tests.needs.extend(&needs);
        }
    }
    all
}

fn rows(table: &str) -> Vec<(String, String, Option<String>)> {
    let file: toml::Table = read("tests/tidy/checks.toml").parse().expect("the checks can be read");
    let word =
        |row: &toml::Value, name: &str| row.get(name).and_then(|word| word.as_str()).map(str::to_owned);
    let rows = file[table].as_array().expect("a list").iter();
    rows.map(|row| (word(row, "id").expect("an id"), word(row, "text").expect("a text"), word(row, "but")))
        .collect()
}

fn status(tests: Option<&Tests>, but: Option<&str>) -> String {
    let tried = tests.map(|tests| match tests.anywhere {
        true => "tested".to_owned(),
        false => format!(
            "tested with {}, else not tried",
            tests.needs.iter().copied().collect::<Vec<_>>().join(" and ")
        ),
    });
    [tried, but.map(str::to_owned)].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn table(name: &str) -> String {
    let tests = tests();
    let mut table = format!("| {name} | | tests | status |\n|---|---|---|---|\n");
    for (id, text, but) in rows(name) {
        let own = tests.get(&id);
        let place = |(path, count): (&String, &usize)| match count {
            1 => format!("`{path}`"),
            _ => format!("`{path}` ({count})"),
        };
        let places: Vec<String> = own.into_iter().flat_map(|own| &own.files).map(place).collect();
        let status = status(own, but.as_deref());
        table.push_str(&format!("| {id} | {text} | {} | {status} |\n", places.join(" ")));
    }
    table
}

#[test]
fn a76_every_check_has_a_test_of_its_id_or_says_why_not() {
    let tests = tests();
    let faults = TABLES.into_iter().flat_map(rows).filter_map(|(id, _, but)| match but {
        None => (!tests.contains_key(&id)).then(|| format!("{id} has no test")),
        Some(why) => (!why.starts_with("open: ") && !why.starts_with("not applicable: "))
            .then(|| format!("{id}: {why}")),
    });
    check("each check is tested, open, or not applicable", faults.collect());
    let text = read("SECURITY.md");
    let lacks =
        ["# Security", "advisories", "## Checks and tests"].into_iter().filter(|part| !text.contains(part));
    check("SECURITY.md says how to report, and what is checked", lacks.map(str::to_owned).collect());
}

#[test]
fn a76_the_tables_are_what_the_tests_names_say() {
    let text = read("SECURITY.md");
    let mut made = text.clone();
    for name in TABLES {
        let (begin, end) =
            (format!("<!-- {name}s: made by tests/tidy -->\n"), format!("<!-- /{name}s -->\n"));
        let (before, rest) = made.split_once(&begin).expect("SECURITY.md has the table's beginning");
        let (_, after) = rest.split_once(&end).expect("SECURITY.md has the table's end");
        made = format!("{before}{begin}{}{end}{after}", table(name));
    }
    if std::env::var_os("MUSTER_WRITE").is_some() {
        std::fs::write(root().join("SECURITY.md"), &made).expect("the checkout is writable");
        return;
    }
    assert!(
        text == made,
        "a table in SECURITY.md is out of date; MUSTER_WRITE=1 cargo test -p tidy writes it"
    );
}

#[test]
fn ids_are_read_from_the_names_of_tests() {
    assert_eq!(ids("a40_a41_no_agent(muster: &Muster)"), ["A40", "A41"]);
    assert_eq!(ids("a34: a paste"), ["A34"]);
    assert_eq!(ids("g7_a35_g12_never"), ["G7", "A35", "G12"]);
    assert_eq!((ids("all_a40"), ids("answers"), ids("a4_x")), (vec![], vec![], vec![]));
    assert_eq!((ids("g_x"), ids("g123_x"), ids("ä_x")), (vec![], vec![], vec![]));
}
