-- +goose Up
-- Text and bigint columns only, ids made in Go, JSON opaque in text: what both databases take as it is.
-- Instants are fixed-width UTC text, dates are YYYY-MM-DD, truth values are 0 and 1, hashes are hexadecimal.

-- head gives every number of the store. Its one row is updated last in each writing transaction.
CREATE TABLE head (
    one         BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    seq         BIGINT NOT NULL,
    recorded_ms BIGINT NOT NULL, -- milliseconds since 1970, so that one statement can compute the next
    public_seq  BIGINT NOT NULL
);
INSERT INTO head (one, seq, recorded_ms, public_seq) VALUES (1, 0, 0, 0);

-- event is the chain; what an event says lies in event_payload, which a removal can destroy.
CREATE TABLE event (
    seq        BIGINT NOT NULL PRIMARY KEY,
    commitment TEXT   NOT NULL,
    hash       TEXT   NOT NULL
);

CREATE TABLE event_payload (
    seq     BIGINT NOT NULL PRIMARY KEY,
    claim   TEXT   NOT NULL,
    salt    TEXT   NOT NULL,
    payload TEXT   NOT NULL
);
CREATE INDEX event_payload_claim ON event_payload (claim, seq);

CREATE TABLE evidence (
    sha256 TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    class  TEXT NOT NULL,
    meta   TEXT NOT NULL,
    body   TEXT NOT NULL
);

CREATE TABLE provider (
    id          TEXT   NOT NULL PRIMARY KEY,
    doc         TEXT   NOT NULL,
    listed      BIGINT NOT NULL,
    withdrawn   BIGINT NOT NULL,
    merged_into TEXT   NOT NULL,
    seq         BIGINT NOT NULL, -- of the newest change
    valid_until TEXT   NOT NULL
);
CREATE INDEX provider_seq ON provider (seq);
CREATE INDEX provider_valid_until ON provider (valid_until);

CREATE TABLE provider_block (
    block    TEXT NOT NULL,
    provider TEXT NOT NULL,
    PRIMARY KEY (block, provider)
);
CREATE INDEX provider_block_provider ON provider_block (provider);

CREATE TABLE change (
    seq      BIGINT NOT NULL PRIMARY KEY,
    provider TEXT   NOT NULL,
    why      TEXT   NOT NULL
);

CREATE TABLE claim (
    id           TEXT NOT NULL PRIMARY KEY,
    provider     TEXT NOT NULL,
    kind         TEXT NOT NULL,
    issuer       TEXT NOT NULL,
    jurisdiction TEXT NOT NULL,
    title        TEXT NOT NULL,
    number_raw   TEXT NOT NULL,
    number_shown TEXT NOT NULL,
    number_key   TEXT NOT NULL,
    other        TEXT NOT NULL,
    created      TEXT NOT NULL,
    UNIQUE (provider, kind, issuer, jurisdiction, title, number_key, other)
);
CREATE INDEX claim_other ON claim (other);

-- source_record holds every row and page of a source, matched or not, so that a provider who arrives
-- later is matched against what is loaded.
CREATE TABLE source_record (
    source   TEXT   NOT NULL,
    key      TEXT   NOT NULL,
    kind     TEXT   NOT NULL, -- listing, identity, licence, exclusion
    part     TEXT   NOT NULL, -- of a roster: the licence type; a release replaces the parts it carries
    release  TEXT   NOT NULL,
    run      BIGINT NOT NULL, -- the newest run that carried the row
    row_hash TEXT   NOT NULL,
    line     BIGINT NOT NULL,
    evidence TEXT   NOT NULL,
    provider TEXT   NOT NULL, -- whom it speaks of; empty while it speaks of nobody for sure
    rung     TEXT   NOT NULL,
    doc      TEXT   NOT NULL,
    PRIMARY KEY (source, key)
);
CREATE INDEX source_record_provider ON source_record (provider) WHERE provider <> '';
CREATE INDEX source_record_run ON source_record (source, run);

CREATE TABLE source_block (
    block  TEXT NOT NULL,
    source TEXT NOT NULL,
    key    TEXT NOT NULL,
    PRIMARY KEY (block, source, key)
);
CREATE INDEX source_block_record ON source_block (source, key);

CREATE TABLE run (
    id      TEXT   NOT NULL PRIMARY KEY,
    number  BIGINT NOT NULL UNIQUE,
    source  TEXT   NOT NULL,
    release TEXT   NOT NULL,
    as_of   TEXT   NOT NULL,
    sha256  TEXT   NOT NULL,
    options TEXT   NOT NULL,
    file    TEXT   NOT NULL,
    url     TEXT   NOT NULL,
    size    BIGINT NOT NULL,
    read_at TEXT   NOT NULL,
    started TEXT   NOT NULL,
    ended   TEXT   NOT NULL,
    outcome TEXT   NOT NULL, -- running, done, failed, interrupted
    error   TEXT   NOT NULL,
    counts  TEXT   NOT NULL,
    matched BIGINT NOT NULL,
    events  BIGINT NOT NULL
);
CREATE INDEX run_source ON run (source, number);

CREATE TABLE reject (
    run    TEXT   NOT NULL,
    file   TEXT   NOT NULL,
    line   BIGINT NOT NULL,
    field  TEXT   NOT NULL,
    reason TEXT   NOT NULL,
    text   TEXT   NOT NULL,
    PRIMARY KEY (run, file, line, field, reason)
);

CREATE TABLE cases (
    id       TEXT   NOT NULL PRIMARY KEY,
    kind     TEXT   NOT NULL,
    provider TEXT   NOT NULL,
    claim    TEXT   NOT NULL,
    source   TEXT   NOT NULL,
    key      TEXT   NOT NULL,
    event    BIGINT NOT NULL,
    agreed   TEXT   NOT NULL, -- the match, as JSON
    opened   TEXT   NOT NULL,
    closed   TEXT   NOT NULL,
    UNIQUE (kind, provider, claim, source, key)
);
CREATE INDEX cases_open ON cases (closed, kind);
CREATE INDEX cases_claim ON cases (claim);

CREATE TABLE lease (
    name   TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until  TEXT NOT NULL
);

CREATE TABLE request (
    name  TEXT   NOT NULL PRIMARY KEY,
    count BIGINT NOT NULL
);
