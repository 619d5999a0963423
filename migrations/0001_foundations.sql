-- One text for SQLite and PostgreSQL. Ids and times come from the program. Names, numbers, chat ids and texts are sealed
-- (store::sealed) and looked up by keyed hash. A line `-- append-only: TABLE` becomes the triggers that refuse UPDATE and DELETE.

CREATE TABLE setting (
    key        TEXT PRIMARY KEY,
    value      TEXT NOT NULL
);

CREATE TABLE centre (
    code       TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    timezone   TEXT NOT NULL,
    file       TEXT NOT NULL,            -- the centre's file as it was applied
    changed_at TIMESTAMPTZ NOT NULL
);

-- Whether texts may leave: one row for a centre, and one with scope '*' for all.
CREATE TABLE hold (
    scope      TEXT PRIMARY KEY,
    held       BOOLEAN NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    changed_by TEXT NOT NULL,
    why        TEXT NOT NULL
);

-- A channel that the provider refuses as a whole; cleared when its settings change or a person lifts the hold.
CREATE TABLE channel_stop (
    channel    TEXT PRIMARY KEY,
    since      TIMESTAMPTZ NOT NULL,
    why        TEXT NOT NULL,
    settings   TEXT NOT NULL             -- fingerprint of the settings that were refused
);

CREATE TABLE case_file (
    id            TEXT PRIMARY KEY,
    centre        TEXT NOT NULL REFERENCES centre (code),
    case_ref      TEXT NOT NULL,
    court_ordered BOOLEAN NOT NULL,
    children      BIGINT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('open', 'archived')),
    created_at    TIMESTAMPTZ NOT NULL,
    UNIQUE (centre, case_ref)
);

CREATE TABLE party (
    id         TEXT PRIMARY KEY,
    case_id    TEXT NOT NULL REFERENCES case_file (id),
    role       TEXT NOT NULL CHECK (role IN ('resident', 'contact', 'referrer')),
    name       TEXT NOT NULL,            -- sealed
    language   TEXT NOT NULL,
    channel    TEXT NOT NULL CHECK (channel IN ('sms', 'telegram', 'whatsapp', 'none')),
    consent    TEXT NOT NULL CHECK (consent IN ('yes', 'no', 'stop')),
    mode       TEXT NOT NULL CHECK (mode IN ('normal', 'discreet', 'silent')),
    detail     TEXT NOT NULL,            -- sealed: referrer's kind and e-mail
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (case_id, role)
);

-- A number or chat of a party. A phone is not a person: one number, several parties.
CREATE TABLE address (
    id          TEXT PRIMARY KEY,
    party_id    TEXT NOT NULL REFERENCES party (id),
    channel     TEXT NOT NULL CHECK (channel IN ('sms', 'telegram', 'whatsapp', 'ring')),
    number      TEXT NOT NULL,           -- sealed
    number_hash TEXT NOT NULL,
    safe        TEXT NOT NULL CHECK (safe IN ('safe', 'ring_first', 'never')),
    verified    BOOLEAN NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('current', 'pending', 'past')),
    since       TIMESTAMPTZ NOT NULL,
    UNIQUE (party_id, channel, number_hash)
);
CREATE INDEX address_by_number ON address (number_hash, channel);

CREATE TABLE opt_out (
    channel     TEXT NOT NULL,
    sender      TEXT NOT NULL,
    number_hash TEXT NOT NULL,
    active      BOOLEAN NOT NULL,
    changed_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (channel, sender, number_hash)
);

CREATE TABLE session (
    id           TEXT PRIMARY KEY,
    case_id      TEXT NOT NULL REFERENCES case_file (id),
    session_ref  TEXT,
    starts_at    TIMESTAMPTZ NOT NULL,
    ends_at      TIMESTAMPTZ NOT NULL,
    start_local  TEXT NOT NULL,
    timezone     TEXT NOT NULL,
    contact_type TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('booked', 'cancelled', 'closed', 'attended', 'no_show')),
    version      BIGINT NOT NULL,
    booked_at    TIMESTAMPTZ NOT NULL,
    cancelled_by TEXT CHECK (cancelled_by IN ('resident', 'contact', 'centre')),
    cancelled_at TIMESTAMPTZ,            -- when the cancellation that counts reached us
    notice_hours BIGINT NOT NULL,        -- rules in force when it was booked
    fee_minor    BIGINT NOT NULL,
    currency     TEXT NOT NULL,
    payer        TEXT NOT NULL,
    payment_days BIGINT NOT NULL,
    imported     TEXT NOT NULL           -- fingerprint of the row that the last import wrote or saw
);
CREATE INDEX session_by_case ON session (case_id, starts_at);
CREATE INDEX session_by_start ON session (starts_at);

-- A parent's place in a session: own times, own question, own answer.
CREATE TABLE attendee (
    session_id  TEXT NOT NULL REFERENCES session (id),
    role        TEXT NOT NULL CHECK (role IN ('resident', 'contact')),
    party_id    TEXT NOT NULL REFERENCES party (id),
    arrives_at  TIMESTAMPTZ NOT NULL,
    leaves_at   TIMESTAMPTZ NOT NULL,
    ask_version BIGINT NOT NULL,
    ask_known   TIMESTAMPTZ NOT NULL,    -- since when this question could have been asked
    ask_at      TIMESTAMPTZ,             -- when it is due; NULL: nothing to ask
    asked       TEXT NOT NULL,           -- '', 'queued', 'moved', or why not
    answer      TEXT NOT NULL CHECK (answer IN ('none', 'confirmed', 'cancelled')),
    answered_at TIMESTAMPTZ,
    hears_at    TIMESTAMPTZ,             -- when this party hears that the session is off; until then it is on for them
    undo_until  TIMESTAMPTZ,             -- this party called it off and may take it back until then
    undo_from   TEXT,                    -- from this address (hash) only
    PRIMARY KEY (session_id, role)
);
CREATE INDEX attendee_due ON attendee (ask_at) WHERE ask_at IS NOT NULL;
CREATE INDEX attendee_by_party ON attendee (party_id);

-- What was decided to be said: one row an intent, made once for its cause.
CREATE TABLE message (
    id              TEXT PRIMARY KEY,
    cause           TEXT NOT NULL UNIQUE,
    kind            TEXT NOT NULL,
    centre          TEXT NOT NULL,
    case_id         TEXT,
    party_id        TEXT,
    role            TEXT,
    session_id      TEXT,
    session_version BIGINT,
    ask_version     BIGINT,
    to_number       TEXT,                -- sealed; an answer goes to the address that asked
    to_hash         TEXT,
    data            TEXT NOT NULL,       -- sealed: what the text needs beside the session
    channel         TEXT NOT NULL,
    rank            BIGINT NOT NULL,     -- 0 answers, 1 urgent news, 2 the rest
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'delivered', 'undelivered', 'refused', 'expired', 'withdrawn', 'uncertain')),
    reason          TEXT,
    not_before      TIMESTAMPTZ NOT NULL,
    not_after       TIMESTAMPTZ,
    queued_at       TIMESTAMPTZ NOT NULL,
    sent_at         TIMESTAMPTZ,
    provider_id     TEXT,
    tries           BIGINT NOT NULL,
    claim           TEXT
);
CREATE INDEX message_due ON message (rank, not_before) WHERE state = 'waiting';
CREATE INDEX message_by_session ON message (session_id);
CREATE INDEX message_by_number ON message (to_hash, queued_at) WHERE to_hash IS NOT NULL;

-- One try. Its row is committed before the first byte leaves.
CREATE TABLE attempt (
    token       TEXT PRIMARY KEY,        -- in the address of the status callback
    message_id  TEXT NOT NULL REFERENCES message (id),
    worker      TEXT NOT NULL,
    channel     TEXT NOT NULL,
    sender      TEXT NOT NULL,
    number      TEXT NOT NULL,           -- sealed
    number_hash TEXT NOT NULL,
    body        TEXT NOT NULL,           -- sealed
    prompted    BOOLEAN NOT NULL,
    parts       BIGINT NOT NULL,
    started_at  TIMESTAMPTZ NOT NULL,
    ended_at    TIMESTAMPTZ,             -- with outcome NULL: the process saw it end in doubt
    outcome     TEXT CHECK (outcome IN ('accepted', 'not_sent', 'refused', 'uncertain')),
    provider_id TEXT,
    receipt     TEXT,
    error       TEXT,
    looks       BIGINT NOT NULL,
    looked_at   TIMESTAMPTZ
);
CREATE UNIQUE INDEX attempt_live ON attempt (message_id) WHERE outcome IS NULL OR outcome IN ('accepted', 'uncertain');
CREATE INDEX attempt_open ON attempt (started_at) WHERE outcome IS NULL;
CREATE UNIQUE INDEX attempt_by_provider ON attempt (provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX attempt_by_number ON attempt (number_hash, started_at);

-- How many texts began on a day (UTC), for the daily limit.
CREATE TABLE day_count (
    channel TEXT NOT NULL,
    day     TEXT NOT NULL,
    texts   BIGINT NOT NULL,
    PRIMARY KEY (channel, day)
);

-- The provider's words on our messages, every one, in the order they came.
CREATE TABLE receipt_event (
    id          TEXT PRIMARY KEY,
    token       TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    status      TEXT NOT NULL,
    error_code  TEXT,
    received_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX receipt_event_by_token ON receipt_event (token);
-- append-only: receipt_event

-- What came in: stored before it is answered.
CREATE TABLE inbound (
    id                  TEXT PRIMARY KEY,
    provider            TEXT NOT NULL,
    provider_message_id TEXT NOT NULL,
    channel             TEXT NOT NULL,
    sender              TEXT NOT NULL,   -- our number that it came to
    number              TEXT NOT NULL,   -- sealed
    number_hash         TEXT NOT NULL,
    body                TEXT NOT NULL,   -- sealed
    media               BIGINT NOT NULL,
    opt_out_type        TEXT,
    at                  TIMESTAMPTZ NOT NULL,  -- when it reached the centre's number
    recorded_at         TIMESTAMPTZ NOT NULL,
    found_by            TEXT NOT NULL CHECK (found_by IN ('hook', 'listing')),
    state               TEXT NOT NULL CHECK (state IN ('new', 'done')),
    intent              TEXT,
    rule                TEXT,
    UNIQUE (provider, provider_message_id)
);
CREATE INDEX inbound_new ON inbound (recorded_at) WHERE state = 'new';
CREATE INDEX inbound_by_number ON inbound (number_hash, at);

CREATE TABLE cancel_question (
    id              TEXT PRIMARY KEY,
    session_id      TEXT NOT NULL REFERENCES session (id),
    role            TEXT NOT NULL,
    session_version BIGINT NOT NULL,
    number_hash     TEXT NOT NULL,
    stem            TEXT NOT NULL,       -- sealed
    offered         TEXT NOT NULL,
    first_no_at     TIMESTAMPTZ NOT NULL,
    asked_at        TIMESTAMPTZ NOT NULL,
    nag_at          TIMESTAMPTZ,         -- when a person rings if it is not finished
    tries           BIGINT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('open', 'done', 'void'))
);
CREATE INDEX cancel_question_by_session ON cancel_question (session_id, role);
CREATE INDEX cancel_question_nag ON cancel_question (nag_at) WHERE state = 'open' AND nag_at IS NOT NULL;

CREATE TABLE task (
    id         TEXT PRIMARY KEY,
    cause      TEXT NOT NULL UNIQUE,
    topic      TEXT NOT NULL,
    centre     TEXT,
    case_id    TEXT,
    session_id TEXT,
    role       TEXT,
    inbound_id TEXT,
    message_id TEXT,
    opened_at  TIMESTAMPTZ NOT NULL,
    due_at     TIMESTAMPTZ,
    state      TEXT NOT NULL CHECK (state IN ('open', 'done')),
    done_at    TIMESTAMPTZ
);
CREATE INDEX task_open ON task (opened_at) WHERE state = 'open';
CREATE INDEX task_by_session ON task (session_id);

-- What happened, with the time it happened and the time it was recorded.
CREATE TABLE fact (
    id          TEXT PRIMARY KEY,
    case_id     TEXT,
    session_id  TEXT,
    role        TEXT,
    kind        TEXT NOT NULL,
    at          TIMESTAMPTZ NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    by_whom     TEXT NOT NULL,
    rule        TEXT NOT NULL,
    detail      TEXT NOT NULL            -- sealed
);
CREATE INDEX fact_by_case ON fact (case_id, at);
CREATE INDEX fact_by_kind ON fact (kind, recorded_at);
-- append-only: fact

CREATE TABLE worker (
    id         TEXT PRIMARY KEY,
    started_at TIMESTAMPTZ NOT NULL,
    beat_at    TIMESTAMPTZ NOT NULL,
    receives   BOOLEAN NOT NULL
);
