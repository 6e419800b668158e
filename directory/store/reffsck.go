package store

import (
	"database/sql"
	"fmt"
	"slices"

	"kapdir/directory"
)

// again is what helps against damage in packed records: they are a copy of what the publisher published.
const again = "import the release again with --again"

// references checks the packed records: that every page, span and segment is read back as it was written, that
// what is in force is there, and that each row in force is found by its key.
func (f *fsck) references() error {
	var sources []string
	err := f.each(`SELECT source FROM reference_page UNION SELECT source FROM reference_span UNION SELECT source FROM reference_segment ORDER BY source`, nil, func(r *sql.Rows) error {
		var source string
		err := r.Scan(&source)
		sources = append(sources, source)
		return err
	})
	for _, source := range sources {
		if err == nil {
			err = f.packedOf(source)
		}
	}
	return err
}

func named(source string, number int64) string { return fmt.Sprint(source, " ", number) }

func (f *fsck) packedOf(source string) error {
	before := len(f.report.Faults)
	keys := map[int64][]uint64{} // of pages, in order of their rows
	err := f.each(`SELECT number, heads, body FROM reference_page WHERE source = $1 ORDER BY number`, []any{source}, func(r *sql.Rows) error {
		var number int64
		var heads, body sql.RawBytes
		if err := r.Scan(&number, &heads, &body); err != nil {
			return err
		}
		_, of, errHeads := readHeads(heads)
		p, errPage := readPage(body)
		list := make([]uint64, 0, len(of))
		whole := errHeads == nil && errPage == nil && len(of) == len(p.rows)
		for i := 0; whole && i < len(of); i++ {
			rec, err := p.record(i)
			whole = err == nil && hash64(keyName(rec.Key)) == of[i].key
			list = append(list, of[i].key)
		}
		if !whole {
			f.fault("reference_page", named(source, number), "it is damaged: %s", again)
		}
		keys[number] = list
		return nil
	})
	if err != nil {
		return err
	}
	err = f.each(`SELECT span, run, body FROM reference_span WHERE source = $1 ORDER BY span, run`, []any{source}, func(r *sql.Rows) error {
		var span, run int64
		var body sql.RawBytes
		if err := r.Scan(&span, &run, &body); err != nil {
			return err
		}
		if _, err := readSpan(body); err != nil {
			f.fault("reference_span", named(source, span), "what run %d has of it is damaged: %s", run, again)
		}
		return nil
	})
	if err != nil || len(f.report.Faults) > before { // what is in force, and whether it is found, cannot be told
		return err
	}
	unfound := map[uint32]uint64{} // rows in force, and the hashes of their keys
	held := 0
	err = f.eachSpan(source, func(rows []entered) error {
		for _, r := range rows {
			held++
			of := keys[int64(r.ordinal/pageRows)]
			if i := int(r.ordinal % pageRows); i < len(of) {
				unfound[r.ordinal] = of[i]
			} else {
				f.fault("reference_page", named(source, int64(r.ordinal/pageRows)), "a row that is in force is missing: %s", again)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if n, err := f.standingRows(source); err != nil {
		return err
	} else if n != held {
		f.fault("reference_part", source, "it counts %d rows and %d are in force: %s", n, held, again)
	}
	segments, err := f.segmentsOf(source)
	if err != nil {
		return err
	}
	for _, g := range segments {
		n, last, whole := 0, uint64(0), true
		bloom, err := f.filterOf(g)
		if whole = err == nil; err != nil && directory.KindOf(err) != directory.Internal {
			return err
		}
		err = f.each(`SELECT first, body FROM reference_index WHERE segment = $1 ORDER BY first`, []any{g.number}, func(r *sql.Rows) error {
			var first int64
			var body sql.RawBytes
			if err := r.Scan(&first, &body); err != nil {
				return err
			}
			list, err := readEntries(body)
			if err != nil || list.len() == 0 || signed(list.at(0).hash) != first {
				whole = false
				return nil
			}
			for i := range list.len() {
				e := list.at(i)
				whole = whole && e.hash >= last && bloom.has(e.hash)
				last = e.hash
				if unfound[e.ordinal] == e.hash {
					delete(unfound, e.ordinal)
				}
			}
			n += list.len()
			return nil
		})
		if err != nil {
			return err
		}
		if !whole || n != g.entries {
			f.fault("reference_index", named(source, g.number), "the segment is damaged: %s", again)
		}
	}
	if len(unfound) > 0 {
		lost := make([]uint32, 0, len(unfound))
		for o := range unfound {
			lost = append(lost, o)
		}
		f.fault("reference_index", source, "%d rows in force are not found by their keys, the first on page %d: %s", len(lost), slices.Min(lost)/pageRows, again)
	}
	return nil
}
