//! The structured request behind a dialog: with real paths for those who judge it, and compared with the dialog itself
//! before a rule's answer is typed. Must not: decide whether it may be done.

use std::io::ErrorKind;
use std::path::Path;

use extractor::Action;

/// Where the paths of a request really lie. One that cannot be followed is told as an empty one, which lies nowhere.
pub fn real_paths(request: &extractor::ToolRequest, dir: &Path) -> Vec<String> {
    request.paths.iter().map(|path| real(dir, path).unwrap_or_default()).collect()
}

/// Follows links as far as the path exists; what does not exist yet is appended as it is.
///
/// Not followed are a home (`~`), which is the agent's to expand, a link to what does not exist, which would be made at
/// its end, and a `..` behind what does not exist, which may come to lead anywhere.
fn real(dir: &Path, text: &str) -> Option<String> {
    if text.is_empty() || text.starts_with('~') || text.contains('\0') {
        return None;
    }
    let whole = dir.join(text);
    let mut known = whole.as_path();
    let mut new = Vec::new();
    loop {
        match known.canonicalize() {
            Ok(mut real) => {
                real.extend(new.iter().rev());
                return real.is_absolute().then(|| real.to_str().map(str::to_owned)).flatten();
            }
            Err(fault) if fault.kind() == ErrorKind::NotFound => {
                if known.symlink_metadata().is_ok() {
                    return None;
                }
                // Several names in one pattern may hold a `..` that no component shows.
                let name = known.file_name()?;
                if name.as_encoded_bytes().windows(2).any(|two| two == b"..") {
                    return None;
                }
                new.push(name);
                known = known.parent()?;
            }
            Err(_) => return None,
        }
    }
}

/// Why a rule's answer to this dialog must not be typed, if so: a rule judged the request, so the dialog must be about it.
///
/// An agent may ask for several tools at once, and tells of them one after the other; its screen says which it asks for.
pub fn mismatch(dialog: &extractor::Dialog, told: &[String], dir: &Path) -> Option<&'static str> {
    let Some(request) = &dialog.request else {
        return Some("the agent did not tell what the dialog is about");
    };
    match request.action {
        Action::Other => return Some("the agent's profile does not say what the tool does"),
        Action::Shell if request.command.is_none() => {
            return Some("the agent did not tell the whole command");
        }
        Action::Shell | Action::Edit | Action::Read | Action::Fetch => {}
    }
    if !request.alone {
        return Some("the agent asked for something else as well, and its dialog may be about that");
    }
    if real_paths(request, dir) != told {
        return Some("its paths lead elsewhere now");
    }
    let body = squeeze(&dialog.body);
    let shows = |text: &str| !text.is_empty() && body.contains(&squeeze(text));
    let names: Vec<&str> =
        request.paths.iter().filter_map(|path| Path::new(path).file_name()?.to_str()).collect();
    let shown = match &request.command {
        Some(command) => has_rows(&dialog.body, command),
        None if !names.is_empty() => names.iter().all(|name| shows(name)),
        None => shows(&request.detail),
    };
    (!shown).then_some("the dialog does not show what the agent told of it")
}

/// Whether some whole rows of a dialog are this command, and nothing more.
fn has_rows(body: &str, command: &str) -> bool {
    let rows: Vec<String> = body.lines().map(squeeze).filter(|row| !row.is_empty()).collect();
    let command = squeeze(command);
    (0..rows.len()).any(|first| are_rows(&rows[first..], &command))
}

fn are_rows(rows: &[String], mut wanted: &str) -> bool {
    for row in rows {
        match wanted.strip_prefix(row.as_str()) {
            Some("") => return true,
            Some(rest) => wanted = rest,
            None => return false,
        }
    }
    false
}

/// Lines are wrapped, and bordered.
fn squeeze(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '│').collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use extractor::{Dialog, DialogKind, ToolRequest};
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_followed_as_far_as_a_path_exists() {
        let tmp = tempfile::tempdir().unwrap();
        let root = tmp.path().canonicalize().unwrap();
        let at = |path: &str| root.join(path).to_str().unwrap().to_owned();
        let dir = root.join("work");
        std::fs::create_dir_all(dir.join("src")).unwrap();
        std::fs::create_dir(root.join("other")).unwrap();
        symlink(root.join("other"), dir.join("out")).unwrap();
        symlink(root.join("not there"), dir.join("dangling")).unwrap();
        symlink("loop", dir.join("loop")).unwrap();
        std::fs::write(dir.join("file"), "").unwrap();
        let real = |text: &str| real(&dir, text);
        assert_eq!(real("src"), Some(at("work/src")));
        assert_eq!(real("."), Some(at("work")));
        assert_eq!(real("src/new/file.rs"), Some(at("work/src/new/file.rs")));
        assert_eq!(real("src/../../other"), Some(at("other")));
        assert_eq!(real("out/new"), Some(at("other/new")));
        assert_eq!(real("out/.."), Some(root.to_str().unwrap().to_owned()), "the link is followed first");
        assert_eq!(real("/"), Some("/".to_owned()));
        for bad in [
            "",
            "~/x",
            "~",
            "a\0b",
            "dangling",
            "dangling/x",
            "loop",
            "file/x",
            "new/../../etc",
            "src/{a,../b}",
        ] {
            assert_eq!(real(bad), None, "{bad}");
        }
    }

    fn dialog(body: &str, request: ToolRequest) -> Dialog {
        Dialog {
            id: String::new(),
            place: 0,
            kind: DialogKind::Permission,
            title: String::new(),
            body: body.into(),
            options: Vec::new(),
            approve: None,
            deny: None,
            request: Some(request),
        }
    }

    fn request(action: Action, command: Option<&str>, paths: &[&str]) -> ToolRequest {
        ToolRequest {
            tool: "T".into(),
            detail: "the detail".into(),
            arguments: "{}".into(),
            action,
            command: command.map(str::to_owned),
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            number: 1,
            alone: true,
        }
    }

    #[test]
    fn a_rules_answer_needs_a_dialog_that_shows_the_request() {
        let dir = Path::new("/");
        let check = |body: &str, request: ToolRequest| {
            let told = real_paths(&request, dir);
            mismatch(&dialog(body, request), &told, dir)
        };
        let ls = || request(Action::Shell, Some("ls -l  a b"), &[]);
        assert_eq!(check("Bash command\n  ls -l a │\n│ b\nList", ls()), None);
        assert!(check("Bash command\n  rm -rf a", ls()).is_some(), "another request's dialog");
        assert!(check("List tools\nrm ls -l a b", ls()).is_some(), "a part of a row");
        assert!(check("ls -l a\nx\nb", ls()).is_some(), "rows that do not follow one another");
        assert!(check("ls -l a b", ToolRequest { alone: false, ..ls() }).is_some());
        assert!(check("the detail", request(Action::Shell, None, &[])).is_some());
        assert!(check("the detail", request(Action::Other, None, &[])).is_some());
        assert_eq!(check("Edit file x.rs", request(Action::Edit, None, &["/a/x.rs"])), None);
        assert!(check("Edit file y.rs", request(Action::Edit, None, &["/a/x.rs"])).is_some());
        assert_eq!(check("Fetch: the detail", request(Action::Fetch, None, &[])), None);
        assert!(check("Fetch", request(Action::Fetch, None, &[])).is_some());
        assert!(mismatch(&Dialog { request: None, ..dialog("", ls()) }, &[], dir).is_some());
        let moved =
            mismatch(&dialog("x.rs", request(Action::Edit, None, &["/a/x.rs"])), &["/b/x.rs".into()], dir);
        assert_eq!(moved, Some("its paths lead elsewhere now"));
    }
}
