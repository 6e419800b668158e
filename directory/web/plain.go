package web

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kapdir/directory"
)

// The store speaks of codes, ids and commands, for exports and for whoever works at a terminal. The desk's pages say
// the same in words.

// codeWords are what the reasons of an answer mean, for staff (domain.md §5.5).
var codeWords = map[string]string{
	"TAKEDOWN": "hidden from every public face", "ENTERED_IN_ERROR": "entered in error", "DISPUTE_OPEN": "disputed",
	"REV_PENDING": "waits for a person", "REV_RETURNED": "returned for another look",
	"SRC_CONFLICT": "two sources differ", "SRC_NO_RECORD": "no record was found", "SRC_UNAVAILABLE": "the source gave no answer", "SRC_NOT_APPROVED": "the source is not approved for this",
	"SRC_NO_REGISTER": "there is no register", "SRC_RESTRICTED": "the register is not open to everybody", "SRC_TERMS_FORBID": "the register’s terms forbid it",
	"PSV_TOO_OLD": "too long ago", "EXP_SOON": "ends soon", "EXP_PASSED": "has ended",
	"MATCH_EXACT_ID": "an exact match", "MATCH_CORROBORATED": "corroborated, not exact",
	"EXCL_POSSIBLE": "may be excluded", "EXCL_CONFIRMED": "excluded", "EXCL_REINSTATED": "reinstated",
	"LIC_ACTIVE": "active", "LIC_RESTRICTED": "restricted", "LIC_PROBATION": "on probation", "LIC_SUSPENDED": "suspended", "LIC_REVOKED": "revoked", "LIC_SURRENDERED": "surrendered",
	"LIC_INACTIVE": "inactive", "LIC_EXPIRED": "expired", "LIC_PENDING": "pending", "LIC_SUPERVISED_TIER": "supervised practice", "LIC_TITLE_UNKNOWN": "a licence type that no table has",
	"LIC_NOT_MH": "no licence for mental health", "JUR_MISMATCH": "of another state",
	"DOC_UNREADABLE": "the document cannot be read", "DOC_NAME_MISMATCH": "the document names somebody else", "DOC_TITLE_MISMATCH": "the document is of something else",
	"DOC_FUTURE_DATE": "the document has a date that had not come", "DOC_REUSED_HASH": "the same document stands in another file", "DOC_PROGRAM_UNKNOWN": "a programme that no table has", "DOC_ATTENDANCE_ONLY": "attendance alone",
}

var (
	bracketed = regexp.MustCompile(`\[([A-Z]+(?:_[A-Z]+)+|TAKEDOWN)((?: (?:[A-Z]+(?:_[A-Z]+)+|TAKEDOWN))*)\]`)
	matchCode = regexp.MustCompile(`\bM[0-5]\b`)
)

// rungWords say how sure a match is.
var rungWords = map[directory.Rung]string{directory.M0: "a contradiction", directory.M1: "a name like theirs", directory.M2: "their name", directory.M3: "probable", directory.M4: "corroborated", directory.M5: "exact"}

// plainWords says in words what a text of the store says in codes.
func plainWords(text string) string {
	text = bracketed.ReplaceAllStringFunc(text, func(codes string) string {
		var out []string
		for _, c := range strings.Fields(strings.Trim(codes, "[]")) {
			if w := codeWords[c]; w != "" {
				out = append(out, w)
			} else {
				out = append(out, strings.ToLower(spaced(c)))
			}
		}
		return "(" + strings.Join(out, "; ") + ")"
	})
	text = matchCode.ReplaceAllStringFunc(text, func(m string) string { return rungWords[directory.Rung(m)] })
	for _, w := range []string{"licence_number", "npi_transposed"} {
		text = strings.ReplaceAll(text, w, spaced(w))
	}
	return text
}

// sourceWords names a source at the desk.
func sourceWords(id string) string {
	if _, ok := directory.Tables().Source(id); !ok {
		return id
	}
	return english.source(directory.Tables(), id)
}

// eventWords say what happened.
func eventWords(e directory.Event) string { return plainWords(e.WordsWith(sourceWords)) }

// claimWords say what a claim is about, as public pages name it.
func (s *Server) claimWords(c directory.Claim) string {
	now := s.now()
	return WordsOf(&directory.CredentialFile{}, now, now, s.cfg.Policies).Claim(c)
}

// matchWords say how sure a match is, by what and against what.
func matchWords(m directory.Match) string { return capital(plainWords(m.Words())) }

// fieldsOf tells a document of ours, which is JSON, as names and values; ok is false for any other text.
func fieldsOf(text string) (out []sourceField, ok bool) {
	var doc any
	if !strings.HasPrefix(strings.TrimSpace(text), "{") || json.Unmarshal([]byte(text), &doc) != nil {
		return nil, false
	}
	var add func(name string, v any)
	add = func(name string, v any) {
		switch v := v.(type) {
		case map[string]any:
			keys := make([]string, 0, len(v))
			for k := range v {
				keys = append(keys, k)
			}
			slices.Sort(keys)
			for _, k := range keys {
				add(strings.TrimSpace(name+" "+spaced(k)), v[k])
			}
		case []any:
			for i, x := range v {
				if len(v) > 1 {
					add(name+" "+strconv.Itoa(i+1), x)
				} else {
					add(name, x)
				}
			}
		case nil:
		case string:
			if v != "" {
				out = append(out, sourceField{name, v})
			}
		default:
			b, _ := json.Marshal(v)
			out = append(out, sourceField{name, string(b)})
		}
	}
	add("", doc)
	return out, true
}

// kindWords name a kind of claim; "" is what is about none.
func kindWords(k directory.ClaimKind) string {
	if k == "" {
		return ""
	}
	return english.t("kind." + string(k))
}
