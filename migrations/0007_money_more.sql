-- Wrong records, what was really told when, and tasks that nobody has to do any more.

-- The fact that this one takes out of the reckoning: once, and for good.
ALTER TABLE fact ADD COLUMN voids TEXT REFERENCES fact (id);
CREATE UNIQUE INDEX fact_voids ON fact (voids) WHERE voids IS NOT NULL;

-- When it was proven that the text reached its phone; NULL: it was not.
ALTER TABLE message ADD COLUMN delivered_at TIMESTAMPTZ;
UPDATE message SET delivered_at = sent_at WHERE state = 'delivered';

-- Ended by the program because what it asks for is not needed any more; nobody did it.
ALTER TABLE task ADD COLUMN moot BOOLEAN NOT NULL DEFAULT FALSE;
