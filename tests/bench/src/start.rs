//! Start-up: `wrap true` beside `true`, in turn. Must not: count the server, which starts beside.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::median;
use crate::table::{Goal, Table};

/// Measures and prints.
pub fn measure(bin: &Path, rounds: usize, table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let time = |command: &mut Command| -> anyhow::Result<f64> {
        command.env("MUSTER_HOME", folder.path().join("m")).env("MUSTER_NO_SERVER", "1");
        let begun = Instant::now();
        command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
        Ok(begun.elapsed().as_secs_f64() * 1e3)
    };
    let (mut bare, mut wrapped) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        bare.push(time(&mut Command::new("true"))?);
        wrapped.push(time(Command::new(bin.join("wrap")).arg("true"))?);
    }
    let mut added: Vec<f64> = wrapped.iter().zip(&bare).map(|(wrapped, bare)| wrapped - bare).collect();
    let what = format!("start-up, {rounds} rounds");
    table.row(&format!("{what}: `true`"), median(&mut bare), "ms", Goal::None);
    table.row(&format!("{what}: `wrap true`"), median(&mut wrapped), "ms", Goal::None);
    table.row(&format!("{what}: added"), median(&mut added), "ms", Goal::AtMost(15.0));
    Ok(())
}
