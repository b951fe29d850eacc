-- A mail that was listed and could not be fetched has no bytes and waits with `fetched` 0. Before, it was put
-- aside with empty ones.
ALTER TABLE inbound ADD COLUMN fetched INTEGER NOT NULL DEFAULT 1;
UPDATE inbound SET fetched = 0 WHERE state IN ('new', 'quarantined')
    AND id IN (SELECT inbound FROM inbound_raw WHERE length(raw) = 0);
DELETE FROM inbound_raw WHERE length(raw) = 0;

-- How often the mail itself was refused or could not be read; `attempts` counts every try.
ALTER TABLE inbound ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;
-- Whether the desk is still to be told that the mail was put aside.
ALTER TABLE inbound ADD COLUMN untold INTEGER NOT NULL DEFAULT 0;
-- How often what is to become of the mail on its server was tried, and when to try next.
ALTER TABLE inbound ADD COLUMN settle_tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE inbound ADD COLUMN settle_at INTEGER NOT NULL DEFAULT 0;
-- Whether it waited while its mailbox was disconnected: its age was judged by that connection.
ALTER TABLE inbound ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0;

DROP INDEX inbound_due;
CREATE INDEX inbound_waiting ON inbound (mailbox, received_at, id) WHERE fetched = 1 AND state IN ('new', 'intent');
CREATE INDEX inbound_unfetched ON inbound (mailbox, received_at, id) WHERE fetched = 0 AND state = 'new';
CREATE INDEX inbound_next_try ON inbound (mailbox, next_try_at) WHERE state IN ('new', 'intent');
CREATE INDEX inbound_stored ON inbound (mailbox, stored_at) WHERE fetched = 1;
CREATE INDEX inbound_untold ON inbound (mailbox, id) WHERE untold = 1;

-- Disconnected mailboxes: an address that is connected again is the same mailbox, with what waits in it.
CREATE TABLE former_mailbox (
    address TEXT PRIMARY KEY,
    mailbox TEXT NOT NULL
) STRICT;
