-- What a prompt asks for is one JSON object, so that a new wish needs no new column. Tables whose closed sets grew are
-- made anew. Foreign keys are off while this runs; all rows are kept.

CREATE TABLE prompts_new (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    asked       TEXT NOT NULL,                    -- JSON object: what was asked, cleaned, with the defaults filled in
    state       TEXT NOT NULL CHECK (state IN ('pending', 'assigned', 'in_progress', 'held', 'completed', 'failed', 'cancelled')),
    hold_code   TEXT CHECK (hold_code IN ('not_idle', 'dialog_open', 'draft', 'human_typing', 'composer_unreadable', 'not_seen', 'not_accepted', 'unknown', 'wrong_context', 'session_gone', 'stale_fence', 'text_refused', 'storage', 'person', 'after', 'after_failed', 'rate_limited', 'dirty_tree', 'missing_branch', 'missing_dir', 'prerequisite', 'not_prepared')),
    hold_text   TEXT,
    due         INTEGER,                          -- when it may be offered next; null: not by itself
    wait_until  INTEGER NOT NULL,                 -- when the present wait for a session ends without one
    lease       INTEGER REFERENCES attempts (id), -- the attempt that holds a session
    wish        TEXT NOT NULL DEFAULT 'none' CHECK (wish IN ('none', 'cancel', 'reassign')),
    session     TEXT REFERENCES sessions (id),
    avoid       TEXT,                             -- session it was taken away from
    tried       INTEGER NOT NULL DEFAULT 0,
    attempts    INTEGER NOT NULL,
    refusals    INTEGER NOT NULL DEFAULT 0,       -- refusals by the gate in a row
    result      TEXT,                             -- JSON object
    scores      TEXT,                             -- JSON list: the last routing
    created     INTEGER NOT NULL,
    changed     INTEGER NOT NULL,
    idempotency_key  TEXT UNIQUE,
    idempotency_hash TEXT,
    CHECK ((state IN ('assigned', 'in_progress')) <= (lease IS NOT NULL)),
    CHECK ((state IN ('pending', 'completed', 'failed', 'cancelled')) <= (lease IS NULL)),
    CHECK ((state = 'held') <= (hold_code IS NOT NULL)),
    CHECK ((state IN ('completed', 'failed', 'cancelled')) = (result IS NOT NULL))
) STRICT;
INSERT INTO prompts_new (id, asked, state, hold_code, hold_text, due, wait_until, lease, wish, session, avoid, tried,
        attempts, refusals, result, scores, created, changed, idempotency_key, idempotency_hash)
    SELECT id, json_object('text', text, 'target', target, 'priority', priority, 'dir', dir, 'branch', branch,
            'agent', agent, 'timeout_ms', timeout_ms, 'attempts', attempts, 'command', json(iif(command, 'true', 'false')),
            'wait_ms', 86400000, 'accept_ms', 600000, 'silence_ms', 1800000),
        state, hold_code, hold_text, due, changed + 86400000, lease, wish, session, avoid, tried, attempts, refusals,
        result, scores, created, changed, idempotency_key, idempotency_hash
    FROM prompts;
DROP TABLE prompts;
ALTER TABLE prompts_new RENAME TO prompts;
CREATE INDEX prompts_due ON prompts (id) WHERE due IS NOT NULL;
CREATE INDEX prompts_open ON prompts (id) WHERE state NOT IN ('completed', 'failed', 'cancelled');
CREATE INDEX prompts_by_state ON prompts (state, id);
CREATE INDEX prompts_by_change ON prompts (changed) WHERE state IN ('completed', 'failed', 'cancelled');

-- Which prompts wait for which. A row stays until the waiting one is no longer in need of it.
CREATE TABLE needs (
    prompt      INTEGER NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    needs       INTEGER NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    PRIMARY KEY (prompt, needs)
) STRICT, WITHOUT ROWID;
CREATE INDEX needs_by_needed ON needs (needs);

CREATE TABLE attempts_new (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    prompt      INTEGER NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    session     TEXT NOT NULL REFERENCES sessions (id),
    fence       INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    accepted_seq INTEGER,                         -- the report that said that it was accepted
    metrics     TEXT,                             -- JSON object: the session's figures at that moment
    outcome     TEXT CHECK (outcome IN ('completed', 'failed', 'interrupted', 'not_typed', 'unknown', 'timed_out', 'cancelled')),
    result      TEXT,                             -- JSON object
    ended       INTEGER,
    CHECK ((outcome IS NULL) = (result IS NULL)),
    UNIQUE (session, fence)
) STRICT;
INSERT INTO attempts_new (id, prompt, session, fence, number, outcome, result)
    SELECT id, prompt, session, fence, number, outcome, result FROM attempts;
DROP TABLE attempts;
ALTER TABLE attempts_new RENAME TO attempts;
CREATE INDEX attempts_by_prompt ON attempts (prompt, id);
-- One session works on one prompt, one prompt is in one session.
CREATE UNIQUE INDEX one_lease_per_session ON attempts (session) WHERE outcome IS NULL;
CREATE UNIQUE INDEX one_lease_per_prompt ON attempts (prompt) WHERE outcome IS NULL;

CREATE TABLE receipts_new (
    attempt     INTEGER NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
    step        TEXT NOT NULL CHECK (step IN ('leased', 'offered', 'prepared', 'intent', 'written', 'seen', 'submitted', 'accepted', 'started', 'ended', 'verified')),
    at          INTEGER NOT NULL,
    PRIMARY KEY (attempt, step)
) STRICT, WITHOUT ROWID;
INSERT INTO receipts_new SELECT attempt, step, at FROM receipts;
DROP TABLE receipts;
ALTER TABLE receipts_new RENAME TO receipts;

ALTER TABLE sessions ADD COLUMN role TEXT;
ALTER TABLE sessions ADD COLUMN caps TEXT NOT NULL DEFAULT '[]';  -- JSON list
ALTER TABLE sessions ADD COLUMN env TEXT NOT NULL DEFAULT '{}';   -- JSON object
ALTER TABLE sessions ADD COLUMN context_hash TEXT NOT NULL DEFAULT '';

-- Where a session worked, from a moment on.
CREATE TABLE contexts (
    session     TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq         INTEGER NOT NULL,                 -- the report that said so; 0: the first hello
    at          INTEGER NOT NULL,
    context     TEXT NOT NULL,                    -- JSON object
    PRIMARY KEY (session, seq)
) STRICT, WITHOUT ROWID;

-- What agents asked, and who answered.
CREATE TABLE approvals (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    session     TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    dialog      TEXT NOT NULL,                    -- JSON object
    state       TEXT NOT NULL CHECK (state IN ('open', 'answering', 'approved', 'denied', 'answered', 'gone')),
    answered_by TEXT,
    rule        TEXT,
    refused     TEXT,
    opened      INTEGER NOT NULL,
    closed      INTEGER,
    CHECK ((state IN ('open', 'answering')) = (closed IS NULL))
) STRICT;
-- A session asks one thing at a time.
CREATE UNIQUE INDEX one_open_approval ON approvals (session) WHERE closed IS NULL;

-- The rules over requests, each version as it was written. The newest is in force.
CREATE TABLE policies (
    version     INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    set_by      TEXT NOT NULL,
    text        TEXT NOT NULL
) STRICT;

-- Who did what. Rows are added and never changed; each holds the hash of all before it.
CREATE TABLE audit (
    seq         INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    done_by     TEXT NOT NULL,
    what        TEXT NOT NULL,
    target      TEXT NOT NULL,
    detail      TEXT NOT NULL,                    -- JSON
    hash        TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
