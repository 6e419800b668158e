package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kapdir/directory"
)

// clock is a time that only the test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = t
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newClock() *clock { return &clock{at: noon} }

// open opens a store that closes with the test.
func open(t testing.TB, c Config) *Store {
	t.Helper()
	if c.Now == nil {
		c.Now = newClock().now
	}
	s, err := Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// edition is a release whose bytes are told apart by its name and a variant.
func edition(source, name string, asOf directory.Date, variant ...string) directory.Release {
	h := sha256.Sum256([]byte(source + name + strings.Join(variant, "")))
	return directory.Release{Source: source, Name: name, AsOf: asOf, SHA256: hex.EncodeToString(h[:]), File: source + ".csv", Size: 1,
		Read: directory.At(noon.Add(-time.Hour))}
}

// load imports a release whole.
func load(t testing.TB, s *Store, rel directory.Release, records ...directory.Record) directory.Run {
	t.Helper()
	run, err := loadErr(s, rel, records...)
	if err != nil {
		t.Fatalf("importing %s %s: %v", rel.Source, rel.Name, err)
	}
	return run
}

func loadErr(s *Store, rel directory.Release, records ...directory.Record) (directory.Run, error) {
	ctx := context.Background()
	run, err := s.Begin(ctx, rel)
	if err != nil || run.Already {
		return run, err
	}
	for i, r := range records {
		if r.Line == 0 && r.Listing == nil {
			records[i].Line = i + 1
		}
		records[i].Source = rel.Source
	}
	for chunk := range slices.Chunk(records, 500) {
		if _, err := s.Put(ctx, run.ID, directory.Batch{Records: chunk}); err != nil {
			return run, err
		}
	}
	return s.End(ctx, run.ID, nil)
}

// The people and places of the tests.
const (
	anaNPI   = directory.NPI("1234567893")
	mariaNPI = directory.NPI("1987654328")
	danNPI   = directory.NPI("1112223338")
)

func name(s string) directory.Name { return directory.ParseName(s) }

func licence(state directory.State, title, number string) directory.ListedLicence {
	return directory.ListedLicence{State: state, Title: title, Number: directory.ParseLicenceNumber(number)}
}

func denver(phone string) directory.Site {
	return directory.Site{Address: directory.Address{Line1: "100 Main St Ste 4", City: "Denver", State: "CO", ZIP: "80202"}, Phone: phone}
}

// listing makes a page about a person.
func listing(key, who string, change func(*directory.Listing)) directory.Record {
	l := &directory.Listing{Kind: directory.Person, ListedAs: directory.AsKAP, Name: name(who), Origin: directory.Origin{Source: "kap-commons", AsOf: "2026-11-20"}}
	if change != nil {
		change(l)
	}
	return directory.Record{Key: key, Listing: l, Fields: map[string]string{"page": fmt.Sprintf("%+v", *l)}}
}

func from(source string, r directory.Record) directory.Record {
	l := *r.Listing
	l.Origin.Source = source
	r.Listing = &l
	return r
}

func ana() directory.Record {
	return listing("ana", "Ana Ruiz, LCSW", func(l *directory.Listing) {
		l.NPI = anaNPI
		l.Licences = []directory.ListedLicence{licence("CO", "LCSW", "CSW.00012345")}
		l.Training = []directory.ListedTraining{{Programme: "Polaris Insight Center", Level: "certificate"}}
		l.Sites = []directory.Site{denver("(303) 555-0142")}
		l.Prescribers = []directory.ListedPrescriber{{Name: name("Maria Lopez"), NPI: mariaNPI, Licences: []directory.ListedLicence{licence("CO", "MD", "DR.0045678")}}}
		l.WorksAt = []string{"boulder"}
		l.Practice.Preparation.Offered = directory.Yes
	})
}

func ben() directory.Record {
	return listing("ben", "Ben Carter, LPC", func(l *directory.Listing) {
		l.Licences = []directory.ListedLicence{licence("CO", "LPC", "LPC.0005551")}
	})
}

func cara() directory.Record {
	return listing("cara", "Cara Smith", func(l *directory.Listing) {
		l.Sites = []directory.Site{denver("(303) 555-0199")}
	})
}

func dan() directory.Record {
	return listing("dan", "Dan Poole", func(l *directory.Listing) { l.NPI = danNPI })
}

func clinic() directory.Record {
	r := listing("boulder", "", func(l *directory.Listing) {
		l.Kind, l.ListedAs, l.Organisation = directory.Organisation, directory.AsClinic, "Boulder Ketamine Clinic, LLC"
	})
	return r
}

func maria() directory.Record {
	return from("open-clinics", listing("maria", "Maria Lopez, MD", func(l *directory.Listing) {
		l.NPI = mariaNPI
		l.Sites = []directory.Site{denver("(303) 555-0177")}
	}))
}

func roster(kind, number, who, words string, standing directory.Observed, expires directory.Date) directory.Record {
	return directory.Record{Key: kind + "-" + number, Fields: map[string]string{"number": number, "type": kind, "name": who, "status": words, "expires": string(expires)},
		Licence: &directory.LicenceRecord{State: "CO", BoardType: kind, Number: directory.ParseLicenceNumber(number), Name: name(who), Words: words,
			Standing: standing, Expires: expires}}
}

func identity(npi directory.NPI, who string, former ...string) directory.Record {
	i := &directory.IdentityRecord{NPI: npi, Kind: directory.Person, Name: name(who)}
	for _, f := range former {
		i.Others = append(i.Others, directory.OtherName{Type: "1", Name: name(f)})
	}
	return directory.Record{Key: string(npi), Identity: i, Fields: map[string]string{"npi": string(npi), "name": who, "former": strings.Join(former, ";")}}
}

func exclusion(key, who string, npi directory.NPI) directory.Record {
	return directory.Record{Key: key, Fields: map[string]string{"name": who, "npi": string(npi), "key": key},
		Exclusion: &directory.ExclusionRecord{Name: name(who), NPI: npi, State: "CO", Authority: "1128b4", Excluded: "2020-01-01"}}
}

// find returns the public file of the provider of that name.
func find(t testing.TB, s *Store, who string) *directory.CredentialFile {
	t.Helper()
	if f := lookup(t, s, who); f != nil {
		return f
	}
	t.Fatalf("there is no provider %q", who)
	return nil
}

func lookup(t testing.TB, s *Store, who string) *directory.CredentialFile {
	t.Helper()
	var found *directory.CredentialFile
	var ids []directory.ID
	err := s.EachFile(context.Background(), func(f *directory.CredentialFile) error {
		ids = append(ids, f.Provider.ID)
		if f.Provider.DisplayName() == who {
			if found != nil {
				t.Fatalf("two providers are called %q", who)
			}
			found = f
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if listed, err := s.Listed(context.Background()); err != nil || !slices.Equal(listed, ids) {
		t.Fatalf("%v are listed, %v have a file, %v", listed, ids, err)
	}
	return found
}

// standing derives the claim of the kind and issuer.
func standing(t testing.TB, s *Store, f *directory.CredentialFile, kind directory.ClaimKind, issuer string) directory.Standing {
	t.Helper()
	for _, h := range f.Claims {
		if h.Claim.Kind == kind && h.Claim.Issuer == issuer {
			return directory.Derive(h, s.now(), knownAt(t, s), s.config.Policies)
		}
	}
	return directory.Standing{}
}

func knownAt(t testing.TB, s *Store) directory.Instant {
	t.Helper()
	h, err := s.Head(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return max(s.now(), h.RecordedAt)
}

// publicChecks is what public faces may say of the provider: results, reasons and dates of the checks
// and of their parts.
func publicChecks(t testing.TB, s *Store, f *directory.CredentialFile) string {
	t.Helper()
	var b strings.Builder
	for _, c := range directory.Checks(f, "CO", s.now(), knownAt(t, s), s.config.Policies) {
		fmt.Fprintln(&b, c.Check, c.Result, c.Reasons, c.AsOf, c.ValidUntil, c.NextDue)
		for _, p := range c.Parts {
			fmt.Fprintln(&b, "  ", p.What, p.List, p.Result, p.Reasons, p.Standing.Status, p.Standing.AsOf, p.Standing.ValidUntil)
		}
	}
	return b.String()
}

// counts returns how many rows the tables have that grow.
func rowCounts(t testing.TB, s *Store) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, table := range []string{"event", "evidence", "provider", "claim", "source_record", "source_block", "provider_block", "change", "cases", "reject"} {
		var n int
		if err := s.reader.QueryRow(`SELECT count(*) FROM ` + table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		out[table] = n
	}
	return out
}

// everyone reads the files of all providers.
func everyone(x *tx) (map[directory.ID]*stored, error) {
	var ids []directory.ID
	err := x.each(`SELECT id FROM provider`, nil, func(r *sql.Rows) error {
		var id directory.ID
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return x.load(ids)
}

// dump writes everything the store holds without ids, numbers, salts and times, so that two stores that
// came to the same by different ways are equal.
func dump(t testing.TB, s *Store) string {
	t.Helper()
	var lines []string
	names := map[directory.ID]string{"": ""}
	claims := map[directory.ID]string{"": ""}
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	err := s.read(context.Background(), "dump", func(x *tx) error {
		held, err := everyone(x)
		if err != nil {
			return err
		}
		for id, h := range held {
			names[id] = h.file.Provider.DisplayName() + "/" + string(h.file.Provider.NPI)
		}
		for _, h := range held {
			for _, c := range h.file.Claims {
				k := c.Claim
				claims[k.ID] = fmt.Sprint(names[k.Provider], "|", k.Kind, "|", k.Issuer, "|", k.Jurisdiction, "|", k.Title, "|", k.Number.Key, "|", names[k.Other])
			}
		}
		for id, h := range held {
			p := h.file.Provider
			p.ID, p.Seq = "", 0
			p.Affiliations = slices.Clone(p.Affiliations)
			for i := range p.Affiliations {
				p.Affiliations[i].Provider = directory.ID(names[p.Affiliations[i].Provider])
			}
			doc, _ := json.Marshal(p)
			add("provider %s listed=%v until=%s numbered=%v %s", names[id], h.listed, h.until, h.file.Provider.Seq > 0, doc)
			for _, c := range h.file.Claims {
				add("claim %s raw=%s", claims[c.Claim.ID], c.Claim.Number.Raw)
				for i, e := range c.Events {
					e.Body.Prescriber = directory.ID(names[e.Body.Prescriber])
					of := e.Body.Of
					e.Body.Of = 0
					for j, o := range c.Events {
						if o.Seq == of && of != 0 {
							e.Body.Of = int64(j + 1)
						}
					}
					body, _ := json.Marshal(e.Body)
					add("event %s %03d %s %s %v %s", claims[c.Claim.ID], i, e.Type, e.Actor.Kind, e.Evidence, body)
				}
			}
		}
		rows := func(query, format string, n int, fix func([]any)) error {
			return x.each(query, nil, func(r *sql.Rows) error {
				values := make([]string, n)
				ptrs := make([]any, n)
				for i := range values {
					ptrs[i] = &values[i]
				}
				if err := r.Scan(ptrs...); err != nil {
					return err
				}
				args := make([]any, n)
				for i, v := range values {
					args[i] = v
				}
				fix(args)
				add(format, args...)
				return nil
			})
		}
		for _, info := range directory.Tables().Sources() {
			err := x.eachStanding(info.ID, func(p *packedPage, rows []entered) error {
				for _, at := range rows {
					r, err := p.unpack(info.ID, at)
					if err != nil {
						return err
					}
					run, _, err := x.runOne(`WHERE number = $1`, r.run)
					if err != nil {
						return err
					}
					doc, _ := json.Marshal(r.record)
					add("packed %s %s %s %s", r.source, r.key, run.Release.Name, doc)
					r.ready()
					for _, b := range append(r.blocks, "key "+r.key) { // each is found under every one of its blocks
						same, err := x.packed(info.ID, []uint64{hash64(b)}, func(o *row) bool { return o.key == r.key })
						if err != nil || len(same) != 1 || same[0].line != r.line {
							add("packed %s %s is found %d times under %s: %v", r.source, r.key, len(same), b, err)
						}
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return cmp.Or(
			rows(`SELECT source, key, release, row_hash, provider, rung, doc FROM source_record`, "record %s %s %s %s %s %s %s", 7,
				func(a []any) { a[4] = names[directory.ID(a[4].(string))] }),
			rows(`SELECT block, source, key FROM source_block`, "sourceblock %s %s %s", 3, func([]any) {}),
			rows(`SELECT block, provider FROM provider_block`, "providerblock %s %s", 2, func(a []any) { a[1] = names[directory.ID(a[1].(string))] }),
			rows(`SELECT sha256 FROM evidence`, "evidence %s", 1, func([]any) {}),
			rows(`SELECT kind, provider, claim, source, key, agreed, closed FROM cases`, "case %s %s %s %s %s %s closed=%s", 7, func(a []any) {
				a[1], a[2] = names[directory.ID(a[1].(string))], claims[directory.ID(a[2].(string))]
				if a[6] != "" {
					a[6] = "yes"
				}
			}),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// whole fails the test unless Fsck finds nothing.
func whole(t testing.TB, s *Store) {
	t.Helper()
	r, err := s.Fsck(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Faults) > 0 {
		t.Fatalf("fsck: %v", r.Faults)
	}
}
