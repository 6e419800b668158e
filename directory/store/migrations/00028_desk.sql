-- +goose Up
-- Whom somebody hid is listed on the first page of the desk; they are few among all.
CREATE INDEX provider_hidden ON provider (id) WHERE withdrawn = 1 AND merged_into = '';
-- The list of cases of one state, in its order.
CREATE INDEX cases_state ON cases (closed, state, hidden, harm, due, id);
