-- What administrators keep.

-- Prompts to begin with.
CREATE TABLE templates (
    name        TEXT PRIMARY KEY,
    prompt      TEXT NOT NULL                     -- JSON object
) STRICT, WITHOUT ROWID;

-- Credentials of people and programs: what each is called and what its roles allow, and when it was last used.
CREATE TABLE tokens_new (
    hash        BLOB PRIMARY KEY CHECK (length(hash) = 32),
    scope       TEXT NOT NULL CHECK (scope IN ('admin', 'wrapper', 'browser', 'token')),
    name        TEXT NOT NULL,
    roles       TEXT NOT NULL,                    -- JSON list
    created     INTEGER NOT NULL,
    expires     INTEGER,
    used        INTEGER
) STRICT;
INSERT INTO tokens_new (hash, scope, name, roles, created, expires)
    SELECT hash, scope, CASE scope WHEN 'admin' THEN 'cli' ELSE scope END,
        CASE scope WHEN 'wrapper' THEN '[]' ELSE '["admin"]' END, created, expires FROM tokens;
DROP TABLE tokens;
ALTER TABLE tokens_new RENAME TO tokens;
-- The audit log tells them apart by name.
CREATE UNIQUE INDEX tokens_by_name ON tokens (name) WHERE scope = 'token';
