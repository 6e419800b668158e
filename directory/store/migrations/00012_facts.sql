-- +goose Up
-- What is said of a provider lies beside the row with their numbers: a screening writes those of everybody, and wrote
-- the facts with them. subject is what a provider is compared by, as JSON, so that a screening reads neither
-- facts nor claims; empty is not written yet, and is then made of them.
CREATE TABLE provider_facts (
    id      TEXT NOT NULL PRIMARY KEY,
    doc     TEXT NOT NULL,
    subject TEXT NOT NULL
);
INSERT INTO provider_facts (id, doc, subject) SELECT id, doc, '' FROM provider;
ALTER TABLE provider DROP COLUMN doc;

-- One screen of a provider is found without looking at their other claims.
DROP INDEX claim_provider;
CREATE INDEX claim_provider ON claim (provider, kind, issuer);
