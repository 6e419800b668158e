-- +goose Up
-- staff_session is who is signed in at the desk. Of the secret only its SHA-256 is kept. A row ends by being
-- deleted; that it was there stands in staff_audit.
CREATE TABLE staff_session (
    sha256  TEXT NOT NULL PRIMARY KEY,
    id      TEXT NOT NULL UNIQUE,
    name    TEXT NOT NULL,
    how     TEXT NOT NULL, -- password and code, passkey, demo
    started TEXT NOT NULL,
    seen    TEXT NOT NULL,
    proved  TEXT NOT NULL
);
CREATE INDEX staff_session_name ON staff_session (name, started);

-- staff_login is what a person signs in with besides passkeys.
CREATE TABLE staff_login (
    name     TEXT   NOT NULL PRIMARY KEY,
    password TEXT   NOT NULL, -- argon2id, in the usual form with its parameters; empty is none
    totp     TEXT   NOT NULL, -- secret of the codes, encrypted; empty is none
    step     BIGINT NOT NULL, -- of the last code that was used: it and those before are used up
    changed  TEXT   NOT NULL
);

-- staff_passkey is the public half of a person's passkeys.
CREATE TABLE staff_passkey (
    id      TEXT NOT NULL PRIMARY KEY, -- as the authenticator names it, base64url
    name    TEXT NOT NULL,
    label   TEXT NOT NULL, -- as the person calls it
    doc     TEXT NOT NULL, -- key, counter and flags, as JSON
    created TEXT NOT NULL,
    used    TEXT NOT NULL  -- the day; empty is never
);
CREATE INDEX staff_passkey_name ON staff_passkey (name, created);

-- staff_code is what is good once and for a while: the codes by which people are let in, by their SHA-256, and
-- what a passkey was asked to sign and has signed. A code that was used is there no more.
CREATE TABLE staff_code (
    sha256  TEXT NOT NULL PRIMARY KEY,
    kind    TEXT NOT NULL, -- invite; signed, of a challenge, which is good once
    name    TEXT NOT NULL,
    made    TEXT NOT NULL,
    expires TEXT NOT NULL
);
CREATE INDEX staff_code_expires ON staff_code (expires);

-- staff_audit is who signed in, failed to, and changed what people sign in with, one row each, never altered. It
-- holds no secret, no address and no name that nobody has.
CREATE TABLE staff_audit (
    number  BIGINT NOT NULL PRIMARY KEY,
    at      TEXT   NOT NULL,
    name    TEXT   NOT NULL, -- about whom; empty is nobody that is known
    act     TEXT   NOT NULL,
    detail  TEXT   NOT NULL,
    made_by TEXT   NOT NULL  -- whoever did it; the person themself, or an admin, or the account at a terminal
);
CREATE INDEX staff_audit_name ON staff_audit (name, number);
-- Who signed in and what was changed stays.

-- +goose StatementBegin
CREATE TRIGGER staff_audit_no_update BEFORE UPDATE ON staff_audit BEGIN SELECT RAISE(ABORT, 'the trace of staff is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER staff_audit_no_delete BEFORE DELETE ON staff_audit BEGIN SELECT RAISE(ABORT, 'the trace of staff is append-only'); END;
-- +goose StatementEnd
