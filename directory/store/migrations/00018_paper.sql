-- +goose Up
-- paper is the documents that staff filed as evidence, each once, by its hash.
CREATE TABLE paper (
    sha256     TEXT   NOT NULL PRIMARY KEY,
    media_type TEXT   NOT NULL,
    size       BIGINT NOT NULL,
    look       TEXT   NOT NULL, -- of a picture: its perceptual hash
    words      TEXT   NOT NULL, -- what can be read of it without showing it
    filed      TEXT   NOT NULL,
    staff      TEXT   NOT NULL,
    body       BYTEA  NOT NULL
);
CREATE INDEX paper_look ON paper (look) WHERE look <> '';

-- case_evidence is what staff added to a case: the record is evidence like any other, named by its hash; paper is
-- the document that it tells of, empty of a call or a mail.
CREATE TABLE case_evidence (
    number   BIGINT NOT NULL PRIMARY KEY,
    id       TEXT   NOT NULL, -- the case
    provider TEXT   NOT NULL,
    evidence TEXT   NOT NULL,
    paper    TEXT   NOT NULL,
    at       TEXT   NOT NULL,
    staff    TEXT   NOT NULL,
    note     TEXT   NOT NULL
);
CREATE INDEX case_evidence_case ON case_evidence (id, number);
CREATE INDEX case_evidence_paper ON case_evidence (paper) WHERE paper <> '';
CREATE INDEX case_evidence_provider ON case_evidence (provider);
