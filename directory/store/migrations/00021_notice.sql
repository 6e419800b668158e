-- +goose Up
-- notice is what was announced: that the public answer about a provider changed. A row is made once; what a removal must
-- destroy of it is emptied.
CREATE TABLE notice (
    seq            BIGINT NOT NULL PRIMARY KEY, -- of the change of which it was made
    id             TEXT   NOT NULL UNIQUE,      -- evt_…
    type           TEXT   NOT NULL,
    provider       TEXT   NOT NULL,
    at             TEXT   NOT NULL,
    known          TEXT   NOT NULL,
    previous       BIGINT NOT NULL, -- the notice about the provider before it; 0 if there was none
    previous_at    TEXT   NOT NULL,
    previous_known TEXT   NOT NULL,
    merged_into    TEXT   NOT NULL,
    changes        TEXT   NOT NULL  -- JSON list; empty if it has none
);
CREATE INDEX notice_provider ON notice (provider, seq);
CREATE INDEX notice_at ON notice (at);

-- announced is what was last told of each provider.
CREATE TABLE announced (
    provider TEXT   NOT NULL PRIMARY KEY,
    seq      BIGINT NOT NULL,
    at       TEXT   NOT NULL,
    known    TEXT   NOT NULL,
    listed   BIGINT NOT NULL,
    doc      TEXT   NOT NULL
);

-- follower is how far somebody inside the program has read the changes.
CREATE TABLE follower (
    name TEXT   NOT NULL PRIMARY KEY,
    seq  BIGINT NOT NULL
);

-- hook is an address of an integrator's that is called with notices. Its secrets are held under a key that is not in the
-- database.
CREATE TABLE hook (
    id           TEXT   NOT NULL PRIMARY KEY, -- whk_…
    integrator   TEXT   NOT NULL,
    url          TEXT   NOT NULL,
    types        TEXT   NOT NULL, -- words with a space between
    state        TEXT   NOT NULL, -- active, failing, stopped, ended
    why          TEXT   NOT NULL,
    secret       TEXT   NOT NULL,
    former       TEXT   NOT NULL, -- the secret before it, which signs as well until former_until
    former_until TEXT   NOT NULL,
    cursor       BIGINT NOT NULL, -- the newest notice that is done with
    attempts     BIGINT NOT NULL, -- at the next one that failed
    since        TEXT   NOT NULL, -- when the first of them did
    next_at      TEXT   NOT NULL, -- when it is tried again
    taken_at     TEXT   NOT NULL,
    test         TEXT   NOT NULL, -- id of a test that waits
    test_at      TEXT   NOT NULL,
    logged       BIGINT NOT NULL, -- number of the newest attempt in delivery
    created_at   TEXT   NOT NULL,
    created_by   TEXT   NOT NULL,
    ended_at     TEXT   NOT NULL
);
CREATE INDEX hook_integrator ON hook (integrator, created_at, id);

-- delivery is what became of each attempt to bring a notice to a hook, for some weeks.
CREATE TABLE delivery (
    hook    TEXT   NOT NULL,
    number  BIGINT NOT NULL,
    notice  TEXT   NOT NULL,
    seq     BIGINT NOT NULL, -- of the notice; 0 of a test
    type    TEXT   NOT NULL,
    attempt BIGINT NOT NULL,
    at      TEXT   NOT NULL,
    took    BIGINT NOT NULL, -- milliseconds
    status  BIGINT NOT NULL, -- of the answer; 0 if there was none
    outcome TEXT   NOT NULL,
    why     TEXT   NOT NULL,
    next_at TEXT   NOT NULL,
    PRIMARY KEY (hook, number)
);
CREATE INDEX delivery_at ON delivery (at);
