-- +goose Up
-- Nothing looks a provider up by its number, and few claims speak of another provider: each of these trees was
-- written for every answer or claim, and read for none or few.
DROP INDEX provider_seq;
DROP INDEX claim_other;
CREATE INDEX claim_other ON claim (other) WHERE other <> '';
