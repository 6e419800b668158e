package directory

import (
	"regexp"
	"slices"
	"strings"
)

// Role is what a staff member may do. See Permits.
type Role string

// The roles.
const (
	Viewer   Role = "viewer"
	Verifier Role = "verifier"
	Approver Role = "approver"
	Admin    Role = "admin"
)

// Roles lists the roles with what each is for, as a new staff member is told.
var Roles = []struct {
	Role Role
	May  string
}{
	{Viewer, "reads everything that the desk shows, and decides nothing"},
	{Verifier, "reviews what sources say, opens and closes disputes, corrects and voids what was entered in error"},
	{Approver, "all of that, and what counts against or for a provider most: the second person for an adverse finding, clearing what an identifier " +
		"matched, accepting a dispute about identity, correcting or voiding what stands against a provider, withdrawing"},
	{Admin, "says who decides, lets people in and shows them out, and decides nothing: whoever gives out accounts could otherwise be both of two people"},
}

// ParseRole reads a role.
func ParseRole(s string) (Role, error) {
	for _, r := range Roles {
		if string(r.Role) == s {
			return r.Role, nil
		}
	}
	return "", Errorf(Invalid, "role", "%q is not a role: viewer, verifier, approver or admin", s)
}

// Deed is one of the things that staff do.
type Deed string

// The deeds: first the decisions about a case, then the other acts about a claim.
const (
	Confirm  Deed = "confirm"  // the observation is about this provider and says what it says
	Clear    Deed = "clear"    // it is about somebody else: an identifier differs
	Return   Deed = "return"   // it cannot be decided yet: look again
	Distinct Deed = "distinct" // the two descriptions are of two different people
	Same     Deed = "same"     // they are of one
	Keep     Deed = "keep"     // two sources differ, and what is shown stays
	Take     Deed = "take"     // two sources differ, and what this one says is shown from now on

	OpenDispute    Deed = "dispute" // the provider says that it is wrong
	AcceptDispute  Deed = "accept"  // a dispute about identity is plausible
	DeclineDispute Deed = "decline" // it is not
	CloseDispute   Deed = "close"   // the dispute is over
	Correction     Deed = "correct" // another statement takes the place of one
	Voiding        Deed = "void"    // it was entered in error
	Withdrawal     Deed = "withdraw"
)

// Occasion is what a deed is about, as far as it matters for who may do it.
type Occasion string

// The occasions.
const (
	Ordinary  Occasion = "ordinary"
	Against   Occasion = "against"    // what an identifier ties to the provider and stands, or may stand, against them
	Found     Occasion = "found"      // what two people have confirmed against the provider
	Merged    Occasion = "merged"     // that two descriptions are of one: to undo it gives each their own page again
	TakenDown Occasion = "taken_down" // a withdrawal: to undo one puts what was withdrawn back on every public face
)

// Permit says who may do a deed on an occasion.
type Permit struct {
	Deed  Deed     `json:"deed"`
	On    Occasion `json:"on"`
	Roles []Role   `json:"roles"`
}

var (
	anybody   = []Role{Verifier, Approver}
	approvers = []Role{Approver}
)

// Permits is who may do what (domain.md §1.5, §5.2, §5.3). What is not here nobody may do: above all, what two
// people found against a provider nobody takes back alone, by whatever name. Beside it three rules hold on
// every occasion: nobody reviews what they observed themself or accepts a dispute that they opened; nobody
// confirms or clears twice; and of the two people who find something against a provider, or clear what was
// found, or say that two providers are one, one at least is an approver.
var Permits = []Permit{
	{Confirm, Ordinary, anybody},
	{Confirm, Against, anybody},
	{Clear, Ordinary, anybody},
	{Clear, Against, approvers},
	{Clear, Found, anybody},
	{Return, Ordinary, anybody},
	{Return, Against, anybody},
	{Distinct, Ordinary, anybody},
	{Same, Ordinary, anybody},
	{Keep, Ordinary, anybody},
	{Take, Ordinary, anybody},
	{OpenDispute, Ordinary, anybody},
	{AcceptDispute, Ordinary, approvers},
	{DeclineDispute, Ordinary, anybody},
	{CloseDispute, Ordinary, anybody},
	{Correction, Ordinary, anybody},
	{Correction, Against, approvers},
	{Voiding, Ordinary, anybody},
	{Voiding, Against, approvers},
	{Voiding, Merged, approvers},
	{Voiding, TakenDown, approvers},
	{Withdrawal, Ordinary, approvers},
}

// WhoMay returns the roles that may do the deed on the occasion; none when nobody may.
func WhoMay(d Deed, on Occasion) []Role {
	for _, p := range Permits {
		if p.Deed == d && p.On == on {
			return p.Roles
		}
	}
	return nil
}

// May reports whether the role may do the deed on the occasion.
func (r Role) May(d Deed, on Occasion) bool { return slices.Contains(WhoMay(d, on), r) }

// StaffMember is somebody who decides. Their row is never deleted and their name never given to somebody
// else: the ledger names them.
type StaffMember struct {
	Name     string  `json:"name"`
	Role     Role    `json:"role"`
	Added    Instant `json:"added"`
	Disabled Instant `json:"disabled,omitempty"` // since when they decide no more
}

// StaffChange is a change of who decides, and its trace.
type StaffChange struct {
	At   Instant `json:"at"`
	Name string  `json:"name"`
	Do   string  `json:"do"`             // add, disable
	Role Role    `json:"role,omitempty"` // of add; somebody who is there already gets the role, and may decide again
	By   string  `json:"by"`             // a staff member, or the account at whose terminal it was done
	Auth string  `json:"auth"`           // how they proved who they are
}

var staffName = regexp.MustCompile(`^[a-z][a-z0-9._-]{1,39}$`)

// Validate checks what a change must say.
func (c StaffChange) Validate() error {
	_, badRole := ParseRole(string(c.Role))
	switch {
	case !staffName.MatchString(c.Name):
		return Errorf(Invalid, "name", "%q is not a staff name: a small letter, then 1 to 39 small letters, digits, dots, hyphens or underscores, such as rowan", c.Name)
	case c.Do != "add" && c.Do != "disable":
		return Errorf(Invalid, "do", "a staff member is added or disabled, not %q", c.Do)
	case c.Do == "add" && badRole != nil:
		return badRole
	case c.By == "" || c.Auth == "":
		return Errorf(Invalid, "by", "a change of staff says who made it and how they proved who they are")
	case LooksLikeSSN(c.By):
		return Errorf(Refused, "by", "what looks like a Social Security number must not be held")
	}
	return nil
}

// names lists people as a sentence does: rowan, imani or kim.
func names(list []string, last string) string {
	switch n := len(list); n {
	case 0:
		return "nobody"
	case 1:
		return list[0]
	default:
		return strings.Join(list[:n-1], ", ") + " " + last + " " + list[n-1]
	}
}

// OneOf lists people of whom one is enough: rowan, imani or kim; nobody.
func OneOf(list []string) string { return names(list, "or") }

// AllOf lists people of whom all are meant: rowan, imani and kim; nobody.
func AllOf(list []string) string { return names(list, "and") }
