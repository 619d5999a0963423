-- Fees, doctor's notes, holds: facts with amounts, and what follows from them. The state of a fee is computed from the facts and stands nowhere.

-- Minor units and ISO code, for payments.
ALTER TABLE fact ADD COLUMN amount BIGINT;
ALTER TABLE fact ADD COLUMN currency TEXT;

-- No new bookings, as the facts said when they were last looked at.
ALTER TABLE case_file ADD COLUMN bookings_hold BOOLEAN NOT NULL DEFAULT FALSE;
-- When something happens by itself that nobody records: a reminder, a deadline, the closing of the file. NULL: nothing is to come.
ALTER TABLE case_file ADD COLUMN look_at TIMESTAMPTZ;
CREATE INDEX case_look ON case_file (look_at) WHERE look_at IS NOT NULL;

-- A person holds this one text back. NULL: nobody does.
ALTER TABLE message ADD COLUMN held_at TIMESTAMPTZ;
ALTER TABLE message ADD COLUMN held_by TEXT;
-- Texts about money and notes have a rank of their own.
CREATE INDEX message_about_money ON message (case_id) WHERE rank = 3;
CREATE INDEX task_by_case ON task (case_id, topic);

-- People of the centre who record and decide. While there is none, every name is taken.
CREATE TABLE staff (
    name       TEXT PRIMARY KEY,
    role       TEXT NOT NULL CHECK (role IN ('volunteer', 'coordinator', 'manager', 'admin')),
    added_at   TIMESTAMPTZ NOT NULL,
    removed_at TIMESTAMPTZ
);
