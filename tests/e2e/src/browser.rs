//! A real, headless Chromium with a fresh profile. Must not: know the dashboard.
//!
//! The browser is driven by a script of Node, to which each step is a line of JSON; what is tested, and what a failed
//! step says, stays in the test.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::{PATIENCE, root};

/// Set when the tests are to run in a browser; without it they are not tried.
const ASKED: &str = "MUSTER_TEST_BROWSER";

/// A browser.
pub struct Browser {
    child: Child,
    pipes: RefCell<Option<(ChildStdin, BufReader<ChildStdout>)>>,
}

/// One of its tabs.
pub struct Page<'a> {
    browser: &'a Browser,
    number: u64,
}

impl Browser {
    /// Starts one. `None`, with a word of why, when the tests are not asked to use a browser.
    pub fn start() -> Option<Self> {
        if std::env::var_os(ASKED).is_none() {
            eprintln!("not tried: {ASKED} is not set; scripts/test sets it");
            return None;
        }
        let mut node = Command::new("node");
        node.arg(root().join("tests/e2e/browser/dashboard.mjs")).arg(chromium());
        node.arg(PATIENCE.as_millis().to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = node.spawn().expect("Node runs");
        let stdin = child.stdin.take().expect("piped");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Some(Self { child, pipes: RefCell::new(Some((stdin, stdout))) })
    }

    /// A tab. Tabs of one context share cookies; another context is another browser.
    #[track_caller]
    pub fn page(&self, context: &str) -> Page<'_> {
        let number = self.ask(&json!({"do": "open", "context": context}));
        Page { browser: self, number: number.as_u64().expect("a number") }
    }

    #[track_caller]
    fn ask(&self, line: &Value) -> Value {
        let mut pipes = self.pipes.borrow_mut();
        let (stdin, stdout) = pipes.as_mut().expect("open until it is dropped");
        writeln!(stdin, "{line}").expect("the browser's script runs (is web/node_modules there? `npm ci`)");
        let mut said = String::new();
        stdout.read_line(&mut said).expect("it writes UTF-8");
        let mut said: Value = serde_json::from_str(&said)
            .unwrap_or_else(|e| panic!("the browser's script ended at {line}: {e}; its own words are above"));
        if let Some(error) = said["error"].as_str() {
            panic!("{line}: {error}");
        }
        said["ok"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends with its input, and takes the browser along.
        self.pipes.take();
        let _ = self.child.wait();
    }
}

impl Page<'_> {
    #[track_caller]
    fn does(&self, what: &str, mut line: Value) -> Value {
        line["do"] = json!(what);
        line["page"] = json!(self.number);
        self.browser.ask(&line)
    }

    /// Goes to an address; the status of the answer, if it was asked for.
    #[track_caller]
    pub fn goto(&self, url: &str) -> Option<u64> {
        self.does("goto", json!({"url": url})).as_u64()
    }

    /// Waits until something can be seen.
    #[track_caller]
    pub fn sees(&self, at: &str) {
        self.does("wait", json!({"at": at}));
    }

    /// Waits until a text can be seen in something.
    #[track_caller]
    pub fn reads(&self, at: &str, text: &str) {
        self.does("wait", json!({"at": at, "text": text}));
    }

    /// Waits until something is gone.
    #[track_caller]
    pub fn misses(&self, at: &str) {
        self.does("wait", json!({"at": at, "state": "detached"}));
    }

    /// Clicks, once it can be clicked.
    #[track_caller]
    pub fn click(&self, at: &str) {
        self.does("click", json!({"at": at}));
    }

    /// Fills a field.
    #[track_caller]
    pub fn fill(&self, at: &str, value: &str) {
        self.does("fill", json!({"at": at, "value": value}));
    }

    /// Chooses from a list, by value.
    #[track_caller]
    pub fn choose(&self, at: &str, value: &str) {
        self.does("choose", json!({"at": at, "value": value}));
    }

    /// Gives something the focus.
    #[track_caller]
    pub fn focus(&self, at: &str) {
        self.does("focus", json!({"at": at}));
    }

    /// Presses one key or chord, such as `Control+C`, wherever the focus is.
    #[track_caller]
    pub fn press(&self, keys: &str) {
        self.does("press", json!({"keys": keys}));
    }

    /// Types, wherever the focus is.
    #[track_caller]
    pub fn types(&self, keys: &str) {
        self.does("type", json!({"keys": keys}));
    }

    /// Puts a text on the browser's own clipboard.
    #[track_caller]
    pub fn copy(&self, value: &str) {
        self.does("copy", json!({"value": value}));
    }

    /// What can be read in something.
    #[track_caller]
    pub fn text(&self, at: &str) -> String {
        self.does("text", json!({"at": at})).as_str().unwrap_or_default().to_owned()
    }

    /// An attribute.
    #[track_caller]
    pub fn attribute(&self, at: &str, name: &str) -> String {
        self.does("attribute", json!({"at": at, "name": name})).as_str().unwrap_or_default().to_owned()
    }

    /// How many of something there are.
    #[track_caller]
    pub fn count(&self, at: &str) -> u64 {
        self.does("count", json!({"at": at})).as_u64().expect("a number")
    }

    /// What a script of the page gives.
    #[track_caller]
    pub fn evaluate(&self, script: &str) -> Value {
        self.does("evaluate", json!({"script": script}))
    }

    /// Runs a script before anything of a page that is opened from now on.
    #[track_caller]
    pub fn prepare(&self, script: &str) {
        self.does("prepare", json!({"script": script}));
    }

    /// Answers requests for an address with a page of somebody else's.
    #[track_caller]
    pub fn serve(&self, url: &str, html: &str) {
        self.does("serve", json!({"url": url, "html": html}));
    }

    /// Loads the page anew.
    #[track_caller]
    pub fn reload(&self) {
        self.does("reload", json!({}));
    }

    /// Goes to a view of the page that is there.
    #[track_caller]
    pub fn show(&self, hash: &str) {
        self.evaluate(&format!("location.hash = {}", json!(hash)));
    }

    /// Prefers `light` or `dark`.
    #[track_caller]
    pub fn prefers(&self, scheme: &str) {
        self.does("scheme", json!({"scheme": scheme}));
    }

    /// Gives the window a size.
    #[track_caller]
    pub fn resize(&self, width: u32, height: u32) {
        self.does("resize", json!({"width": width, "height": height}));
    }

    /// What stands in the way of people who see or move otherwise, as far as it is serious.
    #[track_caller]
    pub fn findings(&self) -> Vec<String> {
        serde_json::from_value(self.does("findings", json!({}))).expect("texts")
    }

    /// The address.
    #[track_caller]
    pub fn url(&self) -> String {
        self.does("url", json!({})).as_str().unwrap_or_default().to_owned()
    }

    /// Every address in the tab's history.
    #[track_caller]
    pub fn history(&self) -> Value {
        self.does("history", json!({}))
    }

    /// The cookies of the context.
    #[track_caller]
    pub fn cookies(&self) -> Value {
        self.does("cookies", json!({}))
    }

    /// What was asked of any server, with the page it said to come from.
    #[track_caller]
    pub fn requests(&self) -> Value {
        self.does("requests", json!({}))
    }

    /// Errors and warnings of the console, exceptions, breaches of the policy, dialogs.
    #[track_caller]
    pub fn complaints(&self) -> Vec<String> {
        serde_json::from_value(self.does("complaints", json!({}))).expect("texts")
    }

    /// Nothing went wrong on the page, and it asked nothing of anybody but its own server.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert_eq!(self.complaints(), Vec::<String>::new());
        let own = self.evaluate("location.host");
        let own = own.as_str().expect("a host");
        for request in self.requests().as_array().expect("a list") {
            let url = request["url"].as_str().expect("an address");
            let host = url.split('/').nth(2).unwrap_or_default();
            assert!(host == own, "a request to elsewhere: {url}");
        }
    }
}

fn chromium() -> PathBuf {
    if let Some(own) = std::env::var_os("CHROMIUM") {
        return own.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let names = ["chromium", "google-chrome", "chromium-browser"];
    let mut found = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    found.find(|path| path.is_file()).expect("Chromium is needed: install it, or name one in CHROMIUM")
}
