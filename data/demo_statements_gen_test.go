package data_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"kapdir/directory"
)

// ---------------------------------------------------------------------------------------------------
// What people told us, and what staff decided

// ref names the provider as a statement does: by an NPI that a page shows, else by source and key.
func (w *world) ref(p *person) (directory.ProviderRef, bool) {
	named := slices.ContainsFunc(w.people, func(t *person) bool { return t.onCommons && t.prescriber == p && t.namesMD != "name" })
	switch {
	case p.npi != "" && (p.onCommons && p.commonsNPI || p.onClinics && p.showsNPI || named):
		return directory.ProviderRef{NPI: directory.NPI(p.npi)}, true
	case p.onCommons:
		return directory.ProviderRef{Source: "kap-commons", Key: "/profile/" + p.slug}, true
	case p.onClinics:
		return directory.ProviderRef{Source: "open-clinics", Key: w.memberKey(p)}, true
	}
	return directory.ProviderRef{}, false
}

// documentHash is the SHA-256 of invented bytes: the document itself was never written.
func documentHash(of string) string {
	sum := sha256.Sum256([]byte("kapdir demonstration document: " + of))
	return hex.EncodeToString(sum[:])
}

// twoSided are therapists whose prescriber says the same as they do.
func (w *world) twoSided() []*person {
	var out []*person
	more := map[string]int{"CO": 11, "TX": 6, "CA": 2, "WA": 1, "NM": 1, "AZ": 1, "NY": 1}
	for i, p := range w.people {
		if !p.onCommons || p.prescriber == nil || p.namesMD == "name" {
			continue
		}
		always := slices.Contains(words("amara-whitcomb henrike-stadler margaux-villeneuve orrin-blakely"), p.slug)
		if s := p.offices[0].state; always || i >= w.special && more[s] > 0 {
			more[s]--
			out = append(out, p)
		}
	}
	return out
}

func (w *world) attestations() []byte {
	var lines []directory.Attestation
	at := directory.Instant("2026-11-13T08:00:00.000Z")
	say := func(p *person, by string, set func(a *directory.Attestation)) {
		ref, ok := w.ref(p)
		if !ok {
			return
		}
		at = at.Add(3 * time.Minute)
		a := directory.Attestation{At: at, Provider: ref, By: by, Auth: []string{"email_link", "telephone_callback", "email_link"}[len(lines)%3]}
		set(&a)
		lines = append(lines, a)
	}
	oversight := func(p *person, by string) {
		md, ok := w.ref(p.prescriber)
		if !ok {
			return
		}
		began := stream("oversight of " + p.slug) // both sides name the same day
		from := directory.Date(fmt.Sprintf("202%d-0%d-01", 2+began.IntN(4), 1+began.IntN(9)))
		say(p, by, func(a *directory.Attestation) {
			a.Oversight = &directory.OversightStatement{Prescriber: md, From: from}
		})
	}
	pairs := w.twoSided()
	for _, p := range pairs {
		oversight(p, "provider")
		oversight(p, "prescriber")
	}
	one, self := 0, 0
	for _, p := range w.people {
		switch {
		case slices.Contains(pairs, p) || !p.onCommons:
		case p.prescriber != nil && p.namesMD != "name" && one < 10:
			one++
			oversight(p, []string{"provider", "provider", "prescriber"}[one%3])
		case p.self && self < 8:
			self++
			say(p, "provider", func(a *directory.Attestation) { a.Oversight = &directory.OversightStatement{Self: true} })
		}
	}

	r := stream("attestations")
	yes, no := directory.Yes, directory.No
	protocols := 0
	for _, p := range w.people {
		if !p.onCommons || protocols >= 60 || !slices.Contains(pairs, p) && !chance(r, 26) {
			continue
		}
		s := &directory.ProtocolStatement{Preparation: yes, Presence: yes, Monitoring: yes, Emergency: yes, Integration: yes}
		switch {
		case p.slug == "amara-whitcomb":
		case protocols%11 == 10:
			s.Integration = no
		case protocols%13 == 12:
			s.Emergency = no
		case protocols%17 == 16:
			s.Monitoring = directory.Unknown
		}
		if protocols%5 < 2 || p.slug == "amara-whitcomb" {
			s.SHA256 = documentHash("protocol of " + p.slug)
		}
		protocols++
		say(p, "provider", func(a *directory.Attestation) { a.Protocol = s })
	}

	certificates := 0
	for _, p := range w.people {
		if certificates >= 50 || !p.onCommons || len(p.trainings) == 0 || !slices.Contains(pairs, p) && !chance(r, 34) {
			continue
		}
		t := p.trainings[0]
		if t.level == "" {
			t.level = "attended"
		}
		hash := documentHash("certificate of " + p.slug)
		if certificates == 30 || certificates == 41 {
			hash = documentHash("one certificate sent by two people")
			w.noteOnce("sent a certificate whose bytes another provider had sent as well", p)
		}
		certificates++
		say(p, "provider", func(a *directory.Attestation) {
			a.Certificate = &directory.CertificateStatement{Programme: t.words, Level: t.level, Completed: directory.Date(t.completed), SHA256: hash}
		})
	}

	var seen []*person
	for _, p := range pairs {
		md := p.prescriber
		if len(seen) >= 15 || slices.Contains(seen, md) {
			continue
		}
		seen = append(seen, md)
		say(md, "provider", func(a *directory.Attestation) {
			a.DEA = &directory.DocumentStatement{State: directory.State(p.offices[0].state), Expires: directory.Date(fmt.Sprintf("202%d-%02d-28", 7+len(seen)%3,
				1+len(seen)%12)), SHA256: documentHash("DEA certificate of " + md.slug)}
		})
	}
	for _, p := range w.people {
		if p.self && p.onCommons && len(seen) < 18 && (p.slug == "leila-farahani" || chance(r, 30)) {
			seen = append(seen, p)
			say(p, "provider", func(a *directory.Attestation) {
				a.DEA = &directory.DocumentStatement{State: directory.State(p.offices[0].state), Expires: "2028-05-31", SHA256: documentHash("DEA certificate of " + p.slug)}
			})
		}
	}
	return jsonLines(lines)
}

// noteOnce adds a special case when the person does not have it yet.
func (w *world) noteOnce(what string, p *person) {
	if !slices.ContainsFunc(w.cases, func(c specialCase) bool { return c.what == what && c.where == p.slug }) {
		w.note(what, p)
	}
}

func jsonLines[T any](lines []T) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, l := range lines {
		if err := e.Encode(l); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

// staff are the two who decide; one of two who confirm a finding must be an approver.
func staff() []byte {
	return jsonLines([]directory.StaffChange{
		{At: "2026-11-14T08:30:00.000Z", Name: "staff-rowan", Do: "add", Role: directory.Verifier, By: "kapdir demo", Auth: "local"},
		{At: "2026-11-14T08:31:00.000Z", Name: "staff-imani", Do: "add", Role: directory.Approver, By: "kapdir demo", Auth: "local"},
	})
}

func (w *world) decisions() []byte {
	r := stream("decisions")
	var lines []directory.Decision
	at := directory.Instant("2026-11-14T09:00:00.000Z")
	decide := func(staff string, p *person, d directory.Decision) {
		ref, ok := w.ref(p)
		if !ok {
			panic("no reference to " + p.slug)
		}
		if at = at.Add(4 * time.Minute); at == "2026-11-14T17:00:00.000Z" {
			at = "2026-11-15T09:00:00.000Z"
		}
		d.At, d.Staff, d.Auth, d.Provider = at, staff, "passkey", ref
		lines = append(lines, d)
	}
	staff := words("staff-rowan staff-imani")
	always := map[*person]bool{}
	for _, p := range w.twoSided() {
		always[p], always[p.prescriber] = true, true
	}
	wait := words("marisol-quintero lucia-benavides hollis-marchetti desmond-achebe petra-lindgren solomon-abara caroline-whitlock")
	var pages []byte // a licence that no page states is joined to nobody, so there is nothing to decide about it
	for _, site := range []map[string][]byte{w.commons(), w.openClinics()} {
		for _, page := range site {
			pages = append(pages, page...)
		}
	}
	n := 0
	for _, p := range append(slices.Clone(w.prescribers), w.people...) {
		if _, ok := w.ref(p); !ok || p.showsNoLic || slices.Contains(wait, p.slug) {
			continue
		}
		if !always[p] && !chance(r, 64) {
			continue
		}
		for _, l := range p.licences {
			if l.board == "" || l.absent || l.flagged || l.status != "Active" || l.expires < "2026-11-16" || !bytes.Contains(pages, []byte(l.number)) {
				continue
			}
			decide(staff[n%2], p, directory.Decision{Kind: directory.License, State: directory.State(l.state), Number: l.number, Decision: "confirm"})
			n++
		}
	}
	find := func(slug string) *person { return w.slugs[slug] }
	for _, s := range staff {
		decide(s, find("garrick-thole"), directory.Decision{Kind: directory.ExclusionScreen, Issuer: "leie", Decision: "confirm", Note: "NPI and name agree with the list's row."})
	}
	for _, x := range planteds {
		for _, s := range staff[:x.decided] {
			decide(s, find(x.slug), directory.Decision{Kind: directory.ExclusionScreen, Issuer: x.list, Decision: "confirm", Note: "NPI and name agree with the list's row."})
		}
	}
	suspended := find("emory-vasquez-lund")
	for _, s := range staff {
		decide(s, suspended, directory.Decision{Kind: directory.License, State: "CO", Number: suspended.licences[0].number, Decision: "confirm",
			Note: "Summary suspension read at the register's own page."})
	}
	decide("staff-imani", find("anneliese-brandt-okafor"), directory.Decision{Kind: directory.ExclusionScreen, Issuer: "leie", Decision: "clear", Field: "birth",
		Note: "The list's row has another birth date than the provider's document."})
	active := find("hollis-marchetti")
	decide("staff-rowan", active, directory.Decision{Kind: directory.License, State: "TX", Number: active.licences[0].number, Decision: "return",
		Note: "Active with a disciplinary action: ask the council what is in force."})
	ends := find("gwendolyn-pratt") // confirmed on its last day
	decide("staff-imani", ends, directory.Decision{Kind: directory.License, State: "TX", Number: ends.licences[0].number, Decision: "confirm"})
	return jsonLines(lines)
}

// ---------------------------------------------------------------------------------------------------
// README

// listCases turns each person's slug into the pages they are on.
func (w *world) listCases() {
	w.attestations() // notes the reused certificate
	both, homes := 0, 0
	for _, p := range w.people {
		switch {
		case p.clinic != nil && p.onCommons && p.commonsNPI && p.showsNPI && both < 4:
			both++
			w.noteOnce("on both sites with the NPI, as a member of a clinic", p)
		case p.offices[0].suite == "" && p.onCommons && homes < 4:
			homes++
			w.noteOnce("an address that looks like a home", p)
		}
	}
	for _, x := range planteds {
		w.note(x.what, w.slugs[x.slug])
	}
	for _, p := range w.prescribers {
		if p.onCommons {
			w.noteOnce("a prescriber with a page as such: offers no therapy", p)
		}
	}
}

func (w *world) readme() []byte {
	var b bytes.Buffer
	b.WriteString(`# The demonstration

Everybody and everything in these files is invented: people, practices, addresses, numbers, documents and decisions.
NPIs begin with 2, as no issued NPI does; telephone numbers lie in 555-0100 to 555-0199; hosts end in ` + "`.example`" + `.
The towns and their ZIPs are real, the streets are not. Any likeness of a name to somebody's is chance.

Nothing here is written by hand: ` + "`go test ./data -run TestDemo -update`" + ` writes every file (` + "`demo_gen_test.go`" + `), and
` + "`go test ./data -run TestDemo`" + ` fails when one differs, or breaks a rule (` + "`demo_rules_test.go`" + `).

| file | what it is | as of |
|---|---|---|
| ` + "`kap-commons/`" + ` | the invented listing site KAP Commons, plain markup: list pages, a page for each person and some clinics | 2026-11-02 |
| ` + "`open-clinics/`" + ` | the invented listing site Open Clinics, JSON-LD in four shapes: clinics and their people | 2026-11-03 |
| ` + "`nppes/npidata_pfile_20050523-20261108.csv`" + ` | NPPES's main file, 330 columns; every mailing address is on Never Shown Mailing Ln | 2026-11-08 |
| ` + "`co-dora/Professional_and_Occupational_Licenses_in_Colorado.csv`" + ` | the Colorado roster, a row for each licence and case | 2026-11-09 |
| ` + "`tx-bhec/`" + ` | the four Texas rosters, current licensees only | 2026-11-10 |
| ` + "`leie/UPDATED.csv`" + ` | the federal exclusion list, October 2026 release | 2026-11-10 |
| ` + "`sam/SAM_Exclusions_Public_Extract_V2_26315.CSV`" + ` | the exclusions of SAM.gov, with two rows that no parser can divide, as the publisher has them | 2026-11-11 |
| ` + "`tx-oig/exclusions.csv`" + ` | the Texas exclusion list, its workbook saved as CSV: history, with people who were reinstated | 2026-11-05 |
| ` + "`attestations.jsonl`" + ` | what providers and prescribers told us, one object a line | 2026-11-13 |
| ` + "`staff.jsonl`" + ` | who decides: a verifier and an approver | 2026-11-14 |
| ` + "`decisions.jsonl`" + ` | what two invented staff, staff-rowan and staff-imani, decided | 2026-11-14 and 15 |
| ` + "`manifest.json`" + ` | the demonstration's now, and the steps in order | 2026-11-16 |

## Special cases

| who | NPI | where | what |
|---|---|---|---|
`)
	for _, c := range w.cases {
		p := w.slugs[c.where]
		var at []string
		if p.onCommons {
			at = append(at, "kap-commons `/profile/"+p.slug+"`")
		}
		if p.onClinics && p.clinic != nil {
			at = append(at, "open-clinics `"+w.memberKey(p)+"`")
		}
		if len(at) == 0 {
			at = append(at, "named on therapists' pages")
		}
		npi := p.npi
		if npi == "" {
			npi = "none"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", c.who, npi, strings.Join(at, ", "), c.what)
	}
	b.WriteString("\nThree more: `open-clinics` `/clinics/drip-lounge-example` offers infusions and says nothing of KAP, so it makes no listing;\n" +
		"the literal surname NULL stands in the federal exclusion list; and SAM has a firm of another state called " + samFirm + ", like a clinic.\n\n## Clinics\n\n| clinic | NPI | key at open-clinics | what it states |\n|---|---|---|---|\n")
	what := map[string]string{"team": "an in-house team", "infusion": "infusion only: no preparation, no integration", "checkins": "infusion with check-ins",
		"unknown": "little or nothing"}
	for _, c := range w.clinics {
		text := what[c.kind]
		if c.facts.Medicine.Offered == directory.Unknown {
			text = "nothing of how it works"
		}
		fmt.Fprintf(&b, "| %s | %s | `%s` | %s |\n", c.name, c.npi, clinicKey(c), text)
	}
	return b.Bytes()
}
