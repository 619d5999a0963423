-- The order in which a party spoke, and where a STOP was said.

-- When what this party said last about this visit was said: what was sent before it, and comes later, changes nothing.
ALTER TABLE attendee ADD COLUMN decided_at TIMESTAMPTZ;

-- When the message came that a numbered question asks back: the notice of a cancellation counts from it. NULL: when it was asked.
ALTER TABLE choice ADD COLUMN said_at TIMESTAMPTZ;

-- Where the STOP was said that stopped this address: the channel, and the address there. A START in that place ends what it had stopped.
-- NULL: the service reports it, or it is older than this column.
ALTER TABLE opt_out ADD COLUMN said_on TEXT;
ALTER TABLE opt_out ADD COLUMN said_by TEXT;

-- Messages are applied in the order in which they were sent.
DROP INDEX inbound_new;
CREATE INDEX inbound_new ON inbound (at, recorded_at) WHERE state = 'new';
CREATE INDEX inbound_waiting ON inbound (number_hash, at) WHERE state = 'new';
