-- +goose Up
-- Time opens cases of two more kinds: of what a register or a document showed that has ended by its own date, or is about
-- to. They wait for nobody while no page says it. Every kind stands in the order of harm that it now has (desk.go,
-- CaseKinds), closed ones too.
UPDATE cases SET harm = CASE kind WHEN 'possible_exclusion' THEN 0 WHEN 'adverse' THEN 1 WHEN 'expired' THEN 2 WHEN 'conflict' THEN 3 WHEN 'indeterminate' THEN 4
    WHEN 'reused_document' THEN 5 WHEN 'possible_duplicate' THEN 6 WHEN 'change' THEN 7 WHEN 'possible_removed' THEN 8 WHEN 'removal_request' THEN 9
    WHEN 'dispute' THEN 10 WHEN 'expiring' THEN 11 WHEN 'first_verification' THEN 12 WHEN 'facts_differ' THEN 13 ELSE harm END;
-- What is said with an end is worked out anew at the next look at what is due (store.TouchDue), which opens the cases.
UPDATE provider SET moments = '?', valid_until = '2000-01-01T00:00:00.000Z' WHERE listed = 1 AND id IN
    (SELECT c.provider FROM claim c JOIN event_payload p ON p.claim = c.id WHERE p.payload LIKE '%"expires":"%' OR p.payload LIKE '%"to":"%');

DROP TRIGGER provider_hides_cases;
-- +goose StatementBegin
CREATE TRIGGER provider_hides_cases AFTER UPDATE OF listed, withdrawn, merged_into ON provider
WHEN OLD.listed <> NEW.listed OR OLD.withdrawn <> NEW.withdrawn OR OLD.merged_into <> NEW.merged_into
BEGIN
    UPDATE cases SET hidden = CASE WHEN NEW.withdrawn = 1 OR NEW.merged_into <> '' OR NEW.listed = 0 AND kind IN ('expired', 'expiring') THEN 2 WHEN NEW.listed = 0 THEN 1 ELSE 0 END
        WHERE provider = NEW.id AND kind <> 'possible_removed';
END;
-- +goose StatementEnd
