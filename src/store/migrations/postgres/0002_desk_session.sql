-- Browsers' sessions at the desk. Handle and user are kept as keyed hashes, the token sealed.
CREATE TABLE desk_session (
    id         BYTEA PRIMARY KEY,
    owner      BYTEA NOT NULL,
    sealed     BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX desk_session_owner ON desk_session (owner);
CREATE INDEX desk_session_expiry ON desk_session (expires_at);
