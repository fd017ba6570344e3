-- Traces of prompts, as OpenTelemetry knows them. Tables whose closed sets grew are made anew; all rows are kept.

CREATE TABLE settings_new (
    name        TEXT PRIMARY KEY CHECK (name IN ('paused', 'install')),
    value       TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO settings_new SELECT name, value FROM settings;
DROP TABLE settings;
ALTER TABLE settings_new RENAME TO settings;
-- Tells this installation from others; no secret. What names a trace is made from it.
INSERT INTO settings (name, value) VALUES ('install', lower(hex(randomblob(16))));

-- What is told of a prompt that goes beyond the prompt itself. A row stays while its prompt does.
CREATE TABLE traces (
    prompt      INTEGER PRIMARY KEY REFERENCES prompts (id) ON DELETE CASCADE,
    parent      TEXT,                             -- the trace that it continues, as W3C writes it; null: one of its own
    began       INTEGER,                          -- when the life began that is told next; null: with the prompt
    due         INTEGER                           -- when that life ended, until a collector has been told
) STRICT;
CREATE INDEX traces_due ON traces (due) WHERE due IS NOT NULL;

-- What a session asked during an attempt.
CREATE INDEX approvals_by_session ON approvals (session, opened);
