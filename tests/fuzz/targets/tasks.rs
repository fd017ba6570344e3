//! Task files, and the TOML and YAML of everything that people write for `assign`. Promises: any text is a task or is refused with
//! lines that the file has, in words that no terminal obeys; a task's prompt is clean, not empty and not too long, and its priority
//! is one; reading takes a time that grows with the text and not with its square (`{1000*text}` stands for a thousand times `text`).

#![no_main]

use assign::task::{self, Broken};
use assign::tree::{self, Fault};
use fuzz::stretch::stretched;
use jiff::Zoned;
use libfuzzer_sys::fuzz_target;

/// Longest file that is read.
const LONGEST: usize = 256 << 10;

fn plain(text: &str) {
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
}

fn placed(fault: &Fault, lines: usize) {
    assert!((1..=lines + 1).contains(&fault.line), "line {} of {lines}", fault.line);
    plain(&fault.text);
}

fuzz_target!(|text: &str| {
    let text = stretched(text, LONGEST);
    // To YAML a carriage return ends a line as well.
    let lines = text.split(['\n', '\r']).count();
    let now: Zoned = "2026-05-01T09:00:00+00:00[UTC]".parse().expect("it is a time");
    match task::parse(&text, &now) {
        Ok(task) => {
            let prompt = &task.prompt;
            assert!(
                !prompt.text.trim().is_empty()
                    && prompt.text.len() <= wire::PROMPT_MAX
                    && prompt.priority <= 10
            );
            assert_eq!(wire::text::clean_prompt(&prompt.text), prompt.text);
            task.warnings.iter().for_each(|warning| plain(warning));
        }
        Err(Broken::CutOff) => plain(&Broken::CutOff.to_string()),
        Err(Broken::Wrong(faults)) => {
            assert!(!faults.is_empty());
            faults.iter().for_each(|fault| placed(fault, lines));
        }
    }
    for read in [tree::yaml(&text), tree::toml(&text)] {
        if let Err(fault) = read {
            placed(&fault, lines);
        }
    }
});
