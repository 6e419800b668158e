-- +goose Up
-- A partner is a source that the operator of this directory has added to those the program ships with.
CREATE TABLE partner (
    id  TEXT NOT NULL PRIMARY KEY,
    doc TEXT NOT NULL -- what is known of it, as JSON
);
