-- +goose Up
UPDATE cases SET hidden = 2 WHERE kind <> 'possible_removed' AND provider IN (SELECT id FROM provider WHERE withdrawn = 1 OR merged_into <> '');
INSERT INTO case_count (kind, source, state, work, needs, due, n)
    SELECT kind, source, state, work, needs, due, count(*) FROM cases WHERE closed = '' AND hidden < 2 GROUP BY kind, source, state, work, needs, due;

-- A case waits for nobody while its provider is on no public face, but for one about whether a page is of somebody
-- who was removed.

-- +goose StatementBegin
CREATE FUNCTION hide_cases() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE cases SET hidden = CASE WHEN NEW.withdrawn = 1 OR NEW.merged_into <> '' THEN 2 WHEN NEW.listed = 0 THEN 1 ELSE 0 END
        WHERE provider = NEW.id AND kind <> 'possible_removed';
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER provider_hides_cases AFTER UPDATE OF listed, withdrawn, merged_into ON provider FOR EACH ROW
    WHEN (OLD.listed <> NEW.listed OR OLD.withdrawn <> NEW.withdrawn OR OLD.merged_into <> NEW.merged_into) EXECUTE FUNCTION hide_cases();
CREATE TRIGGER case_handing_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON case_handing FOR EACH STATEMENT EXECUTE FUNCTION refuse_staff_change();

-- +goose StatementBegin
CREATE FUNCTION count_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO case_count (kind, source, state, work, needs, due, n)
        SELECT OLD.kind, OLD.source, OLD.state, OLD.work, OLD.needs, OLD.due, -1 WHERE OLD.closed = '' AND OLD.hidden < 2
        ON CONFLICT (kind, source, state, work, needs, due) DO UPDATE SET n = case_count.n + excluded.n;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO case_count (kind, source, state, work, needs, due, n)
        SELECT NEW.kind, NEW.source, NEW.state, NEW.work, NEW.needs, NEW.due, 1 WHERE NEW.closed = '' AND NEW.hidden < 2
        ON CONFLICT (kind, source, state, work, needs, due) DO UPDATE SET n = case_count.n + excluded.n;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM case_count WHERE n = 0 AND kind = OLD.kind AND source = OLD.source AND state = OLD.state AND work = OLD.work AND needs = OLD.needs AND due = OLD.due;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER case_counted AFTER INSERT OR DELETE ON cases FOR EACH ROW EXECUTE FUNCTION count_case();
CREATE TRIGGER case_counted_anew AFTER UPDATE OF kind, source, state, work, needs, due, closed, hidden ON cases FOR EACH ROW
    WHEN (OLD.kind <> NEW.kind OR OLD.source <> NEW.source OR OLD.state <> NEW.state OR OLD.work <> NEW.work OR OLD.needs <> NEW.needs OR OLD.due <> NEW.due OR OLD.closed <> NEW.closed OR OLD.hidden <> NEW.hidden) EXECUTE FUNCTION count_case();
