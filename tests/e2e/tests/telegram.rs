//! A Telegram bot obeys those whom its sink allows, against a stand-in that speaks the Bot API on loopback.
#![allow(clippy::unwrap_used)]

use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use e2e::service::Taken;
use e2e::{Muster, signal, wait_for};
use rustix::process::Signal;
use serde_json::{Value, json};

/// What the stand-in has.
#[derive(Default)]
struct Chat {
    written: Vec<Value>,
    answers: Vec<(i64, String)>,
    /// The most that was confirmed: messages below it are not told again.
    confirmed: i64,
}

/// The service: keeps what users write until the bot has confirmed it.
#[derive(Clone)]
struct Service {
    chat: Arc<(Mutex<Chat>, Condvar)>,
    address: String,
}

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let service = Self { chat: Arc::default(), address };
        let serving = service.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let service = serving.clone();
                std::thread::spawn(move || service.answer(stream.unwrap()));
            }
        });
        service
    }

    fn answer(&self, stream: TcpStream) {
        let mut taken = Taken::read(stream).unwrap();
        let body: Value = serde_json::from_slice(&taken.body).unwrap_or_default();
        let result = match taken.head.split(' ').nth(1) {
            Some("/bot12:secret/getUpdates") => self.updates(body["offset"].as_i64().unwrap()),
            Some("/bot12:secret/sendMessage") => {
                let said = (body["chat_id"].as_i64().unwrap(), body["text"].as_str().unwrap().to_owned());
                self.chat.0.lock().unwrap().answers.push(said);
                json!({ "message_id": 1 })
            }
            other => panic!("the Bot API has no {other:?}"),
        };
        // Whoever asked may be gone by now.
        let _ = taken.answer(200, &json!({ "ok": true, "result": result }).to_string());
    }

    /// What came from this number on; waits for it for a while, as the real one does.
    fn updates(&self, offset: i64) -> Value {
        let (chat, changed) = &*self.chat;
        let mut chat = chat.lock().unwrap();
        chat.confirmed = chat.confirmed.max(offset);
        let waits = |chat: &mut Chat| {
            !chat.written.iter().any(|update| update["update_id"].as_i64() >= Some(chat.confirmed))
        };
        let (chat, _) = changed.wait_timeout_while(chat, Duration::from_secs(5), waits).unwrap();
        let new = chat.written.iter().filter(|update| update["update_id"].as_i64() >= Some(chat.confirmed));
        json!(new.collect::<Vec<_>>())
    }

    fn write(&self, user: i64, chat_id: i64, text: &str) {
        let (chat, changed) = &*self.chat;
        let mut chat = chat.lock().unwrap();
        let update = 500 + chat.written.len() as i64;
        let message = json!({ "message_id": update, "date": 1, "from": { "id": user, "is_bot": false, "first_name": "A" },
                              "chat": { "id": chat_id, "type": "private" }, "text": text });
        chat.written.push(json!({ "update_id": update, "message": message }));
        changed.notify_all();
    }

    /// The answer after so many others.
    #[track_caller]
    fn said(&self, nth: usize) -> (i64, String) {
        wait_for("the bot's answer", || self.chat.0.lock().unwrap().answers.get(nth).cloned())
    }
}

#[test]
fn a_bot_obeys_who_is_allowed_and_a_restart_doubles_nothing() {
    let muster = Muster::new();
    muster.ready("a");
    muster.ok("assign", &["pause"]);
    let service = Service::start();
    let secret = muster.folder().join("token");
    std::fs::write(&secret, "12:secret\n").unwrap();
    let set = |more: &[&str]| {
        let fixed = [
            "sink",
            "set",
            "me",
            "telegram",
            &service.address,
            "--channel",
            "-100",
            "--allow",
            "7",
            "--allow-private",
        ];
        let secret = ["--secret-file", secret.to_str().unwrap()];
        muster.ok("assign", &[&fixed[..], &secret, more].concat());
    };
    set(&[]);

    service.write(8, 8, "/task From a stranger");
    service.write(7, -200, "/task In a strange group");
    service.write(7, 7, "/task Secret words");
    assert_eq!(service.said(0), (7, "#1 is queued.".to_owned()));
    service.write(7, -100, "/status");
    assert_eq!(
        service.said(1),
        (-100, "Sessions: 1 idle\nPrompts: 1 pending\nNothing is given out: paused".to_owned())
    );
    service.write(7, 7, "/progress");
    assert_eq!(service.said(2), (7, "#1 pending".to_owned()), "texts are told only when that was asked for");
    set(&["--detailed"]);
    service.write(7, 7, "/progress 1");
    assert!(service.said(3).1.contains("Secret words"));

    // What was obeyed, but not confirmed, is fetched again.
    let server = muster.server();
    signal(server, Signal::KILL);
    service.chat.0.lock().unwrap().confirmed = 0;
    muster.ok("assign", &["status"]);
    service.write(7, 7, "/cancel 1");
    let cancelled = wait_for("the call", || {
        let chat = service.chat.0.lock().unwrap();
        chat.answers.iter().find(|answer| answer.1 == "#1 is cancelled.").cloned()
    });
    assert_eq!(cancelled.0, 7);
    assert_eq!(muster.json("assign", &["prompts", "--json"]).len(), 1, "one task stayed one prompt");
    let audit = muster.ok("assign", &["audit"]);
    assert!(audit.contains("telegram me user 7"), "{audit}");
    assert!(
        !std::fs::read_to_string(muster.home().join("state/assigner.log"))
            .unwrap_or_default()
            .contains("12:secret")
    );
}
