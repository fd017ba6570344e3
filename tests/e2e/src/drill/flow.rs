//! A program writes numbered lines while observer and server are killed at random moments. Must not: kill the holder.
//!
//! What must hold: the program lives, every byte is in the recording, the server has each line's event once and in its
//! order, and its database is sound.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::{Plan, Random, Report, await_answer, place_by_place, sound};
use crate::{Muster, is_alive, signal};

/// Lines of one run.
const LINES: usize = 400;

/// Writes them in about a second and a half, then lives until it is ended.
const PROGRAM: &str = "i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo \"error: number $i of the flow\"; \
                       [ $((i % 20)) = 0 ] && sleep 0.05; done; read end";

/// How long after the beginning the last is killed.
const SPAN: Duration = Duration::from_millis(2_500);

/// One program after the other, each in a session of its own.
pub fn run(plan: &Plan) -> Report {
    place_by_place(plan, one)
}

fn one(muster: &Muster, run: usize, mut random: Random, report: &mut Report) -> Result<(), String> {
    let name = format!("f{run}");
    muster.ok("wrap", &["-d", "--name", &name, "sh", "-c", PROGRAM]);
    let live = muster.live(&name).ok_or("the session is not there")?;
    let (id, pid) = (live["id"].as_str().unwrap_or_default(), live["pid"].as_i64().unwrap_or_default());
    let mut moments: Vec<_> = (0..1 + random.below(4)).map(|_| SPAN.mul_f64(random.part())).collect();
    moments.sort();
    let mut passed = Duration::ZERO;
    for moment in moments {
        std::thread::sleep(moment - passed);
        passed = moment;
        let victim = random.of(&["observer", "server"]);
        // One that is just being replaced cannot be killed.
        let there = match victim {
            "observer" => {
                muster.live(&name).and_then(|s| s["observer"].as_i64()).filter(|pid| is_alive(*pid))
            }
            _ => muster.serving(),
        };
        if let Some(there) = there {
            signal(there, Signal::KILL);
            report.count(format!("killed {victim}"));
        }
    }
    let numbers: Vec<usize> = (1..=LINES).collect();
    let path = format!("/v1/sessions/{id}/events?limit=1000");
    let api = muster.api();
    let told =
        await_answer(muster, &api, |api| api.get(&path), |rows| numbers_of(rows).last() == Some(&LINES));
    let told = told.ok_or("the last line was never told")?;
    if numbers_of(&told) != numbers {
        return Err(format!("told were {:?}", numbers_of(&told)));
    }
    report.count_all("events, each once", LINES);
    if !is_alive(pid) {
        return Err("the program is gone".to_owned());
    }
    let kept: String =
        muster.recorded(id).into_iter().filter_map(|(written, data)| written.then_some(data)).collect();
    if numbers_in(&kept) != numbers {
        return Err(format!("the recording has {:?}", numbers_in(&kept)));
    }
    sound(muster)?;
    muster.ok("wrap", &["kill", "-s", "9", &name]);
    Ok(())
}

/// The lines that were told of, in their order.
fn numbers_of(rows: &Value) -> Vec<usize> {
    let texts = rows.as_array().into_iter().flatten().filter_map(|row| row["event"]["text"].as_str());
    texts.flat_map(numbers_in).collect()
}

fn numbers_in(text: &str) -> Vec<usize> {
    let ends = text.match_indices(" of the flow").map(|(at, _)| &text[..at]);
    ends.filter_map(|before| before.rsplit(' ').next()?.parse().ok()).collect()
}
