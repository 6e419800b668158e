-- +goose Up
-- staff is who decides. A row is never deleted: the ledger names it.
CREATE TABLE staff (
    name     TEXT NOT NULL PRIMARY KEY,
    role     TEXT NOT NULL, -- verifier, approver
    added    TEXT NOT NULL,
    disabled TEXT NOT NULL  -- since when; empty while they decide
);

-- staff_change is what became of staff, one row for each change, never altered.
CREATE TABLE staff_change (
    number BIGINT NOT NULL PRIMARY KEY,
    at     TEXT   NOT NULL,
    name   TEXT   NOT NULL,
    act    TEXT   NOT NULL, -- add, disable
    role   TEXT   NOT NULL, -- that they have from then on
    made_by TEXT  NOT NULL,
    auth   TEXT   NOT NULL
);
CREATE INDEX staff_change_name ON staff_change (name, number);

-- A case without an event is about a row of a source and a provider: what it was opened for, and how often
-- that has changed.
ALTER TABLE cases ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
ALTER TABLE cases ADD COLUMN row_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE cases ADD COLUMN decided BIGINT NOT NULL DEFAULT 0; -- the event that closed it, of a case without one of its own
CREATE INDEX cases_provider ON cases (provider);

-- document is who sent which bytes first, so that the same bytes from somebody else are noticed.
CREATE TABLE document (
    sha256   TEXT NOT NULL,
    provider TEXT NOT NULL,
    at       TEXT NOT NULL,
    PRIMARY KEY (sha256, provider)
);
