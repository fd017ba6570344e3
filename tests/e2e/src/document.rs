//! A document that users follow, as steps that a test can carry out. Must not: run anything.
//!
//! What counts: fenced blocks of `sh` and blocks indented by four spaces hold commands, one a line (a backslash at its end
//! goes on); a fenced block with a file's name after its language is that file; `<!-- run: … -->` is a command that
//! readers do not see, for what a story needs besides.

/// What is under one heading.
#[derive(Debug, PartialEq)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// What is done there, in order.
    pub steps: Vec<Step>,
}

/// One thing to do.
#[derive(Debug, PartialEq)]
pub struct Step {
    /// The line of the document, from 1.
    pub line: usize,
    /// What is done.
    pub act: Act,
}

/// What is done.
#[derive(Debug, PartialEq)]
pub enum Act {
    /// A command that the document shows.
    Shown(String),
    /// A command that only the test runs.
    Hidden(String),
    /// A file that the document shows: its name and text.
    File(String, String),
}

/// Where the lines of a document are at.
enum Inside {
    Text,
    Commands,
    File(String, String),
    Other,
}

/// The sections that have something to do.
pub fn sections(text: &str) -> Vec<Section> {
    let mut sections = vec![Section { title: "Beginning".to_owned(), steps: Vec::new() }];
    let mut inside = Inside::Text;
    let mut begun = String::new();
    for (line, row) in text.lines().enumerate().map(|(index, row)| (index + 1, row)) {
        let steps = &mut sections.last_mut().expect("there is one from the first").steps;
        let mut add = |act| steps.push(Step { line, act });
        match (&mut inside, row.strip_prefix("```")) {
            (Inside::Text, Some(info)) => {
                inside = match info.split_once(' ') {
                    Some((_, name)) => Inside::File(name.trim().to_owned(), String::new()),
                    None if info == "sh" => Inside::Commands,
                    None => Inside::Other,
                };
            }
            (Inside::File(name, text), Some(_)) => {
                add(Act::File(std::mem::take(name), std::mem::take(text)));
                inside = Inside::Text;
            }
            (_, Some(_)) => inside = Inside::Text,
            (Inside::File(_, text), None) => *text += &format!("{row}\n"),
            (Inside::Commands, None) => command(row, &mut begun, add),
            (Inside::Other, None) => {}
            (Inside::Text, None) => {
                if let Some(hidden) =
                    row.strip_prefix("<!-- run: ").and_then(|rest| rest.strip_suffix(" -->"))
                {
                    add(Act::Hidden(hidden.to_owned()));
                } else if let Some(indented) = row.strip_prefix("    ") {
                    command(indented, &mut begun, add);
                } else if let Some(title) = row.strip_prefix("## ") {
                    sections.push(Section { title: title.to_owned(), steps: Vec::new() });
                }
            }
        }
    }
    sections.retain(|section| !section.steps.is_empty());
    sections
}

/// Takes a line of a command; a whole one is added.
fn command(row: &str, begun: &mut String, mut add: impl FnMut(Act)) {
    if let Some(part) = row.strip_suffix('\\') {
        *begun += part;
        return;
    }
    let whole = std::mem::take(begun) + row;
    if !whole.trim().is_empty() {
        add(Act::Shown(whole.trim().to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_files_and_hidden_steps_come_in_order() {
        let text = "# Guide\n\n## One\nSay `this`.\n\n```sh\nfirst --a \\\n  --b\n\nsecond # why\n```\n\
                    <!-- run: hidden -->\n```toml flow.toml\na = 1\n```\n## None\n```text\nno command\n```\n\
                    ## Two\n\n    indented\n";
        let act = |line, act| Step { line, act };
        assert_eq!(
            sections(text),
            [
                Section {
                    title: "One".to_owned(),
                    steps: vec![
                        act(8, Act::Shown("first --a   --b".to_owned())),
                        act(10, Act::Shown("second # why".to_owned())),
                        act(12, Act::Hidden("hidden".to_owned())),
                        act(15, Act::File("flow.toml".to_owned(), "a = 1\n".to_owned())),
                    ]
                },
                Section { title: "Two".to_owned(), steps: vec![act(22, Act::Shown("indented".to_owned()))] },
            ]
        );
    }
}
