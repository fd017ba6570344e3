-- The closed sets below are the words of the crate `wire`; a test in store/words.rs compares them.

CREATE TABLE sessions (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    host        TEXT NOT NULL,
    host_name   TEXT NOT NULL,
    agent       TEXT NOT NULL,
    argv        TEXT NOT NULL,                    -- JSON list
    epoch       INTEGER NOT NULL,                 -- newest observer seen; grows
    ack         INTEGER NOT NULL DEFAULT 0,       -- last committed report; grows
    fence       INTEGER NOT NULL DEFAULT 0,       -- last lease given; grows for ever
    state       TEXT NOT NULL CHECK (state IN ('starting', 'idle', 'busy', 'waiting_permission', 'waiting_input', 'exited', 'unknown')),
    source      TEXT NOT NULL CHECK (source IN ('exit', 'hook', 'status', 'terminal', 'screen', 'input', 'silence')),
    rule        TEXT NOT NULL,
    evidence    TEXT NOT NULL,
    since       INTEGER NOT NULL,
    background  INTEGER NOT NULL,
    dialog      TEXT,                             -- JSON object
    dir         TEXT NOT NULL,
    branch      TEXT,
    repo        TEXT,
    title       TEXT NOT NULL,
    cols        INTEGER NOT NULL,
    rows        INTEGER NOT NULL,
    last_line   TEXT NOT NULL,
    metrics     TEXT NOT NULL,                    -- JSON object
    started     INTEGER NOT NULL,
    active      INTEGER NOT NULL,
    exit        TEXT,                             -- JSON object
    ended       INTEGER                           -- when the exit was learned
) STRICT;
CREATE INDEX sessions_by_name ON sessions (name);
CREATE INDEX sessions_by_end ON sessions (ended);

CREATE TABLE states (
    session     TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    seq         INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('starting', 'idle', 'busy', 'waiting_permission', 'waiting_input', 'exited', 'unknown')),
    source      TEXT NOT NULL CHECK (source IN ('exit', 'hook', 'status', 'terminal', 'screen', 'input', 'silence')),
    rule        TEXT NOT NULL,
    evidence    TEXT NOT NULL,
    since       INTEGER NOT NULL,
    background  INTEGER NOT NULL,
    PRIMARY KEY (session, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
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
    PRIMARY KEY (session, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE prompts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    text        TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('pending', 'assigned', 'in_progress', 'held', 'completed', 'failed', 'cancelled')),
    hold_code   TEXT CHECK (hold_code IN ('not_idle', 'dialog_open', 'draft', 'human_typing', 'composer_unreadable', 'not_seen', 'not_accepted', 'unknown', 'wrong_context', 'session_gone', 'stale_fence', 'text_refused', 'storage', 'person')),
    hold_text   TEXT,
    due         INTEGER,                          -- when it may be offered next; null: not by itself
    lease       INTEGER REFERENCES attempts (id), -- the attempt that holds a session
    wish        TEXT NOT NULL DEFAULT 'none' CHECK (wish IN ('none', 'cancel', 'reassign')),
    target      TEXT,
    session     TEXT REFERENCES sessions (id),
    avoid       TEXT,                             -- session it was taken away from
    priority    INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 10),
    dir         TEXT,
    branch      TEXT,
    agent       TEXT,
    timeout_ms  INTEGER NOT NULL,
    tried       INTEGER NOT NULL DEFAULT 0,
    attempts    INTEGER NOT NULL,
    refusals    INTEGER NOT NULL DEFAULT 0,       -- refusals by the gate in a row
    command     INTEGER NOT NULL,
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
CREATE INDEX prompts_due ON prompts (priority DESC, id) WHERE due IS NOT NULL;
CREATE INDEX prompts_open ON prompts (id) WHERE state NOT IN ('completed', 'failed', 'cancelled');
CREATE INDEX prompts_by_state ON prompts (state, id);

CREATE TABLE attempts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    prompt      INTEGER NOT NULL REFERENCES prompts (id) ON DELETE CASCADE,
    session     TEXT NOT NULL REFERENCES sessions (id),
    fence       INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    outcome     TEXT CHECK (outcome IN ('completed', 'failed', 'interrupted', 'not_typed', 'unknown', 'timed_out', 'cancelled')),
    result      TEXT,                             -- JSON object
    CHECK ((outcome IS NULL) = (result IS NULL)),
    UNIQUE (session, fence)
) STRICT;
CREATE INDEX attempts_by_prompt ON attempts (prompt, id);
-- One session works on one prompt, one prompt is in one session.
CREATE UNIQUE INDEX one_lease_per_session ON attempts (session) WHERE outcome IS NULL;
CREATE UNIQUE INDEX one_lease_per_prompt ON attempts (prompt) WHERE outcome IS NULL;

CREATE TABLE receipts (
    attempt     INTEGER NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
    step        TEXT NOT NULL CHECK (step IN ('leased', 'offered', 'intent', 'written', 'seen', 'submitted', 'accepted', 'started', 'ended')),
    at          INTEGER NOT NULL,
    PRIMARY KEY (attempt, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    hash        BLOB PRIMARY KEY CHECK (length(hash) = 32),
    scope       TEXT NOT NULL CHECK (scope IN ('admin', 'wrapper', 'browser')),
    created     INTEGER NOT NULL,
    expires     INTEGER
) STRICT;
