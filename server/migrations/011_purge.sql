-- What was deleted is gone from the audit log as well: the details of an entry can be withheld, and nothing else. The chain
-- of hashes holds their hash in their place, so that it stays whole.

-- Hash of the details; null: an entry of before, whose chain holds the details themselves.
ALTER TABLE audit ADD COLUMN bound TEXT;
DROP TRIGGER audit_is_not_changed;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
WHEN NEW.bound IS NULL OR NEW.detail IS NOT '{"withheld":true}'
    OR (NEW.seq, NEW.at, NEW.done_by, NEW.what, NEW.target, NEW.hash, NEW.bound)
        IS NOT (OLD.seq, OLD.at, OLD.done_by, OLD.what, OLD.target, OLD.hash, OLD.bound)
BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;

-- A session is deleted only when no prompt names it.
CREATE INDEX prompts_by_session ON prompts (session) WHERE session IS NOT NULL;
