//! The unit under which systemd's user manager runs the server. Must not: install or start anything.

use std::io::Write;

use anyhow::Context;

/// Prints the unit, for the program that prints it.
pub fn print() -> anyhow::Result<()> {
    let own = std::env::current_exe().context("cannot find the own program")?;
    let own = own.to_str().context("the path of the own program is not UTF-8; systemd cannot name it")?;
    Ok(std::io::stdout().write_all(of(own).as_bytes())?)
}

/// The unit for the program at a path.
///
/// Sessions that pools start are in the unit's control group. When the unit stops, only the server may be ended:
/// `KillMode=process` says so, and `SendSIGKILL=no` keeps a server that is slow to end from taking them along. Nor may
/// one session that runs out of memory end the unit with all others (`OOMPolicy=continue`).
fn of(program: &str) -> String {
    format!(
        "[Unit]\n\
         Description=Muster: queue and dashboard for coding agents\n\
         \n\
         [Service]\n\
         ExecStart={} serve\n\
         KillMode=process\n\
         SendSIGKILL=no\n\
         OOMPolicy=continue\n\
         Restart=on-failure\n\
         RestartSec=2\n\
         \n\
         [Install]\n\
         WantedBy=default.target\n",
        quoted(program)
    )
}

/// A path as one word of a unit: systemd takes `%` for a specifier, `$` for a variable, and blanks apart.
fn quoted(path: &str) -> String {
    let escaped = path.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g20_stopping_the_unit_ends_the_server_alone() {
        let unit = of("/opt/muster/assigner");
        for line in ["ExecStart=\"/opt/muster/assigner\" serve", "KillMode=process", "SendSIGKILL=no"] {
            assert!(unit.lines().any(|l| l == line), "{line} in:\n{unit}");
        }
        assert!(!unit.contains("ExecStop"), "nothing else is asked to end: {unit}");
    }

    #[test]
    fn a_path_is_one_word_whatever_is_in_it() {
        assert_eq!(quoted("/a b/100%/$x\"y\\"), "\"/a b/100%%/$$x\\\"y\\\\\"");
    }

    #[test]
    fn systemd_takes_the_unit() {
        let Ok(folder) = tempfile::tempdir() else { panic!("a temporary folder") };
        let file = folder.path().join("muster.service");
        std::fs::write(&file, of("/bin/true")).expect("a file can be written");
        let mut verify = std::process::Command::new("systemd-analyze");
        verify.args(["--user", "verify"]).arg(&file).env("XDG_RUNTIME_DIR", folder.path());
        let Ok(out) = verify.output() else {
            eprintln!("not tried: there is no systemd-analyze on this machine");
            return;
        };
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success() && !said.contains("muster.service:"), "{said}");
    }
}
