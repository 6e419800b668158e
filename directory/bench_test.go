package directory

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"
)

func BenchmarkDerive50Events(b *testing.B) {
	l := newLedger(License, "CO")
	for i := range 25 {
		l.on(time.Date(2026, 1, 1+i*12, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
		l.review(rowan, l.observe(SeenActive, "2027-08-31"), "confirm")
	}
	ps := StandardPolicies()
	b.ReportAllocs()
	for b.Loop() {
		Derive(l.h, "2026-11-20T00:00:00.000Z", "2026-11-20T00:00:00.000Z", ps)
	}
}

// manyFiles makes files as a directory of that size would hold them: a licence with its monthly answers,
// the discipline screen, two exclusion lists, the NPI, a training, a link to one of a few prescribers and a
// protocol; some licences are suspended, some end soon, some files wait for a person.
func manyFiles(n int) []*CredentialFile {
	prescribers := make([]*CredentialFile, 50)
	for i := range prescribers {
		p := newPerson(ID(fmt.Sprint("prv_doc", i))).claim(coLicence("DR", fmt.Sprint(500+i)), seen("co-dora", SeenActive, "2027-04-30"), confirm).
			claim(Claim{Kind: DEARegistration, Jurisdiction: "CO"}, said(ClassDocument, Body{Expires: "2027-06-30"}))
		p.file.Linked = nil
		prescribers[i] = p.file
	}
	files := make([]*CredentialFile, n)
	for i := range files {
		number := fmt.Sprint(9900000 + i)
		doc := prescribers[i%len(prescribers)]
		state, expires := SeenActive, Date(fmt.Sprintf("202%d-%02d-28", 6+i%3, 12-i%12%2))
		licence := []Event{said(ClassListing, Body{Source: "kap-commons"}), seen("co-dora", state, expires), confirm, seen("co-dora", state, expires)}
		switch i % 50 {
		case 7:
			licence = append(licence, seen("co-dora", SeenSuspended, expires), confirm, second)
		case 8:
			licence = append(licence, seen("co-dora", SeenProbation, expires))
		case 9, 10, 11:
			licence = append(licence, seen("co-dora", SeenActive, "2029-08-31"))
		}
		p := newPerson(ID(fmt.Sprint("prv_", i))).
			claim(coLicence("CSW", number), licence...).
			claim(Claim{Kind: DisciplineScreen, Issuer: "co-dora", Jurisdiction: "CO", Title: "CSW", Number: ParseLicenceNumber(number)}, seen("co-dora", SeenClear, ""), seen("co-dora", SeenClear, "")).
			claim(Claim{Kind: ExclusionScreen, Issuer: "leie"}, seen("leie", SeenClear, ""), seen("leie", SeenClear, "")).
			claim(Claim{Kind: ExclusionScreen, Issuer: "sam"}, seen("sam", SeenClear, ""), seen("sam", SeenClear, "")).
			claim(Claim{Kind: IdentityNPI, Number: ParseLicenceNumber("1234567893")}, seen("nppes", SeenActive, ""), seen("nppes", SeenActive, "")).
			claim(TrainingClaim("Fluence"), said(ClassListing, Body{Source: "kap-commons"}), said(ClassDocument, Body{Level: "certificate", Completed: "2024-05-01"})).
			claim(Claim{Kind: OversightLink, Other: doc.Provider.ID}, said(ClassListing, Body{Side: "provider"}), said(ClassSelf, Body{Side: "provider"}), said(ClassSelf, Body{Side: "prescriber"})).
			claim(Claim{Kind: ProtocolClaim}, said(ClassSelf, Body{Preparation: Yes, Presence: Yes, Monitoring: Yes, Emergency: Yes, Integration: Yes}),
				said(ClassDocument, Body{Preparation: Yes, Presence: Yes, Monitoring: Yes, Emergency: Yes, Integration: Yes}))
		p.file.Linked = map[ID]*CredentialFile{doc.Provider.ID: doc}
		files[i] = p.file
	}
	return files
}

// BenchmarkChecksOfOneFile is what one provider costs on one core.
func BenchmarkChecksOfOneFile(b *testing.B) {
	f, ps := manyFiles(1)[0], StandardPolicies()
	b.ReportAllocs()
	for b.Loop() {
		Checks(f, "CO", noon, forever, ps)
	}
}

// BenchmarkRederive100k computes the five checks of 100,000 providers in one pass, a worker on every core.
// A pass over the store reads files in batches and lets them go, so the benchmark holds 5,000 different
// files and goes over them twenty times. It reports providers a second and what a file holds in memory.
func BenchmarkRederive100k(b *testing.B) {
	const n, held = 100_000, 5_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	files, ps := manyFiles(held), StandardPolicies()
	runtime.GC()
	runtime.ReadMemStats(&after)
	counts := map[CheckResult]int{}
	var lock sync.Mutex
	for b.Loop() {
		clear(counts)
		var work sync.WaitGroup
		for w := range runtime.GOMAXPROCS(0) {
			work.Go(func() {
				mine := map[CheckResult]int{}
				for i := w; i < n; i += runtime.GOMAXPROCS(0) {
					for _, c := range Checks(files[i%held], "CO", noon, forever, ps) {
						mine[c.Result]++
					}
				}
				lock.Lock()
				defer lock.Unlock()
				for r, k := range mine {
					counts[r] += k
				}
			})
		}
		work.Wait()
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "providers/s")
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<10)/held, "KB/file")
	for _, r := range CheckResults {
		if counts[r] > 0 {
			b.Logf("%6d checks %s", counts[r], r)
		}
	}
	runtime.KeepAlive(files)
}
