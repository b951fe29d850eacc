-- Pages of the queues: one mailbox, one state, newest first.
CREATE INDEX inbound_queue ON inbound (mailbox, state, id);
CREATE INDEX outbox_queue ON outbox (mailbox, state, id);

-- What happened, for administrators; the newest of each mailbox stay. Mailbox '' is what concerns none or all.
-- `actor` is an administrator's name, `client` where he came from.
CREATE TABLE event (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox TEXT NOT NULL,
    at      INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail  TEXT NOT NULL,
    actor   TEXT,
    client  TEXT
) STRICT;
CREATE INDEX event_of_mailbox ON event (mailbox, id);
