//! What changed in a work tree since a commit, committed or not. Must not: change it.

use std::path::Path;

use wire::prompt::{Changes, FileChange};

use super::git::{git, run, text};

/// Files that are told.
const FILES_MAX: usize = 500;

/// Bytes of paths that are told.
const PATHS_MAX: usize = 64 << 10;

/// Bytes of a patch that are told.
const DIFF_MAX: usize = 256 << 10;

/// Bytes of a patch as JSON: a message has a limit.
const DIFF_JSON_MAX: usize = 300 << 10;

/// Git must not run a program that the repository names.
const PLAIN: [&str; 3] = ["--no-color", "--no-ext-diff", "--no-textconv"];

/// Looks at the work tree around `dir`; `None` when git does not tell.
pub async fn collect(dir: &str, base: &str, patch: bool) -> Option<Changes> {
    match look(Path::new(dir), base, patch).await {
        Ok(changes) => Some(changes),
        Err(why) => {
            tracing::warn!(dir, why, "what changed cannot be told");
            None
        }
    }
}

async fn look(dir: &Path, base: &str, patch: bool) -> Result<Changes, String> {
    let root = text(dir, &["rev-parse", "--show-toplevel"]).await?;
    let root = Path::new(&root);
    let names = [&["diff", "--name-status", "-z"][..], &PLAIN, &["--end-of-options", base, "--"]].concat();
    let known = run(git(root, &names).await, 1 << 20).await?;
    let others = ["ls-files", "--others", "--exclude-standard", "-z"];
    let unknown = run(git(root, &others).await, 1 << 20).await?;
    let mut files = name_status(&known.output);
    files.extend(words(&unknown.output).map(|path| FileChange { path, status: "?".to_owned() }));
    let mut cut = known.cut || unknown.cut || shorten(&mut files);
    let mut diff = String::new();
    if patch {
        let (whole, cut_here) = difference(root, base).await?;
        cut |= cut_here;
        diff = whole;
    }
    Ok(Changes { base: base.to_owned(), files, diff, cut })
}

/// The patch, new files included; the index that is needed for that is a copy.
async fn difference(root: &Path, base: &str) -> Result<(String, bool), String> {
    let folder = text(root, &["rev-parse", "--absolute-git-dir"]).await?;
    let folder = Path::new(&folder);
    let index = folder.join(format!("muster-index-{}", uuid::Uuid::now_v7()));
    let copied = std::fs::copy(folder.join("index"), &index);
    let told = async {
        copied.map_err(|fault| format!("the index cannot be copied: {fault}"))?;
        let mut add = git(root, &["add", "--intent-to-add", "--all"]).await;
        add.env("GIT_INDEX_FILE", &index);
        run(add, 0).await?;
        let diff = [&["diff"][..], &PLAIN, &["--end-of-options", base, "--"]].concat();
        let mut diff = git(root, &diff).await;
        diff.env("GIT_INDEX_FILE", &index);
        run(diff, DIFF_MAX).await
    };
    let told = told.await;
    let _ = std::fs::remove_file(&index);
    let told = told?;
    let (diff, cut) = fit(&String::from_utf8_lossy(&told.output));
    Ok((diff, cut || told.cut))
}

/// The lines that fit as JSON.
fn fit(diff: &str) -> (String, bool) {
    let mut room = DIFF_JSON_MAX;
    for (at, line) in line_starts(diff) {
        let size = serde_json::to_string(line).map_or(usize::MAX, |json| json.len());
        match room.checked_sub(size) {
            Some(left) => room = left,
            None => return (diff[..at].to_owned(), true),
        }
    }
    (diff.to_owned(), false)
}

fn line_starts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line))
    })
}

/// Whether some had to go.
fn shorten(files: &mut Vec<FileChange>) -> bool {
    let whole = files.len();
    let mut room = PATHS_MAX;
    files.truncate(FILES_MAX);
    let fits = files.iter().take_while(|file| {
        let left = room.checked_sub(file.path.len());
        room = left.unwrap_or(0);
        left.is_some()
    });
    let fits = fits.count();
    files.truncate(fits);
    files.len() < whole
}

fn words(output: &[u8]) -> impl Iterator<Item = String> {
    let text = |word: &[u8]| String::from_utf8_lossy(word).into_owned();
    output.split(|byte| *byte == 0).filter(|word| !word.is_empty()).map(text)
}

/// Letter and path by turns; of what was renamed or copied the old path stands before the new one.
fn name_status(output: &[u8]) -> Vec<FileChange> {
    let mut words = words(output);
    let mut files = Vec::new();
    while let Some(status) = words.next() {
        let status: String = status.chars().take(1).collect();
        let old = words.next();
        let path = if matches!(status.as_str(), "R" | "C") { words.next() } else { old };
        files.extend(path.map(|path| FileChange { path, status }));
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_path_of_a_rename_is_told() {
        let files = name_status(b"M\0a\0R087\0old\0new\0D\0gone\0");
        let told: Vec<_> = files.iter().map(|f| (f.status.as_str(), f.path.as_str())).collect();
        assert_eq!(told, [("M", "a"), ("R", "new"), ("D", "gone")]);
    }

    #[test]
    fn a_patch_is_cut_at_a_line_and_fits_into_a_message() {
        let line = "+\u{1}\u{2}\u{3}\n";
        let (diff, cut) = fit(&line.repeat(100_000));
        assert!(cut && diff.ends_with('\n'));
        assert!(serde_json::to_string(&diff).unwrap().len() < DIFF_JSON_MAX + 1000);
        assert_eq!(fit("+a\n"), ("+a\n".to_owned(), false));
    }
}
