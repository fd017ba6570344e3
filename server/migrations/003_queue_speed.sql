-- How sessions scored is written once per lease and long: in the prompt's own row it was written again with each step of
-- its life. What waits is found by the index of what is open.

CREATE TABLE scores (
    prompt      INTEGER PRIMARY KEY REFERENCES prompts (id) ON DELETE CASCADE,
    scores      TEXT NOT NULL                     -- JSON list: the last routing
) STRICT;
INSERT INTO scores SELECT id, scores FROM prompts WHERE scores IS NOT NULL;
ALTER TABLE prompts DROP COLUMN scores;
DROP INDEX prompts_due;
