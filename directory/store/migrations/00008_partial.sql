-- +goose Up
-- A release of changes adds to a whole one: base is the number of that run, 0 of a run that is whole.
ALTER TABLE run ADD COLUMN base bigint NOT NULL DEFAULT 0;
