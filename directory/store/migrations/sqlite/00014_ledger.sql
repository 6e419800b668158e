-- +goose Up
-- A number of the store is SQLite's own row number: with BIGINT each of these tables was two trees, and every
-- event was written twice as often.
CREATE TABLE event_new (
    seq        INTEGER NOT NULL PRIMARY KEY,
    commitment TEXT    NOT NULL,
    hash       TEXT    NOT NULL
);
INSERT INTO event_new (seq, commitment, hash) SELECT seq, commitment, hash FROM event ORDER BY seq;
DROP TABLE event;
ALTER TABLE event_new RENAME TO event;

CREATE TABLE event_payload_new (
    seq     INTEGER NOT NULL PRIMARY KEY,
    claim   TEXT    NOT NULL,
    salt    TEXT    NOT NULL,
    payload TEXT    NOT NULL
);
INSERT INTO event_payload_new (seq, claim, salt, payload) SELECT seq, claim, salt, payload FROM event_payload ORDER BY seq;
DROP TABLE event_payload;
ALTER TABLE event_payload_new RENAME TO event_payload;
CREATE INDEX event_payload_claim ON event_payload (claim);

CREATE TABLE change_new (
    seq      INTEGER NOT NULL PRIMARY KEY,
    provider TEXT    NOT NULL,
    why      TEXT    NOT NULL
);
INSERT INTO change_new (seq, provider, why) SELECT seq, provider, why FROM change ORDER BY seq;
DROP TABLE change;
ALTER TABLE change_new RENAME TO change;

-- +goose StatementBegin
CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_no_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER event_payload_no_update BEFORE UPDATE ON event_payload BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
-- +goose StatementEnd
