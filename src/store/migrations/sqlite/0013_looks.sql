-- Conversations to look at, the longest unseen first, of each kind apart.
DROP INDEX ticket_swept;
CREATE INDEX ticket_swept ON ticket (by_mail, swept_at, id);

-- Whom a notice went to, in whatever case the address is written.
DROP INDEX outbox_recipient;
CREATE INDEX outbox_recipient ON outbox (kind, LOWER(recipient), created_at);

-- Bytes of sent mails are dropped after a time.
CREATE INDEX outbox_sent ON outbox (sent_at) WHERE state = 'sent';
