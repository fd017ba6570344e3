//! The same program with the same keys, once in a bare terminal and once under `wrap` with a bad server. Must not:
//! compare what depends on time.
//!
//! What must hold: the terminal gets the same bytes, and the status is the same.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio_tungstenite::tungstenite::Message;

use super::{Plan, Random, Report, side_by_side};
use crate::{Muster, Terminal, wait_for};

/// Ways in which a server can be bad.
const SERVERS: [&str; 9] = [
    "none asked for",
    "nobody listens",
    "never answers",
    "hangs up at once",
    "answers a byte a second",
    "answers half",
    "answers garbage",
    "floods with garbage",
    "speaks nonsense in frames",
];

/// Reads a line, and does what it says; ends with 7. A new size comes when it comes, which is not compared.
const PROGRAM: &str = r"stty -echoctl; echo ready; while read -r line; do case $line in
    blob*) cat $line; echo; echo done;;
    size*) until [ size.$(stty size | tr ' ' .) = $line ]; do sleep 0.01; done; echo done;;
    alt) printf '\033[?1049h\033[2J\033[5;5Hx\033[?1049l'; echo done;;
    end) exit 7;;
    *) echo got $line; echo done;;
esac; done";

/// One pair after the other, each way in its turn.
pub fn run(plan: &Plan) -> Report {
    side_by_side(plan, |_, runs| {
        let mut report = Report::default();
        for run in runs {
            let way = SERVERS[run % SERVERS.len()];
            report.count("runs");
            report.count(format!("server: {way}"));
            if let Err(fault) = one(plan, way, plan.random(*run)) {
                report.fault(format!("run {run}, {way}: {fault}"));
            }
        }
        report
    })
}

fn one(plan: &Plan, way: &str, mut random: Random) -> Result<(), String> {
    let muster = plan.muster();
    for n in 0..4 {
        // A mode that is switched on by chance would be undone at the end, which is meant.
        let bytes = (0..random.below(200_000)).map(|_| random.below(256) as u8);
        let blob: Vec<u8> = bytes.filter(|byte| *byte != 0x1b).collect();
        std::fs::write(muster.folder().join(format!("blob{n}")), blob).map_err(|e| e.to_string())?;
    }
    let steps: Vec<Step> = (0..12)
        .map(|n| {
            let size = (5 + random.below(60) as u16, 20 + random.below(180) as u16);
            let line = match random.below(5) {
                _ if n == 11 => "end".to_owned(),
                0 => format!("blob{}", random.below(4)),
                1 => format!("size.{}.{}", size.0, size.1),
                2 => "alt".to_owned(),
                _ => format!("words {n} {}", "ä€\u{1f600} ".repeat(random.below(20))),
            };
            Step { line, size }
        })
        .collect();
    let mut bare = std::process::Command::new("sh");
    bare.args(["-c", PROGRAM]).current_dir(muster.folder());
    let mut wrapped = muster.command("wrap");
    wrapped.args(["sh", "-c", PROGRAM]);
    let _server = Bad::start(&muster, way);
    if way == "none asked for" {
        wrapped.env("MUSTER_NO_SERVER", "1");
    }
    let expected = play(Terminal::run(&bare), &steps);
    let got = play(Terminal::run(&wrapped), &steps);
    match expected == got {
        true => Ok(()),
        false => {
            let at = expected.0.iter().zip(&got.0).take_while(|(a, b)| a == b).count();
            let (all, some) = (expected.0.len(), got.0.len());
            Err(format!("{some} of {all} bytes, the first other at {at}; status {} of {}", got.1, expected.1))
        }
    }
}

/// A new size, and a line right after it.
struct Step {
    line: String,
    size: (u16, u16),
}

/// Types the steps, each when the one before is done; everything that was shown, and the status.
fn play(mut terminal: Terminal, steps: &[Step]) -> (Vec<u8>, i64) {
    terminal.await_text("ready\r\n");
    for Step { line, size: (rows, cols) } in steps {
        let before = terminal.output().len();
        terminal.resize(*cols, *rows);
        terminal.write(format!("{line}\r").as_bytes());
        let done = || terminal.output()[before..].ends_with(b"done\r\n").then_some(());
        if line != "end" {
            wait_for(&format!("the end of {line:?}"), done);
        }
    }
    let status = terminal.await_end();
    (terminal.await_all(), status)
}

/// A bad server; it goes on being bad until it is dropped.
struct Bad {
    _runtime: Option<tokio::runtime::Runtime>,
}

impl Bad {
    fn start(muster: &Muster, way: &str) -> Self {
        if way == "none asked for" {
            return Self { _runtime: None };
        }
        // A place as a server leaves it.
        muster.ok("assigner", &["serve", "--detach"]);
        muster.ok("assigner", &["stop"]);
        let socket = muster.home().join("run/assigner.sock");
        wait_for("the server's end", || (!socket.exists()).then_some(()));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        runtime.block_on(async {
            let listener = UnixListener::bind(&socket).expect("a socket");
            if way != "nobody listens" {
                let way = way.to_owned();
                tokio::spawn(async move {
                    while let Ok((stream, _)) = listener.accept().await {
                        let way = way.clone();
                        tokio::spawn(async move { serve(stream, &way).await });
                    }
                });
            }
        });
        Self { _runtime: Some(runtime) }
    }
}

/// What became of a bad server's client is not its concern.
async fn serve(mut stream: UnixStream, way: &str) -> Option<()> {
    let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    let mut sink = vec![0; 64 << 10];
    match way {
        "hangs up at once" => {}
        "answers a byte a second" => {
            for byte in answer {
                stream.write_all(&[*byte]).await.ok()?;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
        "answers half" => {
            let _ = stream.read(&mut sink).await;
            stream.write_all(&answer[..40]).await.ok()?;
        }
        "answers garbage" => {
            let _ = stream.read(&mut sink).await;
            stream.write_all(&[0xff; 1000]).await.ok()?;
        }
        "floods with garbage" => loop {
            stream.write_all(&sink).await.ok()?;
        },
        "speaks nonsense in frames" => {
            let mut socket = tokio_tungstenite::accept_async(stream).await.ok()?;
            let nonsense =
                ["{}", "null", "{\"type\":\"offer\"}", "{\"type\":\"welcome\",\"ack\":-1}", "\u{0}"];
            for text in nonsense.iter().cycle() {
                socket.send(Message::text(*text)).await.ok()?;
                socket.send(Message::binary(vec![0u8; 4096])).await.ok()?;
                socket.next().await?.ok()?;
            }
        }
        _ => tokio::time::sleep(Duration::from_secs(3_600)).await,
    }
    Some(())
}
