"""Seeds for the fuzz targets, made from what stands in the repository: recordings, profiles, rules, task files.

`seeds.py FOLDER` writes FOLDER/TARGET/NAME. Must not: be copied into the repository; what it makes is made anew at any time.
How a session is written as bytes stands in src/script.rs.
"""

import glob
import hashlib
import json
import os
import re
import struct
import sys
import tomllib

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
OUT = sys.argv[1]
# A seed is not longer than what the fuzzer tries: a longer one would be cut somewhere.
LONGEST = 4000

LITERAL, SIZE, LATER, KEYS, LOOK, FACT = 0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0xFA
AGENTS = sorted(os.path.basename(path)[:-5] for path in glob.glob(f"{ROOT}/patterns/agents/*.toml"))


def seed(target, data):
    """Writes one under a name that its content gives, so that none is there twice."""
    data = data.encode() if isinstance(data, str) else bytes(data)
    folder = os.path.join(OUT, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, hashlib.sha256(data).hexdigest()[:16]), "wb") as file:
        file.write(data)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def toml(path):
    return tomllib.loads(read(path))


def escaped(text):
    """Output as it stands in a script."""
    out = bytearray()
    for byte in text.encode("utf-8", "surrogateescape"):
        out += bytes([LITERAL, byte]) if byte >= FACT else bytes([byte])
    return bytes(out)


def steps(cast):
    """The steps of a recording, as bytes."""
    lines = cast.splitlines()
    header = json.loads(lines[0])
    last = 0.0
    for line in lines[1:]:
        time, code, data = json.loads(line)
        wait = min(255, int((time - last) * 100))
        last = time
        if wait > 0:
            yield bytes([LATER, wait])
        if code == "o":
            yield escaped(data)
        elif code == "i":
            yield bytes([KEYS, 0b100 if data == "\r" else 0b100000])
        elif code == "r":
            cols, rows = data.split("x")
            yield bytes([SIZE, min(255, int(cols)), min(255, int(rows))])
    assert header["version"] == 2


def recordings():
    for path in sorted(glob.glob(f"{ROOT}/fixtures/recordings/*/*/*/session.cast")):
        cast = read(path)
        agent = json.loads(read(path.replace("session.cast", "session.labels.jsonl")).splitlines()[0])["agent"]
        header = json.loads(cast.splitlines()[0])
        yield agent, header, cast


def windows(parts, longest):
    """Some windows of that length: the beginning, the middle, the end."""
    whole, sizes = b"".join(parts), longest
    starts = {0, max(0, len(whole) // 2 - sizes // 2), max(0, len(whole) - sizes)}
    return [whole[start : start + sizes] for start in sorted(starts)]


def sessions():
    for agent, header, cast in recordings():
        which = AGENTS.index(agent) if agent in AGENTS else 1
        head = bytes([which, min(255, header["width"]), min(255, header["height"]), 7])
        for window in windows(steps(cast), LONGEST):
            seed("emulator", head + window)
            seed("extractor", head + window)
            seed("redaction", bytes([head[1], 7, which, 3, 128]) + window[: LONGEST // 4])
        output = "".join(json.loads(line)[2] for line in cast.splitlines()[1:] if json.loads(line)[1] == "o")
        told = re.findall(r"\x1b[\]P_^X][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|\x1b\[[?>=]?[0-9;$]*[a-zA-Z]", output)
        seed("osc", bytes([3]) + "".join(dict.fromkeys(told)).encode("utf-8", "surrogateescape")[:LONGEST])
        lines = cast.splitlines()
        for count in (3, 12, 40):
            seed("asciicast", "\n".join(lines[:count])[:LONGEST])
        third = {"version": 3, "term": {"cols": header["width"], "rows": header["height"]}}
        seed("asciicast", "\n".join([json.dumps(third), "# a comment", *lines[1:12], '[0.5,"r","60x20"]', '[1,"x","0"]'])[:LONGEST])
        first = "".join(json.loads(line)[2] for line in lines[1:4] if json.loads(line)[1] == "o").encode()[:500]
        seed("frames", b"\0" + struct.pack(">BQHH", 2, 77, header["width"], header["height"]) + first)


def secrets():
    file = toml(f"{ROOT}/patterns/secrets.toml")
    spell = lambda text: re.sub(r"<([^<>]*)\*(\d+)>", lambda m: m[1] * int(m[2]), text)
    for number, kind in enumerate(file["kind"]):
        for text in kind["matches"] + kind["rejects"]:
            text = spell(text)
            for line in (text, f"\x1b]0;{text}\x07", f"│ {text[:len(text) // 2]} │\r\n│ {text[len(text) // 2:]} │"):
                seed("redaction", bytes([40, 5, number % 256, 1, 255]) + line.encode()[:LONGEST])


def profiles():
    for path in sorted(glob.glob(f"{ROOT}/patterns/agents/*.toml")):
        text, agent = read(path), toml(path)
        which = AGENTS.index(agent["name"])
        # The head with one table each: as a whole most are longer than what the fuzzer tries.
        tables = re.split(r"(?m)^(?=\[)", text)
        needed = tables[0] + "".join(table for table in tables[1:] if table.startswith("[input]"))
        seed("profiles", needed)
        for table in tables[1:]:
            seed("profiles", (needed + table)[:LONGEST])
        for fact in agent.get("fact", []):
            kind = {"hook": 0, "transcript": 2, "telemetry": 4}[fact["from"]]
            for example in fact["matches"] + fact["rejects"]:
                seed("facts", bytes([which, kind]) + example.encode())
                script = bytes([FACT, kind // 2]) + example.encode() + b"\n" + bytes([LATER, 50])
                seed("extractor", bytes([which, 60, 12, 7]) + script)
        all_of = "\n".join(e for fact in agent.get("fact", []) if fact["from"] == "hook" for e in fact["matches"])
        seed("facts", bytes([which, 0]) + all_of.encode()[:LONGEST])
    for path in sorted(glob.glob(f"{ROOT}/patterns/sets/*.toml")):
        head, *rules = re.split(r"(?m)^(?=\[\[)", read(path))
        for rule in rules[:12]:
            seed("profiles", (head + rule)[:LONGEST])
        for rule in toml(path).get("rule", []):
            shown = "\r\n".join(rule["matches"])
            seed("extractor", bytes([1, 90, 12, 7]) + escaped(shown + "\r\n")[:LONGEST] + bytes([LATER, 60, LOOK]))


# A value of every field that the wire's messages have, by the field's name.
CLAIM = {"state": "busy", "source": "hook", "rule": "x.y", "evidence": "e", "since": 1, "background": False}
CONTEXT = {"dir": "/a", "branch": "b", "repo": "/a", "env": {"A": "1"}, "hash": "abc"}
REQUEST = {"tool": "Bash", "detail": "ls", "arguments": "{}", "action": "shell", "command": "ls", "paths": ["/a"]}
DIALOG = {"id": "d", "kind": "permission", "title": "t", "body": "b", "options": [{"index": 0, "label": "Yes", "selected": True}],
          "answerable": True, "request": REQUEST}
NOW = {"claim": CLAIM, "context": CONTEXT, "title": "t", "dialog": DIALOG, "size": {"cols": 80, "rows": 24}, "attached": True,
       "kept": False, "moves": "shell", "last_line": "l", "metrics": {"tokens_in": 1.5}, "exit": {"type": "code", "code": 0}}
HELLO = {"protocol": 2, "protocol_oldest": 1, "version": "0", "session": "s", "name": "n", "host": "h", "host_name": "h",
         "agent": "a", "argv": ["a"], "role": "r", "caps": ["c"], "pool": "p", "started": 1, "epoch": 1, "last_seq": 1, "fence": 1,
         "holds": 3, "now": NOW}
EVENT = {"kind": "error", "severity": "error", "origin": "tool", "rule": "x", "text": "t", "fields": {"a": "b"}, "fingerprint": "f",
         "at": 1}
HOLD = {"code": "not_idle", "text": "why", "since": 1, "by": "x"}
RESULT = {"outcome": "completed", "reason": "", "answer": "a", "evidence": "e", "ended": 1}
OFFER = {"attempt": 1, "prompt": 2, "number": 1, "fence": 3, "text": "t", "failed": None, "dir": "/a", "branch": "b", "env": {"A": "1"},
         "prerequisites": ["make"], "worktree": "keep", "may_move": True, "verify": "make", "command": False, "accept_ms": 1,
         "timeout_ms": 2, "silence_ms": 3, "trace": "00-00000000000000000000000000000001-0000000000000001-01"}
POOL = {"name": "p", "agent": "a", "command": ["a", "-b"], "dir": "/a", "host": None, "role": "r", "caps": ["c"], "env": {"A": "1"},
        "min": 0, "max": 2, "idle_ms": 60000}
PROMPT = {"text": "Fix it", "target": "api", "priority": 5, "dir": "/a", "branch": "b", "env": {"A": "1"}, "prerequisites": ["make"],
          "worktree": "keep", "agent": "a", "prefer": "b", "role": "r", "caps": ["c"], "thread": "t", "tags": ["x"], "after": [1],
          "not_before": 5, "verify": "make", "wait_ms": 60000, "accept_ms": 60000, "timeout_ms": 60000, "silence_ms": 60000,
          "attempts": 2, "command": False}


def messages():
    reports = [
        {"type": "state", "claim": CLAIM, "dialog": DIALOG}, {"type": "event", "event": EVENT},
        {"type": "text", "offset": 1, "text": "a\nb"}, {"type": "context", "context": CONTEXT},
        {"type": "receipt", "attempt": 1, "receipt": {"step": "offered", "at": 1}}, {"type": "held", "attempt": 1, "hold": HOLD},
        {"type": "ended", "attempt": 1, "result": RESULT}, {"type": "exited", "exit": {"type": "signal", "signal": 9}},
    ]
    to_server = [
        {"type": "hello", **HELLO}, {"type": "now", **NOW}, {"type": "heartbeat", "holds": 1, "resources": None},
        {"type": "reply", "request": 1, "refused": HOLD},
        {"type": "recording", "request": 1, "part": {"from": 0, "next": 1, "end": 2, "size": {"cols": 80, "rows": 24},
                                                    "events": [[0.5, "o", "x"]]}},
        *({"type": "reports", "reports": [{"seq": 1, "at": 2, "report": report}]} for report in reports),
    ]
    to_wrapper = [
        {"type": "welcome", "protocol": 2, "version": "0", "ack": 1}, {"type": "refused", "text": "t"}, {"type": "ack", "seq": 1},
        {"type": "offer", **OFFER}, {"type": "cancel", "attempt": 1}, {"type": "forget", "attempt": 1},
        {"type": "answer", "request": 1, "dialog": "d", "choice": {"type": "option", "index": 1}, "rule": True}, {"type": "watch"},
        {"type": "unwatch"}, {"type": "snapshot"}, {"type": "recording", "request": 1, "session": "s", "from": 0, "length": 9},
        {"type": "keys", "request": 1, "text": "x"}, {"type": "end", "request": 1}, {"type": "start", "request": 1, "name": "n", "pool": POOL},
    ]
    from_viewer = [
        {"type": "watch", "session": "s", "stream": 1}, {"type": "unwatch", "stream": 1}, {"type": "take_keyboard", "session": "s"},
        {"type": "release_keyboard", "session": "s"}, {"type": "keys", "session": "s", "text": "x"},
    ]
    to_viewer = [
        {"type": "hello", "protocol": 2, "version": "0", "build": "b", "now": 1, "viewer": "v"},
        {"type": "everything", "sessions": [], "prompts": [], "approvals": [], "paused": False}, {"type": "routing", "paused": True},
        {"type": "session_gone", "session": "s"}, {"type": "prompt_gone", "prompt": 1}, {"type": "refused", "what": "w", "why": "y"},
        {"type": "event", "session": "s", "seq": 1, "event": EVENT},
    ]
    for which, group in ((4, to_server), (5, to_wrapper), (6, from_viewer), (7, to_viewer)):
        for message in group:
            seed("frames", bytes([which]) + json.dumps(message).encode())


def control():
    """The holder's messages, and records of a recording."""
    offer = {"size": [80, 24], "input_tty": True, "own_keys": True, "pane": None, "tmux": None}
    spec = {"session": "s", "name": "n", "agent": "a", "role": None, "caps": [], "pool": None, "fixed": False, "watched": False,
            "argv": [[97]], "injected": None, "telemetry": {}, "dir": [47], "size": [80, 24], "started": 1, "record_input": False,
            "no_server": True, "headless": False}
    unchanged = {"output": 1, "keys": 2}
    to_holder = [
        {"Start": [spec, offer]}, {"Attach": offer}, {"Resize": [80, 24]}, "Detach", "Continue", {"Signal": 2}, "Info",
        {"Type": {"id": 1, "bytes": "YQ==", "only_if": unchanged, "person": False}}, {"Reply": "YQ=="},
        {"Told": {"from": "Hook", "payload": "e30="}}, {"Told": {"from": {"Transcript": 5}, "payload": "e30="}},
        {"Relaunch": {"argv": [[97]], "dir": [47], "env": {"A": "1"}}}, {"End": {"id": 1, "only_if": unchanged}}, {"Screen": [1, "YQ=="]},
    ]
    from_holder = [
        "Started", {"Failed": [127, "why"]}, "Stopped", {"Exited": {"type": "code", "code": 1}}, {"Detached": "why"},
        {"Typed": {"id": 1, "refused": None, "now": unchanged}}, {"WantScreen": 5},
        {"Info": {"spec": spec, "pid": 1, "holder": 2, "observer": 3, "attached": True, "pane": None, "tmux": None, "age_s": 1, "output": 2}},
        {"Follow": {"spec": spec, "pid": 1, "epoch": 1, "quarantined": False, "secret": None}},
    ]
    for which, group in ((2, to_holder), (3, from_holder)):
        for message in group:
            text = json.dumps(message).encode()
            seed("frames", bytes([which]) + struct.pack("<I", len(text)) + text)
    header = {"session": "s", "name": "n", "agent": "a", "argv": ["a"], "term": "xterm", "started_ms": 1, "started_mono_us": 1,
              "at_us": 1, "offset": 0, "cols": 80, "rows": 24}
    payloads = [
        (b"h", json.dumps(header).encode()), (b"o", b"output"), (b"i", b"\x04x"), (b"r", struct.pack(">HH", 80, 24)), (b"a", b"\1"),
        (b"p", b"\0"), (b"g", struct.pack(">Q", 9)), (b"k", struct.pack(">Q", 0) + b"{}"), (b"k", struct.pack(">Q", 7) + b"{}"),
        (b"l", json.dumps({"pid": 1, "dir": "/a", "env": ["A"]}).encode()), (b"x", b"c" + struct.pack(">i", 1)),
        (b"x", b"s" + struct.pack(">i", 9)),
    ]
    number = lambda n: bytes([n]) if n < 128 else bytes([n & 127 | 128, n >> 7])
    records = [kind + b"\x85\x01" + number(len(payload)) + payload for kind, payload in payloads]
    for record in records:
        seed("frames", b"\1" + record)
    seed("frames", b"\1" + b"".join(records))


def tasks():
    seed("tasks", read(f"{ROOT}/server/assign/src/template.task.md"))
    front = "id: T-1\ntype: code_review\npriority: high\ncreated: 2026-05-01T09:00:00Z\ntarget: api\ndir: /a\nbranch: b\nverify: make\n" \
            "tags: [x, 'y']\nenv: {CI: 1}\nprerequisites: make deps\nworktree: true\nin: 2h\nat: 18:30\nwait-timeout: 1h\nattempts: 2\n" \
            "command: true\nsilence: 5m\n"
    body = "## Target files\n\n<!-- which -->\n## Prompt\nDo it.\n```\n<!-- kept -->\n# no heading\n```\n## Success criteria:\n<!--\n# x\n-->\n"
    for line in front.splitlines():
        seed("tasks", f"---\n{line}\n---\nDo it.\n")
    seed("tasks", f"---\n{front}---\n{body}")
    seed("tasks", body)
    for piece in ("<!--\n", "- ", "a: ", "[", "{", "# a\n", "```\n", "&a ", "'", "a\n", "? ", "<!-- -->", "-->\n"):
        seed("tasks", "{100000*" + piece + "}\nx")
        seed("tasks", "---\na: {1000*" + piece + "}\n---\nx")
    for path in glob.glob(f"{ROOT}/fixtures/scripts/*.toml") + glob.glob(f"{ROOT}/server/src/policy/examples/*.toml"):
        seed("tasks", read(path)[:LONGEST])


def requests():
    seed("http", bytes([0]) + json.dumps(PROMPT).encode())
    for name in PROMPT:
        seed("http", bytes([1]) + json.dumps({"text": "x", name: PROMPT[name]}).encode())
    sink = {"name": "s", "kind": "ntfy", "target": "https://example.com", "allow_private": False, "secret": "x", "channel": "c",
            "allowed": ["1"], "alerts": [], "quiet": None}
    bounds = {"depth": 2, "fan_out": 10, "per_hour": 60, "commands": False}
    bodies = {
        3: [POOL], 4: [{"name": "t", "prompt": PROMPT}], 5: [{"asked": PROMPT, "priority": 3, "after": [1], "not_before": 5}],
        6: [{"ids": [1], "state": "pending", "session": "s", "tag": "t", "thread": "h", "key": "k", "older_ms": 5}],
        7: [{"dialog": "d", "choice": {"type": "approve"}}, {"dialog": "d", "choice": {"type": "option", "index": 1.0}}],
        8: [sink], 9: [{"name": "t", "roles": ["viewer", "assigner"], "life_ms": 5, "bounds": bounds}],
        10: [{"paused": True}, {"target": "s"}], 11: [{"text": "t", "percent": 50}, {"text": "q", "options": ["a", "b"]}],
        12: [{"text": "[[rule]]"}],
    }
    for which, group in bodies.items():
        for body in group:
            seed("http", bytes([which]) + json.dumps(body).encode())
    for path in glob.glob(f"{ROOT}/server/src/policy/examples/*.toml"):
        head, *rules = re.split(r"(?m)^(?=\[\[)", read(path))
        for rule in rules:
            seed("http", bytes([13]) + rule.encode()[:LONGEST])
    for line in ("git status", "ls -la 'a b' && cat \"c\" | wc -l; true", "a=b c", "echo ~ x:~", "''#x", "cd /a && make test"):
        seed("http", bytes([13]) + line.encode())


def exports():
    point = lambda value: {"asDouble": value, "startTimeUnixNano": "1", "timeUnixNano": "2", "attributes": [
        {"key": "model", "value": {"stringValue": "one"}}, {"key": "type", "value": {"stringValue": "output"}},
        {"key": "user.email", "value": {"stringValue": "a@example.com"}}]}
    for name, unit in (("claude_code.cost.usage", "USD"), ("claude_code.token.usage", "tokens")):
        for temporality in (1, 2, "AGGREGATION_TEMPORALITY_DELTA", "AGGREGATION_TEMPORALITY_CUMULATIVE"):
            total = {"isMonotonic": True, "aggregationTemporality": temporality, "dataPoints": [point(0.5), point("3")]}
            metric = {"name": name, "unit": unit, "sum": total}
            body = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
            seed("otlp", b"\0" + json.dumps(body).encode())
    for number in range(64):
        made = hashlib.shake_256(bytes([number])).digest(400)
        seed("otlp", bytes([1 + number % 3]) + made)
        seed("facts", bytes([number % len(AGENTS), 1]) + made)


for make in (sessions, secrets, profiles, messages, control, tasks, requests, exports):
    make()
for target in sorted(os.listdir(OUT)):
    print(f"{target:<12} {len(os.listdir(os.path.join(OUT, target))):>5} seeds")
