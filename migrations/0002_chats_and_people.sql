-- Chats beside texts, several senders, numbered questions, phones that pause, alerts to staff, closures.

-- An address that rests: the bot was blocked there, or a stranger answered ("wrong number"). NULL: it does not.
ALTER TABLE address ADD COLUMN blocked_at TIMESTAMPTZ;
ALTER TABLE address ADD COLUMN paused_at TIMESTAMPTZ;

-- Hours of the local day at which this party's phone may show a text ('09:00-15:00'); NULL: whenever the centre sends.
ALTER TABLE party ADD COLUMN safe_hours TEXT;

-- What came in beside plain texts: a press on a button, a block, a group. detail (sealed) holds what its kind needs.
ALTER TABLE inbound ADD COLUMN kind TEXT NOT NULL DEFAULT 'text';
ALTER TABLE inbound ADD COLUMN detail TEXT NOT NULL DEFAULT '';
-- A press carries no time: it may have come at any instant since then.
ALTER TABLE inbound ADD COLUMN earliest_at TIMESTAMPTZ;

-- Each line (channel and sender) claims its own messages.
DROP INDEX message_due;
CREATE INDEX message_due ON message (channel, rank, not_before) WHERE state = 'waiting';

-- "Which visit?": a numbered question to one address.
CREATE TABLE choice (
    id          TEXT PRIMARY KEY,
    channel     TEXT NOT NULL,
    sender      TEXT NOT NULL,
    number_hash TEXT NOT NULL,
    wanted      TEXT NOT NULL,           -- confirm, cancel, or the reason of a cancellation
    options     TEXT NOT NULL,           -- session:ask_version, in the order of their numbers
    asked_at    TIMESTAMPTZ NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('open', 'done'))
);
CREATE INDEX choice_by_number ON choice (number_hash, asked_at) WHERE state = 'open';

-- A single-use code that links a chat to a party; only its hash is kept.
CREATE TABLE link_code (
    code_hash  TEXT PRIMARY KEY,
    party_id   TEXT NOT NULL REFERENCES party (id),
    sender     TEXT NOT NULL,
    made_at    TIMESTAMPTZ NOT NULL,
    made_by    TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at    TIMESTAMPTZ
);

-- A chat that waits until staff have heard the number that it shows.
CREATE TABLE link_wait (
    id          TEXT PRIMARY KEY,
    party_id    TEXT NOT NULL REFERENCES party (id),
    sender      TEXT NOT NULL,
    chat        TEXT NOT NULL,           -- sealed
    chat_hash   TEXT NOT NULL,
    number      TEXT NOT NULL,           -- sealed: the four digits
    tries       BIGINT NOT NULL,
    asked_at    TIMESTAMPTZ NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('open', 'done', 'void'))
);

-- Small things to do in a chat that do no harm twice: answer a press, take buttons away, replace a text, leave a group.
CREATE TABLE errand (
    id         TEXT PRIMARY KEY,
    sender     TEXT NOT NULL,
    what       TEXT NOT NULL CHECK (what IN ('answer', 'unbutton', 'replace', 'leave')),
    chat       TEXT NOT NULL,            -- sealed
    target     TEXT NOT NULL,            -- the press or the message it is about
    words      TEXT NOT NULL,            -- sealed
    made_at    TIMESTAMPTZ NOT NULL,
    not_before TIMESTAMPTZ NOT NULL,
    not_after  TIMESTAMPTZ NOT NULL,
    tries      BIGINT NOT NULL
);
CREATE INDEX errand_due ON errand (sender, not_before);

-- Which urgent tasks staff were alerted to.
ALTER TABLE task ADD COLUMN alerted_at TIMESTAMPTZ;

CREATE TABLE closure (
    id          TEXT PRIMARY KEY,
    centre      TEXT NOT NULL REFERENCES centre (code),
    from_local  TEXT NOT NULL,
    to_local    TEXT NOT NULL,
    why         TEXT NOT NULL,           -- sealed, for staff only
    families    BIGINT NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    by_whom     TEXT NOT NULL
);

-- Stops are kept by line now; what was refused before is tried once more.
DELETE FROM channel_stop;
