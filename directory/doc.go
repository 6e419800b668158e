// Package directory holds the nouns and rules of a directory of ketamine-assisted psychotherapy (KAP)
// providers and of the verification of what they claim. It has no SQL, no HTTP and no clock: everything
// that depends on time takes it as a value.
//
// # The words
//
// A Provider is a person or an organisation with a public page. It has one because a listing, a
// partner's file or the provider's own claim says that they offer KAP, or because they are the named
// prescriber or the clinic of such a provider. Registers never make a page.
//
// An NPI (45 CFR 162.406) says who exists. A LicenceNumber says what a board issued; it is unique only
// within state, board and licence type. A Title is such a licence type, and its Tier says what it allows:
// the same letters mean different things in different states. A Taxonomy is NUCC's code of what somebody
// says they do.
//
// A Listing is what one page says about one provider: facts, no prose. A Practice is how they do KAP: its
// three phases, routes, setting, who is present. An Answer is yes, no, or unknown; unknown is never no.
//
// A Claim is one atomic fact somebody asserts. Evidence is what was seen, kept for good and named by its
// hash. An Event says what happened to a claim: somebody asserted it, a source was asked and answered
// (an observation), a person reviewed the answer. Events are never changed; a correction is another event.
//
// A Source publishes records; its SourceClass is what its word can carry. A Policy says how often each
// kind of claim is looked at again, how long an answer counts, what needs a second person, and whose
// answer counts as the issuer's.
//
// A Standing is what a claim is worth at a moment, with its reasons and the first moment at which that
// changes by itself. Derive computes it from events, T (true when), K (known when) and policies; nobody
// stores it. A Check is one of the five questions a patient asks, answered from standings: licensed,
// trained, medically overseen, with a clear protocol, with a checked record. It is as strong as its
// weakest part and as old as its oldest.
//
// Verification (we confirmed this with the issuer on this date) is not credentialing (somebody decided to
// accept this person). This program does the first only.
//
// # The clocks
//
// An event has three times: performed_at, when we looked; source_as_of, how old the source's own data
// were; recorded_at, when the ledger took it. Freshness counts from the older of the first two. A query
// "as of T" uses the first, "as known at K" the last.
//
// The standards behind the words: NPPES (who exists), FHIR R4 and the National Directory guide (how it is
// exchanged), NCQA and URAC (how it is proven).
package directory
