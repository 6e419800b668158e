-- +goose Up
-- Who decides may change; that it changed stays, and nobody who decided disappears.

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refuse_staff_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % refused: staff are disabled, never deleted, and their trace is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER staff_no_delete BEFORE DELETE OR TRUNCATE ON staff FOR EACH STATEMENT EXECUTE FUNCTION refuse_staff_change();
CREATE TRIGGER staff_change_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON staff_change FOR EACH STATEMENT EXECUTE FUNCTION refuse_staff_change();
