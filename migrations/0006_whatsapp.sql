-- WhatsApp beside texts and chats.

-- A channel that did not take this message: it goes by the party's next one.
ALTER TABLE message ADD COLUMN not_by TEXT;

-- The text stood at the service (a content template): its list may show other words than those that we keep, or none.
ALTER TABLE attempt ADD COLUMN content BOOLEAN NOT NULL DEFAULT FALSE;

-- Where a cancellation was asked for, and where alone it is finished: a number is the same on several channels. NULL: on any.
ALTER TABLE cancel_question ADD COLUMN channel TEXT;
