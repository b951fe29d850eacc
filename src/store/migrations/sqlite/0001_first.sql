-- Times are milliseconds since 1970; lists are JSON text; names of states are words.

CREATE TABLE mailbox (
    id            TEXT PRIMARY KEY,
    kind          TEXT NOT NULL,
    address       TEXT NOT NULL,
    state         TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    connected_at  INTEGER NOT NULL,
    accept_since  INTEGER NOT NULL,
    last_poll_at  INTEGER,
    last_mail_at  INTEGER,
    last_error    TEXT,
    failing_since INTEGER,
    position      TEXT
) STRICT;

-- Apart from the mailbox: fencing numbers never start again, even after a disconnect.
CREATE TABLE lease (
    mailbox  TEXT PRIMARY KEY,
    holder   TEXT NOT NULL,
    fence    INTEGER NOT NULL,
    until_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sealed_record (
    name    TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    sealed  BLOB NOT NULL
) STRICT;

CREATE TABLE flow (
    id         TEXT PRIMARY KEY,
    state_hash BLOB NOT NULL UNIQUE,
    session    BLOB NOT NULL,
    sealed     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    parked     BLOB,
    parked_at  INTEGER
) STRICT;

CREATE TABLE inbound (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox       TEXT NOT NULL,
    source_key    TEXT NOT NULL,
    received_at   INTEGER NOT NULL,
    stored_at     INTEGER NOT NULL,
    state         TEXT NOT NULL,
    attempts      INTEGER NOT NULL DEFAULT 0,
    next_try_at   INTEGER NOT NULL,
    message_id    TEXT,
    intent        TEXT,
    intent_ticket TEXT,
    intent_at     INTEGER,
    ticket        TEXT,
    reason        TEXT,
    ended_at      INTEGER,
    settled       INTEGER NOT NULL DEFAULT 0,
    UNIQUE (mailbox, source_key)
) STRICT;
CREATE INDEX inbound_due ON inbound (next_try_at) WHERE state IN ('new', 'intent');
CREATE INDEX inbound_unsettled ON inbound (mailbox, id) WHERE settled = 0;
CREATE INDEX inbound_message ON inbound (mailbox, message_id);
CREATE INDEX inbound_state ON inbound (state, id);

-- Apart from the ledger's lines, so that listing them never reads mails.
CREATE TABLE inbound_raw (
    inbound INTEGER PRIMARY KEY REFERENCES inbound (id),
    raw     BLOB NOT NULL
) STRICT;

CREATE TABLE ticket (
    id             TEXT PRIMARY KEY,
    mailbox        TEXT NOT NULL,
    requester      TEXT NOT NULL,
    requester_name TEXT NOT NULL,
    subject        TEXT NOT NULL,
    message_ids    TEXT NOT NULL,
    opened_at      INTEGER NOT NULL,
    swept_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX ticket_swept ON ticket (swept_at);

CREATE TABLE message_ref (
    message_id TEXT PRIMARY KEY,
    ticket     TEXT NOT NULL,
    direction  TEXT NOT NULL,
    added_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE outbox (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    mailbox       TEXT,
    ticket        TEXT NOT NULL,
    comment       TEXT NOT NULL,
    message_id    TEXT UNIQUE,
    recipient     TEXT,
    state         TEXT NOT NULL,
    attempts      INTEGER NOT NULL DEFAULT 0,
    next_try_at   INTEGER NOT NULL,
    provider_id   TEXT,
    dispatched_at INTEGER,
    created_at    INTEGER NOT NULL,
    sent_at       INTEGER,
    reason        TEXT,
    UNIQUE (ticket, comment)
) STRICT;
CREATE INDEX outbox_due ON outbox (mailbox, next_try_at) WHERE state IN ('queued', 'sending');
CREATE INDEX outbox_state ON outbox (state, id);

CREATE TABLE outbox_mime (
    outbox INTEGER PRIMARY KEY REFERENCES outbox (id),
    mime   BLOB NOT NULL
) STRICT;

CREATE TABLE fact (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE hint (
    hint     TEXT PRIMARY KEY,
    added_at INTEGER NOT NULL
) STRICT;
