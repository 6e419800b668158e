-- +goose Up
-- integrator is an organisation that uses our API; people call it a partner. (The table partner holds sources of
-- listings.) A row is never deleted: keys and the trace of staff name it.
CREATE TABLE integrator (
    id         TEXT NOT NULL PRIMARY KEY, -- a word of small letters, digits and hyphens
    name       TEXT NOT NULL,
    contact    TEXT NOT NULL, -- whom to write to; for staff alone
    origins    TEXT NOT NULL, -- JSON list: the sites whose pages may ask
    state      TEXT NOT NULL, -- active, ended
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL
);

-- api_key is with what an integrator asks. Of a secret only its SHA-256 is kept, and a key ends and is never deleted.
CREATE TABLE api_key (
    id          TEXT   NOT NULL PRIMARY KEY, -- key_…
    integrator  TEXT   NOT NULL,
    name        TEXT   NOT NULL,
    hash        TEXT   NOT NULL UNIQUE,
    scopes      TEXT   NOT NULL, -- words with a space between
    per_minute  BIGINT NOT NULL,
    created_at  TEXT   NOT NULL,
    created_by  TEXT   NOT NULL,
    expires_at  TEXT   NOT NULL, -- empty: it does not run out by itself
    replaced_by TEXT   NOT NULL, -- the key that took its place
    ended_at    TEXT   NOT NULL, -- from then on it is nobody's, which may be a moment to come; empty: that is not foreseen
    last_day    TEXT   NOT NULL  -- of use; empty is never
);
CREATE INDEX api_key_integrator ON api_key (integrator, created_at, id);

-- api_usage counts what keys asked for: by day and route, and nothing of what was asked or for whom.
CREATE TABLE api_usage (
    key     TEXT   NOT NULL,
    day     TEXT   NOT NULL,
    route   TEXT   NOT NULL, -- the pattern
    count   BIGINT NOT NULL, -- of all requests
    refused BIGINT NOT NULL, -- of those that were too many, or that the key has no right to
    PRIMARY KEY (key, day, route)
);
CREATE INDEX api_usage_day ON api_usage (day);

-- embed is what an integrator shows of us on pages of its own. Its id is public, and stands in that page.
CREATE TABLE embed (
    id         TEXT NOT NULL PRIMARY KEY, -- emb_…
    integrator TEXT NOT NULL,
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL, -- results, provider
    doc        TEXT NOT NULL, -- JSON: question or provider, theme, language
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    ended_at   TEXT NOT NULL -- empty while it is shown
);
CREATE INDEX embed_integrator ON embed (integrator, created_at, id);
