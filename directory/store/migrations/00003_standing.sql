-- +goose Up
-- The newest event's hash stands in head too, so that an event replaced or taken away at the end is found.
ALTER TABLE head ADD COLUMN last_hash TEXT NOT NULL DEFAULT '';
UPDATE head SET last_hash = coalesce((SELECT hash FROM event ORDER BY seq DESC LIMIT 1), '');

-- What policies the moments in valid_until were computed with: their hash; empty is not known.
ALTER TABLE head ADD COLUMN policies TEXT NOT NULL DEFAULT '';

-- When the answer about a claim changes by itself: an instant, empty for never, ? for not computed yet. A
-- provider's valid_until is the first of their claims', so that one claim's news needs no other to be derived.
ALTER TABLE claim ADD COLUMN valid_until TEXT NOT NULL DEFAULT '?';
