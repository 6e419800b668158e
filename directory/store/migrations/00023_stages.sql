-- +goose Up
-- How far a case is and who decides it next were worked out in two ways, and these kinds fell under the wrong filters.
-- The program fills them in anew for a case whose due is empty (queue.go, placeCases).
UPDATE cases SET due = '' WHERE closed = '' AND kind IN ('possible_exclusion', 'adverse', 'indeterminate', 'possible_duplicate', 'removal_request');
