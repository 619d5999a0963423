-- Series, replacements, where a move came from, questions about another date, and when a case is looked at.

-- Sessions booked ahead at the referral's frequency. (series, n) is the identity of an occurrence; dates are its present value.
CREATE TABLE series (
    id            TEXT PRIMARY KEY,
    case_id       TEXT NOT NULL REFERENCES case_file (id),
    pattern       TEXT NOT NULL,         -- 'weekly', '2-weeks', 'monthly-4th', 'monthly-last', 'monthly-date'
    first_local   TEXT NOT NULL,         -- day and time of n = 0 on the centre's wall clock
    minutes       BIGINT NOT NULL,
    contact_type  TEXT NOT NULL,
    resident_from BIGINT,                -- own arrival, minutes after the start (before it: negative); NULL: has no place
    resident_to   BIGINT,                -- own departure, minutes after the end
    contact_from  BIGINT,
    contact_to    BIGINT,
    weeks_ahead   BIGINT NOT NULL,       -- how far ahead it is booked
    until_local   TEXT,                  -- the last day; NULL: until told otherwise
    next_n        BIGINT NOT NULL,       -- every n below it is settled: booked once, or passed over for good
    state         TEXT NOT NULL CHECK (state IN ('running', 'ended')),
    made_at       TIMESTAMPTZ NOT NULL,
    made_by       TEXT NOT NULL,
    look_at       TIMESTAMPTZ            -- when the next n comes within reach; NULL: never
);
CREATE INDEX series_by_case ON series (case_id);
CREATE INDEX series_due ON series (look_at) WHERE look_at IS NOT NULL;

ALTER TABLE session ADD COLUMN series_id TEXT REFERENCES series (id);
ALTER TABLE session ADD COLUMN series_n BIGINT;
CREATE UNIQUE INDEX session_of_series ON session (series_id, series_n) WHERE series_id IS NOT NULL;

-- The missed session in whose place this one is booked.
ALTER TABLE session ADD COLUMN replaces TEXT REFERENCES session (id);
CREATE UNIQUE INDEX session_replaces ON session (replaces) WHERE replaces IS NOT NULL;

-- The last move: who began it ('centre', 'parent'), when it was recorded, and the start before it.
ALTER TABLE session ADD COLUMN move_origin TEXT;
ALTER TABLE session ADD COLUMN moved_at TIMESTAMPTZ;
ALTER TABLE session ADD COLUMN moved_from TIMESTAMPTZ;

-- Called off because its series has another pattern or ended, before anybody was told of it: nothing was missed.
ALTER TABLE session ADD COLUMN unbooked BOOLEAN NOT NULL DEFAULT FALSE;

-- "Can you come on …?": one question to both parents in the same words, whoever wished it.
CREATE TABLE date_question (
    id              TEXT PRIMARY KEY,
    session_id      TEXT NOT NULL REFERENCES session (id),
    session_version BIGINT NOT NULL,
    to_local        TEXT NOT NULL,
    origin          TEXT NOT NULL CHECK (origin IN ('centre', 'parent')),
    asked_at        TIMESTAMPTZ NOT NULL,
    asked_by        TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('open', 'closed', 'moved')),
    closed_at       TIMESTAMPTZ
);
CREATE INDEX date_question_by_session ON date_question (session_id);
CREATE UNIQUE INDEX date_question_open ON date_question (session_id) WHERE state = 'open';

CREATE TABLE date_answer (
    question_id TEXT NOT NULL REFERENCES date_question (id),
    role        TEXT NOT NULL CHECK (role IN ('resident', 'contact')),
    answer      TEXT NOT NULL CHECK (answer IN ('yes', 'no')),
    answered_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (question_id, role)
);

-- When a case is looked at for what falls due by itself: reviews, meetings, replacements, habits. NULL: it never was.
ALTER TABLE case_file ADD COLUMN bookings_at TIMESTAMPTZ;
CREATE INDEX case_bookings ON case_file (bookings_at) WHERE state = 'open';
