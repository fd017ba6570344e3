//! Who is slow, who sends too much, who guesses, and who is somebody else. Ids are those of the trust checks.

mod support;

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use support::peer::Peer;
use support::raw::{Request, dial};
use support::{Home, wait_for};

#[test]
fn a15_slow_and_large_requests_are_cut_off() {
    let home = Home::new();
    let server = home.serve();
    let mut slow = dial(server.port);
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: ").unwrap();
    let mut rest = Vec::new();
    let ended = slow.read_to_end(&mut rest);
    assert!(ended.is_ok(), "the server closes a head that never ends: {ended:?}");
    let large = format!(r#"{{"text":"{}"}}"#, "x".repeat(4 << 20));
    assert_eq!(server.send("POST", "/v1/prompts", &large, &[]).status, 413);
    let long = format!(r#"{{"text":"{}"}}"#, "x".repeat(wire::PROMPT_MAX + 1));
    assert_eq!(server.send("POST", "/v1/prompts", &long, &[]).status, 413);
    let mut peer = Peer::connect(&server, "/v1/cli", &server.cli_token(), &[]).unwrap();
    peer.say(&"x".repeat(wire::MESSAGE_MAX + 1));
    wait_for("the connection to be closed", || {
        let message = peer.next();
        message.is_none().then_some(())
    });
    assert_eq!(Request::tcp(&server, "GET", "/healthz").by_tcp(server.port).status, 200);
}

#[test]
fn a15_who_begins_and_does_not_go_on_is_let_go() {
    let home = Home::new();
    let server = home.serve();
    let mut body = dial(server.port);
    let head = format!(
        "POST /v1/prompts HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{{\"text\":",
        server.port,
        server.cli_token()
    );
    body.write_all(head.as_bytes()).unwrap();
    // A wrapper that was let in, and says nothing.
    let mut silent = Peer::connect(&server, "/v1/wrapper", &server.wrapper_token(), &[]).unwrap();
    assert!(silent.next().is_none(), "it is closed, and is told nothing");
    let mut answer = Vec::new();
    body.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("did not arrive in time"), "{answer}");
}

#[test]
fn a16_guessing_is_slowed() {
    let home = Home::new();
    let server = home.serve();
    let tries: Vec<u16> = (0..8)
        .map(|n| Request::tcp(&server, "GET", &format!("/login?code={n}")).by_tcp(server.port).status)
        .collect();
    assert_eq!(tries[..5], [401; 5]);
    assert!(tries[5..].contains(&429), "{tries:?}");
}

#[test]
fn a16_tokens_are_guessed_slowly_too_and_what_was_tried_is_not_written_down() {
    let home = Home::new();
    let server = home.serve();
    let secret = "muster_cli_WrongButSecret0123456789";
    let begun = Instant::now();
    let tries: Vec<u16> = (0..8)
        .map(|_| {
            let bearer = format!("Bearer {secret}");
            Request::tcp(&server, "GET", "/v1/status")
                .header("Authorization", &bearer)
                .by_tcp(server.port)
                .status
        })
        .collect();
    assert_eq!(tries, [401; 8]);
    assert!(begun.elapsed() > Duration::from_millis(500), "the answers to the last three were held back");
    Request::tcp(&server, "GET", "/login?code=AlsoWrongAndSecret").by_tcp(server.port);
    let mut written = home.log();
    for path in [home.place().database(), home.place().database().with_extension("db-wal")] {
        written.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()));
    }
    assert!(!written.contains("WrongButSecret") && !written.contains("AlsoWrong"), "{}", home.log());
}

#[test]
fn a24_another_user_is_not_served_even_where_files_would_let_them() {
    // Only root can be somebody else.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let home = Home::new();
    let server = home.serve();
    let socket = server.place.server_socket();
    for dir in socket.ancestors().skip(1).take_while(|dir| dir.starts_with(home.path())) {
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o666)).unwrap();
    let token = server.cli_token();
    let ask = move || {
        let request = Request::new("GET", "/v1/status").header("Host", "localhost");
        request.header("Authorization", &format!("Bearer {token}")).by_unix(&socket).status
    };
    assert_eq!(ask(), 200, "the same user is served");
    let other = std::thread::spawn(move || {
        // Of this thread alone.
        rustix::thread::set_thread_uid(rustix::process::Uid::from_raw(65_534)).unwrap();
        ask()
    });
    assert_eq!(other.join().unwrap(), 0, "another one is hung up on, whatever they know");
}

/// Only Linux lets the limits of another process be set.
#[test]
#[cfg(target_os = "linux")]
fn g9_a_server_that_ran_out_of_descriptors_loses_nothing_and_serves_when_it_has_some() {
    use rustix::process::{Resource, getrlimit, prlimit};
    let home = Home::new();
    let server = home.serve();
    let text = serde_json::json!({ "text": "kept", "dir": "/" });
    let kept = server.enqueue(&text);
    let open = std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count() as u64;
    let before = getrlimit(Resource::Nofile);
    let few = rustix::process::Rlimit { current: Some(open + 2), ..before };
    let pid = rustix::process::Pid::from_raw(server.pid());
    prlimit(pid, Resource::Nofile, few).unwrap();
    let held: Vec<_> = (0..40).map(|_| dial(server.port)).collect();
    wait_for("a connection to find no descriptor", || {
        home.log().contains("could not be accepted").then_some(())
    });
    drop(held);
    wait_for("the server to serve again", || {
        (Request::tcp(&server, "GET", "/healthz").by_tcp(server.port).status == 200).then_some(())
    });
    assert_eq!(server.detail(kept).prompt.asked.text, "kept");
    assert!(server.enqueue(&text) > kept);
}
