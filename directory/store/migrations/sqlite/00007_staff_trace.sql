-- +goose Up
-- Who decides may change; that it changed stays, and nobody who decided disappears.

-- +goose StatementBegin
CREATE TRIGGER staff_no_delete BEFORE DELETE ON staff BEGIN SELECT RAISE(ABORT, 'staff are disabled, never deleted'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER staff_change_no_update BEFORE UPDATE ON staff_change BEGIN SELECT RAISE(ABORT, 'the trace of staff is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER staff_change_no_delete BEFORE DELETE ON staff_change BEGIN SELECT RAISE(ABORT, 'the trace of staff is append-only'); END;
-- +goose StatementEnd
