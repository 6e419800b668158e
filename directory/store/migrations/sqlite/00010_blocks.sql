-- +goose Up
-- A block is one entry of one tree, in the order in which it is asked for, and one of the index by record:
-- of the three that each row of an import wrote, the table itself is gone.
CREATE TABLE source_block_new (
    block  TEXT NOT NULL,
    source TEXT NOT NULL,
    key    TEXT NOT NULL,
    PRIMARY KEY (block, source, key)
) WITHOUT ROWID;
INSERT INTO source_block_new SELECT block, source, key FROM source_block ORDER BY block, source, key;
DROP TABLE source_block;
ALTER TABLE source_block_new RENAME TO source_block;
CREATE INDEX source_block_record ON source_block (source, key);
