//! The border: who may talk to the server, from where, and what it tells them. Ids are those of the trust checks.

mod support;

use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;

use support::peer::{Peer, Wrapper};
use support::raw::{Answer, Request};
use support::{Home, Server};
use wire::http::{ErrorBody, ErrorCode, LoginLink};

/// Every route, with who may call it: `person`, `admin`, `machine` or `feed`.
const ROUTES: &[(&str, &str, &str)] = &[
    ("POST", "/v1/login-links", "admin"),
    ("GET", "/v1/status", "person"),
    ("POST", "/v1/stop", "admin"),
    ("GET", "/v1/sessions", "person"),
    ("GET", "/v1/sessions/x", "person"),
    ("GET", "/v1/sessions/x/events", "person"),
    ("GET", "/v1/sessions/x/states", "person"),
    ("POST", "/v1/sessions/x/answer", "person"),
    ("GET", "/v1/prompts", "person"),
    ("POST", "/v1/prompts", "person"),
    ("GET", "/v1/prompts/1", "person"),
    ("POST", "/v1/prompts/1/cancel", "person"),
    ("POST", "/v1/prompts/1/retry", "person"),
    ("POST", "/v1/prompts/1/reassign", "person"),
    ("GET", "/v1/wrapper", "machine"),
    ("GET", "/v1/cli", "machine"),
    ("GET", "/v1/feed", "feed"),
    ("GET", "/v1/unheard-of", "admin"),
    ("DELETE", "/v1/prompts", "admin"),
];

/// Every route that the server describes, which are all that it has, and two that it has not.
fn described(server: &Server) -> Vec<(String, String)> {
    let (_, document): (u16, serde_json::Value) = server.ask("GET", "/v1/openapi.json", "");
    let mut routes = vec![
        ("GET".to_owned(), "/v1/unheard-of".to_owned()),
        ("DELETE".to_owned(), "/v1/prompts".to_owned()),
    ];
    for (path, methods) in document["paths"].as_object().expect("paths") {
        // A name in braces is any word.
        let path = path.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
        let path = path.collect::<Vec<_>>().join("/");
        let methods = methods.as_object().expect("methods").keys();
        routes.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
    }
    assert!(routes.len() > 60, "{routes:?}");
    routes.retain(|(_, path)| path != "/healthz" && path != "/login");
    routes
}

fn origin(server: &Server) -> String {
    format!("http://127.0.0.1:{}", server.port)
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Logs a browser in and gives its cookie.
fn cookie(server: &Server) -> String {
    let (_, link): (u16, LoginLink) = server.ask("POST", "/v1/login-links", "");
    let path = link.url.strip_prefix(&origin(server)).expect("the link is for this server");
    let answer = Request::tcp(server, "GET", path).by_tcp(server.port);
    assert_eq!(answer.status, 303);
    let set = answer.value("set-cookie").expect("a cookie is set");
    set.split(';').next().unwrap_or_default().to_owned()
}

fn code(answer: &Answer) -> ErrorCode {
    answer.json::<ErrorBody>().code
}

#[test]
fn a01_a05_it_listens_on_loopback_and_on_a_private_socket_only() {
    let home = Home::new();
    let server = home.serve();
    let wildcard = TcpListener::bind(("0.0.0.0", server.port));
    let other = TcpStream::connect(("127.0.0.2", server.port));
    assert!(other.is_err(), "only 127.0.0.1 answers");
    drop(wildcard);
    let help = home.command(&["serve", "--help"]).output().unwrap();
    assert!(!String::from_utf8_lossy(&help.stdout).contains("--listen"));
    let wide = home.command(&["serve", "--listen", "0.0.0.0"]).output().unwrap();
    assert_eq!(wide.status.code(), Some(2), "nothing widens it");
}

#[test]
fn a02_a03_a08_nothing_answers_without_a_credential_wherever_it_comes_from() {
    let home = Home::new();
    let server = home.serve();
    for (method, path) in &described(&server) {
        let feed = path == "/v1/feed";
        for forwarded in [None, Some("127.0.0.1")] {
            let mut request = Request::tcp(&server, method, path).json("{}");
            if let Some(from) = forwarded {
                request = request.header("X-Forwarded-For", from).header("Forwarded", "for=127.0.0.1");
            }
            if path.starts_with("/v1/wrapper") || path.starts_with("/v1/cli") || feed {
                request = request.upgrade();
            }
            if feed {
                request = request.header("Origin", &origin(&server));
            }
            let by_unix = request.clone().by_unix(&server.place.server_socket());
            let by_tcp = request.by_tcp(server.port);
            assert_eq!((by_tcp.status, by_unix.status), (401, 401), "{method} {path}");
            assert_eq!(code(&by_tcp), ErrorCode::Unauthorized);
        }
    }
    assert_eq!(Request::tcp(&server, "GET", "/healthz").by_tcp(server.port).body, "ok\n");
    assert_eq!(Request::tcp(&server, "GET", "/").by_tcp(server.port).status, 200);
    let no_auth = home.command(&["serve", "--no-auth"]).output().unwrap();
    assert_eq!(no_auth.status.code(), Some(2));
}

#[test]
fn a04_only_our_own_names_are_answered() {
    let home = Home::new();
    let server = home.serve();
    let port = server.port;
    for own in [format!("127.0.0.1:{port}"), format!("localhost:{port}"), format!("[::1]:{port}")] {
        assert_eq!(Request::new("GET", "/healthz").header("Host", &own).by_tcp(port).status, 200, "{own}");
    }
    let foreign = [
        "evil.example".to_owned(),
        "127.0.0.1".to_owned(),
        format!("evil.example:{port}"),
        format!("localhost.evil.com:{port}"),
        format!("127.0.0.1.nip.io:{port}"),
        format!("localhost.:{port}"),
        format!("user@localhost:{port}"),
        format!("LOCALHOST:{port}"),
        format!("127.0.0.1:{}", port.wrapping_add(1)),
        format!("[0:0:0:0:0:0:0:1]:{port}"),
        format!("127.1:{port}"),
        String::new(),
    ];
    for path in ["/healthz", "/", "/v1/feed", "/v1/prompts", "/login?code=x"] {
        for host in &foreign {
            let answer = Request::new("GET", path).header("Host", host).by_tcp(port);
            assert!(matches!(answer.status, 400 | 421), "{path} for {host}: {}", answer.status);
            let answer = Request::new("GET", path).header("Host", host).upgrade().by_tcp(port);
            assert!(matches!(answer.status, 400 | 421), "upgrade {path} for {host}: {}", answer.status);
        }
    }
    assert_eq!(Request::new("GET", "/healthz").by_tcp(port).status, 400);
    let own = format!("127.0.0.1:{port}");
    let two = Request::new("GET", "/healthz").header("Host", &own).header("Host", "evil.example");
    assert_eq!(two.by_tcp(port).status, 400);
    let absolute = Request::new("GET", &format!("http://evil.example:{port}/healthz")).header("Host", &own);
    assert!(matches!(absolute.by_tcp(port).status, 400 | 421));
}

#[test]
fn a06_the_feed_is_for_our_own_page_only() {
    let home = Home::new();
    let server = home.serve();
    let cookie = cookie(&server);
    let port = server.port;
    let feed = || Request::tcp(&server, "GET", "/v1/feed").upgrade().header("Cookie", &cookie);
    assert_eq!(feed().header("Origin", &origin(&server)).by_tcp(port).status, 101);
    assert_eq!(feed().by_tcp(port).status, 403, "no origin");
    for foreign in [
        "null".to_owned(),
        format!("http://127.0.0.1:{}", port.wrapping_add(1)),
        format!("https://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("http://127.0.0.1:{port}.evil.com"),
        "chrome-extension://abcdef".to_owned(),
        "http://evil.example".to_owned(),
    ] {
        assert_eq!(feed().header("Origin", &foreign).by_tcp(port).status, 403, "{foreign}");
    }
    let twice = feed().header("Origin", &origin(&server)).header("Origin", "http://evil.example");
    assert_eq!(twice.by_tcp(port).status, 403);
}

#[test]
fn a07_machine_endpoints_refuse_browsers_whatever_they_know() {
    let home = Home::new();
    let server = home.serve();
    for (path, token) in [("/v1/wrapper", server.wrapper_token()), ("/v1/cli", server.cli_token())] {
        for (name, value) in [("Origin", origin(&server)), ("Sec-Fetch-Site", "same-origin".to_owned())] {
            let request =
                Request::tcp(&server, "GET", path).upgrade().header("Authorization", &bearer(&token));
            let request = request.header(name, &value);
            assert_eq!(request.clone().by_tcp(server.port).status, 403, "{path} with {name}");
            assert_eq!(request.by_unix(&server.place.server_socket()).status, 403, "{path} with {name}");
        }
        assert!(Peer::connect(&server, path, &token, &[]).is_ok());
    }
}

#[test]
fn a09_a_change_must_come_from_our_page_and_be_json() {
    let home = Home::new();
    let server = home.serve();
    let cookie = cookie(&server);
    let post = || Request::tcp(&server, "POST", "/v1/prompts").header("Cookie", &cookie);
    let body = r#"{"text":"x"}"#;
    let status = |request: Request| request.by_tcp(server.port).status;
    let json = |r: Request| r.header("Content-Type", "application/json").body(body);
    assert_eq!(status(json(post().header("Sec-Fetch-Site", "same-origin"))), 201);
    assert_eq!(status(json(post().header("Origin", &origin(&server)))), 201);
    assert_eq!(status(json(post())), 403, "a cookie alone");
    for site in ["cross-site", "same-site", "none"] {
        assert_eq!(status(json(post().header("Sec-Fetch-Site", site))), 403, "{site}");
    }
    let foreign = post().header("Sec-Fetch-Site", "same-origin").header("Origin", "http://evil.example");
    assert_eq!(status(json(foreign)), 403);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"] {
        let form = post().header("Sec-Fetch-Site", "same-origin").header("Content-Type", kind).body(body);
        assert_eq!(status(form), 403, "{kind}");
    }
    let bare = Request::tcp(&server, "POST", "/v1/prompts/1/cancel").header("Cookie", &cookie);
    assert_eq!(status(bare.header("Sec-Fetch-Site", "same-origin")), 403, "no content type");
    let admin = bearer(&server.cli_token());
    let with_token = Request::tcp(&server, "POST", "/v1/prompts").header("Authorization", &admin);
    assert_eq!(
        status(json(with_token.header("Sec-Fetch-Site", "cross-site"))),
        403,
        "a stolen token in a page"
    );
}

#[test]
fn a10_a14_every_answer_has_its_headers_and_none_opens_the_door_to_other_sites() {
    let home = Home::new();
    let server = home.serve();
    let answers = [
        Request::tcp(&server, "GET", "/").by_tcp(server.port),
        Request::tcp(&server, "GET", "/v1/status").by_tcp(server.port),
        Request::tcp(&server, "GET", "/nothing").by_tcp(server.port),
        Request::new("GET", "/").header("Host", "evil.example").by_tcp(server.port),
        Request::tcp(&server, "OPTIONS", "/v1/prompts")
            .header("Origin", "http://evil.example")
            .header("Access-Control-Request-Method", "POST")
            .by_tcp(server.port),
    ];
    for answer in answers {
        assert!(!answer.head.contains("access-control-"), "{}", answer.head);
        let csp = answer.value("content-security-policy").unwrap_or_default();
        for part in [
            "default-src 'self'",
            "script-src 'self';",
            "style-src 'self';",
            "img-src 'self';",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        ] {
            assert!(csp.contains(part), "{part} in {csp}");
        }
        for lax in ["unsafe-", "data:", "*"] {
            assert!(!csp.contains(lax), "{lax} in {csp}");
        }
        for header in ["x-content-type-options", "referrer-policy", "cross-origin-opener-policy"] {
            assert!(answer.has(header), "{header}: {}", answer.head);
        }
        assert!(answer.has("cross-origin-resource-policy"));
    }
    assert!(!Request::tcp(&server, "GET", "/").by_tcp(server.port).body.contains("<script>"));
}

#[test]
fn a11_a12_the_code_works_once_and_the_cookie_is_for_this_server_only() {
    let home = Home::new();
    let server = home.serve();
    let (_, link): (u16, LoginLink) = server.ask("POST", "/v1/login-links", "");
    let path = link.url.strip_prefix(&origin(&server)).unwrap();
    let from_elsewhere = Request::tcp(&server, "GET", path).header("Sec-Fetch-Site", "cross-site");
    assert_eq!(from_elsewhere.by_tcp(server.port).status, 403);
    let answer = Request::tcp(&server, "GET", path).header("Sec-Fetch-Site", "none").by_tcp(server.port);
    assert_eq!((answer.status, answer.value("location")), (303, Some("/")));
    let set = answer.value("set-cookie").unwrap();
    for part in ["httponly", "samesite=strict", "path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert_eq!(Request::tcp(&server, "GET", path).by_tcp(server.port).status, 401, "a second time");
    let cookie = set.split(';').next().unwrap();
    let status = Request::tcp(&server, "GET", "/v1/status").header("Cookie", cookie).by_tcp(server.port);
    assert_eq!(status.status, 200);
    let code = path.split('=').nth(1).unwrap();
    let secret = cookie.split('=').nth(1).unwrap();
    for secret in [code, secret, &server.cli_token(), &server.wrapper_token()] {
        assert!(!home.log().contains(secret), "a secret is in the log");
    }
    let by_url = format!("/v1/status?token={}", server.cli_token());
    assert_eq!(Request::tcp(&server, "GET", &by_url).by_tcp(server.port).status, 401);
}

#[test]
fn a12_who_logs_out_or_in_anew_leaves_no_credential_behind() {
    let home = Home::new();
    let server = home.serve();
    let status = |cookie: &str| {
        Request::tcp(&server, "GET", "/v1/status").header("Cookie", cookie).by_tcp(server.port).status
    };
    let first = cookie(&server);
    let (_, link): (u16, LoginLink) = server.ask("POST", "/v1/login-links", "");
    let path = link.url.strip_prefix(&origin(&server)).unwrap();
    let answer = Request::tcp(&server, "GET", path).header("Cookie", &first).by_tcp(server.port);
    let second = answer.value("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    assert_eq!((status(&first), status(&second)), (401, 200), "the same browser, anew");
    let other = cookie(&server);
    let out = |cookie: &str| {
        let request = Request::tcp(&server, "POST", "/v1/logout").header("Cookie", cookie).json("{}");
        request.header("Sec-Fetch-Site", "same-origin").by_tcp(server.port)
    };
    let answer = out(&second);
    assert_eq!(answer.status, 200);
    assert!(answer.value("set-cookie").unwrap().contains("max-age=0"));
    assert_eq!((status(&second), status(&other), out(&second).status), (401, 200, 401));
    // A browser's credential can be revoked from elsewhere, too.
    let (_, rows): (u16, Vec<serde_json::Value>) = server.ask("GET", "/v1/tokens", "");
    let row = rows.iter().find(|row| row["name"] == "browser").expect("the browser is listed");
    let revoke = format!("/v1/tokens/{}", row["id"].as_str().unwrap());
    assert_eq!(server.send("DELETE", &revoke, "", &[]).status, 200);
    assert_eq!(status(&other), 401);
    assert_eq!(
        server.send("POST", "/v1/logout", "{}", &[]).status,
        403,
        "a program has nothing to log out of"
    );
}

#[test]
fn a13_no_address_is_taken_from_a_url() {
    let home = Home::new();
    let server = home.serve();
    let plain = Request::tcp(&server, "GET", "/").by_tcp(server.port).body;
    let asked = Request::tcp(&server, "GET", "/?server=evil.example&gatewayUrl=ws://evil.example")
        .by_tcp(server.port);
    assert_eq!(asked.body, plain);
}

#[test]
fn a19_only_the_hash_of_a_token_is_in_the_database() {
    let home = Home::new();
    let mut server = home.serve();
    cookie(&server);
    let tokens = [server.cli_token(), server.wrapper_token()];
    server.kill();
    for file in ["muster.db", "muster.db-wal"] {
        let bytes = std::fs::read(server.place.state.join(file)).unwrap_or_default();
        for token in &tokens {
            let secret = token.split('_').nth(2).unwrap().as_bytes();
            assert!(!bytes.windows(secret.len()).any(|w| w == secret), "a token is in {file}");
        }
        assert!(!bytes.windows(11).any(|w| w == b"muster_web_"), "a cookie is in {file}");
    }
}

#[test]
fn a20_a_credential_opens_what_its_table_says_and_nothing_else() {
    let home = Home::new();
    let server = home.serve();
    let browser = cookie(&server);
    for (method, path, who) in ROUTES {
        if *path == "/v1/stop" || *path == "/v1/login-links" {
            continue;
        }
        let wrapper = bearer(&server.wrapper_token());
        let mut request = Request::tcp(&server, method, path).json("{}");
        if *who == "feed" {
            request = request.header("Origin", &origin(&server));
        }
        let status = request.clone().header("Authorization", &wrapper).by_tcp(server.port).status;
        let expected = *path == "/v1/wrapper";
        assert_eq!(status != 403, expected, "{method} {path} with a wrapper's token: {status}");
        let request = request.header("Sec-Fetch-Site", "same-origin").header("Cookie", &browser);
        let status = request.by_tcp(server.port).status;
        let expected = matches!(*who, "person" | "feed");
        assert_eq!(status != 403, expected, "{method} {path} with a browser's cookie: {status}");
    }
    for (method, path) in described(&server).iter().filter(|(_, path)| path != "/v1/wrapper") {
        let wrapper = bearer(&server.wrapper_token());
        let request = Request::tcp(&server, method, path).json("{}").header("Authorization", &wrapper);
        assert_eq!(request.by_tcp(server.port).status, 403, "{method} {path} with a wrapper's token");
    }
    for path in ["/v1/stop", "/v1/login-links"] {
        for (name, value) in [("Authorization", bearer(&server.wrapper_token())), ("Cookie", browser.clone())]
        {
            let request = Request::tcp(&server, "POST", path).header("Sec-Fetch-Site", "same-origin");
            let request = request.header("Origin", &origin(&server)).header(name, &value).json("{}");
            assert_eq!(request.by_tcp(server.port).status, 403, "{path} with {name}");
        }
    }
}

#[test]
fn a24_a25_a26_a27_all_that_is_made_is_private_and_what_is_planted_is_refused() {
    let home = Home::new();
    let server = home.serve();
    let mut dirs = vec![home.path()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let meta = entry.metadata().unwrap();
            assert_eq!(meta.permissions().mode() & 0o077, 0, "{:?}", entry.path());
            if meta.is_dir() {
                dirs.push(entry.path());
            }
        }
    }
    let socket = server.place.server_socket().metadata().unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    drop(server);
    for open in [home.place().cli_token(), home.place().database()] {
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = home.command(&["serve", "--port", "0"]).output().unwrap();
        assert_eq!(refused.status.code(), Some(3), "{open:?}");
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let planted = home.place().state;
    std::fs::set_permissions(&planted, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(home.command(&["serve", "--port", "0"]).output().unwrap().status.code(), Some(3));
}

#[test]
fn a19_a27_a_token_that_was_removed_is_replaced_and_the_old_one_opens_nothing() {
    let home = Home::new();
    let mut server = home.serve();
    let old = server.wrapper_token();
    std::fs::remove_file(server.place.wrapper_token()).unwrap();
    server.kill();
    let server = home.serve();
    assert_ne!(server.wrapper_token(), old);
    assert_eq!(Peer::connect(&server, "/v1/wrapper", &old, &[]).err(), Some(401));
    Wrapper::start(&server, "one");
}

#[test]
fn a32_what_is_queued_holds_no_control_character() {
    let home = Home::new();
    let server = home.serve();
    let text = "a\u{1b}[200~ echo \u{1b}[201~\rtouch pwned\u{9b}201~\u{0}\u{7f}\u{202e}";
    let id = server.enqueue(&serde_json::json!({ "text": text }));
    let queued = server.detail(id).prompt.asked.text;
    assert_eq!(queued, "a[200~ echo [201~\ntouch pwned201~");
}

#[test]
fn a65_text_from_outside_is_only_ever_text() {
    let home = Home::new();
    let server = home.serve();
    let text = "'); DROP TABLE prompts; --";
    let id = server.enqueue(&serde_json::json!({ "text": text, "target": text }));
    assert_eq!(server.detail(id).prompt.asked.text, text);
    let path = "/v1/sessions/'%20OR%20'1'='1/events";
    assert_eq!(server.send("GET", path, "", &[]).status, 404);
    assert_eq!(server.send("GET", "/v1/prompts?state='%20OR%201", "", &[]).status, 400);
}
