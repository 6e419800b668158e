// Package nppestest makes NPPES files of invented people, in the layout of the real ones, for tests and
// benchmarks.
package nppestest

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Header returns the columns of the main file: 330 now, 329 with another name of column 42 before.
func Header(old bool) []string {
	h := strings.Split(`NPI|Entity Type Code|Replacement NPI|Employer Identification Number (EIN)|Provider Organization Name (Legal Business Name)|Provider Last Name (Legal Name)|Provider First Name|Provider Middle Name|Provider Name Prefix Text|Provider Name Suffix Text|Provider Credential Text|Provider Other Organization Name|Provider Other Organization Name Type Code|Provider Other Last Name|Provider Other First Name|Provider Other Middle Name|Provider Other Name Prefix Text|Provider Other Name Suffix Text|Provider Other Credential Text|Provider Other Last Name Type Code|Provider First Line Business Mailing Address|Provider Second Line Business Mailing Address|Provider Business Mailing Address City Name|Provider Business Mailing Address State Name|Provider Business Mailing Address Postal Code|Provider Business Mailing Address Country Code (If outside U.S.)|Provider Business Mailing Address Telephone Number|Provider Business Mailing Address Fax Number|Provider First Line Business Practice Location Address|Provider Second Line Business Practice Location Address|Provider Business Practice Location Address City Name|Provider Business Practice Location Address State Name|Provider Business Practice Location Address Postal Code|Provider Business Practice Location Address Country Code (If outside U.S.)|Provider Business Practice Location Address Telephone Number|Provider Business Practice Location Address Fax Number|Provider Enumeration Date|Last Update Date|NPI Deactivation Reason Code|NPI Deactivation Date|NPI Reactivation Date|Provider Sex Code|Authorized Official Last Name|Authorized Official First Name|Authorized Official Middle Name|Authorized Official Title or Position|Authorized Official Telephone Number`, "|")
	if old {
		h[41] = "Provider Gender Code"
	}
	for i := 1; i <= 15; i++ {
		for _, c := range []string{"Healthcare Provider Taxonomy Code", "Provider License Number", "Provider License Number State Code", "Healthcare Provider Primary Taxonomy Switch"} {
			h = append(h, fmt.Sprintf("%s_%d", c, i))
		}
	}
	for i := 1; i <= 50; i++ {
		for _, c := range []string{"Other Provider Identifier", "Other Provider Identifier Type Code", "Other Provider Identifier State", "Other Provider Identifier Issuer"} {
			h = append(h, fmt.Sprintf("%s_%d", c, i))
		}
	}
	h = append(h, "Is Sole Proprietor", "Is Organization Subpart", "Parent Organization LBN", "Parent Organization TIN", "Authorized Official Name Prefix Text", "Authorized Official Name Suffix Text", "Authorized Official Credential Text")
	for i := 1; i <= 15; i++ {
		h = append(h, fmt.Sprintf("Healthcare Provider Taxonomy Group_%d", i))
	}
	if !old {
		h = append(h, "Certification Date")
	}
	return h
}

// File writes a main file of at least size bytes, of which about share of the rows are of trades that the
// directory covers. The same size and share give the same bytes. It returns how many rows it has, and how
// many of those trades.
func File(w io.Writer, size int64, share float64) (rows, ours int, err error) {
	header := Header(false)
	at := make(map[string]int, len(header))
	for i, h := range header {
		at[h] = i
	}
	b := bufio.NewWriterSize(w, 1<<20)
	var line []byte
	written := int64(0)
	put := func(values []string) {
		line = line[:0]
		for i, v := range values {
			if i > 0 {
				line = append(line, ',')
			}
			line = append(append(append(line, '"'), v...), '"')
		}
		line = append(line, '\n')
		written += int64(len(line))
		_, err = b.Write(line)
	}
	put(header)
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	for ; written < size && err == nil; rows++ {
		v := make([]string, len(header))
		set := func(column, value string) { v[at[column]] = value }
		set("NPI", npi(rows))
		set("Entity Type Code", "1")
		set("Provider Last Name (Legal Name)", pick(families)+pick(endings))
		set("Provider First Name", pick(givens))
		set("Provider Middle Name", string(rune('A'+r.IntN(26))))
		set("Provider Credential Text", pick([]string{"M.D.", "LCSW", "PT", "DDS", "RN", "PH.D."}))
		street, zip, phone := strconv.Itoa(r.IntN(9000)+1)+" "+pick(families)+" STREET", pick(zips)+fmt.Sprintf("%04d", r.IntN(10000)), "303555"+fmt.Sprintf("%04d", r.IntN(10000))
		for _, kind := range []string{"Mailing", "Practice Location"} {
			set("Provider First Line Business "+kind+" Address", street)
			set("Provider Business "+kind+" Address City Name", "DENVER")
			set("Provider Business "+kind+" Address State Name", "CO")
			set("Provider Business "+kind+" Address Postal Code", zip)
			set("Provider Business "+kind+" Address Country Code (If outside U.S.)", "US")
			set("Provider Business "+kind+" Address Telephone Number", phone)
		}
		set("Provider Enumeration Date", "05/23/2010")
		set("Last Update Date", "07/08/2024")
		set("Provider Sex Code", pick([]string{"F", "M"}))
		code := pick(others)
		if r.Float64() < share {
			code = pick(covered)
			ours++
		}
		set("Healthcare Provider Taxonomy Code_1", code)
		set("Provider License Number_1", pick([]string{"A", "PT.", "LIC"})+strconv.Itoa(r.IntN(90000)+10000))
		set("Provider License Number State Code_1", "CO")
		set("Healthcare Provider Primary Taxonomy Switch_1", "Y")
		if r.IntN(4) == 0 {
			set("Healthcare Provider Taxonomy Code_2", pick(others))
			set("Healthcare Provider Primary Taxonomy Switch_2", "N")
		}
		set("Is Sole Proprietor", pick([]string{"Y", "N", "X"}))
		set("Certification Date", "01/05/2021")
		put(v)
	}
	if err == nil {
		err = b.Flush()
	}
	return rows, ours, err
}

// npi returns the n-th number that begins with 2.
func npi(n int) string {
	body := fmt.Sprintf("2%08d", n)
	sum := 24
	for i, c := range body {
		d := int(c - '0')
		if i%2 == 0 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return body + strconv.Itoa((10-sum%10)%10)
}

var (
	givens   = strings.Fields("MAYA JONAH ELENA ROWAN TAMSIN PRIYA OMAR LENA HUGO INES MATEO NORA KOFI AIKO")
	families = strings.Fields("OKAFOR LINDQVIST REYES ROTH BELL QUILL FEATHER MARSH HOLLOW STONE BRIAR FENN COPPER VALE")
	endings  = strings.Fields("TON SON WOOD WELL FIELD FORD LEY MAN BY HAM WICK STEAD")
	zips     = strings.Fields("80202 80203 80302 80526 81501 80903")
	covered  = strings.Fields("1041C0700X 103TC0700X 106H00000X 101YM0800X 2084P0800X 363LP0808X")
	others   = strings.Fields("225100000X 1223G0001X 183500000X 163W00000X 235Z00000X 207RC0000X 207X00000X 111N00000X 152W00000X 225X00000X")
)
