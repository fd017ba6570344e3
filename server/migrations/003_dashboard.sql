-- What the dashboard shows beyond the present: who saw what, what came of prompts, what is paused. All rows are kept.

ALTER TABLE prompts ADD COLUMN seen INTEGER;                      -- when a person took note of how it ended
ALTER TABLE sessions ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;

-- What people set while the server runs.
CREATE TABLE settings (
    name        TEXT PRIMARY KEY CHECK (name IN ('paused')),
    value       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How prompts ended, one narrow row for each that is final: what lists by time and the numbers of the past are read
-- from. The triggers keep it, so that no way to end a prompt can forget it.
CREATE TABLE ends (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    prompt      INTEGER NOT NULL UNIQUE REFERENCES prompts (id) ON DELETE CASCADE,
    at          INTEGER NOT NULL,
    outcome     TEXT NOT NULL CHECK (outcome IN ('completed', 'failed', 'interrupted', 'not_typed', 'unknown', 'timed_out', 'cancelled')),
    session     TEXT,
    agent       TEXT NOT NULL,                    -- of the session that had it, else as it was asked for; may be empty
    project     TEXT NOT NULL,                    -- repository or directory, as the agent
    waiting     INTEGER,                          -- phases, in milliseconds; null: it had none
    delivery    INTEGER,
    running     INTEGER,
    verification INTEGER,
    tokens_in   REAL NOT NULL,
    tokens_out  REAL NOT NULL,
    cost_usd    REAL NOT NULL
) STRICT;
CREATE INDEX ends_by_time ON ends (at, prompt);

CREATE VIEW ended AS
    SELECT p.id AS prompt, p.changed AS at, p.result ->> '$.outcome' AS outcome, p.session AS session,
        coalesce(s.agent, p.asked ->> '$.agent', '') AS agent,
        coalesce(s.repo, s.dir, p.asked ->> '$.dir', '') AS project,
        p.result ->> '$.summary.phases.waiting' AS waiting, p.result ->> '$.summary.phases.delivery' AS delivery,
        p.result ->> '$.summary.phases.running' AS running,
        p.result ->> '$.summary.phases.verification' AS verification,
        CAST(coalesce(p.result ->> '$.summary.tokens_in', 0) AS REAL) AS tokens_in,
        CAST(coalesce(p.result ->> '$.summary.tokens_out', 0) AS REAL) AS tokens_out,
        CAST(coalesce(p.result ->> '$.summary.cost_usd', 0) AS REAL) AS cost_usd
    FROM prompts p LEFT JOIN sessions s ON s.id = p.session
    WHERE p.result IS NOT NULL;

INSERT INTO ends (prompt, at, outcome, session, agent, project, waiting, delivery, running, verification, tokens_in,
        tokens_out, cost_usd)
    SELECT * FROM ended ORDER BY at;

CREATE TRIGGER a_prompt_ends AFTER UPDATE OF result ON prompts WHEN NEW.result IS NOT NULL AND OLD.result IS NULL BEGIN
    INSERT INTO ends (prompt, at, outcome, session, agent, project, waiting, delivery, running, verification, tokens_in,
            tokens_out, cost_usd)
        SELECT * FROM ended WHERE prompt = NEW.id;
END;
-- One that lives again has not ended, and nobody has seen how it will.
CREATE TRIGGER a_prompt_lives_again AFTER UPDATE OF result ON prompts WHEN NEW.result IS NULL AND OLD.result IS NOT NULL BEGIN
    DELETE FROM ends WHERE prompt = NEW.id;
    UPDATE prompts SET seen = NULL WHERE id = NEW.id;
END;

-- Events get a number of their own: the order in which they came in, over all sessions.
CREATE TABLE events_new (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    session     TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('error', 'stack_trace', 'test_result', 'build', 'file_edit', 'file_read', 'command', 'code_block', 'tool_call', 'metric', 'url', 'git', 'permission', 'session')),
    severity    TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'error')),
    origin      TEXT NOT NULL CHECK (origin IN ('tool', 'agent', 'user', 'unknown')),
    rule        TEXT NOT NULL,
    text        TEXT NOT NULL,
    fields      TEXT NOT NULL,                    -- JSON object
    byte_offset INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    UNIQUE (session, seq)
) STRICT;
INSERT INTO events_new (session, seq, at, kind, severity, origin, rule, text, fields, byte_offset, fingerprint)
    SELECT session, seq, at, kind, severity, origin, rule, text, fields, byte_offset, fingerprint
    FROM events ORDER BY at, session, seq;
DROP TABLE events;
ALTER TABLE events_new RENAME TO events;
CREATE INDEX events_by_time ON events (at, id);
CREATE INDEX events_by_fingerprint ON events (fingerprint, at, id);
CREATE INDEX events_by_session ON events (session, at, id);
CREATE INDEX errors_by_time ON events (at, fingerprint, session) WHERE severity = 'error';
CREATE INDEX states_by_time ON states (at);
CREATE INDEX contexts_by_time ON contexts (at);
CREATE INDEX approvals_by_close ON approvals (closed);

-- Settled text of screens. `upto` counts the bytes of a session up to and with this row, so that the oldest beyond its
-- bound are found without adding up.
CREATE TABLE texts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    session     TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    byte_offset INTEGER NOT NULL,
    text        TEXT NOT NULL,
    upto        INTEGER NOT NULL,
    UNIQUE (session, seq)
) STRICT;

-- What can be found by words. One row for each text wherever it is kept, numbered in the order in which they came; the
-- index of words has no copy of the text. The triggers keep both.
CREATE TABLE found (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT NOT NULL CHECK (kind IN ('prompt', 'result', 'event', 'text')),
    thing       INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    UNIQUE (kind, thing)
) STRICT;
CREATE VIRTUAL TABLE words USING fts5 (text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');

-- The text of a result that is worth finding.
CREATE VIEW result_texts AS
    SELECT e.id AS thing, e.at AS at,
        concat_ws(char(10), p.result ->> '$.answer', p.result ->> '$.reason', p.result ->> '$.verification.output') AS text
    FROM ends e JOIN prompts p ON p.id = e.prompt;
CREATE VIEW all_texts AS
    SELECT 'prompt' AS kind, id AS thing, created AS at, asked ->> '$.text' AS text FROM prompts
    UNION ALL SELECT 'result', thing, at, text FROM result_texts
    UNION ALL SELECT 'event', id, at, text FROM events;
INSERT INTO found (kind, thing, at) SELECT kind, thing, at FROM all_texts ORDER BY at;
INSERT INTO words (rowid, text)
    SELECT f.id, t.text FROM all_texts t JOIN found f ON f.kind = t.kind AND f.thing = t.thing;
DROP VIEW all_texts;

CREATE TRIGGER a_prompt_is_found AFTER INSERT ON prompts BEGIN
    INSERT INTO found (kind, thing, at) VALUES ('prompt', NEW.id, NEW.created);
    INSERT INTO words (rowid, text)
        SELECT id, NEW.asked ->> '$.text' FROM found WHERE kind = 'prompt' AND thing = NEW.id;
END;
CREATE TRIGGER a_prompt_is_found_anew AFTER UPDATE OF asked ON prompts
WHEN NEW.asked ->> '$.text' IS NOT OLD.asked ->> '$.text' BEGIN
    UPDATE words SET text = NEW.asked ->> '$.text'
        WHERE rowid = (SELECT id FROM found WHERE kind = 'prompt' AND thing = NEW.id);
END;
CREATE TRIGGER a_prompt_is_forgotten AFTER DELETE ON prompts BEGIN
    DELETE FROM words WHERE rowid = (SELECT id FROM found WHERE kind = 'prompt' AND thing = OLD.id);
    DELETE FROM found WHERE kind = 'prompt' AND thing = OLD.id;
END;
CREATE TRIGGER a_result_is_found AFTER INSERT ON ends BEGIN
    INSERT INTO found (kind, thing, at) VALUES ('result', NEW.id, NEW.at);
    INSERT INTO words (rowid, text)
        SELECT f.id, t.text FROM found f JOIN result_texts t ON t.thing = f.thing
        WHERE f.kind = 'result' AND f.thing = NEW.id;
END;
CREATE TRIGGER a_result_is_forgotten AFTER DELETE ON ends BEGIN
    DELETE FROM words WHERE rowid = (SELECT id FROM found WHERE kind = 'result' AND thing = OLD.id);
    DELETE FROM found WHERE kind = 'result' AND thing = OLD.id;
END;
CREATE TRIGGER an_event_is_found AFTER INSERT ON events BEGIN
    INSERT INTO found (kind, thing, at) VALUES ('event', NEW.id, NEW.at);
    INSERT INTO words (rowid, text)
        SELECT id, NEW.text FROM found WHERE kind = 'event' AND thing = NEW.id;
END;
CREATE TRIGGER an_event_is_forgotten AFTER DELETE ON events BEGIN
    DELETE FROM words WHERE rowid = (SELECT id FROM found WHERE kind = 'event' AND thing = OLD.id);
    DELETE FROM found WHERE kind = 'event' AND thing = OLD.id;
END;
CREATE TRIGGER a_text_is_found AFTER INSERT ON texts BEGIN
    INSERT INTO found (kind, thing, at) VALUES ('text', NEW.id, NEW.at);
    INSERT INTO words (rowid, text)
        SELECT id, NEW.text FROM found WHERE kind = 'text' AND thing = NEW.id;
END;
CREATE TRIGGER a_text_is_forgotten AFTER DELETE ON texts BEGIN
    DELETE FROM words WHERE rowid = (SELECT id FROM found WHERE kind = 'text' AND thing = OLD.id);
    DELETE FROM found WHERE kind = 'text' AND thing = OLD.id;
END;

-- Leases of prompts that asked for a directory or a branch: whether the session was there already.
CREATE TABLE meetings (
    attempt     INTEGER PRIMARY KEY REFERENCES attempts (id) ON DELETE CASCADE,
    at          INTEGER NOT NULL,
    session     TEXT NOT NULL,
    moved       INTEGER NOT NULL CHECK (moved IN (0, 1))
) STRICT;
CREATE INDEX meetings_by_time ON meetings (at);
