-- +goose Up
-- Nothing looks a provider up by its number, and few claims speak of another provider: each of these trees was
-- written for every answer or claim, and read for none or few.
DROP INDEX IF EXISTS provider_seq;
DROP INDEX IF EXISTS claim_other;
CREATE INDEX claim_other ON claim (other) WHERE other <> '';
