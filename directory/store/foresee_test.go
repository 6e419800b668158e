package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kapdir/directory"
)

// testForesee rehearses what is more than one event and holds it against what comes of doing it: facts, checks and
// claims of everybody whose page changes. A rehearsal leaves nothing behind, and in a hurry waits for nobody.
func testForesee(t *testing.T, c Config) {
	c.SuppressionKey = []byte(strings.Repeat("k", 32))
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	// told is all that a public page is made from, but for numbers and ids that are made anew.
	told := func(f *directory.CredentialFile, at, known directory.Instant) string {
		if f == nil {
			return "no page"
		}
		p := f.Provider
		p.ID, p.Seq = "", 0
		doc, _ := json.Marshal(p)
		var claims []string
		for _, h := range f.Claims {
			if st := directory.Derive(h, at, known, s.config.Policies); h.Claim.Kind != directory.FileClaim {
				claims = append(claims, fmt.Sprint(h.Claim.Words(), st.Status, st.Reasons, st.Class, st.AsOf, len(h.Events)))
			}
		}
		slices.Sort(claims)
		return string(doc) + "\n" + strings.Join(claims, "\n") + "\n" + publicChecks(t, s, f)
	}
	writes := map[string]bool{"joining two": true, "parting two": true, "showing them again": true, "listing a namesake": true}
	try := func(what string, wish directory.Wish, do func()) {
		t.Helper()
		rows, head := fmt.Sprint(rowCounts(t, s)), must(s.Head(ctx))
		f, err := s.Foresee(ctx, wish)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if err := s.read(ctx, "test", func(x *tx) error { _, err := x.foreseen(s, wish); return err }); errors.Is(err, errWrites) != writes[what] {
			t.Errorf("%s without writing: %v", what, err)
		}
		if after := fmt.Sprint(rowCounts(t, s)); after != rows || must(s.Head(ctx)) != head {
			t.Fatalf("%s was rehearsed and left something: %s, was %s", what, after, rows)
		}
		do()
		moved := 0
		for _, p := range f.People {
			after, err := s.File(ctx, p.ID)
			switch {
			case directory.KindOf(err) == directory.NotFound: // its id is made anew
				after = find(t, s, p.After.Provider.DisplayName())
			case err != nil:
				after = nil
			}
			want, got := told(after, s.now(), knownAt(t, s)), told(p.After, f.At, f.Known)
			if want != got {
				t.Errorf("%s: of %s foretold\n%s\nbecame\n%s", what, p.ID, got, want)
			}
			if told(p.Now, f.At, f.Known) != want {
				moved++
			}
		}
		if moved == 0 {
			t.Errorf("%s moved nobody of %d", what, len(f.People))
		}
	}
	id, claim := x.person(directory.SeenActive, false)
	x.must(x.decide("kim", "confirm", x.theCase(id).Case, x.claim(claim).Seen))
	q := x.differ(id)
	try("taking what another page says", directory.Wish{Case: q.ID, Do: "take", Staff: "kim"}, func() { x.must(x.decide("kim", "take", q.Case, q.Revision)) })

	id, _ = x.person(directory.SeenRevoked, true)
	q = x.theCase(id)
	must(s.Contact(ctx, directory.ContactCheck{Case: q.ID, Staff: "kim", Method: "phone", SpokeTo: "the clerk", Contact: "303 555 0100", From: "the board's page", Said: "That is they."}))
	try("a row that is about them", directory.Wish{Case: q.ID, Do: "same", Staff: "kim", Field: "licence"}, func() {
		x.must(s.Decide(ctx, directory.Decision{Case: q.ID, Seen: q.Revision, Staff: "kim", Auth: "test", Decision: "same", Field: "licence", Note: "n"}))
	})

	id, claim = x.person(directory.SeenActive, false)
	x.must(x.decide("kim", "confirm", x.theCase(id).Case, x.claim(claim).Seen))
	load(t, s, edition("leie", "1", "2026-10-31"), exclusion("far", "Far Away", ""))
	q = x.twin(id)
	var joined directory.Event
	try("joining two", directory.Wish{Case: q.ID, Do: "same", Staff: "kim"}, func() {
		x.must(x.decide("pat", "same", q.Case, q.Revision))
		joined = x.must(x.decide("noor", "same", q.Case, q.Revision))
	})
	survivor := id
	if f, err := s.File(ctx, id); err != nil {
		survivor = f.Provider.MergedInto
	}
	try("parting two", directory.Wish{Provider: survivor, Do: "unmerge", Of: joined.Seq, Staff: "lee"}, func() {
		x.must(s.Act(ctx, directory.Act{Do: directory.Voiding, Staff: "lee", Auth: "test", Provider: survivor, Of: joined.Seq, Seen: fileSeen(t, s, survivor), Note: "n"}))
	})

	id, _ = x.person(directory.SeenActive, false)
	who := must(s.File(ctx, id)).Provider.DisplayName()
	hide := directory.Wish{Provider: id, Do: "withdraw_file", Staff: "lee"}
	var hidden directory.Event
	try("hiding somebody", hide, func() {
		hidden = x.must(s.Act(ctx, directory.Act{Do: directory.Withdrawal, Staff: "lee", Auth: "test", Provider: id, Note: "n"}))
	})
	load(t, s, edition("leie", "2", "2026-11-10"), exclusion("they", who, "")) // meanwhile
	try("showing them again", directory.Wish{Provider: id, Do: "restore_file", Of: hidden.Seq, Staff: "lee"}, func() {
		x.must(s.Act(ctx, directory.Act{Do: directory.Voiding, Staff: "lee", Auth: "test", Provider: id, Of: hidden.Seq, Seen: fileSeen(t, s, id), Note: "n"}))
	})
	if _, err := s.Foresee(ctx, directory.Wish{Provider: id, Do: "restore_file", Of: hidden.Seq, Staff: "kim"}); err == nil {
		t.Error("what a verifier may not do is foreseen for them")
	}

	gone := must(s.RequestRemoval(ctx, directory.Removal{Kind: "removal", Provider: id, Words: "x", Contact: "y@elsewhere.example"}))
	try("removing somebody", directory.Wish{Case: gone.ID, Do: "accept_request", Staff: "lee"}, func() {
		must(s.DecideRemoval(ctx, directory.RemovalDecision{ID: gone.ID, Do: "accept", Staff: "lee", Auth: "test", Note: "n"}))
	})
	load(t, s, edition("open-clinics", "namesake", "2026-11-22"), from("open-clinics", listing("namesake", who, func(l *directory.Listing) { l.Sites = []directory.Site{denver("")} })))
	list, _, err := s.Queue(ctx, CaseFilter{Kind: directory.CaseRemoved, Limit: 9})
	if err != nil || len(list) != 1 {
		t.Fatalf("a namesake: %+v, %v", list, err)
	}
	try("listing a namesake", directory.Wish{Case: list[0].ID, Do: "distinct", Staff: "kim"}, func() { x.must(x.decide("kim", "distinct", list[0].Case, list[0].Revision)) })

	// Somebody else is writing.
	in, out, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		ended <- s.write(ctx, "test", func(*work) error { close(in); <-out; return nil })
	}()
	<-in
	start := time.Now()
	hurried := directory.Wish{Case: q.ID, Do: "same", Staff: "kim", Hurry: true}
	if _, err := s.Foresee(ctx, hurried); directory.KindOf(err) != directory.Unavailable || time.Since(start) > 2*time.Second {
		t.Errorf("in a hurry: %v after %v", err, time.Since(start))
	}
	close(out)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	whole(t, s)
}
