-- Files that mails brought: the bytes once each, by their SHA-256, and which mail calls them what. A file
-- without a digest was too much and is only named.
CREATE TABLE file_content (
    digest   TEXT PRIMARY KEY,
    size     BIGINT NOT NULL,
    added_at BIGINT NOT NULL,
    bytes    BYTEA NOT NULL
);

CREATE TABLE mail_file (
    inbound    BIGINT NOT NULL REFERENCES inbound (id),
    position   BIGINT NOT NULL,
    name       TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size       BIGINT NOT NULL,
    digest     TEXT REFERENCES file_content (digest),
    PRIMARY KEY (inbound, position)
);
CREATE INDEX mail_file_digest ON mail_file (digest);
