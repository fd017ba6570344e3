//! The canary: what a newer version of an agent changes, scenario by scenario. Must not: record.

use std::fs;
use std::path::{Path, PathBuf};

use crate::replay::{compare, replay};

/// A recording's place: agent, version, scenario.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Case {
    agent: String,
    version: String,
    scenario: String,
    folder: PathBuf,
}

/// Prints what changed in each scenario of `new` against the newest one of `old`; how many changed for the worse.
pub fn changes(wrap: &Path, old: &Path, new: &Path) -> anyhow::Result<usize> {
    let known = cases(old)?;
    let mut worse = 0;
    for case in cases(new)? {
        let Case { agent, version, scenario, folder } = &case;
        let sight = replay(wrap, folder)?;
        let mut before: Vec<&Case> =
            known.iter().filter(|k| k.agent == *agent && k.scenario == *scenario).collect();
        before.sort_by_key(|k| numbers(&k.version));
        let Some(before) = before.last() else {
            println!("{agent} {version} {scenario}: new; {}", verdict(&sight.faults));
            worse += usize::from(!sight.faults.is_empty());
            continue;
        };
        let change = compare(&replay(wrap, &before.folder)?, &sight);
        worse += usize::from(!change.worse.is_empty());
        let word = match (change.worse.is_empty(), change.other.is_empty()) {
            (false, _) => "WORSE",
            (true, false) => "changed",
            (true, true) => "as before",
        };
        println!("{agent} {version} {scenario}: {word} (against {})", before.version);
        change.worse.iter().for_each(|line| println!("    worse: {line}"));
        change.other.iter().for_each(|line| println!("    {line}"));
    }
    Ok(worse)
}

/// Prints where recordings are seen otherwise than labelled; how many are.
pub fn score(wrap: &Path, folder: &Path) -> anyhow::Result<usize> {
    let mut faulty = 0;
    for case in cases(folder)? {
        let faults = replay(wrap, &case.folder)?.faults;
        faulty += usize::from(!faults.is_empty());
        println!("{} {} {}: {}", case.agent, case.version, case.scenario, verdict(&faults));
    }
    Ok(faulty)
}

fn verdict(faults: &[String]) -> String {
    if faults.is_empty() { "as labelled".to_owned() } else { faults.join("; ") }
}

/// Versions are ordered by their numbers.
fn numbers(version: &str) -> Vec<u64> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect()
}

fn cases(root: &Path) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for agent in folders(root)? {
        for version in folders(&agent)? {
            for folder in folders(&version)? {
                let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let (agent, version, scenario) = (name(&agent), name(&version), name(&folder));
                cases.push(Case { agent, version, scenario, folder });
            }
        }
    }
    cases.sort();
    Ok(cases)
}

fn folders(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        // Nothing could be recorded.
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e.into()),
    };
    let paths = entries.map(|e| Ok(e?.path())).collect::<std::io::Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|p| p.is_dir()).collect())
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        assert!(numbers("2.1.329") > numbers("2.1.197"));
        assert!(numbers("0.10.0") > numbers("0.9.9"));
    }
}
