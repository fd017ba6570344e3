//! The views of the dashboard, in a real Chromium against a real server: what each of them promises.
//!
//! Tried when `MUSTER_TEST_BROWSER` is set, as `scripts/test` does. What holds for the page as a whole is in `browser`.
#![allow(clippy::unwrap_used)]

use e2e::mcp::Mcp;
use e2e::{Browser, Muster, Page, wait_for};
use serde_json::json;

const LIVE: &str = "[data-testid=live][data-phase=open]";
const CONFIRM: &str = "[data-testid=confirm]";
/// A text with a script and a change of direction in it.
const HOSTILE: &str = "<img src=x onerror=alert(1)><script>alert(2)</script>\u{202e}gnp.exe";

/// A tab that is logged in and shows a view.
#[track_caller]
fn at<'a>(muster: &Muster, browser: &'a Browser, hash: &str) -> Page<'a> {
    let page = browser.page("own");
    assert_eq!(page.goto(&muster.login_link()), Some(200));
    page.sees(LIVE);
    page.show(hash);
    page
}

/// A place with scripted agents, each in a project of its own.
fn place(names: &[&str]) -> Muster {
    let muster = Muster::new();
    for name in names {
        muster.scripted(name, &muster.project(name), &[]);
    }
    for name in names {
        muster.await_state(name, "idle");
    }
    muster
}

fn item(prompt: i64) -> String {
    format!("[data-testid=need-prompt][data-prompt='{prompt}']")
}

fn row(prompt: i64) -> String {
    format!("[data-testid=prompt-row][data-prompt='{prompt}']")
}

fn id(muster: &Muster, name: &str) -> String {
    muster.session(name).unwrap()["id"].as_str().unwrap().to_owned()
}

#[test]
fn the_inbox_tells_what_waits_and_lets_it_go_when_it_was_acted_on() {
    let Some(browser) = Browser::start() else { return };
    let muster = place(&["api", "docs"]);
    let done = muster.send(&["--to", "docs", "What is the capital of France? Answer in one sentence."]);
    muster.await_prompt(done, "completed");
    let held = muster.send(&["--to", "docs", "--dir", "/nowhere/at/all", "Look at the logs"]);
    muster.await_prompt(held, "held");
    let asking = muster.send(&["--to", "api", "Please make the marker file"]);
    let page = at(&muster, &browser, "#/");

    let need = "[data-testid=need-session][data-name=api]";
    page.reads(need, "echo made > out/marker.txt");
    page.reads(&item(held), "/nowhere/at/all");
    page.reads("[data-testid=needs-count]", "2");
    page.reads("[data-testid=done]", "The capital of France is Paris.");
    let title = page.evaluate("document.title");
    assert_eq!(title, "(2) Muster");

    // By keyboard alone: oldest first, and the next one has the focus when one is done.
    page.sees(&format!("{need} [data-testid=approve]:enabled"));
    page.press("j");
    page.sees(&format!("{}:focus-within", item(held)));
    page.press("j");
    page.sees(&format!("{need}:focus-within"));
    page.press("d");
    page.misses(need);
    page.sees("[data-item]:focus-within");
    wait_for("the end of what was denied", || {
        let state = muster.prompt(asking)["prompt"]["state"].as_str().unwrap().to_owned();
        (state != "in_progress").then_some(())
    });

    page.focus(&format!("{} [data-open]", item(done)));
    page.press("e");
    page.misses(&item(done));
    page.reload();
    page.sees(&item(held));
    assert_eq!(page.count(&item(done)), 0, "it was taken note of");
    page.assert_clean();
}

#[test]
fn several_are_acted_on_at_once_and_what_destroys_is_asked_about() {
    let Some(browser) = Browser::start() else { return };
    let muster = place(&["docs"]);
    let send = |text| muster.send(&["--to", "docs", "--dir", "/nowhere/at/all", text]);
    let held = [send("First"), send("Second"), send("Third")];
    for prompt in held {
        muster.await_prompt(prompt, "held");
    }
    let page = at(&muster, &browser, "#/");
    for prompt in &held[..2] {
        page.focus(&format!("{} [data-open]", item(*prompt)));
        page.press("x");
    }
    page.click("[data-testid=bulk-cancel]");
    page.reads(CONFIRM, "Cancel 2 prompts?");
    page.press("Enter");
    page.misses(CONFIRM);
    assert_eq!(muster.prompt(held[0])["prompt"]["state"], "held", "the way out has the focus");

    page.click("[data-testid=bulk-cancel]");
    page.click("[data-testid=confirm-yes]");
    for prompt in &held[..2] {
        page.misses(&item(*prompt));
        muster.await_prompt(*prompt, "cancelled");
    }
    page.sees(&item(held[2]));
    page.misses("[data-testid=bulk]");
    page.assert_clean();
}

#[test]
fn the_fleet_is_grouped_and_filtered_by_its_address() {
    let Some(browser) = Browser::start() else { return };
    let muster = place(&["api", "web", "docs"]);
    let page = at(&muster, &browser, "#/fleet");
    page.sees("[data-testid=session-tile][data-name=docs]");
    page.choose("[data-testid=fleet-group]", "state");
    page.reads(".group", "idle");
    page.fill("[data-testid=fleet-filter]", "web idle");
    page.misses("[data-testid=session-tile][data-name=api]");
    assert!(page.url().ends_with("#/fleet?group=state&q=web%20idle"), "{}", page.url());
    page.reload();
    page.sees("[data-testid=session-tile][data-name=web]");
    assert_eq!(page.count("[data-testid=session-tile]"), 1);
    page.press("Escape");
    page.assert_clean();
}

#[test]
fn what_happened_in_a_session_leads_to_its_place_in_the_recording() {
    let Some(browser) = Browser::start() else { return };
    let muster = place(&["docs"]);
    let prompt = muster.send(&["--to", "docs", "What is the capital of France? Answer in one sentence."]);
    muster.await_prompt(prompt, "completed");
    let session = id(&muster, "docs");
    let page = at(&muster, &browser, &format!("#/session/{session}"));
    page.reads("[data-testid=events]", "idle");
    page.click("[data-testid=tab-attempts]");
    page.reads("[data-testid=attempt]", "accepted");
    page.click("[data-testid=tab-contexts]");
    page.reads("[data-testid=contexts]", "main");
    page.click("[data-testid=tab-timeline]");
    page.click("[data-testid=events] .at");
    page.sees("[data-testid=replay][data-ready=true]");
    assert!(page.url().contains("/replay?"), "{}", page.url());

    // The beginning shows no answer yet, and what is looked for shows it.
    page.show(&format!("#/session/{session}/replay?t=0"));
    page.sees("[data-testid=replay][data-ready=true]");
    page.fill("[data-testid=replay-find]", "Paris");
    page.reads("[data-testid=replay-hits]", "of ");
    page.click("[data-testid=replay-next]");
    page.reads("[data-testid=replay-screen]", "The capital of France is Paris.");
    page.click("[data-testid=replay-link]");
    assert!(page.url().contains("/replay?t="), "{}", page.url());
    page.assert_clean();
}

#[test]
fn a_recording_is_given_away_as_an_asciicast() {
    let Some(browser) = Browser::start() else { return };
    let muster = place(&["docs"]);
    let session = id(&muster, "docs");
    let page = at(&muster, &browser, &format!("#/session/{session}/replay"));
    page.sees("[data-testid=replay-download]:enabled");
    // What the browser would save is kept instead.
    page.evaluate(
        "(() => { const make = URL.createObjectURL; URL.createObjectURL = (blob) => (globalThis.saved = blob, make(blob)); })()",
    );
    page.click("[data-testid=replay-download]");
    let file = wait_for("the file", || page.evaluate("globalThis.saved?.text()").as_str().map(str::to_owned));
    let mut lines = file.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let head = lines.next().unwrap();
    assert_eq!((&head["version"], &head["title"]), (&3.into(), &"docs".into()));
    let said: String = lines.filter(|event| event[1] == "o").map(|event| event[2].to_string()).collect();
    assert!(said.contains("Scripted agent, ready."), "{said}");
    page.assert_clean();
}

#[test]
fn a_phone_has_the_keys_that_it_lacks_and_a_reload_loses_nothing() {
    let Some(browser) = Browser::start() else { return };
    let muster = Muster::new();
    muster.ok("wrap", &["-d", "--name", "s", "bash", "--norc", "--noprofile"]);
    wait_for("the session at the server", || muster.session("s"));
    let session = id(&muster, "s");
    let page = at(&muster, &browser, &format!("#/session/{session}"));
    page.resize(390, 844);
    page.sees("[data-testid=terminal] .xterm-rows");
    page.click("[data-testid=take-keyboard]");
    page.sees("[data-testid=key-bar]");
    page.types("echo he");
    page.reads("[data-testid=terminal] .xterm-rows", "echo he");
    page.reload();
    page.reads("[data-testid=terminal] .xterm-rows", "echo he");
    page.sees("[data-testid=take-keyboard]:enabled");
    page.click("[data-testid=take-keyboard]");
    page.sees("[data-testid=key-bar]");
    page.types("llo-$((1+1))");
    page.click("[data-testid=key-bar] button:last-child");
    page.reads("[data-testid=terminal] .xterm-rows", "hello-2");
    page.assert_clean();
}

#[test]
fn what_an_agent_says_of_its_work_and_how_far_it_may_go_is_shown() {
    let Some(browser) = Browser::start() else { return };
    let muster = place(&["api"]);
    let prompt = muster.send(&["--to", "api", "Please create the marker file"]);
    muster.await_state("api", "waiting_permission");
    let session = id(&muster, "api");
    let token =
        muster.ok("assign", &["token", "add", "manager", "--role", "assigner", "--agent", "--depth", "2"]);
    let mut mcp = Mcp::start(&muster, token.trim(), Some(&session), &[]);
    mcp.call("report_progress", json!({ "text": "half of it", "percent": 50 })).unwrap();
    mcp.call("assign", json!({ "text": "the other half", "target": "nobody" })).unwrap();
    let page = at(&muster, &browser, &format!("#/session/{session}"));
    page.reads("[data-testid=progress]", "50 % half of it");
    page.show(&format!("#/queue/{prompt}"));
    page.reads("[data-testid=prompt-detail] [data-testid=progress]", "half of it");
    page.show(&format!("#/queue/{}", prompt + 1));
    page.reads("[data-testid=prompt-detail]", "the agent manager");
    page.show("#/admin/tokens");
    page.reads("[data-testid=tokens]", "2 deep, 10 open, 60 an hour, no commands");
    page.show("#/fleet");
    page.reads("[data-testid=session-tile]", "half of it");
    let call = mcp.begin("ask_human", json!({ "question": "What shall it be called?", "seconds": 60 }));
    page.show("#/inbox");
    page.fill("[data-testid=words]", "Muster");
    page.click("[data-testid=answer-words]:not([disabled])");
    assert!(mcp.end(call).unwrap().ends_with("in their own words: Muster"));
}

#[test]
fn a_prompt_is_edited_raised_and_shown_with_what_waits_for_it() {
    let Some(browser) = Browser::start() else { return };
    let muster = place(&["docs"]);
    let first = muster.send(&["--to", "docs", "--dir", "/nowhere/at/all", "First"]);
    muster.await_prompt(first, "held");
    let second = muster.send(&["--to", "docs", "--after", &first.to_string(), "Second"]);
    let page = at(&muster, &browser, "#/queue");
    page.sees(&row(first));
    page.click(&format!("{} [data-testid=raise]", row(second)));
    page.reads(&row(second), "p6");
    assert_eq!(muster.prompt(second)["prompt"]["asked"]["priority"], 6);

    page.click(&format!("{} [data-open]", row(second)));
    page.reads("[data-testid=graph]", &format!("#{first}"));
    page.click("[data-testid=edit]");
    page.fill("[data-testid=prompt-detail] [data-testid=send-text]", "Second, otherwise");
    page.click("[data-testid=edit-save]");
    page.reads(&row(second), "Second, otherwise");
    assert_eq!(muster.prompt(second)["prompt"]["asked"]["after"], serde_json::json!([first]));
    page.assert_clean();
}

#[test]
fn the_composer_says_who_would_get_a_prompt() {
    let Some(browser) = Browser::start() else { return };
    let muster = place(&["api", "docs"]);
    let page = at(&muster, &browser, "#/send");
    page.fill("[data-testid=send-text]", "What is the capital of France?");
    page.sees("[data-testid=plan-session]");
    page.choose("[data-testid=send-target]", &id(&muster, "docs"));
    page.reads("[data-testid=plan-session]", "docs");
    assert!(muster.json("assign", &["prompts", "--json"]).is_empty(), "nothing was sent");
    page.assert_clean();
}

#[test]
fn routing_is_paused_and_goes_on() {
    let Some(browser) = Browser::start() else { return };
    let muster = place(&["docs"]);
    let page = at(&muster, &browser, "#/admin");
    page.click("[data-testid=routing-toggle]");
    page.reads("[data-testid=routing]", "Paused.");
    let prompt = muster.send(&["--to", "docs", "What is the capital of France? Answer in one sentence."]);
    page.show("#/queue");
    page.sees(&format!("{} [data-state=pending]", row(prompt)));
    page.show("#/admin");
    page.click("[data-testid=routing-toggle]");
    muster.await_prompt(prompt, "completed");
    page.show("#/admin/audit");
    page.reads("[data-testid=audit-entry]", "browser");
    page.click("[data-testid=audit-check]");
    page.reads("[data-testid=audit] ", "whole");
    page.assert_clean();
}

#[test]
fn rules_are_tried_on_what_was_asked_before_they_are_set() {
    let Some(browser) = Browser::start() else { return };
    let muster = place(&["api"]);
    muster.send(&["--to", "api", "Please make the marker file"]);
    muster.await_state("api", "waiting_permission");
    let page = at(&muster, &browser, "#/admin/policies");
    page.reads("[data-testid=policies]", "No rules");
    page.evaluate(
        "(() => { const list = document.querySelector('[data-testid=policy-example]');
            list.value = list.options[1].value; list.dispatchEvent(new Event('change', { bubbles: true })); })()",
    );
    page.click("[data-testid=policy-test]");
    page.sees("[data-testid=verdict]");
    page.reads("[data-testid=verdicts]", "Run command");
    assert!(
        page.evaluate("document.querySelector('[data-testid=policy-text]').value.length").as_u64() > Some(0)
    );
    page.reads("[data-testid=policies]", "No rules");
    page.assert_clean();
}

#[test]
fn words_are_found_and_lead_to_where_they_stand() {
    let Some(browser) = Browser::start() else { return };
    let muster = place(&["docs"]);
    let prompt = muster.send(&["--to", "docs", "What is the capital of France? Answer in one sentence."]);
    muster.await_prompt(prompt, "completed");
    let page = at(&muster, &browser, "#/search");
    page.fill("[data-testid=search-words]", "capital paris");
    page.reads("[data-testid=hit][data-kind=result]", "The capital of France is Paris.");
    page.click("[data-testid=hit][data-kind=result] a");
    page.sees(&format!("[data-testid=prompt-detail][data-prompt='{prompt}']"));
    page.show("#/search?q=nothing-is-called-so");
    page.sees("[data-testid=search-none]");
    page.assert_clean();
}

#[test]
fn a_number_of_the_past_leads_to_its_list() {
    let Some(browser) = Browser::start() else { return };
    let muster = place(&["docs"]);
    let prompt = muster.send(&["--to", "docs", "What is the capital of France? Answer in one sentence."]);
    muster.await_prompt(prompt, "completed");
    let page = at(&muster, &browser, "#/insight");
    page.reads("[data-testid=figure-completed]", "100 %");
    page.click("[data-testid=figure-completed]");
    page.sees("[data-testid=past]");
    page.sees(&row(prompt));
    page.reload();
    page.sees(&row(prompt));
    page.assert_clean();
}

#[test]
fn a56_hostile_text_is_text_in_every_view() {
    let Some(browser) = Browser::start() else { return };
    let muster = place(&["docs"]);
    let prompt = muster.send(&["--to", "docs", "--dir", "/nowhere/at/all", HOSTILE]);
    muster.await_prompt(prompt, "held");
    let long = "head -c 1000000 /dev/zero | tr '\\0' x";
    let program =
        format!("printf '\\033]0;{HOSTILE}\\007'; {long}; printf '\\r\\nend of it\\r\\n'; exec cat");
    muster.ok("wrap", &["-d", "--name", "s", "sh", "-c", &program]);
    wait_for("the title", || muster.session("s").filter(|s| !s["title"].as_str().unwrap_or("").is_empty()));
    let page = at(&muster, &browser, "#/");
    page.reads(&item(prompt), "<img src=x");
    let session = id(&muster, "s");
    let views = [
        ("#/fleet".to_owned(), "[data-testid=session-tile][data-name=s]"),
        ("#/queue".to_owned(), "[data-testid=prompt-row]"),
        (format!("#/queue/{prompt}"), "[data-testid=prompt-detail] .body"),
        (format!("#/session/{session}"), "[data-testid=terminal] .xterm-rows"),
        (format!("#/session/{session}/replay"), "[data-testid=replay][data-ready=true]"),
    ];
    for (hash, there) in &views {
        page.show(hash);
        page.sees(there);
        assert_eq!(page.count("main img, main script"), 0, "{hash}");
        assert!(!page.text("main").contains('\u{202e}'), "{hash}: the direction is changed");
    }
    page.reads("[data-testid=replay-screen]", "end of it");
    page.assert_clean();
}

#[test]
fn every_view_can_be_used_by_everybody() {
    let Some(browser) = Browser::start() else { return };
    let muster = place(&["api", "docs"]);
    let done = muster.send(&["--to", "docs", "What is the capital of France? Answer in one sentence."]);
    muster.await_prompt(done, "completed");
    let held = muster.send(&["--to", "docs", "--dir", "/nowhere/at/all", "Look at the logs"]);
    muster.await_prompt(held, "held");
    muster.send(&["--to", "api", "Please make the marker file"]);
    muster.await_state("api", "waiting_permission");
    let session = id(&muster, "api");
    let page = at(&muster, &browser, "#/");
    let views = [
        ("#/".to_owned(), "[data-testid=need-session] [data-testid=approve]:enabled"),
        ("#/fleet".to_owned(), "[data-testid=session-tile]"),
        (format!("#/session/{session}"), "[data-testid=approve]:enabled"),
        (format!("#/session/{session}/replay"), "[data-testid=replay][data-ready=true]"),
        (format!("#/queue/{held}"), "[data-testid=prompt-detail] .facts"),
        ("#/send".to_owned(), "[data-testid=send-text]"),
        ("#/search".to_owned(), "[data-testid=search-words]"),
        ("#/insight".to_owned(), "[data-testid=insight]"),
        ("#/admin".to_owned(), "[data-testid=routing]"),
        ("#/admin/policies".to_owned(), "[data-testid=policy-text]"),
    ];
    for scheme in ["light", "dark"] {
        page.prefers(scheme);
        for (hash, there) in &views {
            page.show(hash);
            page.sees(there);
            assert_eq!(page.findings(), Vec::<String>::new(), "{hash} in {scheme}");
        }
    }
    // A phone: nothing is cut, and the views are in reach.
    page.resize(390, 844);
    for (hash, there) in &views {
        page.show(hash);
        page.sees(there);
        let over = page.evaluate("document.documentElement.scrollWidth - innerWidth");
        assert!(over.as_i64().unwrap() <= 0, "{hash} is {over} px too wide for a phone");
        page.sees("nav[aria-label=Views] [aria-current=page]");
    }
}
