-- What a person answered an agent's question in words of their own.
ALTER TABLE approvals ADD COLUMN words TEXT;
