-- A mailbox that an administrator is setting up: one row per draft, what was entered so far as JSON.
CREATE TABLE draft (
    id         TEXT PRIMARY KEY,
    version    INTEGER NOT NULL,
    body       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
