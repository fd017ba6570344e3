//! Takes secrets out of what leaves the observer: reports before they are written down, messages before they are sent.
//!
//! Owns: which fields hold text of a program or a person, the values of the environment that are secret, the host's key.
//! Must not: touch what the observer decides by, or the user's own terminal.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use extractor::Redactor;
use patterns::Secrets;
use wire::event::Event;
use wire::place::Place;
use wire::prompt::{Hold, PromptResult};
use wire::session::{Claim, Context, Dialog};
use wire::wrapper::{Hello, Now, Offer, Report, ToServer};

/// How a variable's name, or a part of it between underscores, ends when its value is secret.
const ENDINGS: [&str; 6] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE"];

/// Takes secrets out.
#[derive(Debug, Clone)]
pub struct Redaction {
    redactor: Arc<Redactor>,
}

impl Redaction {
    /// With this host's key and the secret values of an environment. Without a disk to keep the key on, equal secrets
    /// are recognised within this process only.
    pub fn start(place: &Place, environment: impl Iterator<Item = (OsString, OsString)>) -> io::Result<Self> {
        let key = kept_key(&place.state.join("redaction.key")).or_else(|fault| {
            tracing::warn!(%fault, "the key that names secrets cannot be kept");
            fresh_key()
        })?;
        Ok(Self::with(secret_values(environment), key))
    }

    /// With these values and this key.
    pub fn with(values: impl IntoIterator<Item = String>, key: [u8; 16]) -> Self {
        Self { redactor: Arc::new(Redactor::new(Secrets::builtin(), values, key)) }
    }

    /// What finds them.
    pub fn redactor(&self) -> &Arc<Redactor> {
        &self.redactor
    }

    /// A report, before it is written down.
    pub fn report(&self, mut report: Report) -> Report {
        match &mut report {
            Report::State { claim, dialog } => {
                self.claim(claim);
                dialog.iter_mut().for_each(|dialog| self.dialog(dialog));
            }
            Report::Event { event } => self.event(event),
            Report::Text { text, .. } => _ = self.text(text),
            Report::Held { hold, .. } => self.hold(hold),
            Report::Ended { result, .. } => self.result(result),
            Report::Context { context } => self.context(context),
            // They hold no text.
            Report::Receipt { .. } | Report::Exited { .. } => {}
        }
        report
    }

    /// A message, before it is sent. Reports were redacted when they were written down.
    pub fn message(&self, mut message: ToServer) -> ToServer {
        match &mut message {
            ToServer::Hello(hello) => self.hello(hello),
            ToServer::Now(now) => self.now(now),
            ToServer::Reply { refused, .. } => refused.iter_mut().for_each(|hold| self.hold(hold)),
            // What was recorded is masked where it is read, so that no border cuts a secret.
            ToServer::Reports { .. } | ToServer::Heartbeat { .. } | ToServer::Recording { .. } => {}
        }
        message
    }

    /// An offer, before it is written down: what happens before the turn is done from memory, and never read back. The
    /// command that verifies is: another observer may have to run it.
    pub fn offer(&self, offer: &Offer) -> Offer {
        let mut offer = offer.clone();
        self.text(&mut offer.text);
        self.variables(&mut offer.env);
        offer.prerequisites.iter_mut().for_each(|command| _ = self.text(command));
        if let Some(failed) = &mut offer.failed {
            self.text(&mut failed.reason);
            self.text(&mut failed.output);
        }
        offer
    }

    fn hello(&self, hello: &mut Hello) {
        self.text(&mut hello.name);
        self.arguments(&mut hello.argv);
        self.now(&mut hello.now);
    }

    fn now(&self, now: &mut Now) {
        self.claim(&mut now.claim);
        now.dialog.iter_mut().for_each(|dialog| self.dialog(dialog));
        self.context(&mut now.context);
        self.text(&mut now.title);
        self.text(&mut now.last_line);
    }

    fn claim(&self, claim: &mut Claim) {
        self.text(&mut claim.evidence);
    }

    /// Its id stays: an answer is bound to what stood on the screen.
    fn dialog(&self, dialog: &mut Dialog) {
        self.text(&mut dialog.title);
        self.text(&mut dialog.body);
        dialog.options.iter_mut().for_each(|option| _ = self.text(&mut option.label));
        if let Some(request) = &mut dialog.request {
            self.text(&mut request.detail);
            self.text(&mut request.arguments);
            // What is not whole cannot be judged: a rule would see a command that is not the one that runs.
            if request.command.as_mut().is_some_and(|command| self.text(command)) {
                request.command = None;
            }
            for path in &mut request.paths {
                if self.text(path) {
                    path.clear();
                }
            }
        }
    }

    /// Where a session works is no secret; its variables may be.
    fn context(&self, context: &mut Context) {
        if self.variables(&mut context.env) {
            // A hash of what was taken out would let guesses be tried.
            let place = [Some(&context.dir), context.branch.as_ref(), context.repo.as_ref()];
            let place = place.into_iter().map(|part| part.map_or("", String::as_str));
            let variables = context.env.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
            context.hash = extractor::hash::fingerprint(place.chain(variables))[..12].to_owned();
        }
    }

    /// Whether there was something to take out: all of a variable that is named like a secret.
    fn variables(&self, env: &mut BTreeMap<String, String>) -> bool {
        let mut changed = false;
        for (name, value) in env {
            if is_named_secret(name) && !is_file(value) && !value.is_empty() {
                "[REDACTED:variable]".clone_into(value);
                changed = true;
            } else {
                changed |= self.text(value);
            }
        }
        changed
    }

    fn event(&self, event: &mut Event) {
        let mut changed = self.text(&mut event.text);
        for value in event.fields.values_mut() {
            changed |= self.text(value);
        }
        if changed {
            // A hash of what was taken out would let guesses be tried.
            let parts = [event.rule.as_str(), event.text.as_str()];
            event.fingerprint = extractor::hash::fingerprint(parts.into_iter());
        }
    }

    fn hold(&self, hold: &mut Hold) {
        self.text(&mut hold.text);
    }

    fn result(&self, result: &mut PromptResult) {
        self.text(&mut result.reason);
        self.text(&mut result.answer);
        self.text(&mut result.evidence);
        result.until.iter_mut().for_each(|until| _ = self.text(until));
        if let Some(verification) = &mut result.verification {
            self.text(&mut verification.command);
            self.text(&mut verification.output);
        }
        if let Some(changes) = &mut result.changes {
            self.text(&mut changes.diff);
            changes.files.iter_mut().for_each(|file| _ = self.text(&mut file.path));
        }
        if let Some(summary) = &mut result.summary {
            summary.files.iter_mut().chain(&mut summary.last_error).for_each(|text| _ = self.text(text));
        }
    }

    /// An argument may be told to be secret by the one before it.
    fn arguments(&self, argv: &mut [String]) {
        for i in (0..argv.len()).rev() {
            if i > 0 {
                let pair = format!("{} {}", argv[i - 1], argv[i]);
                let before = argv[i - 1].len() + 1;
                if self.redactor.spans(&pair).first().is_some_and(|span| span.secret.start >= before) {
                    argv[i] = self.redactor.text(&pair)[before..].to_owned();
                    continue;
                }
            }
            self.text(&mut argv[i]);
        }
    }

    /// Whether there was something to take out.
    fn text(&self, text: &mut String) -> bool {
        let clean = match self.redactor.cut(text) {
            Cow::Borrowed(_) => return false,
            Cow::Owned(clean) => clean,
        };
        *text = clean;
        true
    }
}

/// Whether a variable is named like a secret.
fn is_named_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.split('_').any(|part| ENDINGS.iter().any(|ending| part.ends_with(ending)))
}

/// A file's path is no secret.
fn is_file(value: &str) -> bool {
    Path::new(value).is_absolute() && Path::new(value).exists()
}

/// The values of variables that are named like secrets.
fn secret_values(environment: impl Iterator<Item = (OsString, OsString)>) -> Vec<String> {
    let text =
        |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    environment
        .filter_map(text)
        .filter(|(name, value)| is_named_secret(name) && !is_file(value))
        .map(|(_, value)| value)
        .collect()
}

/// The key of this host, made at first use.
fn kept_key(path: &Path) -> io::Result<[u8; 16]> {
    loop {
        let mut key = [0; 16];
        match File::open(path).and_then(|mut file| file.read_exact(&mut key)) {
            Ok(()) => return Ok(key),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => {}
            Err(fault) => return Err(fault),
        }
        // Two sessions may start at once: the key appears whole, and only once.
        let fresh = path.with_extension(std::process::id().to_string());
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.write_all(&fresh_key()?)?;
        let linked = std::fs::hard_link(&fresh, path);
        std::fs::remove_file(&fresh)?;
        match linked {
            Err(fault) if fault.kind() != io::ErrorKind::AlreadyExists => return Err(fault),
            _ => {}
        }
    }
}

fn fresh_key() -> io::Result<[u8; 16]> {
    let mut key = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut key)?;
    Ok(key)
}

#[cfg(test)]
#[path = "redaction_tests.rs"]
mod tests;
