-- Sessions that are started when work waits for them.

CREATE TABLE pools (
    name        TEXT PRIMARY KEY,
    asked       TEXT NOT NULL                     -- JSON object
) STRICT, WITHOUT ROWID;

-- The pool that a session was started for.
ALTER TABLE sessions ADD COLUMN pool TEXT;
