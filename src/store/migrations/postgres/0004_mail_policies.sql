-- What is known of a mail once it was read: keyed hash of its sender, hash of what it says, how many files
-- it brings. One that was never read is taken to bring files, so that its bytes are kept.
ALTER TABLE inbound ADD COLUMN sender TEXT;
ALTER TABLE inbound ADD COLUMN content TEXT;
ALTER TABLE inbound ADD COLUMN files BIGINT NOT NULL DEFAULT 1;
CREATE INDEX inbound_sender ON inbound (sender, stored_at);
CREATE INDEX inbound_anywhere ON inbound (message_id);
CREATE INDEX inbound_on_ticket ON inbound (ticket, received_at);
CREATE INDEX inbound_on_its_way ON inbound (intent_ticket) WHERE state = 'intent';
CREATE INDEX inbound_ended ON inbound (ended_at) WHERE state IN ('done', 'ignored');

-- Who else takes part (JSON), Outlook's mark of the conversation, whether the desk has closed it (what was
-- there before counts as closed: nobody is told of it now), and whether it began as a mail.
ALTER TABLE ticket ADD COLUMN participants TEXT NOT NULL DEFAULT '[]';
ALTER TABLE ticket ADD COLUMN thread_index TEXT;
ALTER TABLE ticket ADD COLUMN closed BIGINT NOT NULL DEFAULT 1;
ALTER TABLE ticket ADD COLUMN by_mail BIGINT NOT NULL DEFAULT 1;

-- What kind of mail it is, and how often it was sent again without proof that the first did not arrive.
ALTER TABLE outbox ADD COLUMN kind TEXT NOT NULL DEFAULT 'answer';
ALTER TABLE outbox ADD COLUMN doubled BIGINT NOT NULL DEFAULT 0;
CREATE INDEX outbox_recipient ON outbox (kind, recipient, created_at);
