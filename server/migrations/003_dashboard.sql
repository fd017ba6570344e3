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
