-- +goose Up
-- SQLite chooses among indexes by how many columns of each a query names, and looked for the few cases without a
-- place among all that are open.
DROP INDEX IF EXISTS cases_undated;
CREATE INDEX cases_undated ON cases (closed, due) WHERE due = '' AND closed = '';
-- Every follower reads providers by their number: 00019 was wrong to drop this one.
CREATE INDEX provider_seq ON provider (seq);
