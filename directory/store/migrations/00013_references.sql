-- +goose Up
-- Records of references (NPPES, rosters, exclusion lists, delegations) lie packed in pages; source_record keeps
-- listings, and of references a copy of the rows that speak, or could speak, of a provider. What a body holds
-- and how it is checked stands in refpage.go.
CREATE TABLE reference_page (
    source TEXT   NOT NULL,
    number BIGINT NOT NULL,
    heads  BYTEA  NOT NULL,
    body   BYTEA  NOT NULL,
    PRIMARY KEY (source, number)
);

-- reference_span says which rows of sixteen pages a release has. In force is, of each span, what the newest
-- run wrote among those that are in force together.
CREATE TABLE reference_span (
    source TEXT   NOT NULL,
    span   BIGINT NOT NULL,
    run    BIGINT NOT NULL,
    body   BYTEA  NOT NULL,
    PRIMARY KEY (source, span, run)
);

-- reference_part counts the rows of a release by licence type, with the newest run that brought some.
CREATE TABLE reference_part (
    source TEXT   NOT NULL,
    run    BIGINT NOT NULL,
    part   TEXT   NOT NULL,
    held   BIGINT NOT NULL,
    newest BIGINT NOT NULL,
    PRIMARY KEY (source, run, part)
);

-- reference_segment and reference_index find rows by the hash of their key or of a block.
CREATE TABLE reference_segment (
    segment BIGINT NOT NULL PRIMARY KEY, -- run * 65536 + a count, so that a number never comes again
    source  TEXT   NOT NULL,
    low     BIGINT NOT NULL, -- the pages whose rows stand in it
    high    BIGINT NOT NULL,
    entries BIGINT NOT NULL,
    filter  BYTEA  NOT NULL
);

CREATE TABLE reference_index (
    segment BIGINT NOT NULL,
    first   BIGINT NOT NULL, -- the first hash, less 2^63
    body    BYTEA  NOT NULL,
    PRIMARY KEY (segment, first)
);

-- What was loaded in the former shape is not carried over, for only the files themselves give all that the new one
-- holds. Nothing may say meanwhile that it was looked for and not found, or that a list was clear: the runs count as
-- interrupted, so that no release of these sources is in force, every question to them could not be answered, and the
-- same files are read again instead of being known already. What was observed stays, as old as it is. Records that
-- speak of somebody stay as their copies.
UPDATE run SET outcome = 'interrupted', error = 'its rows were held in a former shape: import the release again'
    WHERE outcome = 'done' AND source IN (SELECT DISTINCT source FROM source_record WHERE kind <> 'listing');
DELETE FROM source_block WHERE EXISTS (SELECT 1 FROM source_record r WHERE r.source = source_block.source AND r.key = source_block.key AND r.kind <> 'listing');
DELETE FROM source_record WHERE kind <> 'listing' AND provider = '';
CREATE INDEX source_record_copy ON source_record (source, kind) WHERE kind <> 'listing';
