package store

import (
	"context"
	"database/sql"
	"maps"

	"kapdir/directory"
)

// rulesSource is the source under which the rule files of a release are held as evidence.
const rulesSource = "kapdir"

// recordedRules are the releases of the rules that the ledger holds.
type recordedRules struct {
	policies directory.Policies  // of all of them, in order
	newest   map[string]string   // hashes of the newest release's files, by name
	files    directory.RuleFiles // of the newest
}

// rules reads every release of the rules that the ledger holds.
func (t *tx) rules() (r recordedRules, err error) {
	var events []directory.Event
	err = t.each(`SELECT payload FROM event_payload WHERE claim = '' ORDER BY seq`, nil, func(rows *sql.Rows) error {
		var payload string
		if err := rows.Scan(&payload); err != nil || payload == "" {
			return err
		}
		var e directory.Event
		if err := decode(payload, &e); err != nil {
			return directory.Errorf(directory.Internal, "", "an event about the rules cannot be read: run kapdir fsck: %w", err)
		}
		if e.Type == directory.PolicyChange {
			events = append(events, e)
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	for _, e := range events {
		r.newest, r.files = map[string]string{}, directory.RuleFiles{}
		err := t.eachIn(`SELECT sha256, meta, body FROM evidence WHERE sha256 IN (%s)`, nil, e.Evidence, func(rows *sql.Rows) error {
			var sum, meta, body string
			if err := rows.Scan(&sum, &meta, &body); err != nil {
				return err
			}
			var file directory.Evidence
			if err := decode(meta, &file); err != nil {
				return err
			}
			r.newest[file.File], r.files[file.File] = sum, []byte(body)
			return nil
		})
		if err != nil {
			return r, err
		}
		policies, err := directory.ParseRules(r.files, e.RecordedAt)
		if err != nil {
			return r, directory.Errorf(directory.Internal, "", "the rules recorded as event %d cannot be read: run kapdir fsck: %w", e.Seq, err)
		}
		r.policies = append(r.policies, policies...)
	}
	return r, nil
}

// adoptRules records the rules that the program brings, if they are not those that the ledger holds last,
// and returns the policies of every release. From then on answers are computed with the new rules, and
// answers about what was known before still with the old ones. Whatever they change is numbered by TouchDue.
func (s *Store) adoptRules(ctx context.Context, files directory.RuleFiles) (directory.Policies, error) {
	fresh, err := directory.ParseRules(files, "")
	if err != nil {
		return nil, err
	}
	var held recordedRules
	err = s.read(ctx, "store.Open", func(t *tx) (err error) {
		held, err = t.rules()
		return err
	})
	if err != nil {
		return nil, err
	}
	sums := map[string]string{}
	for name, raw := range files {
		sums[name] = digest(raw)
	}
	if s.config.KeepRules && held.newest == nil {
		return fresh, nil
	}
	if s.config.KeepRules || maps.Equal(held.newest, sums) {
		return held.policies, nil
	}
	s.config.Policies = fresh // while they are being recorded
	var recorded *newEvent
	err = s.write(ctx, "store.Open", func(w *work) error {
		if held, err = w.rules(); err != nil || maps.Equal(held.newest, sums) { // somebody else was faster
			return err
		}
		e := directory.Event{V: directory.EventVersion, Type: directory.PolicyChange, PerformedAt: w.now, Actor: s.config.Tool,
			Policy: fresh.InForce(w.now, w.now).Version, Body: directory.Body{Version: fresh.InForce(w.now, w.now).Version}}
		for _, name := range files.Names() {
			e.Evidence = append(e.Evidence, w.keep(directory.Evidence{MediaType: "text/plain; charset=utf-8", Source: rulesSource, Class: directory.ClassSource, Method: "bulk",
				File: name, FileSHA256: sums[name], RetrievedAt: w.now, RetrievedBy: s.config.Tool.ID + "@" + s.config.Tool.Version, Body: files[name]}))
		}
		recorded = &newEvent{h: &holding{stored: stored{file: directory.CredentialFile{Claims: []directory.History{{Events: []directory.Event{e}}}}}}}
		w.events = append(w.events, recorded)
		if held.newest == nil {
			return nil
		}
		_, err := w.exec(`UPDATE provider SET moments = $1, valid_until = $2`, notComputed, w.now)
		return err
	})
	if err != nil || recorded == nil {
		return held.policies, err
	}
	policies, err := directory.ParseRules(files, recorded.event().RecordedAt)
	return append(held.policies, policies...), err
}
