//! The dashboard's administration and its manners, in a real Chromium against a real server.
//!
//! Tried when `MUSTER_TEST_BROWSER` is set, as `scripts/test` does.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use e2e::{Browser, Muster, Page, wait_for};

const LIVE: &str = "[data-testid=live][data-phase=open]";
const CONFIRM: &str = "[data-testid=confirm]";

#[track_caller]
fn at<'a>(muster: &Muster, browser: &'a Browser, hash: &str) -> Page<'a> {
    let page = browser.page("own");
    assert_eq!(page.goto(&muster.login_link()), Some(200));
    page.sees(LIVE);
    page.show(hash);
    page
}

fn one_agent() -> Muster {
    let muster = Muster::new();
    muster.scripted("api", &muster.project("api"), &[]);
    muster.await_state("api", "idle");
    muster
}

/// Status of a request to the dashboard's port with a token.
fn status(muster: &Muster, method: &str, path: &str, token: &str) -> String {
    let file = std::fs::read_to_string(muster.home().join("run/assigner.json")).unwrap();
    let port = serde_json::from_str::<serde_json::Value>(&file).unwrap()["port"].as_u64().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {token}\r\n");
    write!(stream, "{head}content-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_whitespace().nth(1).unwrap_or_default().to_owned()
}

#[test]
fn a_token_is_made_shown_once_and_revoked() {
    let Some(browser) = Browser::start() else { return };
    let muster = one_agent();
    let page = at(&muster, &browser, "#/admin/tokens");
    page.fill("[data-testid=token-name]", "ci");
    page.click("[data-testid=token-make]");
    page.sees("[data-testid=made-token]");
    let token = page.text("[data-testid=made-token] code");
    assert_eq!(status(&muster, "GET", "/v1/sessions", &token), "200");
    assert_eq!(status(&muster, "POST", "/v1/routing", &token), "403");
    page.reload();
    page.reads("[data-testid=tokens]", "ci");
    page.misses("[data-testid=made-token]");
    page.click("[data-testid=tokens] tr:has-text('ci') [data-testid=revoke]");
    page.click(&format!("{CONFIRM} [data-testid=confirm-yes]"));
    wait_for("the token to be refused", || {
        (status(&muster, "GET", "/v1/sessions", &token) == "401").then_some(())
    });
    page.assert_clean();
}

#[test]
fn a_sink_is_set_and_tried() {
    let Some(browser) = Browser::start() else { return };
    let muster = one_agent();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hook", listener.local_addr().unwrap());
    let taken = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = vec![0; 4096];
        let read = stream.read(&mut head).unwrap();
        stream.write_all(b"HTTP/1.1 200 ok\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        String::from_utf8_lossy(&head[..read]).into_owned()
    });
    muster.ok("assign", &["sink", "set", "hook", "webhook", &address, "--allow-private"]);
    let page = at(&muster, &browser, "#/admin/sinks");
    page.reads("[data-testid=sink]", "may be in the own network");
    page.click("[data-testid=sink-test]");
    page.reads("[data-testid=sink]", "It was carried.");
    assert!(taken.join().unwrap().starts_with("POST /hook "));
    page.fill("[data-testid=sink-name]", "far");
    page.choose("[data-testid=sink-kind]", "webhook");
    page.fill("[data-testid=sink-target]", &address);
    page.click("[data-testid=sink-save]");
    page.reads("main", "not sent in plain text");
    page.fill("[data-testid=sink-target]", "https://hooks.example/");
    page.click("[data-testid=sink-save]");
    page.reads("main", "https://hooks.example/");
    page.fill("[data-testid=sink-name]", "run");
    page.choose("[data-testid=sink-kind]", "command");
    page.fill("[data-testid=sink-target]", "touch /tmp/never");
    page.click("[data-testid=sink-save]");
    page.reads("main", "a command is not set from a browser");
}

#[test]
fn alerts_and_hosts_are_shown_as_they_are() {
    let Some(browser) = Browser::start() else { return };
    let muster = one_agent();
    let failed = muster.send(&["--attempts", "1", "--verify", "false", "What is the capital of France?"]);
    muster.await_prompt(failed, "failed");
    let page = at(&muster, &browser, "#/admin/alerts");
    page.reads("[data-testid=alert][data-open=true]", &format!("#{failed}"));
    page.show("#/admin/hosts");
    page.reads("[data-testid=host]", "processors");
    page.assert_clean();
}

#[test]
fn a_pool_is_changed_and_forgotten_but_no_command_is_set_from_a_browser() {
    let Some(browser) = Browser::start() else { return };
    let muster = one_agent();
    let dir = muster.project("p");
    let page = at(&muster, &browser, "#/admin/pools");
    page.reads("main", "assign pool add");
    muster.ok("assign", &["pool", "add", "web", "-C", dir.to_str().unwrap(), "--max", "2", "--agent", "cat"]);
    page.reads("[data-testid=pool]", "0 of 0 to 2");
    page.click("[data-testid=pool-change]");
    page.fill("[data-testid=pool-max]", "5");
    page.click("[data-testid=pool-save]");
    page.reads("[data-testid=pool]", "0 of 0 to 5");
    let other = "fetch('/v1/pools/web', { method: 'PUT', headers: { 'content-type': 'application/json' }, body: \
        JSON.stringify({ name: 'web', command: ['sh'], dir: '/', min: 1, max: 1, idle_ms: 600000 }) }).then((a) => a.status)";
    assert_eq!(page.evaluate(other), 403);
    page.click("[data-testid=pool] .danger");
    page.click(&format!("{CONFIRM} [data-testid=confirm-yes]"));
    page.misses("[data-testid=pool]");
}

#[test]
fn what_needs_a_person_is_told_on_the_desktop_when_asked_for_and_only_while_nobody_looks() {
    let Some(browser) = Browser::start() else { return };
    let muster = one_agent();
    let page = browser.page("own");
    // A headless browser shows none; what would be shown is kept instead.
    page.prepare(
        "globalThis.shown = [];
        globalThis.Notification = class {
            static permission = 'default';
            static requestPermission() { return Promise.resolve((Notification.permission = 'granted')); }
            constructor(title, { body, tag }) { shown.push([title, body, tag]); }
        };",
    );
    page.goto(&muster.login_link());
    page.sees(LIVE);
    page.press("?");
    page.click("[data-testid=notices-on]");
    page.press("Escape");
    let seen = muster.send(&["--dir", "/nowhere/at/all", "--to", "api", "Look at the logs"]);
    page.sees(&format!("[data-testid=need-prompt][data-prompt='{seen}']"));
    assert_eq!(page.evaluate("shown.length"), 0, "somebody looks");
    page.evaluate(
        "Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true })",
    );
    let unseen = muster.send(&["--dir", "/nowhere/at/all", "--to", "api", "An agent's <b>own</b> words"]);
    page.sees(&format!("[data-testid=need-prompt][data-prompt='{unseen}']"));
    wait_for("the notice", || (page.evaluate("shown.length") == 1).then_some(()));
    let text = page.evaluate("shown[0].join(' ')").as_str().unwrap().to_owned();
    assert!(!text.contains("own"), "{text}");
    page.assert_clean();
}
