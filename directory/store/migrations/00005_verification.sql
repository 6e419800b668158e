-- +goose Up
-- verification is what each kapdir verify did; what it found lies in the ledger.
CREATE TABLE verification (
    id      TEXT   NOT NULL PRIMARY KEY,
    number  BIGINT NOT NULL UNIQUE,
    started TEXT   NOT NULL,
    ended   TEXT   NOT NULL,
    policy  TEXT   NOT NULL,
    scope   TEXT   NOT NULL, -- what it was told to look at, as JSON
    outcome TEXT   NOT NULL, -- running, done, failed, interrupted
    error   TEXT   NOT NULL,
    counts  TEXT   NOT NULL
);
