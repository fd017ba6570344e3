-- Conditions that a person should know of, and where they are told. The closed sets are the words of the crate `wire`.

CREATE TABLE alerts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT NOT NULL CHECK (kind IN ('stuck', 'failure_rate', 'context_mismatch', 'host_gone', 'observer_gone', 'approval_waiting', 'prompt_held', 'prompt_failed', 'rate_limited', 'sink_failing')),
    subject     TEXT NOT NULL,                    -- what it is about: one alert of a kind is open for each
    text        TEXT NOT NULL,
    session     TEXT,
    prompt      INTEGER,
    host        TEXT,
    opened      INTEGER NOT NULL,
    closed      INTEGER,
    escalations INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX one_open_alert ON alerts (kind, subject) WHERE closed IS NULL;

CREATE TABLE sinks (
    name        TEXT PRIMARY KEY,
    asked       TEXT NOT NULL,                    -- JSON object, without its secret
    secret      TEXT,
    delivered   INTEGER,
    failure     TEXT,                             -- why the last try failed; null: it did not
    tries       INTEGER NOT NULL DEFAULT 0,       -- failed ones in a row
    next        INTEGER NOT NULL DEFAULT 0        -- not tried before
) STRICT;

-- The outbox: a row stays until its sink has taken it.
CREATE TABLE notices (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    sink        TEXT NOT NULL REFERENCES sinks (name) ON DELETE CASCADE,
    alert       INTEGER NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    what        TEXT NOT NULL CHECK (what IN ('opened', 'escalated', 'closed')),
    due         INTEGER NOT NULL
) STRICT;
CREATE INDEX notices_by_sink ON notices (sink, due);
CREATE INDEX notices_by_alert ON notices (alert);
