-- +goose Up
-- The newest event's hash stands in head too, so that an event replaced or taken away at the end is found.
ALTER TABLE head ADD COLUMN last_hash TEXT NOT NULL DEFAULT '';
UPDATE head SET last_hash = coalesce((SELECT hash FROM event ORDER BY seq DESC LIMIT 1), '');

-- When the answer about each claim changes by itself: claim=instant, separated by spaces; a claim that is not
-- there never does. valid_until is the first of them, so that one claim's news needs no other to be derived.
-- A question mark is not computed yet. It stands with the provider, whose row is written anyway: in the
-- claims' own rows it doubled what a screening writes.
ALTER TABLE provider ADD COLUMN moments TEXT NOT NULL DEFAULT '?';

-- An event whose payload and salt a removal has destroyed, and the takedown that ordered it: an event too,
-- later than it. The chain stays whole.
CREATE TABLE removed (
    event    BIGINT NOT NULL PRIMARY KEY,
    takedown BIGINT NOT NULL
);
