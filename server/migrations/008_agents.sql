-- Agents that queue prompts for others, and what they say of their own work.

-- How far an agent goes with its credential; a JSON object. NULL: it is no agent's.
ALTER TABLE tokens ADD COLUMN bounds TEXT;

-- Where the prompts come from that agents queued.
CREATE TABLE parents (
    prompt      INTEGER PRIMARY KEY REFERENCES prompts (id) ON DELETE CASCADE,
    token       TEXT NOT NULL,                    -- id of the credential
    by          TEXT NOT NULL,                    -- its name
    parent      INTEGER,                          -- the prompt that the agent worked on
    depth       INTEGER NOT NULL CHECK (depth > 0),
    at          INTEGER NOT NULL
) STRICT;
CREATE INDEX parents_by_token ON parents (token, at);
CREATE INDEX parents_by_parent ON parents (parent) WHERE parent IS NOT NULL;

-- What an attempt's agent last said of it; a JSON object.
ALTER TABLE attempts ADD COLUMN progress TEXT;

-- A question that an agent asks beside its terminal, with the name of its credential. A session's terminal asks one
-- thing at a time, its agent may ask several.
ALTER TABLE approvals ADD COLUMN asked_by TEXT;
DROP INDEX one_open_approval;
CREATE UNIQUE INDEX one_open_approval ON approvals (session) WHERE closed IS NULL AND asked_by IS NULL;
