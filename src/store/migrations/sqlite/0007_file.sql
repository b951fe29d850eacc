-- Files that mails brought: the bytes once each, by their SHA-256, and which mail calls them what. A file
-- without a digest was too much and is only named.
CREATE TABLE file_content (
    digest   TEXT PRIMARY KEY,
    size     INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    bytes    BLOB NOT NULL
) STRICT;
-- Lets the sum of all sizes be read without the bytes.
CREATE INDEX file_content_size ON file_content (size);

CREATE TABLE mail_file (
    inbound    INTEGER NOT NULL REFERENCES inbound (id),
    position   INTEGER NOT NULL,
    name       TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size       INTEGER NOT NULL,
    digest     TEXT REFERENCES file_content (digest),
    PRIMARY KEY (inbound, position)
) STRICT;
CREATE INDEX mail_file_digest ON mail_file (digest);
