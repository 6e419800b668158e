-- +goose Up
-- A claim stands in the file of its provider. home is for whom it was made: another one while that one is
-- merged into the provider, so that a merge can be taken back exactly.
CREATE TABLE claim_new (
    id           TEXT NOT NULL PRIMARY KEY,
    provider     TEXT NOT NULL,
    home         TEXT NOT NULL,
    kind         TEXT NOT NULL,
    issuer       TEXT NOT NULL,
    jurisdiction TEXT NOT NULL,
    title        TEXT NOT NULL,
    number_raw   TEXT NOT NULL,
    number_shown TEXT NOT NULL,
    number_key   TEXT NOT NULL,
    other        TEXT NOT NULL,
    created      TEXT NOT NULL,
    UNIQUE (home, kind, issuer, jurisdiction, title, number_key, other)
);
INSERT INTO claim_new (id, provider, home, kind, issuer, jurisdiction, title, number_raw, number_shown, number_key, other, created)
    SELECT id, provider, provider, kind, issuer, jurisdiction, title, number_raw, number_shown, number_key, other, created FROM claim;
DROP TABLE claim;
ALTER TABLE claim_new RENAME TO claim;
CREATE INDEX claim_other ON claim (other);
CREATE INDEX claim_provider ON claim (provider);

-- merge_record is which provider is merged into which, the event that decided it, and what the merged one had then:
-- the rows that spoke of them and the cases about them, as JSON.
CREATE TABLE merge_record (
    merged   TEXT   NOT NULL PRIMARY KEY,
    survivor TEXT   NOT NULL,
    event    BIGINT NOT NULL,
    kept     TEXT   NOT NULL
);
CREATE INDEX merge_record_survivor ON merge_record (survivor);

-- page is what is known of a page of a listing beyond what it says today: since when it speaks, and of whom it
-- spoke when it went. The row of a page that has gone is no source_record any more.
CREATE TABLE page (
    source   TEXT NOT NULL,
    key      TEXT NOT NULL,
    since    TEXT NOT NULL, -- the oldest date of its source's data with which it was imported
    provider TEXT NOT NULL, -- of a page that has gone: of whom it spoke
    gone     TEXT NOT NULL, -- the date of the source's data in which it was missing; empty while it is there
    doc      TEXT NOT NULL, -- of a page that has gone: what it said
    PRIMARY KEY (source, key)
);
CREATE INDEX page_provider ON page (provider) WHERE provider <> '';

-- removal is who asked that something about them be removed or corrected, and what came of it. Words and
-- contact are emptied when it is decided.
CREATE TABLE removal (
    id       TEXT   NOT NULL PRIMARY KEY,
    kind     TEXT   NOT NULL, -- removal, correction
    provider TEXT   NOT NULL,
    claim    TEXT   NOT NULL, -- of a correction: the statement; empty is the whole file
    words    TEXT   NOT NULL,
    contact  TEXT   NOT NULL,
    asked    TEXT   NOT NULL,
    due      TEXT   NOT NULL,
    state    TEXT   NOT NULL, -- open, proven, accepted, declined
    decided  TEXT   NOT NULL,
    staff    TEXT   NOT NULL, -- who decided; empty when the provider proved it
    auth     TEXT   NOT NULL,
    note     TEXT   NOT NULL,
    event    BIGINT NOT NULL
);
CREATE INDEX removal_state ON removal (state, asked);

-- suppression is who must not be listed again, by HMAC-SHA-256 under a secret that is not in the database.
CREATE TABLE suppression (
    hash    TEXT NOT NULL PRIMARY KEY,
    kind    TEXT NOT NULL, -- npi, licence, place (name and ZIP area), row; check proves the secret; distinct is a row said to be somebody else's
    removal TEXT NOT NULL,
    at      TEXT NOT NULL
);

-- Evidence that a removal has destroyed. Events go on naming it by its hash.
CREATE TABLE removed_evidence (
    sha256   TEXT   NOT NULL PRIMARY KEY,
    takedown BIGINT NOT NULL
);

-- A listing row says since when; of one that is there already it is the date of the release it was last in.
INSERT INTO page (source, key, since, provider, gone, doc)
    SELECT r.source, r.key, coalesce((SELECT min(run.as_of) FROM run WHERE run.source = r.source AND run.release = r.release), ''), '', '', ''
    FROM source_record r WHERE r.kind = 'listing';

-- Evidence is never changed, and destroyed only where a removal says so.
DROP TRIGGER IF EXISTS evidence_append_only ON evidence;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refuse_evidence_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM removed_evidence WHERE sha256 = OLD.sha256) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'DELETE of evidence refused: the ledger and its evidence are append-only' USING ERRCODE = 'integrity_constraint_violation';
END
$$;
-- +goose StatementEnd
DROP TRIGGER IF EXISTS evidence_no_update ON evidence;
CREATE TRIGGER evidence_no_update BEFORE UPDATE OR TRUNCATE ON evidence FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER IF EXISTS evidence_no_delete ON evidence;
CREATE TRIGGER evidence_no_delete BEFORE DELETE ON evidence FOR EACH ROW EXECUTE FUNCTION refuse_evidence_delete();
