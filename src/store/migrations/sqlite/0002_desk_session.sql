-- Browsers' sessions at the desk. Handle and user are kept as keyed hashes, the token sealed.
CREATE TABLE desk_session (
    id         BLOB PRIMARY KEY,
    owner      BLOB NOT NULL,
    sealed     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX desk_session_owner ON desk_session (owner);
CREATE INDEX desk_session_expiry ON desk_session (expires_at);
