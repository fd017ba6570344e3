//! `wrap explain`: what Muster makes of one screen, given as terminal bytes or as plain text. Must not: act on it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use extractor::{Composer, Extractor, Source, State};
use patterns::Agent;
use serde_json::json;
use wire::UnixMillis;
use wire::text::{cut, escape, escape_lines};

use crate::gate::{self, Looks};
use crate::{drive, replay, why};

/// Most bytes that are read.
const INPUT_MAX: u64 = 256 << 20;

/// Longest prompt that is read.
const PROMPT_MAX: u64 = 1 << 20;

/// How long the screen is taken to have stood: longer than anything in a profile waits, shorter than a lease.
const STOOD: Duration = Duration::from_secs(12);

/// What is to be explained.
pub struct Asked<'a> {
    /// The profile.
    pub agent: Arc<Agent>,
    /// Columns and rows; plain text is as large as it is.
    pub size: Option<(u16, u16)>,
    /// File of the prompt whose answer is wanted.
    pub prompt: Option<&'a Path>,
    /// The file, or `-` for standard input.
    pub file: &'a Path,
    /// One JSON object instead of text.
    pub json: bool,
}

/// Reads, concludes, prints.
pub fn run(asked: &Asked, out: &mut impl Write) -> anyhow::Result<()> {
    let bytes = read(asked.file, INPUT_MAX)?;
    let prompt = asked.prompt.map(|path| read(path, PROMPT_MAX)).transpose()?;
    let prompt = prompt.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let extractor = look(&asked.agent, asked.size, &bytes);
    let explained = Explained { extractor: &extractor, agent: &asked.agent, prompt: prompt.as_deref() };
    if asked.json {
        explained.json(out)?
    } else {
        explained.text(out)?
    }
    Ok(())
}

fn read(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let what = || {
        format!("cannot read {}; give a file of terminal bytes or of a screen's text, or -", path.display())
    };
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        io::stdin().take(most + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).with_context(what)?.take(most + 1).read_to_end(&mut bytes)
    };
    read.with_context(what)?;
    anyhow::ensure!(bytes.len() as u64 <= most, "{} is larger than {} MiB", path.display(), most >> 20);
    Ok(bytes)
}

/// The screen after these bytes, having stood for a while. Bytes without any escape are rows of text.
pub fn look(agent: &Arc<Agent>, size: Option<(u16, u16)>, bytes: &[u8]) -> Extractor {
    let mut seen = Vec::new();
    let raw = bytes.contains(&0x1b) && !is_styled_text(bytes);
    let (size, bytes) = if raw { (size.unwrap_or((120, 40)), bytes.to_vec()) } else { rows(bytes, size) };
    let mut extractor = Extractor::new(Arc::clone(agent), size.0, size.1);
    if bytes.iter().any(|byte| byte.is_ascii_graphic()) {
        extractor.assume_ready();
    }
    extractor.output(Duration::from_millis(1), &bytes, &mut seen);
    drive::advance(&mut extractor, STOOD, &mut seen);
    extractor.tick(STOOD, &mut seen);
    extractor
}

/// Whether it is rows of text with colours, as terminal multiplexers print a screen: no carriage return, and no
/// escape but SGR.
fn is_styled_text(bytes: &[u8]) -> bool {
    let mut escapes = bytes.split(|byte| *byte == 0x1b);
    escapes.next();
    let is_sgr = |rest: &[u8]| {
        let end = rest.iter().position(|byte| byte.is_ascii_alphabetic());
        rest.first() == Some(&b'[') && end.is_some_and(|end| rest[end] == b'm')
    };
    !bytes.contains(&b'\r') && escapes.all(is_sgr)
}

/// The columns that a line takes.
fn width(line: &str) -> usize {
    let mut shown = String::new();
    for (number, part) in line.split('\u{1b}').enumerate() {
        let skip = if number == 0 { 0 } else { part.find('m').map_or(part.len(), |end| end + 1) };
        shown.push_str(&part[skip..]);
    }
    unicode_width::UnicodeWidthStr::width(shown.as_str())
}

/// Plain text as a terminal would have it: the last rows that fit, the cursor after the last text.
fn rows(bytes: &[u8], size: Option<(u16, u16)>) -> ((u16, u16), Vec<u8>) {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let full = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1);
    let widest = lines.iter().map(|line| width(line)).max().unwrap_or(0);
    let own = (widest.clamp(80, 1000) as u16, lines.len().clamp(1, 1000) as u16);
    let size = size.unwrap_or(own);
    let cols = size.0.max(widest.min(1000) as u16);
    let height = usize::from(size.1);
    let lines = &lines[full.saturating_sub(height)..full];
    ((cols, size.1), lines.join("\r\n").into_bytes())
}

struct Explained<'a> {
    extractor: &'a Extractor,
    agent: &'a Agent,
    prompt: Option<&'a str>,
}

impl Explained<'_> {
    /// The state; a lone screen that says nothing is unknown, not starting.
    fn state(&self) -> State {
        let claim = self.extractor.claim();
        let silent = claim.state == State::Starting && claim.source == Source::Silence;
        if silent { State::Unknown } else { claim.state }
    }

    /// Why a prompt could not be typed now.
    fn refusal(&self) -> Option<String> {
        let extractor = self.extractor;
        let looks = Looks {
            watched: false,
            kept: false,
            state: self.state(),
            composer: extractor.composer(),
            dialog: extractor.dialog().is_some(),
            compacting: extractor.compacting(),
            person: None,
        };
        gate::ready(UnixMillis(0), &looks).err().map(|hold| hold.text)
    }

    /// Whether the profile was measured with the version on the screen; nothing when either is not known.
    fn measured(&self) -> Option<bool> {
        let (_, versions) = self.agent.measured.as_ref()?;
        self.extractor.version().map(|version| versions.allow(version))
    }

    fn answer(&self) -> Option<String> {
        self.prompt.map(|prompt| self.extractor.answer_to(prompt))
    }

    fn json(&self, out: &mut impl Write) -> io::Result<()> {
        let claim = self.extractor.claim();
        let refusal = self.refusal();
        let object = json!({
            "agent": self.agent.name,
            "state": self.state().as_str(),
            "source": claim.source.as_str(),
            "rule": claim.rule,
            "region": self.agent.region_of(&claim.rule),
            "evidence": escape(&claim.evidence),
            "background": claim.background,
            "ready": refusal.is_none(),
            "not_ready": refusal,
            "composer": why::composer_value(&self.extractor.composer()),
            "dialog": self.extractor.dialog().map(replay::dialog),
            "version": self.extractor.version(),
            "measured": self.measured(),
            "answer": self.answer().map(|answer| escape_lines(&answer)),
        });
        writeln!(out, "{object}")
    }

    fn text(&self, out: &mut impl Write) -> io::Result<()> {
        let claim = self.extractor.claim();
        writeln!(out, "state     {}", self.state().as_str())?;
        let region =
            self.agent.region_of(&claim.rule).map(|region| format!(", in the {region}")).unwrap_or_default();
        writeln!(out, "because   {} {}{region}", claim.source.as_str(), escape(&claim.rule))?;
        writeln!(out, "evidence  {}", cut(&escape(&claim.evidence), 200))?;
        let ready = self.refusal().map_or("yes".to_owned(), |why| format!("no: {why}"));
        writeln!(out, "ready     {ready}")?;
        if let Some(version) = self.extractor.version() {
            let range = self.agent.measured.as_ref().map_or("no version", |(range, _)| range.as_str());
            let doubt = if self.measured() == Some(true) { "" } else { ": it may differ" };
            writeln!(out, "version   {}; the profile was measured with {range}{doubt}", escape(version))?;
        }
        let composer = self.extractor.composer();
        let shown =
            if composer == Composer::Empty { "is empty".to_owned() } else { why::composer(&composer) };
        writeln!(out, "composer  {shown}")?;
        if let Some(dialog) = self.extractor.dialog() {
            writeln!(out, "dialog    {}: {}", dialog.kind.as_str(), escape(&dialog.title))?;
            for option in &dialog.options {
                let keys = option.keys.as_ref().map(|keys| escape(&String::from_utf8_lossy(keys)));
                let sign = if option.selected { ">" } else { " " };
                writeln!(
                    out,
                    "        {sign} {}  [{}]",
                    escape(&option.label),
                    keys.unwrap_or_else(|| "?".to_owned())
                )?;
            }
        }
        if let Some(answer) = self.answer() {
            writeln!(out, "answer\n{}", escape_lines(&answer))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(name: &str) -> Arc<Agent> {
        patterns::Library::builtin().agent(name).unwrap()
    }

    fn explained(name: &str, bytes: &[u8], prompt: Option<&str>) -> serde_json::Value {
        let agent = agent(name);
        let extractor = look(&agent, None, bytes);
        let mut out = Vec::new();
        Explained { extractor: &extractor, agent: &agent, prompt }.json(&mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    const LINE: &str = "────────────────────────────────────────────────────────────────────────────────";

    #[test]
    fn a_screen_of_text_tells_state_composer_and_answer() {
        let screen =
            format!("❯ name a colour\n\n● Blue.\n\n✻ Cooked for 3s\n{LINE}\n❯ \n{LINE}\n  ? for shortcuts\n");
        let found = explained("claude", screen.as_bytes(), Some("name a colour"));
        assert_eq!((&found["state"], &found["ready"]), (&json!("idle"), &json!(true)));
        assert_eq!((&found["composer"], &found["answer"]), (&json!(""), &json!("Blue.")));
        let drafted = explained("claude", screen.replace("❯ \n", "❯ half a\n").as_bytes(), None);
        assert_eq!((&drafted["ready"], &drafted["composer"]), (&json!(false), &json!("half a")));
        assert_eq!(drafted["answer"], json!(null));
    }

    #[test]
    fn a_dialog_is_told_with_its_options_and_is_no_place_for_a_prompt() {
        let screen = format!(
            "{LINE}\n Bash command\n\n   ls\n\n Do you want to proceed?\n ❯ 1. Yes\n   2. No\n\n Esc to cancel\n"
        );
        let found = explained("claude", screen.as_bytes(), None);
        assert_eq!((&found["state"], &found["ready"]), (&json!("waiting_permission"), &json!(false)));
        assert_eq!(found["dialog"]["options"], json!(["Yes", "No"]));
    }

    #[test]
    fn a_screen_that_says_nothing_is_unknown() {
        assert_eq!(explained("claude", b"hello\n", None)["state"], json!("unknown"));
        assert_eq!(explained("any", b"", None)["state"], json!("unknown"));
        assert_eq!(explained("shell", b"", None)["state"], json!("unknown"));
        assert_eq!(explained("shell", b"$ make\ncc -o a a.c\n", None)["state"], json!("busy"));
    }

    #[test]
    fn rows_with_colours_are_rows() {
        let screen = format!(
            "\u{1b}[2m{LINE}\u{1b}[0m\n❯ \u{1b}[2mTry \"edit\"\u{1b}[0m\n{LINE}\n  ? for shortcuts\n"
        );
        let found = explained("claude", screen.as_bytes(), None);
        assert_eq!((&found["state"], &found["composer"]), (&json!("idle"), &json!("")));
    }

    #[test]
    fn terminal_bytes_are_drawn_before_they_are_read() {
        let bytes = format!("junk\x1b[2J\x1b[H{LINE}\r\n❯ \r\n{LINE}\r\n\x1b]0;✳ Claude Code\x07");
        let found = explained("claude", bytes.as_bytes(), None);
        assert_eq!((&found["state"], &found["source"]), (&json!("idle"), &json!("terminal")));
    }
}
