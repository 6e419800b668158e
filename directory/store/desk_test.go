package store

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kapdir/directory"
)

func testStale(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	provider, claim := x.person(directory.SeenRevoked, false)
	q := x.theCase(provider)
	seen := x.claim(claim).Seen
	if q.Need.Approvals != 2 || q.Need.Approver || q.Kind != directory.CaseAdverse {
		t.Errorf("the case needs %+v", q.Need)
	}
	if _, err := x.decide("kim", "confirm", q.Case, 0); !errors.Is(err, directory.Invalid) || !strings.Contains(err.Error(), "kapdir cases show") {
		t.Errorf("without what was seen: %v", err)
	}
	if _, err := x.decide("kim", "confirm", q.Case, seen+1000); !errors.Is(err, directory.Invalid) {
		t.Errorf("having seen what is not there: %v", err)
	}
	first := x.must(x.decide("kim", "confirm", q.Case, seen))
	before := rowCounts(t, s)
	head, _ := s.Head(ctx)
	_, err := x.decide("lee", "confirm", q.Case, seen)
	if !errors.Is(err, directory.Conflict) || !strings.Contains(err.Error(), fmt.Sprintf("kim confirmed event %d", first.Body.Of)) ||
		!strings.Contains(err.Error(), fmt.Sprintf("(event %d)", first.Seq)) || !strings.Contains(err.Error(), "kapdir cases show "+string(q.ID)) {
		t.Errorf("a stale decision: %v", err)
	}
	// One of the two must be an approver.
	seen = x.claim(claim).Seen
	if q = x.theCase(provider); q.Need.Approvals != 1 || !q.Need.Approver || !slices.Equal(q.Need.From, []string{"lee", "noor"}) {
		t.Errorf("after a verifier the case needs %+v", q.Need)
	}
	clk.set(noon.Add(time.Minute))
	for who, want := range map[string]directory.ErrorKind{"kim": directory.Conflict, "pat": directory.Refused} {
		if _, err := x.decide(who, "confirm", q.Case, seen); directory.KindOf(err) != want || !strings.Contains(err.Error(), "lee or noor") {
			t.Errorf("%s second: %v", who, err)
		}
	}
	if after, _ := s.Head(ctx); after != head || fmt.Sprint(rowCounts(t, s)) != fmt.Sprint(before) {
		t.Error("a refused decision left something")
	}
	confirmed := x.must(x.decide("lee", "confirm", q.Case, seen))
	if st := x.claim(claim); st.Status != directory.StatusAdverse {
		t.Errorf("confirmed by two: %s", st.Now)
	}
	// What two found nobody takes back alone, by whatever name; two clear it, one of them an approver.
	for _, do := range []directory.Deed{directory.Voiding, directory.Correction} {
		for _, of := range []int64{confirmed.Seq, confirmed.Body.Of} {
			if _, err := x.act("noor", do, claim, of); err == nil || do == directory.Voiding && !strings.Contains(err.Error(), "two people clear it") {
				t.Errorf("%s of event %d: %v", do, of, err)
			}
		}
	}
	now := func() int64 { return x.claim(claim).Seen }
	x.must(x.decide("kim", "clear", q.Case, now()))
	if st := x.claim(claim); st.Status != directory.StatusAdverse {
		t.Errorf("cleared by one: %s", st.Now)
	}
	clk.set(noon.Add(2 * time.Minute))
	if _, err := x.decide("kim", "clear", q.Case, now()); !errors.Is(err, directory.Conflict) {
		t.Errorf("kim clears twice: %v", err)
	}
	if _, err := x.decide("pat", "clear", q.Case, now()); !errors.Is(err, directory.Refused) || !strings.Contains(err.Error(), "ask lee or noor") {
		t.Errorf("two verifiers clear: %v", err)
	}
	x.must(x.decide("noor", "clear", q.Case, now()))
	if st := x.claim(claim); st.Status != directory.StatusListed {
		t.Errorf("cleared by two: %s", st.Now)
	}
	// What a source says in between counts too, and a decision dated before what it decides is refused.
	clk.set(noon.Add(time.Hour))
	provider, claim = x.person(directory.SeenActive, false)
	q, seen = x.theCase(provider), x.claim(claim).Seen
	who := find(t, s, q.Name)
	if _, err := s.Decide(ctx, directory.Decision{Case: q.ID, Seen: seen, At: directory.At(noon), Staff: "kim", Auth: "x", Decision: "confirm"}); !errors.Is(err, directory.Invalid) {
		t.Errorf("a backdated decision: %v", err)
	}
	x.release(directory.SeenSuspended, q.Name, firstLicence(who).Number.Digits())
	_, err = x.decide("kim", "confirm", q.Case, seen)
	if !errors.Is(err, directory.Conflict) || !strings.Contains(err.Error(), "co-dora") || !strings.Contains(err.Error(), "suspended") {
		t.Errorf("a release in between: %v", err)
	}
	// The number is compared in a decision without a case as well, when it is given.
	d := directory.Decision{Seen: seen, Staff: "kim", Auth: "x", Decision: "confirm", Provider: directory.ProviderRef{ID: provider}, Kind: directory.License}
	if _, err := s.Decide(ctx, d); !errors.Is(err, directory.Conflict) {
		t.Errorf("a stale decision without a case: %v", err)
	}
	whole(t, s)
}

func firstLicence(f *directory.CredentialFile) directory.Claim {
	for _, h := range f.Claims {
		if h.Claim.Kind == directory.License {
			return h.Claim
		}
	}
	return directory.Claim{}
}

func testCandidates(t *testing.T, c Config) {
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	provider, _ := x.person(directory.SeenRevoked, true)
	f, err := s.File(ctx, provider)
	if err != nil {
		t.Fatal(err)
	}
	public, head := publicChecks(t, s, f), must(s.Head(ctx))
	q := x.theCase(provider)
	if q.Kind != directory.CaseAdverse || q.Claim != "" || q.Event != 0 || q.Revision != 1 {
		t.Fatalf("case %+v", q)
	}
	d := must(s.Dossier(ctx, q.ID, "kim"))
	if d.Seen != 1 || !d.Waits || d.Row == nil || d.Row.Fields["status"] != "REVOKED" || len(d.Choices) != 2 || d.Choices[0].Decision != "distinct" || d.Choices[1].Refused == "" {
		t.Errorf("dossier %+v", d)
	}
	for _, decision := range []string{"confirm", "clear", "return", "same"} {
		if _, err := x.decide("lee", decision, q.Case, 1); !errors.Is(err, directory.Refused) {
			t.Errorf("%s of a name alone: %v", decision, err)
		}
	}
	if _, err := x.decide("kim", "distinct", q.Case, 7); !errors.Is(err, directory.Invalid) {
		t.Errorf("a revision that is not there: %v", err)
	}
	e := x.must(x.decide("kim", "distinct", q.Case, 1))
	if e.Type != directory.Decide || e.Body.Decision != "distinct" || e.Body.Source != "co-dora" || e.Body.Number != q.Key || len(e.Evidence) != 1 || e.Seq == 0 {
		t.Errorf("event %+v", e)
	}
	if f, err = s.File(ctx, provider); err != nil || publicChecks(t, s, f) != public || must(s.Head(ctx)).Public != head.Public {
		t.Errorf("the public hears of it: %v", err)
	}
	if left, n, _ := s.Queue(ctx, CaseFilter{Provider: provider, Limit: 9}); n != 0 {
		t.Errorf("still open: %+v", left)
	}
	if _, err := x.decide("lee", "distinct", q.Case, 1); !errors.Is(err, directory.Conflict) || !strings.Contains(err.Error(), "kim decided distinct") {
		t.Errorf("decided already: %v", err)
	}
	// The same row of a newer release does not open it again; another content does, and what was seen is stale.
	number := strings.TrimPrefix(q.Key, "LPC-")
	x.release(directory.SeenRevoked, q.Name, number)
	if _, n, _ := s.Queue(ctx, CaseFilter{Provider: provider, Limit: 9}); n != 0 {
		t.Error("the same row opened the case again")
	}
	x.release(directory.SeenSuspended, q.Name, number)
	if q = x.theCase(provider); q.Revision != 2 || q.Decided != 0 {
		t.Errorf("reopened %+v", q)
	}
	if _, err := x.decide("kim", "distinct", q.Case, 1); !errors.Is(err, directory.Conflict) || !strings.Contains(err.Error(), "look again") {
		t.Errorf("the row has changed since: %v", err)
	}
	x.must(x.decide("kim", "distinct", q.Case, 2))

	// Two listings that may be of one person.
	load(t, s, edition("open-clinics", "1", "2026-11-20"), from("open-clinics", listing("twin", q.Name, func(l *directory.Listing) {
		l.Sites = []directory.Site{{Address: directory.Address{State: "CO"}}}
	})))
	q = x.theCase(provider)
	if q.Kind != directory.CaseDuplicate {
		t.Fatalf("case %+v", q)
	}
	d = must(s.Dossier(ctx, q.ID, ""))
	if len(d.Others) != 1 || d.Others[0].Name != q.Name || d.Others[0].ID == provider || len(d.Choices) != 2 || d.Choices[1].Refused != "" || d.Need.Approvals != 2 {
		t.Errorf("dossier of a duplicate: %+v %+v", d.Others, d.Choices)
	}
	x.must(x.decide("lee", "same", q.Case, q.Revision))
	if _, err := x.decide("lee", "same", q.Case, q.Revision); err != nil { // the same again is the event there is
		t.Errorf("the same decision again: %v", err)
	}
	if must(s.File(ctx, provider)).Provider.ID != provider || len(must(s.Dossier(ctx, q.ID, "")).Others) != 1 {
		t.Error("one person made one provider of two")
	}
	x.must(x.decide("kim", "distinct", q.Case, q.Revision))
	whole(t, s)
}

func testDisputes(t *testing.T, c Config) {
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	provider, claim := x.person(directory.SeenActive, false)
	q := x.theCase(provider)
	x.must(x.decide("kim", "confirm", q.Case, x.claim(claim).Seen))
	identity := func(a *directory.Act) { a.Identity, a.Seen = true, 0 }
	seq := find(t, s, q.Name).Provider.Seq
	open := x.must(x.act("", directory.OpenDispute, claim, 0, identity))
	if open.Actor.Kind != directory.ByProvider || open.Actor.ID != string(provider) {
		t.Errorf("opened by %+v", open.Actor)
	}
	if f := find(t, s, q.Name); f.Provider.Seq <= seq || x.claim(claim).Status != directory.StatusUnderReview {
		t.Errorf("an identity dispute: %s, number %d", x.claim(claim).Now, f.Provider.Seq)
	}
	if q = x.theCase(provider); q.Kind != directory.CaseDispute || q.Event != open.Seq {
		t.Errorf("case %+v", q)
	}
	if _, err := x.act("", directory.OpenDispute, claim, 0, identity, func(a *directory.Act) { a.Note = "again" }); !errors.Is(err, directory.Conflict) {
		t.Errorf("disputed twice: %v", err)
	}
	if _, err := x.act("", directory.CloseDispute, claim, open.Seq); !errors.Is(err, directory.Refused) {
		t.Errorf("closed by the provider: %v", err)
	}
	if _, err := x.decide("lee", "confirm", q.Case, x.claim(claim).Seen); !errors.Is(err, directory.Invalid) {
		t.Errorf("confirming a dispute: %v", err)
	}
	var said []string
	for _, ch := range must(s.Dossier(ctx, q.ID, "kim")).Choices {
		said = append(said, fmt.Sprint(ch.Decision, " ", ch.Refused == ""))
	}
	if !slices.Equal(said, []string{"accept false", "decline true", "close true"}) {
		t.Errorf("kim's choices: %v", said)
	}
	x.must(x.act("lee", directory.AcceptDispute, claim, open.Seq))
	if _, err := x.act("noor", directory.AcceptDispute, claim, open.Seq); !errors.Is(err, directory.Conflict) {
		t.Errorf("accepted twice: %v", err)
	}
	x.must(x.act("kim", directory.CloseDispute, claim, open.Seq))
	if _, n, _ := s.Queue(ctx, CaseFilter{Provider: provider, Limit: 9}); n != 0 || x.claim(claim).Status != directory.StatusVerified {
		t.Errorf("closed: %d cases, %s", n, x.claim(claim).Now)
	}
	if _, err := x.act("kim", directory.CloseDispute, claim, open.Seq, func(a *directory.Act) { a.Note = "again" }); !errors.Is(err, directory.Conflict) {
		t.Errorf("closed twice: %v", err)
	}
	// Opened by staff on somebody's behalf, it is accepted by somebody else.
	open = x.must(x.act("lee", directory.OpenDispute, claim, 0, func(a *directory.Act) { a.Identity = true }))
	if _, err := x.act("lee", directory.AcceptDispute, claim, open.Seq); !errors.Is(err, directory.Refused) || !strings.Contains(err.Error(), "noor") {
		t.Errorf("accepting one's own dispute: %v", err)
	}
	x.must(x.act("kim", directory.DeclineDispute, claim, open.Seq))
	x.must(x.act("kim", directory.CloseDispute, claim, open.Seq))
	// Any other dispute hides nothing.
	open = x.must(x.act("", directory.OpenDispute, claim, 0, func(a *directory.Act) { a.Field, a.Seen = "expires", 0 }))
	if st := x.claim(claim); st.Status != directory.StatusVerified || !slices.Equal(st.Disputes, []int64{open.Seq}) {
		t.Errorf("a dispute about a field: %s", st.Now)
	}
	if _, err := x.act("lee", directory.AcceptDispute, claim, open.Seq); !errors.Is(err, directory.Invalid) {
		t.Errorf("accepting it: %v", err)
	}
	// A void of the dispute closes its case.
	x.must(x.act("kim", directory.Voiding, claim, open.Seq))
	if _, n, _ := s.Queue(ctx, CaseFilter{Provider: provider, Limit: 9}); n != 0 {
		t.Error("the case of a voided dispute is open")
	}
	for i, a := range []directory.Act{
		{Do: directory.OpenDispute, Auth: "x", Claim: claim},                                    // no reason
		{Do: directory.OpenDispute, Claim: claim, Note: "n"},                                    // no proof
		{Do: directory.OpenDispute, Auth: "x", Note: "n"},                                       // of nothing
		{Do: "burn", Auth: "x", Claim: claim, Note: "n", Staff: "kim"},                          // no deed
		{Do: directory.OpenDispute, Auth: "x", Note: "n", Provider: provider},                   // nothing to dispute
		{Do: directory.Voiding, Auth: "x", Note: "n", Claim: claim, Staff: "kim"},               // of what
		{Do: directory.CloseDispute, Auth: "x", Note: "n", Claim: claim, Staff: "kim", Of: 1},   // not looked
		{Do: directory.OpenDispute, Auth: "x", Note: "n", Claim: claim, To: &directory.Fixed{}}, // no correction
	} {
		if _, err := s.Act(ctx, a); err == nil || errors.Is(err, directory.Internal) {
			t.Errorf("act %d: %v", i, err)
		}
	}
	const planted = "219-09-9999"
	if _, err := x.act("kim", directory.OpenDispute, claim, 0, func(a *directory.Act) { a.Note = "her number is " + planted }); !errors.Is(err, directory.Refused) {
		t.Errorf("a Social Security number in a note: %v", err)
	}
	whole(t, s)
}

func testCorrections(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	provider, claim := x.person(directory.SeenActive, false)
	q := x.theCase(provider)
	confirm := x.must(x.decide("kim", "confirm", q.Case, x.claim(claim).Seen))
	// A corrected date needs somebody else's look; until then nobody's answer rests on it.
	fixed := x.must(x.act("kim", directory.Correction, claim, confirm.Body.Of))
	if fixed.Type != directory.Correct || fixed.Supersedes != confirm.Body.Of || fixed.Body.Expires != "2027-12-31" || len(fixed.Evidence) != 2 {
		t.Errorf("correction %+v", fixed)
	}
	if q = x.theCase(provider); q.Event != fixed.Seq || x.claim(claim).Status == directory.StatusVerified {
		t.Errorf("corrected and not reviewed: %s, case %+v", x.claim(claim).Now, q)
	}
	if _, err := x.decide("kim", "confirm", q.Case, x.claim(claim).Seen); !errors.Is(err, directory.Refused) || !strings.Contains(err.Error(), "somebody else") {
		t.Errorf("kim's own correction: %v", err)
	}
	second := x.must(x.decide("pat", "confirm", q.Case, x.claim(claim).Seen))
	if st := x.claim(claim); st.Status != directory.StatusVerified || x.expires(provider, claim) != "2027-12-31" {
		t.Errorf("corrected: %s", st.Now)
	}
	if _, err := x.act("kim", directory.Correction, claim, confirm.Body.Of, func(a *directory.Act) { a.Note = "again" }); !errors.Is(err, directory.Conflict) {
		t.Errorf("correcting what was corrected: %v", err)
	}
	// The confirmation voided: it waits again, in the same case.
	void := x.must(x.act("kim", directory.Voiding, claim, second.Seq))
	if again := x.theCase(provider); again.ID != q.ID || !slices.Equal(void.Reason, []string{enteredInError}) {
		t.Errorf("case %+v, void %+v", again, void)
	}
	if _, err := x.act("pat", directory.Voiding, claim, second.Seq); !errors.Is(err, directory.Conflict) || !strings.Contains(err.Error(), "kim voided") {
		t.Errorf("voided twice: %v", err)
	}
	// The correction voided: what it corrected stands as before, with the confirmation it had.
	x.must(x.act("kim", directory.Voiding, claim, fixed.Seq))
	if st := x.claim(claim); st.Status != directory.StatusVerified || x.expires(provider, claim) != "2027-08-31" {
		t.Errorf("the correction was the error: %s", st.Now)
	}
	if _, n, _ := s.Queue(ctx, CaseFilter{Provider: provider, Limit: 9}); n != 0 {
		t.Error("a case of it is open")
	}
	// A word that is in no table is read by a person: not confirmed, but corrected, and then confirmed by another.
	provider, claim = x.person(directory.SeenIndeterminate, false)
	q = x.theCase(provider)
	if _, err := x.decide("kim", "confirm", q.Case, x.claim(claim).Seen); !errors.Is(err, directory.Refused) || !strings.Contains(err.Error(), "claims correct") {
		t.Errorf("confirming what nobody can read: %v", err)
	}
	state := func(o directory.Observed) func(*directory.Act) {
		return func(a *directory.Act) {
			a.To = &directory.Fixed{State: o, Method: "web", URL: "https://board.example/1", Text: "Probation"}
		}
	}
	x.must(x.act("lee", directory.Correction, claim, q.Event, state(directory.SeenProbation)))
	q = x.theCase(provider)
	// Whoever read it is one of the two.
	if q.Kind != directory.CaseAdverse || q.Need.Approvals != 1 || !slices.Equal(q.Need.Given, []string{"lee"}) || q.Work != directory.WorkSecond || slices.Contains(q.Need.From, "lee") {
		t.Errorf("case %+v", q)
	}
	if st := x.claim(claim); st.Status != directory.StatusUnderReview {
		t.Errorf("read by one: %s", st.Now)
	}
	x.must(x.decide("kim", "confirm", q.Case, x.claim(claim).Seen))
	if st := x.claim(claim); st.Status != directory.StatusAdverse {
		t.Errorf("read as probation: %s", st.Now)
	}
	x.must(x.decide("kim", "clear", q.Case, x.claim(claim).Seen))
	if st := x.claim(claim); st.Status != directory.StatusAdverse {
		t.Errorf("cleared by one of two: %s", st.Now)
	}
	// Of two verifiers neither is an approver.
	other, listed := x.person(directory.SeenActive, false)
	w := x.theCase(other)
	x.must(x.act("kim", directory.Correction, listed, w.Event, state(directory.SeenRevoked)))
	w = x.theCase(other)
	if _, err := x.decide("pat", "confirm", w.Case, x.claim(listed).Seen); !errors.Is(err, directory.Refused) || !w.Need.Approver || !slices.Equal(w.Need.From, []string{"lee", "noor"}) {
		t.Errorf("two verifiers: %v, %+v", err, w.Need)
	}
	x.must(x.decide("noor", "confirm", w.Case, x.claim(listed).Seen))
	if st := x.claim(listed); st.Status != directory.StatusAdverse {
		t.Errorf("read by a verifier, confirmed by an approver: %s", st.Now)
	}
	const planted = "219-09-9999"
	for i, change := range []func(*directory.Act){
		func(a *directory.Act) { a.To = nil },
		func(a *directory.Act) { a.To.Text = "" },
		func(a *directory.Act) { a.To.Method = "dream" },
		func(a *directory.Act) { a.To.Method = "web" },
		func(a *directory.Act) { a.To.State = "fine" },
		func(a *directory.Act) { a.To.By = []string{"name"} },
		func(a *directory.Act) { bad := directory.Date("2027-02-30"); a.To.Expires = &bad },
		func(a *directory.Act) { a.To.Expires = nil },
		func(a *directory.Act) { a.Of = 1 },
		func(a *directory.Act) { a.To.Text = planted },
	} {
		settled := x.claim(claim).History
		if _, err := x.act("lee", directory.Correction, claim, settled[len(settled)-3].Seq, change); err == nil || errors.Is(err, directory.Internal) {
			t.Errorf("correction %d: %v", i, err)
		}
	}
	whole(t, s)
}

func testWithdrawals(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), dan())
	therapist, id := find(t, s, "Ana Ruiz"), find(t, s, "Maria Lopez").Provider.ID
	load(t, s, edition("co-dora", "1", "2026-11-01"), roster("DR", "45678", "Maria Lopez", "Suspended", directory.SeenSuspended, "2027-04-30"))
	if _, n, _ := s.Queue(ctx, CaseFilter{Provider: id, Limit: 9}); n != 2 {
		t.Fatalf("%d cases about Maria", n)
	}
	// One claim.
	claim := firstLicence(therapist).ID
	seq := therapist.Provider.Seq
	e := x.must(x.act("lee", directory.Withdrawal, claim, 0))
	if f := find(t, s, "Ana Ruiz"); f.Provider.Seq <= seq || x.claim(claim).Status != directory.StatusWithdrawn {
		t.Errorf("withdrawn: %s", x.claim(claim).Now)
	}
	if _, err := x.act("lee", directory.Withdrawal, claim, 0, func(a *directory.Act) { a.Note = "again" }); !errors.Is(err, directory.Conflict) {
		t.Errorf("withdrawn twice: %v", err)
	}
	load(t, s, edition("kap-commons", "2", "2026-11-22"), ana(), dan())
	if st := x.claim(claim); st.Status != directory.StatusWithdrawn {
		t.Errorf("a listing brought it back: %s", st.Now)
	}
	x.must(x.act("lee", directory.Voiding, claim, e.Seq))
	if st := x.claim(claim); st.Status != directory.StatusListed {
		t.Errorf("the withdrawal voided: %s", st.Now)
	}
	// The whole file.
	withdraw := directory.Act{Do: directory.Withdrawal, Staff: "lee", Auth: "test", Provider: id, Note: "asked by letter"}
	anaSeq, head := find(t, s, "Ana Ruiz").Provider.Seq, must(s.Head(ctx))
	e = x.must(s.Act(ctx, withdraw))
	if _, err := s.File(ctx, id); !errors.Is(err, directory.Gone) {
		t.Errorf("the file of a withdrawn provider: %v", err)
	}
	if f := find(t, s, "Ana Ruiz"); f.Provider.Seq <= anaSeq || len(f.Linked) != 0 {
		t.Errorf("her therapist hears nothing: %d, %v", f.Provider.Seq, f.Linked)
	}
	gone := false
	for _, ch := range must(s.Changes(ctx, head.Public, 10)) {
		gone = gone || ch.Provider == id && ch.File == nil
	}
	if !gone {
		t.Error("followers hear nothing of the withdrawal")
	}
	if _, n, _ := s.Queue(ctx, CaseFilter{Provider: id, Limit: 9}); n != 0 {
		t.Errorf("%d cases about a withdrawn provider wait", n)
	}
	closed, _, _ := s.Queue(ctx, CaseFilter{Provider: id, All: true, Limit: 9})
	if len(closed) != 2 || closed[0].Waits {
		t.Errorf("all cases: %+v", closed)
	}
	for _, q := range closed {
		if _, err := x.decide("lee", "confirm", q.Case, 5); !errors.Is(err, directory.Refused) {
			t.Errorf("deciding about a withdrawn provider: %v", err)
		}
	}
	if again := x.must(s.Act(ctx, directory.Act{Do: withdraw.Do, Staff: "lee", Auth: "test", Provider: id, Note: withdraw.Note, At: e.PerformedAt})); again.Seq != e.Seq {
		t.Error("the same withdrawal again is another event")
	}
	// What was loaded meanwhile is looked at when they come back.
	clk.set(noon.Add(time.Hour))
	load(t, s, edition("leie", "2026-11", "2026-11-20"), exclusion("m", "Maria Lopez", mariaNPI))
	files := must(s.ClaimFiles(ctx, id))
	if !files[0].Withdrawn {
		t.Error("staff do not see that the file is withdrawn")
	}
	whole(t, s)
	back := x.must(x.act("noor", directory.Voiding, e.Claim, e.Seq))
	f, err := s.File(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if st := standing(t, s, f, directory.ExclusionScreen, "leie"); st.Status != directory.StatusUnderReview {
		t.Errorf("the list of meanwhile: %q", st.Status)
	}
	if _, n, _ := s.Queue(ctx, CaseFilter{Provider: id, Limit: 9}); n != 3 {
		t.Errorf("%d cases about Maria", n)
	}
	// And a void of the void withdraws again.
	x.must(x.act("lee", directory.Voiding, e.Claim, back.Seq))
	if _, err := s.File(ctx, id); !errors.Is(err, directory.Gone) {
		t.Errorf("withdrawn again: %v", err)
	}
	whole(t, s)
}

func testDossier(t *testing.T, c Config) {
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), dan())
	row := exclusion("a", "Daniel Poole", danNPI)
	row.Exclusion.Birth = "1961-03-04"
	row.Fields["dob"] = "19610304"
	load(t, s, edition("leie", "2026-10", "2026-10-31"), row)
	id := find(t, s, "Dan Poole").Provider.ID
	list, total, err := s.Queue(ctx, CaseFilter{Provider: id, Limit: 9})
	if err != nil || total != 1 || list[0].Kind != directory.CaseExclusion || list[0].Need.Approvals != 2 || list[0].Name != "Dan Poole" {
		t.Fatalf("queue %+v, %v", list, err)
	}
	d := must(s.Dossier(ctx, list[0].ID, "kim"))
	said := map[string]directory.Compared{}
	for _, f := range d.Compared {
		said[f.Field] = f
	}
	for field, want := range map[string]directory.Compared{
		"name":        {Field: "name", Ours: "Dan Poole", Theirs: "Daniel Poole", Agree: "differs"},
		"npi":         {Field: "npi", Ours: string(danNPI), Theirs: string(danNPI), Agree: "same"},
		"birth":       {Field: "birth", Theirs: "1961-03-04"},
		"status":      {Field: "status", Theirs: "excluded (1128b4)"},
		"excluded on": {Field: "excluded on", Theirs: "2020-01-01"},
	} {
		if said[field] != want {
			t.Errorf("%s: %+v", field, said[field])
		}
	}
	if d.Row == nil || d.Row.Fields["dob"] != "19610304" || d.Row.Evidence == "" || d.Row.Release != "2026-10" {
		t.Errorf("row %+v", d.Row)
	}
	if len(d.History) != 1 || d.Seen != d.History[0].Seq || !strings.Contains(d.History[0].Words, "leie (2026-10, data of 31 Oct 2026) says excluded") {
		t.Errorf("history %+v", d.History)
	}
	var choices []string
	for _, ch := range d.Choices {
		choices = append(choices, fmt.Sprintf("%s %v %s", ch.Decision, ch.Refused == "", ch.After))
	}
	if !slices.Equal(choices, []string{"confirm true under_review", "clear false ", "return true under_review"}) {
		t.Errorf("kim's choices %q", choices)
	}
	if !strings.Contains(d.Choices[0].Effect, "needs a second person: an approver (lee or noor)") || !strings.Contains(d.Choices[1].Refused, "ask lee or noor") {
		t.Errorf("choices %+v", d.Choices)
	}
	for _, ch := range must(s.Dossier(ctx, list[0].ID, "lee")).Choices {
		if ch.Refused != "" {
			t.Errorf("lee may not %s: %s", ch.Decision, ch.Refused)
		}
	}
	// What the choices say is what then happens.
	x.must(x.decide("kim", "return", d.Case, d.Seen))
	q := x.queued(id)
	if q.Need.Returned != "kim" || q.Need.Due != "2026-12-01" { // five days from Monday the 23rd; the 26th is Thanksgiving
		t.Errorf("returned: %+v", q.Need)
	}
	x.must(x.decide("kim", "confirm", d.Case, must(s.Dossier(ctx, d.Case.ID, "")).Seen))
	lee := must(s.Dossier(ctx, d.Case.ID, "lee"))
	if lee.Choices[0].After != directory.StatusAdverse || !slices.Equal(lee.Need.Given, []string{"kim"}) || lee.Choices[0].Effect != "the claim becomes adverse [EXCL_CONFIRMED]" {
		t.Errorf("lee's choices %+v, need %+v", lee.Choices, lee.Need)
	}
	x.must(x.decide("lee", "confirm", d.Case, lee.Seen))
	if d = must(s.Dossier(ctx, d.Case.ID, "")); d.Status != directory.StatusAdverse || d.Waits || d.Case.Closed == "" || len(d.Choices) != 0 {
		t.Errorf("decided: %s, %+v", d.Now, d.Choices)
	}
	if _, err := s.Dossier(ctx, "cas_none", ""); !errors.Is(err, directory.NotFound) {
		t.Errorf("no such case: %v", err)
	}
	if _, err := s.ClaimFiles(ctx, "clm_none"); !errors.Is(err, directory.NotFound) {
		t.Errorf("no such claim: %v", err)
	}
	if !slices.IsSortedFunc(must(s.Cases(ctx, false, 100)), func(a, b directory.Case) int { return harm(a.Kind) - harm(b.Kind) }) {
		t.Error("cases are not ordered by harm")
	}
}

func harm(k directory.CaseKind) int {
	for i, x := range directory.CaseKinds {
		if x.Kind == k {
			return i
		}
	}
	return 99
}

func (x *trial) queued(provider directory.ID) directory.Queued {
	x.t.Helper()
	list, _, err := x.s.Queue(ctx, CaseFilter{Provider: provider, Limit: 10})
	if err != nil || len(list) != 1 {
		x.t.Fatalf("cases of %s: %+v, %v", provider, list, err)
	}
	return list[0]
}

func testReused(t *testing.T, c Config) {
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), ben(), cara())
	hash := strings.Repeat("ab", 32)
	send := func(who string, minutes int) directory.ClaimFile {
		id := find(t, s, who).Provider.ID
		n, err := s.Attest(ctx, directory.Attestation{At: directory.At(noon.Add(-time.Hour + time.Duration(minutes)*time.Minute)), Provider: directory.ProviderRef{ID: id}, By: "provider", Auth: "email_link",
			Certificate: &directory.CertificateStatement{Programme: "Polaris Insight Center", Level: "certificate", Completed: "2024-05-01", SHA256: hash}})
		if err != nil || n != 1 {
			t.Fatal(n, err)
		}
		for _, f := range must(s.ClaimFiles(ctx, id)) {
			if f.Claim.Kind == directory.TrainingCert {
				return f
			}
		}
		t.Fatal("no training")
		return directory.ClaimFile{}
	}
	if f := send("Ana Ruiz", 0); f.Status != directory.StatusDocumented {
		t.Errorf("the first sender: %s", f.Now)
	}
	f := send("Ana Ruiz", 1)
	if f.Status != directory.StatusDocumented || len(must(s.Cases(ctx, true, 9))) != 0 {
		t.Errorf("the same person again: %s", f.Now)
	}
	second := send("Ben Carter", 2)
	if second.Status != directory.StatusSelfReported {
		t.Errorf("the second sender: %s", second.Now)
	}
	third := send("Cara Smith", 3)
	q := x.queued(second.Claim.Provider)
	d := must(s.Dossier(ctx, q.ID, "kim"))
	if q.Kind != directory.CaseDocument || len(d.Others) != 2 || d.Others[0].Name != "Ana Ruiz" || len(d.Choices) != 2 ||
		d.Choices[0].After != directory.StatusSelfReported || d.Choices[1].After != directory.StatusDocumented {
		t.Errorf("dossier %+v %+v %+v", q, d.Others, d.Choices)
	}
	if _, err := x.decide("kim", "return", q.Case, d.Seen); !errors.Is(err, directory.Invalid) {
		t.Errorf("returning a document: %v", err)
	}
	x.must(s.Decide(ctx, directory.Decision{Case: q.ID, Seen: d.Seen, Staff: "kim", Auth: "test", Decision: "clear"}))
	if f := x.claim(second.Claim.ID); f.Status != directory.StatusDocumented {
		t.Errorf("theirs after all: %s", f.Now)
	}
	q = x.queued(third.Claim.Provider)
	x.must(x.decide("kim", "confirm", q.Case, third.Seen))
	if f := x.claim(third.Claim.ID); f.Status != directory.StatusSelfReported || len(must(s.Cases(ctx, true, 9))) != 0 {
		t.Errorf("somebody else's: %s", f.Now)
	}
	whole(t, s)
}

func testAgreement(t *testing.T, c Config) {
	s := open(t, c)
	load(t, s, edition("kap-commons", "1", "2026-11-20"), ana(), ben())
	a := directory.Attestation{At: directory.At(noon.Add(-time.Hour)), Provider: directory.ProviderRef{ID: find(t, s, "Ben Carter").Provider.ID}, By: "prescriber", Auth: "email_link",
		Agreement: &directory.AgreementStatement{Physician: directory.ProviderRef{NPI: mariaNPI}, State: "TX", From: "2026-01-01", To: "2027-01-01", SHA256: strings.Repeat("ab", 32)}}
	for range 2 { // the second time changes nothing
		if _, err := s.Attest(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	var found directory.History
	for _, h := range find(t, s, "Ben Carter").Claims {
		if h.Claim.Kind == directory.PracticeAgreement {
			found = h
		}
	}
	st := directory.Derive(found, s.now(), knownAt(t, s), s.config.Policies)
	if found.Claim.Other != find(t, s, "Maria Lopez").Provider.ID || found.Claim.Jurisdiction != "TX" || len(found.Events) != 1 || st.Status != directory.StatusDocumented ||
		st.Basis.Body.To != "2027-01-01" {
		t.Errorf("agreement %+v: %s", found.Claim, st.Words())
	}
	if f := find(t, s, "Ben Carter"); f.Linked[found.Claim.Other] == nil {
		t.Error("the physician's file is not linked")
	}
	for i, change := range []func(*directory.AgreementStatement){
		func(x *directory.AgreementStatement) { x.State = "" },
		func(x *directory.AgreementStatement) { x.Physician = a.Provider },
		func(x *directory.AgreementStatement) { x.Physician = directory.ProviderRef{NPI: "1999999999"} },
		func(x *directory.AgreementStatement) { x.SHA256 = "12" },
	} {
		bad, x := a, *a.Agreement
		change(&x)
		bad.Agreement = &x
		if _, err := s.Attest(ctx, bad); err == nil || errors.Is(err, directory.Internal) {
			t.Errorf("agreement %d: %v", i, err)
		}
	}
	whole(t, s)
}

// testTwoAtOnce lets two people decide the same case in two processes at the same moment: one of them does,
// the other hears who was faster, and nothing is lost.
func testTwoAtOnce(t *testing.T, c Config) {
	s := open(t, c)
	other := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	for round := range 8 {
		state := directory.SeenActive
		if round%2 == 1 {
			state = directory.SeenRevoked
		}
		provider, claim := x.person(state, false)
		q, before := x.theCase(provider), x.claim(claim)
		start := make(chan struct{})
		var wg sync.WaitGroup
		events, errs := make([]directory.Event, 2), make([]error, 2)
		for i, who := range []string{"lee", "noor"} {
			st := []*Store{s, other}[i]
			decision := []string{"confirm", []string{"confirm", "clear", "return"}[round%3]}[i]
			wg.Go(func() {
				<-start
				events[i], errs[i] = st.Decide(ctx, directory.Decision{Case: q.ID, Seen: before.Seen, Staff: who, Auth: "test", Decision: decision, Field: "licence"})
			})
		}
		close(start)
		wg.Wait()
		won := 0
		if errs[0] != nil {
			won = 1
		}
		if errs[won] != nil || !errors.Is(errs[1-won], directory.Conflict) || !strings.Contains(errs[1-won].Error(), "since you looked, "+[]string{"lee", "noor"}[won]) {
			t.Fatalf("round %d: %v and %v", round, errs[0], errs[1])
		}
		after := x.claim(claim)
		if len(after.History) != len(before.History)+1 || after.Seen != events[won].Seq {
			t.Errorf("round %d: %d events, were %d", round, len(after.History), len(before.History))
		}
	}
	whole(t, s)
}

// testTwoStaff lets two people and the register act on one claim in any order, each on what they last looked
// at: what is accepted is in the ledger once, what is refused leaves nothing, nobody acts on what they have
// not seen, and what stands against the provider has two people behind it, one an approver.
func testTwoStaff(t *testing.T, fresh func(testing.TB) Config) {
	clk := newClock()
	c := fresh(t)
	c.Now = clk.now
	s := open(t, c)
	hire(t, s)
	x := &trial{t: t, s: s}
	checks := "60"
	if c.DSN != "" {
		checks = "10"
	}
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue && os.Getenv("KAPDIR_CHECKS") == "" {
		_ = f.Value.Set(checks)
		defer f.Value.Set(f.DefValue)
	}
	tick := func() { clk.set(clk.now().Add(time.Second)) }
	accepted, refused := 0, 0
	outcomes := map[directory.Status]int{}
	rapid.Check(t, func(r *rapid.T) {
		states := []directory.Observed{directory.SeenRevoked, directory.SeenActive, directory.SeenProbation, directory.SeenExpired, directory.SeenIndeterminate}
		tick()
		provider, claim := x.person(rapid.SampledFrom(states).Draw(r, "first"), false)
		f, err := s.File(ctx, provider)
		if err != nil {
			r.Fatal(err)
		}
		who, number := f.Provider.DisplayName(), firstLicence(f).Number.Digits()
		ledger := func() []directory.Event {
			f, err := s.File(ctx, provider)
			if err != nil {
				r.Fatal(err)
			}
			for _, h := range f.Claims {
				if h.Claim.ID == claim {
					return h.Events
				}
			}
			return nil
		}
		model := slices.Clone(ledger())
		seen, cases := map[string]int64{}, map[string]directory.ID{}
		look := func(name string) {
			seen[name] = x.claim(claim).Seen
			cases[name] = ""
			list, _, err := s.Queue(ctx, CaseFilter{Provider: provider, All: true, Limit: 9})
			if err != nil {
				r.Fatal(err)
			}
			for _, q := range list { // an open one, or one in which something was found
				if q.Claim == claim && (cases[name] == "" || q.Closed == "") {
					cases[name] = q.ID
				}
			}
		}
		team := []string{"kim", "lee"}
		if rapid.Bool().Draw(r, "two approvers") {
			team[0] = "noor"
		}
		for range rapid.IntRange(4, 16).Draw(r, "steps") {
			tick()
			name := rapid.SampledFrom(team).Draw(r, "who")
			do := rapid.SampledFrom([]string{"confirm", "confirm", "confirm", "confirm", "clear", "return", "void", "correct", "release"}).Draw(r, "do")
			if rapid.IntRange(0, 3).Draw(r, "looks") > 0 { // or acts on what they saw before
				look(name)
			}
			newest := History(ledger()).newest()
			switch do {
			case "release":
				x.release(rapid.SampledFrom(states).Draw(r, "state"), who, number)
				now := ledger()
				if len(now) > len(model)+1 {
					r.Fatalf("a release appended %d events", len(now)-len(model))
				}
				model = slices.Clone(now)
				continue
			}
			rows, before := rowCounts(t, s), len(model)
			head := must(s.Head(ctx))
			var e directory.Event
			switch do {
			case "void", "correct":
				a := directory.Act{Do: directory.Voiding, Staff: name, Auth: "test", Claim: claim, Seen: seen[name], Note: "n",
					Of: rapid.SampledFrom(model).Draw(r, "of").Seq}
				if do == "correct" {
					a.Do, a.To = directory.Correction, &directory.Fixed{State: rapid.SampledFrom(states[:4]).Draw(r, "to"), Method: "phone", Text: "read out"}
				}
				e, err = s.Act(ctx, a)
			default:
				if cases[name] == "" {
					continue
				}
				e, err = s.Decide(ctx, directory.Decision{Case: cases[name], Seen: seen[name], Staff: name, Auth: "test", Decision: do, Field: "licence"})
			}
			now := ledger()
			if err != nil {
				refused++
				if errors.Is(err, directory.Internal) || errors.Is(err, directory.Unavailable) {
					r.Fatalf("%s %s: %v", name, do, err)
				}
				if got := rowCounts(t, s); fmt.Sprint(got) != fmt.Sprint(rows) || must(s.Head(ctx)) != head || len(now) != len(model) {
					r.Fatalf("%s %s was refused (%v) and left something", name, do, err)
				}
				continue
			}
			accepted++
			if seen[name] != newest {
				r.Fatalf("%s %s on %d, and the newest was %d", name, do, seen[name], newest)
			}
			model = append(model, e)
			if do == "clear" { // and what earlier releases said alike
				for _, also := range now[min(len(model), len(now)):] {
					if also.Type == e.Type && also.Actor == e.Actor && also.Body.Decision == e.Body.Decision && also.PerformedAt == e.PerformedAt && also.Body.Of < e.Body.Of {
						model = append(model, also)
					}
				}
			}
			same := slices.EqualFunc(now, model, func(a, b directory.Event) bool {
				return a.Seq == b.Seq && a.Type == b.Type && a.Actor == b.Actor && a.Body.Of == b.Body.Of
			})
			if !same || rowCounts(t, s)["event"] != rows["event"]+len(model)-before {
				r.Fatalf("%s %s: the ledger holds\n%v\nand was told\n%v", name, do, now, model)
			}
			known := knownAt(t, s)
			hist := directory.History{Claim: directory.Claim{ID: claim, Provider: provider, Kind: directory.License, Jurisdiction: "CO"}, Events: model}
			st := directory.Derive(hist, s.now(), known, s.config.Policies)
			if got := x.claim(claim); got.Now != st.Words() {
				r.Fatalf("the store says %s, and the accepted events %s", got.Now, st.Words())
			}
			outcomes[st.Status]++
			backed := func() []string {
				_, given := hist.Approvals(st.Basis.Seq, s.now(), known, s.config.Policies)
				return given
			}
			switch st.Status {
			case directory.StatusAdverse:
				if given := backed(); len(st.Because) == 0 || len(given) < 2 && !repeats(hist, st) || len(given) == 2 && !slices.Contains(given, "lee") && !slices.Contains(given, "noor") {
					r.Fatalf("adverse on the word of %v", given)
				}
			case directory.StatusVerified, directory.StatusExpiring:
				if len(backed()) == 0 && !repeats(hist, st) {
					r.Fatalf("verified on nobody's word:\n%v", model)
				}
			}
			waiting := 0
			list, _, err := s.Queue(ctx, CaseFilter{Provider: provider, Limit: 9})
			if err != nil {
				r.Fatal(err)
			}
			for _, q := range list {
				if q.Claim == claim {
					waiting++
					if !slices.Contains(st.Pending, q.Event) {
						r.Fatalf("the case about event %d is open, and what waits is %v", q.Event, st.Pending)
					}
				}
			}
			if waiting == 0 && len(st.Pending) > 0 {
				r.Fatalf("%v wait and no case is open", st.Pending)
			}
		}
	})
	if f, err := s.Fsck(ctx, nil); err != nil || len(f.Faults) > 0 {
		t.Fatalf("fsck: %v %v", f.Faults, err)
	}
	t.Logf("%d accepted, %d refused, outcomes %v", accepted, refused, outcomes)
	if c.DSN == "" && (accepted < 100 || refused < 100 || outcomes[directory.StatusAdverse] < 3 || outcomes[directory.StatusVerified] < 3) {
		t.Errorf("too little was tried: %d accepted, %d refused", accepted, refused)
	}
}

// History is the events of one claim.
type History []directory.Event

func (h History) newest() int64 { return directory.History{Events: h}.Newest() }

// repeats reports an answer that repeats one that people confirmed.
func repeats(h directory.History, st directory.Standing) bool {
	return slices.ContainsFunc(h.Events, func(e directory.Event) bool {
		return e.Type == directory.Review && e.Body.Decision == "confirm" && slices.Contains(st.Because, e.Seq)
	})
}
