-- Why a task exists, as far as the program asks in SQL: such tasks end by themselves in different ways. Until now the text of the
-- cause was matched for it; this reads it for the last time.
ALTER TABLE task ADD COLUMN origin TEXT NOT NULL DEFAULT 'other'
    CHECK (origin IN ('unasked_confirmation', 'acknowledgement', 'unfinished_cancellation', 'other'));
UPDATE task SET origin = CASE
    WHEN cause LIKE 'ring/%' THEN 'unasked_confirmation'
    WHEN cause LIKE 'ring-for/ack/%' THEN 'acknowledgement'
    WHEN cause LIKE 'cancel-unfinished/%' THEN 'unfinished_cancellation'
    ELSE 'other' END;
CREATE INDEX task_unfinished ON task (session_id) WHERE state = 'open' AND origin = 'unfinished_cancellation';
