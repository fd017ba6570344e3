-- What administrators keep.

-- Prompts to begin with.
CREATE TABLE templates (
    name        TEXT PRIMARY KEY,
    prompt      TEXT NOT NULL                     -- JSON object
) STRICT, WITHOUT ROWID;
