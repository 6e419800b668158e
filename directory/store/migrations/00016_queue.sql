-- +goose Up
-- What the list of cases is ordered and filtered by, so that a page of it is read from an index. The program fills
-- it in for a case whose due is empty (queue.go, dateCases); the triggers of 00017 keep hidden.
ALTER TABLE cases ADD COLUMN hidden BIGINT NOT NULL DEFAULT 0;      -- 0: the provider is public; 1: not listed; 2: withdrawn or merged, so that it waits for nobody
ALTER TABLE cases ADD COLUMN harm BIGINT NOT NULL DEFAULT 99;       -- the place of its kind
ALTER TABLE cases ADD COLUMN due TEXT NOT NULL DEFAULT '';          -- the last day on which it is decided
ALTER TABLE cases ADD COLUMN work TEXT NOT NULL DEFAULT 'new';      -- new, returned, second
ALTER TABLE cases ADD COLUMN needs TEXT NOT NULL DEFAULT 'verifier'; -- verifier, approver: who at least decides next
ALTER TABLE cases ADD COLUMN state TEXT NOT NULL DEFAULT '';        -- of the claim, else of the provider
CREATE INDEX cases_queue ON cases (closed, hidden, harm, due, id);
CREATE INDEX cases_undated ON cases (id) WHERE due = '' AND closed = '';
CREATE INDEX cases_row ON cases (source, key);

-- case_hold is whose a case is for a time; case_handing is what became of that, one row for each step, never altered.
CREATE TABLE case_hold (
    id    TEXT NOT NULL PRIMARY KEY,
    staff TEXT NOT NULL,
    giver TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT NOT NULL
);

CREATE TABLE case_handing (
    number  BIGINT NOT NULL PRIMARY KEY,
    at      TEXT   NOT NULL,
    id      TEXT   NOT NULL,
    act     TEXT   NOT NULL, -- take, take_over, assign, release
    staff   TEXT   NOT NULL,
    to_whom TEXT   NOT NULL,
    from_whom TEXT NOT NULL,
    note    TEXT   NOT NULL
);
CREATE INDEX case_handing_case ON case_handing (id, number);

-- saved_view is a list of cases that a staff member has given a name.
CREATE TABLE saved_view (
    staff TEXT NOT NULL,
    name  TEXT NOT NULL,
    query TEXT NOT NULL,
    PRIMARY KEY (staff, name)
);

-- case_count counts the cases that wait by what they are filtered by; triggers keep it.
CREATE TABLE case_count (
    kind   TEXT   NOT NULL,
    source TEXT   NOT NULL,
    state  TEXT   NOT NULL,
    work   TEXT   NOT NULL,
    needs  TEXT   NOT NULL,
    due    TEXT   NOT NULL,
    n      BIGINT NOT NULL,
    PRIMARY KEY (kind, source, state, work, needs, due)
);
