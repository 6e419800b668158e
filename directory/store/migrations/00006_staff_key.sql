-- +goose Up
-- staff_key holds the keys with which staff ask the API. Of a secret only its SHA-256 is kept; a key is
-- disabled and never deleted, so that what it was used for keeps a name.
CREATE TABLE staff_key (
    id        TEXT NOT NULL PRIMARY KEY,
    name      TEXT NOT NULL,
    sha256    TEXT NOT NULL,
    created   TEXT NOT NULL,
    last_used TEXT NOT NULL, -- day; empty is never
    disabled  TEXT NOT NULL  -- when; empty is not
);
CREATE INDEX staff_key_name ON staff_key (name);
