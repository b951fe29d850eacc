-- The number people see, the form in which our Message-IDs name the ticket, and since when the desk does not
-- show it any more. Rows from before learn them at the next sweep.
ALTER TABLE ticket ADD COLUMN number BIGINT;
ALTER TABLE ticket ADD COLUMN short TEXT;
ALTER TABLE ticket ADD COLUMN gone_at BIGINT;
CREATE INDEX ticket_number ON ticket (number);
CREATE INDEX ticket_short ON ticket (short);
CREATE INDEX outbox_on_ticket ON outbox (ticket, created_at);

-- One address is one mailbox. Of doubles the one that was connected last stays: its grant is the fresh one.
DELETE FROM sealed_record WHERE EXISTS (
    SELECT 1 FROM mailbox AS older JOIN mailbox AS newer ON lower(newer.address) = lower(older.address)
    WHERE sealed_record.name LIKE 'mailbox/' || older.id || '/%'
    AND (newer.connected_at > older.connected_at
        OR (newer.connected_at = older.connected_at AND newer.id > older.id)));
DELETE FROM mailbox WHERE EXISTS (
    SELECT 1 FROM mailbox AS newer WHERE lower(newer.address) = lower(mailbox.address)
    AND (newer.connected_at > mailbox.connected_at
        OR (newer.connected_at = mailbox.connected_at AND newer.id > mailbox.id)));
CREATE UNIQUE INDEX mailbox_address ON mailbox (lower(address));
