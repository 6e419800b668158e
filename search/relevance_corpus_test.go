package search

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kapdir/directory"
)

// The corpus of the relevance set: 5,000 invented providers, drawn with a committed seed. TestRelevanceCorpus
// holds the sum of what comes out, so that the set means the same on every machine.
const (
	corpusSize = 5000
	corpusSum  = "64927227d33dcb7ad636a05d39b0cbe9c746315b20566460a39ff1295a35c511"
)

// relevanceTowns are where they are, and how many of them.
var relevanceTowns = parseTowns(`
	Boulder CO 40, Denver CO 80, Fort Collins CO 30, Colorado Springs CO 30, Durango CO 10, Grand Junction CO 10,
	Santa Fe NM 30, Taos NM 12, Albuquerque NM 40, Austin TX 80, Dallas TX 50, Houston TX 50, San Antonio TX 30, El Paso TX 15,
	Los Angeles CA 90, San Francisco CA 70, Oakland CA 40, San Diego CA 50, Sacramento CA 30, Santa Cruz CA 15,
	Seattle WA 70, Spokane WA 15, Tacoma WA 20, Olympia WA 10, Portland OR 70, Eugene OR 20, Bend OR 20, Ashland OR 10,
	Columbus OH 40, Cleveland OH 40, Cincinnati OH 30, New York NY 90, Brooklyn NY 40, Buffalo NY 15, Ithaca NY 10,
	Philadelphia PA 50, Pittsburgh PA 40, Scranton PA 8, Boston MA 60, Cambridge MA 25, Worcester MA 12,
	Chicago IL 80, Springfield IL 10, Springfield MO 10, Saint Louis MO 25, Kansas City MO 15, Detroit MI 25, Ann Arbor MI 25,
	Atlanta GA 60, Miami FL 60, Tampa FL 30, Orlando FL 30, Asheville NC 25, Charlotte NC 30, Portland ME 20, Bangor ME 8,
	Indianapolis IN 25, Honolulu HI 20, Hilo HI 6, Boise ID 20, Phoenix AZ 50, Tucson AZ 25, Sedona AZ 10, Las Vegas NV 30,
	Reno NV 10, Salt Lake City UT 35, Park City UT 10, Richmond VA 20, Alexandria VA 15, Washington DC 35, Baltimore MD 30,
	New Orleans LA 25, Minneapolis MN 40, Madison WI 20, Milwaukee WI 20, Burlington VT 10, Princeton NJ 10, Newark NJ 15,
	Tulsa OK 12, Nashville TN 30, Louisville KY 15, Hartford CT 10, New Haven CT 10, Missoula MT 10, Anchorage AK 10, Providence RI 12`)

func parseTowns(s string) []directory.Place {
	var out []directory.Place
	for t := range strings.SplitSeq(s, ",") {
		f := strings.Fields(t)
		n := 0
		fmt.Sscan(f[len(f)-1], &n)
		city, state := strings.Join(f[:len(f)-2], " "), directory.State(f[len(f)-2])
		p, _, ok := directory.Tables().PlaceOfTown(city, state)
		if !ok {
			panic("no town " + city)
		}
		out = append(out, slices.Repeat([]directory.Place{p}, n)...)
	}
	return out
}

var (
	relevanceGivens = strings.Fields(`Aaron Abigail Adrian Alicia Amanda Amir Andrea Anita Anthony Beatriz Benjamin Bianca Brandon Brenda Brian Camila
		Carlos Caroline Cecilia Chantal Christopher Claire Colin Craig Cynthia Daniel Danielle David Deborah Derek Diana Dolores Donald Edward Eileen
		Elena Emily Eric Esther Ethan Farah Fatima Felipe Fiona Frances Gabriel Gerald Gina Gloria Gregory Hannah Harold Helen Imran Irene Isabel
		Jacob Jamal Janet Jasmine Javier Jennifer Jerome Jessica Joanna Jonathan Joseph Joyce Julia Karen Kevin Kimberly Kyle Latoya Laura Leonard
		Lillian Lucia Luis Lydia Malcolm Marcus Marina Martin Matthew Megan Melissa Michael Monica Nadia Natalie Nathan Nicole Nina Norman Olga
		Oscar Pamela Patrick Paula Peter Philip Priya Rachel Rafael Raymond Rebecca Renata Ricardo Rosa Ryan Samuel Sandra Sara Scott Sergio Sharon
		Simone Sofia Sunita Susan Tamara Teresa Timothy Tobias Tyrone Valerie Vanessa Victor Vincent Wanda Wesley Yasmin Yvonne Zachary`)
	relevanceFamilies = strings.Fields(`Acosta Adler Alvarado Anand Andersen Archuleta Avery Baines Barrett Bautista Beckett Benally Bergstrom Blackwood
		Bourque Bradshaw Brennan Briggs Burgess Cabrera Calloway Carrasco Chandra Chavez Colburn Contreras Corrigan Crawford Cunningham Dalton Dasgupta
		Delgado Dempsey Dixon Donovan Dubois Ellison Escobar Farrell Feldman Figueroa Fontaine Friedman Gallagher Garrison Gibbons Goldberg Gomez
		Guerrero Gupta Gutierrez Haddad Hammond Hargrove Hashimoto Hendricks Herrera Hoffman Holbrook Huang Ibarra Ishikawa Iyer Jankowski Jimenez
		Kapoor Kaufman Keller Kimura Knudsen Kovacs Larkin Lawson Leblanc Leung Lombardi Lozano Maldonado Marchetti Mendez Merrill Mitchell Morales
		Mulligan Murray Nakamura Navarro Newton Nielsen Novak Obrien Ocampo Olsen Ortega Pacheco Palmer Paredes Patel Pereira Petrov Pham Pollard
		Prescott Quintero Ramirez Randall Rasmussen Reilly Rinaldi Rivera Robbins Rosenthal Rossi Salazar Santiago Schneider Serrano Sharma Sheridan
		Silva Sinclair Soto Stein Sullivan Takahashi Tanaka Thornton Tierney Torres Tran Underwood Valdez Vargas Vasquez Velasco Wallace Warner
		Weaver Whitaker Winslow Yamamoto Yoder Zamora Zhang Ziegler Zimmerman`)
	relevancePractices = strings.Fields("Cedar Willow Juniper Riverstone Lantern Meridian Compass Stillwater Ember Northlight Bluebird Clearwater Foothill Alder Copper Harbor")
)

// planted are the people and practices that queries name.
var planted = strings.Split(strings.TrimSpace(`
Marisol Echeverría|Santa Fe NM
Katherine Lindholm|Boulder CO|Katherine Abernathy
Robert Castellano|Denver CO
Siobhan O'Flaherty|Portland OR
Mai Nguyen|San Francisco CA
Grace Hope|Nashville TN
Leroy Washington|Atlanta GA
Georgia Maddox|Austin TX
Austin Whitfield|Chicago IL
Hope Delacroix|New Orleans LA
Bjorn Østergaard|Minneapolis MN
Wojciech Krzyżanowski|Chicago IL
Stephen Kowalski|Milwaukee WI
Catherine Schwartzman|Brooklyn NY
Muhammad Al-Rashid|Detroit MI
Aaliyah Jefferson|Philadelphia PA
Xochitl Villanueva|Los Angeles CA
Thaddeus Quackenbush|Boston MA
Meera Balasubramanian|San Diego CA
Paris Holloway|Seattle WA
Dakota Reyes|Phoenix AZ
Sage Winterbourne|Asheville NC
Elizabeth Pemberton|Washington DC
Juan Carlos Montoya|Albuquerque NM
Ngozi Okonkwo|Houston TX
Sean McAllister|Boise ID
Jean-Luc Thibodeaux|New Orleans LA
Front Range Ketamine Collective|Denver CO
Lotus & Loam Psychotherapy|Portland OR
Harborlight Infusion Center|Boston MA
William Hartnell|Salt Lake City UT
Maria Guadalupe Sandoval|El Paso TX|Maria Trujillo
Margaret Fitzgerald|Cleveland OH
May Ma|Cambridge MA
Linh Do|Oakland CA
Charlotte Brandt|Charlotte NC
Jackson Ridley|Tucson AZ
Polaris Jensen|Tacoma WA`), "\n")

var practiceWords = []string{"Ketamine", "Psychotherapy", "Psychotherapy", "Infusion", "Collective", "Center"}

// relevanceCorpus draws the corpus.
func relevanceCorpus() []*directory.CredentialFile {
	r := rand.New(rand.NewPCG(5, 2026))
	seqOfEvents = 0
	out := make([]*directory.CredentialFile, corpusSize)
	for i := range out {
		out[i] = relevanceFile(r, i+1)
	}
	return out
}

func relevanceFile(r *rand.Rand, n int) *directory.CredentialFile {
	chance := func(percent int) bool { return r.IntN(100) < percent }
	pick := func(list []string, percent int) []string {
		var out []string
		for _, w := range list {
			if w != "other" && chance(percent) {
				out = append(out, w)
			}
		}
		return out
	}
	said := func(yes, no int) directory.Answer {
		switch x := r.IntN(100); {
		case x < yes:
			return directory.Yes
		case x < yes+no:
			return directory.No
		}
		return directory.Unknown
	}
	name := relevanceGivens[r.IntN(len(relevanceGivens))] + " " + relevanceFamilies[r.IntN(len(relevanceFamilies))]
	practiceName := relevancePractices[r.IntN(len(relevancePractices))] + " " + practiceWords[r.IntN(len(practiceWords))]
	town := relevanceTowns[r.IntN(len(relevanceTowns))]
	isPractice := chance(12)
	before := ""
	if chance(5) {
		before = relevanceGivens[r.IntN(len(relevanceGivens))] + " " + relevanceFamilies[r.IntN(len(relevanceFamilies))]
	}
	if n <= len(planted) {
		row := append(strings.Split(planted[n-1], "|"), "", "")
		name, before = row[0], row[2]
		at := row[1]
		town, _, _ = directory.Tables().PlaceOfTown(at[:len(at)-3], directory.State(at[len(at)-2:]))
		if isPractice = strings.HasSuffix(name, "Collective") || strings.HasSuffix(name, "Psychotherapy") || strings.HasSuffix(name, "Center"); isPractice {
			practiceName = name
		}
	}
	f := someone(n, name, in(town.City, town.State))
	p := &f.Provider.Practice
	if isPractice {
		organisation(practiceName)(f)
	} else {
		if before != "" {
			former(before)(f)
		}
		if chance(15) {
			f.Provider.Affiliations = []directory.Affiliation{{Name: practiceName}}
		}
		f.Provider.NPI = npiOf(n)
	}
	states := []directory.State{town.State}
	if chance(15) {
		t := relevanceTowns[r.IntN(len(relevanceTowns))]
		in(t.City, t.State)(f)
		states = append(states, t.State)
	}
	switch kind := r.IntN(100); {
	case strings.HasSuffix(practiceName, "Infusion") && isPractice || kind < 8:
		p.Preparation.Offered, p.Medicine.Offered, p.Integration.Offered, p.Presence = directory.No, directory.Yes, directory.No, directory.PresenceNone
		p.Routes = []string{"intravenous"}
	case kind < 20:
		p.Preparation.Offered, p.Medicine.Offered, p.Integration.Offered = directory.Yes, directory.Yes, directory.No
	case kind < 75:
		fullKAP(f)
	}
	if len(p.Routes) == 0 {
		p.Routes = append(pick([]string{"sublingual_lozenge"}, 45), pick(directory.Vocabulary["route"][1:], 14)...)
	}
	p.Settings = pick(directory.Vocabulary["setting"], 35)
	p.Frameworks, p.Focus = pick(directory.Vocabulary["framework"], 22), pick(directory.Vocabulary["focus"], 33)
	p.Populations, p.Formats = pick(directory.Vocabulary["population"], 20), pick(directory.Vocabulary["format"], 30)
	p.Languages = append([]string{"english"}, pick([]string{"spanish", "spanish", "chinese", "portuguese", "french", "vietnamese"}, 12)...)
	slices.Sort(p.Languages)
	p.Languages = slices.Compact(p.Languages)
	p.Access = pick(directory.Vocabulary["access"], 14)
	p.Accepting, p.Waitlist = said(45, 15), said(15, 20)
	p.SlidingScale, p.Superbill = said(25, 10), said(30, 5)
	if chance(70) {
		price(int64(4+r.IntN(22)) * 5000)(f)
	}
	if chance(35) {
		where := []directory.State{town.State}
		if chance(50) {
			where = appendState(where, relevanceTowns[r.IntN(len(relevanceTowns))].State)
		}
		if chance(15) {
			where = appendState(where, "CO")
		}
		telehealth(where...)(f)
		states = append(states, where...)
	} else if chance(40) {
		p.Telehealth = directory.No
	}
	if !isPractice {
		relevanceLicences(r, f, n, states)
	}
	if chance(55) {
		programmes := directory.Tables().Programmes()
		trained(programmes[r.IntN(len(programmes))].Synonyms[0])(f)
	}
	if chance(30) {
		claim(directory.Claim{Kind: directory.ProtocolClaim}, asserted(directory.ClassSelf, directory.Body{Preparation: said(80, 5), Presence: directory.Yes,
			Monitoring: said(70, 5), Emergency: said(60, 5), Integration: said(80, 5)}))(f)
	}
	return f
}

// relevanceLicences gives one profession, a licence of it in most of the states, and in Colorado what checks
// of evidence need.
func relevanceLicences(r *rand.Rand, f *directory.CredentialFile, n int, states []directory.State) {
	letters := []string{"LCSW", "LCSW", "LPC", "LPC", "LMFT", "LMFT", "PSY", "PSY", "MD", "PMHNP", "NP", "PA"}[r.IntN(12)]
	credential := map[string]string{"PSY": "PhD"}[letters]
	if credential == "" {
		credential = letters
	}
	f.Provider.Name.Credentials = []string{credential}
	seen := map[directory.State]bool{}
	for _, s := range states {
		title, ok := directory.Tables().Title(s, letters)
		if seen[s] || !ok {
			continue
		}
		seen[s] = true
		number := fmt.Sprintf("%s.%07d", letters, 1000000+17*n)
		c := licenceClaim(s, title.BoardType, number)
		bad := r.IntN(60) == 0
		switch {
		case s == "CO" && bad:
			claim(c, observed("co-dora", directory.SeenSuspended, "2028-08-31"), confirmedBy("rowan"), confirmedBy("imani"))(f)
		case s == "CO" && r.IntN(4) > 0:
			claim(c, observed("co-dora", directory.SeenActive, "2028-08-31"), confirmedBy("rowan"))(f)
		default:
			claim(c, asserted([]directory.SourceClass{directory.ClassListing, directory.ClassSelf}[r.IntN(2)], directory.Body{Number: number}))(f)
		}
	}
	if letters == "MD" && r.IntN(2) == 0 {
		claim(directory.Claim{Kind: directory.License, Jurisdiction: states[0], Title: "MD+PSYCHIATRY", Number: directory.ParseLicenceNumber(fmt.Sprint(3000000 + n))},
			asserted(directory.ClassListing, directory.Body{}))(f)
	}
	if seen["CO"] {
		overseen(900000+n, r.IntN(3) > 0)(f)
	}
}

// npiOf makes a number with a right check digit.
func npiOf(n int) directory.NPI {
	for d := range 10 {
		if x, err := directory.ParseNPI(fmt.Sprintf("%09d%d", 143000000+n, d)); err == nil {
			return x
		}
	}
	panic("no check digit")
}

func TestRelevanceCorpus(t *testing.T) {
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, f := range relevanceCorpus() {
		if err := enc.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != corpusSum {
		t.Errorf("the corpus has the sum %s, not the committed one", got)
	}
}
