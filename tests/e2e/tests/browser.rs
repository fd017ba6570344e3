//! The dashboard, in a real Chromium against a real server: what it promises to those who look at it.
//!
//! Tried when `MUSTER_TEST_BROWSER` is set, as `scripts/test` does.
#![allow(clippy::unwrap_used)]

use std::process::Command;

use e2e::{Browser, Muster, Page, Terminal, signal, wait_for};
use rustix::process::Signal;
use serde_json::json;

/// Rows of the page's terminal.
const SCREEN: &str = "[data-testid=terminal] .xterm-rows";
const TAKE: &str = "[data-testid=take-keyboard]";
const RELEASE: &str = "[data-testid=release-keyboard]";
const LIVE: &str = "[data-testid=live][data-phase=open]";

/// A tab that is logged in and shows everything.
#[track_caller]
fn dashboard<'a>(muster: &Muster, browser: &'a Browser) -> Page<'a> {
    let page = browser.page("own");
    assert_eq!(page.goto(&muster.login_link()), Some(200));
    page.sees(LIVE);
    page
}

/// The same, at the fleet.
#[track_caller]
fn fleet<'a>(muster: &Muster, browser: &'a Browser) -> Page<'a> {
    let page = dashboard(muster, browser);
    page.show("#/fleet");
    page
}

/// Starts a shell, headless, that waits for input.
#[track_caller]
fn shell(muster: &Muster, name: &str) {
    let mut command = muster.command("wrap");
    command.args(["-d", "--name", name, "bash", "--norc", "--noprofile"]).env("PS1", "$ ");
    let out = command.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// Goes to a session's own view.
#[track_caller]
fn look_into(muster: &Muster, page: &Page, name: &str) {
    let session = wait_for(&format!("{name} at the server"), || muster.session(name));
    let id = session["id"].as_str().unwrap();
    page.show(&format!("#/session/{id}"));
    page.sees(&format!("[data-testid=session-view][data-session='{id}']"));
    page.sees(SCREEN);
}

#[track_caller]
fn take_keyboard(page: &Page) {
    page.click(TAKE);
    page.sees(RELEASE);
}

fn tile(name: &str) -> String {
    format!("[data-testid=session-tile][data-name='{name}']")
}

#[test]
fn a11_a12_a_login_link_works_once_and_leaves_nothing_in_the_address() {
    let Some(browser) = Browser::start() else { return };
    let muster = Muster::new();
    muster.ok("assigner", &["serve", "--detach"]);
    let link = muster.login_link();
    let (address, code) = link.split_once("login?code=").expect("a link with a code");

    let stranger = browser.page("stranger");
    stranger.goto(address);
    stranger.reads("[data-testid=connection][data-phase=login]", "assign login");

    let page = browser.page("own");
    page.goto(&link);
    page.sees(LIVE);
    assert!(page.url().starts_with(address) && !page.url().contains("code"), "{}", page.url());
    let history = page.history().to_string();
    assert!(!history.contains(code), "the code is in the history: {history}");
    for request in page.requests().as_array().unwrap() {
        assert_eq!(request["referer"].as_str().unwrap_or_default(), "", "{request}");
        assert!(request["url"] == *link || !request["url"].as_str().unwrap().contains(code), "{request}");
    }
    let cookies = page.cookies();
    let [cookie] = cookies.as_array().unwrap().as_slice() else { panic!("one cookie, not {cookies}") };
    assert_eq!((&cookie["httpOnly"], &cookie["sameSite"]), (&json!(true), &json!("Strict")));
    let token = cookie["value"].as_str().unwrap();
    let kept = page.evaluate(
        "JSON.stringify([document.cookie, document.documentElement.outerHTML, {...localStorage}, {...sessionStorage}])",
    );
    assert!(!kept.to_string().contains(token) && !history.contains(token), "the page can read the token");
    let log = std::fs::read_to_string(muster.home().join("state/assigner.log")).unwrap_or_default();
    assert!(!log.contains(code) && !log.contains(token), "the server's log has a secret:\n{log}");
    page.assert_clean();

    assert_eq!(stranger.goto(&link), Some(401));
    assert_eq!(stranger.cookies(), json!([]));
}

#[test]
fn a06_a_page_of_another_origin_reads_and_changes_nothing() {
    let Some(browser) = Browser::start() else { return };
    let muster = Muster::new();
    shell(&muster, "s");
    let page = dashboard(&muster, &browser);
    let host = page.evaluate("location.host").as_str().unwrap().to_owned();
    // The same site for cookies, as these know no ports.
    let evil = browser.page("own");
    evil.serve("http://localhost:4444/**", "<!doctype html><title>evil</title>");
    evil.serve("http://127.0.0.1:4444/**", "<!doctype html><title>evil</title>");
    for origin in ["http://127.0.0.1:4444/", "http://localhost:4444/"] {
        evil.goto(origin);
        let got = evil.evaluate(&format!(
            "(async () => {{
                const open = (url) => new Promise((done) => {{
                    const socket = new WebSocket(url);
                    socket.onopen = () => done('open');
                    socket.onerror = () => done('refused');
                }});
                const ask = (path, how) =>
                    fetch('http://{host}' + path, {{credentials: 'include', ...how}}).then((r) => r.text(), () => 'refused');
                const blind = {{method: 'POST', mode: 'no-cors', body: '{{\"text\":\"evil\"}}'}};
                await ask('/v1/prompts', blind);
                return [await open('ws://{host}/v1/feed'), await ask('/v1/sessions'), await ask('/v1/status')];
            }})()"
        ));
        assert_eq!(got, json!(["refused", "refused", "refused"]), "from {origin}");
    }
    assert!(muster.json("assign", &["prompts", "--json"]).is_empty(), "nothing was queued");
}

#[test]
fn three_sessions_are_shown_with_state_cause_and_age() {
    let Some(browser) = Browser::start() else { return };
    let muster = Muster::new();
    for name in ["api", "web"] {
        muster.scripted(name, &muster.project(name), &[]);
    }
    shell(&muster, "shell");
    let page = fleet(&muster, &browser);
    for name in ["api", "web", "shell"] {
        let tile = tile(name);
        page.sees(&format!("{tile} [data-testid=state-word][data-state=idle]"));
        page.reads(&format!("{tile} .because"), "from ");
        page.reads(&format!("{tile} .age"), " s");
    }
    for name in ["api", "web"] {
        let cause = page.attribute(&format!("{} .because [title*=':']", tile(name)), "title");
        assert!(!cause.is_empty(), "the rule and its evidence are behind the state");
        page.reads(&format!("{} .where", tile(name)), "main");
    }
    assert_eq!(page.count("[data-testid=session-tile]"), 3);

    let prompt = muster.send(&["--to", "web", "Please write about sorting"]);
    page.sees(&format!("{}[data-state=busy]", tile("web")));
    page.reads(&tile("web"), &format!("#{prompt}"));
    page.sees(&format!("{}[data-state=idle]", tile("api")));
    muster.ok("wrap", &["kill", "shell", "-s", "9"]);
    page.sees(&format!("{}[data-state=exited]", tile("shell")));
    page.assert_clean();
}

#[test]
fn a_permission_is_given_on_the_page_and_the_prompt_completes() {
    let Some(browser) = Browser::start() else { return };
    let muster = Muster::new();
    let project = muster.project("api");
    muster.scripted("api", &project, &[]);
    let page = dashboard(&muster, &browser);
    let prompt = muster.send(&["--to", "api", "Please greet the world politely in hello.py"]);

    let need = "[data-testid=need-session][data-name=api]";
    page.reads(need, "Read file");
    page.click(&format!("{need} [data-testid=approve]"));
    page.reads(need, "make this edit to hello.py?");
    assert!(!std::fs::read_to_string(project.join("hello.py")).unwrap().contains("hello, world"));
    // The second one by the keyboard, which presses the same button.
    page.sees(&format!("{need} [data-testid=approve]:enabled"));
    page.focus(&format!("{need} [data-open]"));
    page.press("a");
    page.misses(need);
    muster.await_prompt(prompt, "completed");
    assert!(std::fs::read_to_string(project.join("hello.py")).unwrap().contains("hello, world"));

    page.show(&format!("#/queue/{prompt}"));
    page.sees("[data-testid=prompt-detail] [data-testid=prompt-state][data-state=completed]");
    page.reads("[data-testid=prompt-detail] [data-testid=outcome]", "it says hello, world");
    page.assert_clean();
}

#[test]
fn a_permission_that_is_denied_on_the_page_is_not_used() {
    let Some(browser) = Browser::start() else { return };
    let muster = Muster::new();
    let project = muster.project("api");
    muster.scripted("api", &project, &[]);
    let page = dashboard(&muster, &browser);
    muster.send(&["--to", "api", "Please make the marker file"]);
    look_into(&muster, &page, "api");
    page.reads("[data-testid=dialog]", "echo made > out/marker.txt");
    page.click("[data-testid=deny]");
    page.reads(SCREEN, "Interrupted");
    page.misses("[data-testid=dialog]");
    assert!(!project.join("out").exists());
    page.assert_clean();
}

#[test]
fn a_prompt_is_sent_from_the_page_and_its_answer_shown() {
    let Some(browser) = Browser::start() else { return };
    let muster = Muster::new();
    muster.scripted("api", &muster.project("api"), &[]);
    muster.scripted("web", &muster.project("web"), &[]);
    let web = muster.await_state("web", "idle");
    let page = fleet(&muster, &browser);
    page.sees(&tile("web"));
    page.press("s");
    page.fill("[data-testid=send-text]", "What is the capital of France?");
    page.choose("[data-testid=send-target]", web["id"].as_str().unwrap());
    page.click("[data-testid=send-button]");
    page.reads("[data-testid=sent]", "Queued as prompt 1");
    page.click("[data-testid=sent] a");
    page.sees("[data-testid=prompt-row][data-prompt='1'] [data-testid=prompt-state][data-state=completed]");
    page.reads("[data-testid=outcome]", "The capital of France is Paris.");
    assert_eq!(muster.prompt(1)["prompt"]["session"], web["id"]);
    page.assert_clean();
}

#[test]
fn a17_the_terminal_is_live_and_takes_keys_from_who_has_the_keyboard() {
    let Some(browser) = Browser::start() else { return };
    let muster = Muster::new();
    shell(&muster, "s");
    let page = dashboard(&muster, &browser);
    let other = browser.page("own");
    other.goto(&page.url());
    for page in [&page, &other] {
        look_into(&muster, page, "s");
        page.reads(SCREEN, "$");
    }
    page.reads("[data-testid=keyboard-holder]", "view only");
    page.click("[data-testid=terminal]");
    page.types("echo no-$((1+1))\n");

    take_keyboard(&page);
    page.types("echo hi-$((1+1))\n");
    page.reads(SCREEN, "hi-2");
    other.reads(SCREEN, "hi-2");
    let shown = page.text(SCREEN);
    assert!(!shown.contains("no-"), "keys were typed without the keyboard:\n{shown}");

    other.click(TAKE);
    other.reads("[data-testid=refused]", "another viewer has the keyboard");
    other.types("echo other-$((1+1))\n");
    page.press("Control+Alt+r");
    page.sees(TAKE);
    page.types("echo late-$((1+1))\n");
    take_keyboard(&other);
    other.types("echo mine-$((1+1))\n");
    page.reads(SCREEN, "mine-2");
    let shown = other.text(SCREEN);
    assert!(!shown.contains("other-") && !shown.contains("late-"), "keys without the keyboard:\n{shown}");
    page.assert_clean();
    other.assert_clean();
}

#[test]
fn a34_a_paste_cannot_end_itself_and_run_a_command() {
    let Some(browser) = Browser::start() else { return };
    let muster = Muster::new();
    shell(&muster, "s");
    let page = dashboard(&muster, &browser);
    look_into(&muster, &page, "s");
    page.reads(SCREEN, "$");
    take_keyboard(&page);
    let owned = muster.folder().join("owned");
    page.copy(&format!("echo one\x1b[201~\rtouch {}\r\u{9b}201~\recho pasted-all\r", owned.display()));
    page.press("Control+Shift+V");
    page.reads(SCREEN, "pasted-all");
    page.press("Control+C");
    page.reads(SCREEN, "^C");
    page.types("echo after-$((1+1))\n");
    page.reads(SCREEN, "after-2");
    assert!(!owned.exists(), "the paste ran a command:\n{}", page.text(SCREEN));
    page.assert_clean();
}

#[test]
fn a55_twenty_viewers_answer_no_query_of_a_program() {
    let Some(browser) = Browser::start() else { return };
    let muster = Muster::new();
    let got = muster.folder().join("got");
    // Everything that terminals are asked: who they are, where the cursor is, modes, colours, settings, sizes.
    let asks = r"\033[c\033[>c\033[=c\033[5n\033[6n\033[?6n\033[?996n\033[?2026$p\033[4$p\033[>q\033[18t\033[14t\033[?u\033[x\033Z";
    let strings =
        r#"\033]10;?\007\033]11;?\033\\\033]4;1;?\007\033]52;c;?\007\033P$qm\033\\\033P+q544e\033\\\005"#;
    let program = format!(
        "stty raw -echo; printf '\\033[?1004h\\033[?2004h'; exec 3<&0; cat <&3 >'{}' & n=0
         while :; do n=$((n+1)); printf '{asks}{strings}\\rframe %d.' $n; sleep 0.016; done",
        got.display()
    );
    // Somebody's terminal is attached, so that the wrapper leaves the answers to it; this one gives none.
    let mut command: Command = muster.command("wrap");
    command.args(["--name", "s", "bash", "-c", &program]);
    let mut terminal = Terminal::run(&command);
    terminal.await_text("frame 1.");
    let first = dashboard(&muster, &browser);
    let mut pages = vec![first];
    for _ in 1..20 {
        let page = browser.page("own");
        page.goto(&pages[0].url());
        pages.push(page);
    }
    for page in &pages {
        look_into(&muster, page, "s");
        page.reads(SCREEN, "frame ");
    }
    // One may type, and so might answer: its keys arrive, and nothing else.
    take_keyboard(&pages[0]);
    let frame = || {
        let text = terminal.text();
        let number = text.rsplit("frame ").find_map(|rest| rest.split_once('.')?.0.parse::<u64>().ok());
        number.expect("it counts")
    };
    let then = frame() + 150;
    wait_for("more frames", || (frame() > then).then_some(()));
    for page in &pages {
        let digits = "document.querySelector('.xterm-rows').textContent.match(/frame (\\d+)/)?.[1] ?? 0";
        wait_for("the pages to keep up", || {
            let shown = page.evaluate(digits);
            shown.as_str()?.parse::<u64>().ok().filter(|shown| *shown >= then)
        });
    }
    let received = || String::from_utf8_lossy(&std::fs::read(&got).unwrap()).into_owned();
    assert_eq!(received(), "", "nobody has typed yet");
    pages[0].types("key");
    wait_for("the keys", || received().contains("key").then_some(()));
    assert_eq!(received(), "key");
    for page in &pages {
        page.assert_clean();
    }
    terminal.close();
}

#[test]
fn the_page_comes_back_by_itself_after_the_server_was_killed() {
    let Some(browser) = Browser::start() else { return };
    let muster = Muster::with_one_port();
    shell(&muster, "s");
    let page = dashboard(&muster, &browser);
    look_into(&muster, &page, "s");
    page.reads(SCREEN, "$");
    take_keyboard(&page);
    page.types("echo before-$((1+1))\n");
    page.reads(SCREEN, "before-2");

    signal(muster.server(), Signal::KILL);
    page.sees("[data-testid=connection][data-phase=lost]");
    page.sees("[data-testid=live][data-phase=lost]");
    page.sees(&format!("{TAKE}:disabled"));
    page.types("echo meanwhile-$((1+1))\n");
    // It may be there already: wrappers start one when they miss it.
    muster.run("assigner", &["serve", "--detach"]);
    page.sees(LIVE);
    page.misses("[data-testid=connection]");
    page.reads(SCREEN, "before-2");
    page.sees(&format!("{TAKE}:enabled"));
    take_keyboard(&page);
    page.types("echo again-$((1+1))\n");
    page.reads(SCREEN, "again-2");
    let shown = page.text(SCREEN);
    assert!(!shown.contains("meanwhile"), "keys were kept for later:\n{shown}");
    assert_eq!(page.count("[data-testid=outdated]"), 0);
    // How Chromium calls a lost connection depends on when it noticed.
    let lost = |c: &String| c.contains("ERR_CONNECTION") || c.contains("ERR_SOCKET_NOT_CONNECTED");
    let others: Vec<_> = page.complaints().into_iter().filter(|c| !lost(c)).collect();
    assert_eq!(others, Vec::<String>::new(), "nothing but the lost connection");
}

#[test]
fn a56_a_hostile_title_is_text() {
    let Some(browser) = Browser::start() else { return };
    let muster = Muster::new();
    let hostile = "<img src=x onerror=alert(1)>\u{202e}gnp.exe</dd><script>alert(2)</script>";
    let program = format!("printf '\\033]0;{hostile}\\007{hostile}\\r\\n'; exec cat");
    muster.ok("wrap", &["-d", "--name", "s", "sh", "-c", &program]);
    wait_for("the title", || muster.session("s").filter(|s| !s["title"].as_str().unwrap_or("").is_empty()));
    let page = fleet(&muster, &browser);
    page.sees(&tile("s"));
    look_into(&muster, &page, "s");
    page.reads(".facts", "<img src=x onerror=alert(1)>\\u{202e}gnp.exe</dd><script>");
    page.reads(SCREEN, "<img src=x onerror=alert(1)>");
    assert_eq!(page.count("img, main script"), 0);
    page.show("#/fleet");
    page.reads(&tile("s"), "<img src=x");
    assert_eq!(page.count("img, main script"), 0);
    assert!(!page.text("main").contains('\u{202e}'), "the direction is changed by a program's text");
    page.assert_clean();
}
