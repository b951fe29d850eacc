-- What an administrator chose for a mailbox, as JSON; nothing chosen is the defaults.
ALTER TABLE mailbox ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
