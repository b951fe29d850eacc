-- A mailbox that an administrator is setting up: one row per draft, what was entered so far as JSON.
CREATE TABLE draft (
    id         TEXT PRIMARY KEY,
    version    BIGINT NOT NULL,
    body       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
