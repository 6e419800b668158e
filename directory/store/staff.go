package store

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"kapdir/directory"
)

// ChangeStaff adds or disables a staff member and keeps the trace of it. Adding somebody who is there
// gives them the role and lets them decide again. What would change nothing leaves no trace; the same
// change with the same moment given is done once. Disabling somebody ends their keys, their sessions
// and all that they sign in with, for good.
func (s *Store) ChangeStaff(ctx context.Context, c directory.StaffChange) (directory.StaffMember, error) {
	var out directory.StaffMember
	err := s.write(ctx, "store.ChangeStaff "+c.Name, func(w *work) error {
		given := c.At != "" // a change without a moment is a new one, even where the clock stands
		if !given {
			c.At = w.now
		}
		if err := c.Validate(); err != nil {
			return err
		}
		if c.At > w.now.Add(5*time.Minute) {
			return directory.Errorf(directory.Invalid, "at", "a change of staff cannot be made in the future")
		}
		all, err := w.staff()
		if err != nil {
			return err
		}
		trace, err := w.staffChanges()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(m directory.StaffMember) bool { return m.Name == c.Name })
		if i >= 0 {
			out = all[i]
		}
		// A staff member who does it is an admin; who holds the state directory itself is no staff member.
		if by := slices.IndexFunc(all, func(m directory.StaffMember) bool { return m.Name == c.By }); by >= 0 && (all[by].Role != directory.Admin || all[by].Disabled != "") {
			return directory.Errorf(directory.Refused, "by", "%s is no admin, and only an admin changes who decides", c.By)
		}
		switch {
		case given && slices.ContainsFunc(trace, func(x directory.StaffChange) bool {
			return x.Name == c.Name && x.Do == c.Do && x.At == c.At && x.By == c.By
		}):
			return nil
		case i < 0 && c.Do == "disable":
			return directory.Errorf(directory.NotFound, "name", "there is no staff member %q", c.Name).Try("kapdir staff list names them all")
		case i >= 0 && c.Do == "disable" && out.Disabled != "":
			return directory.Errorf(directory.Conflict, "name", "%s has been disabled since %s", c.Name, out.Disabled.Date())
		case i >= 0 && c.Do == "add" && out.Role == c.Role && out.Disabled == "":
			return nil
		case i < 0:
			out = directory.StaffMember{Name: c.Name, Added: c.At}
		}
		if c.Do == "add" {
			out.Role, out.Disabled = c.Role, ""
		} else {
			c.Role, out.Disabled = out.Role, c.At
		}
		if _, err := w.exec(`INSERT INTO staff (name, role, added, disabled) VALUES ($1, $2, $3, $4)
			ON CONFLICT (name) DO UPDATE SET role = excluded.role, disabled = excluded.disabled`, out.Name, out.Role, out.Added, out.Disabled); err != nil {
			return err
		}
		if c.Do == "disable" { // or they would still read what only staff may
			if err := w.forgetLogin(c.Name, c.By, c.At); err != nil {
				return err
			}
		}
		act := directory.StaffAct{At: c.At, Name: c.Name, Act: "disabled", By: c.By}
		if c.Do == "add" {
			act.Act, act.Detail = "given a role", string(c.Role)
		}
		if err := w.audit(act); err != nil {
			return err
		}
		return w.insert(`INSERT INTO staff_change (number, at, name, act, role, made_by, auth)`,
			[][]any{{int64(len(trace) + 1), c.At, c.Name, c.Do, c.Role, clean(c.By), clean(c.Auth)}}, "")
	})
	return out, err
}

// Staff returns everybody who decides or has decided, by name.
func (s *Store) Staff(ctx context.Context) (out []directory.StaffMember, err error) {
	err = s.glance(ctx, "store.Staff", func(t *tx) error {
		out, err = t.staff()
		return err
	})
	return out, err
}

// StaffChanges returns every change of staff, the oldest first.
func (s *Store) StaffChanges(ctx context.Context) (out []directory.StaffChange, err error) {
	err = s.glance(ctx, "store.StaffChanges", func(t *tx) error {
		out, err = t.staffChanges()
		return err
	})
	return out, err
}

func (t *tx) staff() (out []directory.StaffMember, err error) {
	err = t.each(`SELECT name, role, added, disabled FROM staff ORDER BY name`, nil, func(r *sql.Rows) error {
		var m directory.StaffMember
		err := r.Scan(&m.Name, &m.Role, &m.Added, &m.Disabled)
		out = append(out, m)
		return err
	})
	return out, err
}

func (t *tx) staffChanges() (out []directory.StaffChange, err error) {
	err = t.each(`SELECT at, name, act, role, made_by, auth FROM staff_change ORDER BY number`, nil, func(r *sql.Rows) error {
		var c directory.StaffChange
		err := r.Scan(&c.At, &c.Name, &c.Do, &c.Role, &c.By, &c.Auth)
		out = append(out, c)
		return err
	})
	return out, err
}

// office is who decides at this moment, and who had which role before.
type office struct {
	staff []directory.StaffMember
	trace []directory.StaffChange
}

func (t *tx) office() (office, error) {
	return once(t, "office", func() (o office, err error) {
		if o.staff, err = t.staff(); err == nil {
			o.trace, err = t.staffChanges()
		}
		return o, err
	})
}

// member returns the staff member who may act; the error says what to do when there is none.
func (o office) member(name string) (directory.StaffMember, error) {
	for _, m := range o.staff {
		switch {
		case m.Name != name:
		case m.Disabled != "":
			return m, directory.Errorf(directory.Refused, "staff", "%s has been disabled since %s and decides no more: %s can",
				name, m.Disabled.Date(), directory.OneOf(o.with(directory.Verifier, directory.Approver)))
		default:
			return m, nil
		}
	}
	return directory.StaffMember{}, directory.Errorf(directory.Refused, "staff", "%q is no staff member", name).Try("kapdir staff list names them, kapdir staff add NAME ROLE adds one")
}

// with returns the names of those who decide and have one of the roles, but for those left out.
func (o office) with(roles ...directory.Role) []string { return o.without(nil, roles...) }

func (o office) without(left []string, roles ...directory.Role) []string {
	var out []string
	for _, m := range o.staff {
		if m.Disabled == "" && slices.Contains(roles, m.Role) && !slices.Contains(left, m.Name) {
			out = append(out, m.Name)
		}
	}
	return out
}

// anyOf reports that one of the people has the role and decides.
func (o office) anyOf(people []string, role directory.Role) bool {
	return slices.ContainsFunc(people, func(name string) bool { return slices.Contains(o.with(role), name) })
}

// may refuses what the member's role may not do.
func (o office) may(m directory.StaffMember, d directory.Deed, on directory.Occasion) error {
	if m.Role.May(d, on) {
		return nil
	}
	roles := directory.WhoMay(d, on)
	if on == directory.Found && len(roles) == 0 {
		return directory.Errorf(directory.Refused, "of", "two people found this against the provider, and nobody takes it back alone: two people clear it, "+
			"one of them an approver, at the case that it was found in").Try("kapdir cases decide CASE clear")
	}
	if len(roles) == 0 {
		return directory.Errorf(directory.Refused, "decision", "nobody may %s that", d)
	}
	about := ""
	switch on {
	case directory.Against:
		about = " of what an identifier ties to the provider and may stand against them"
	case directory.TakenDown:
		about = " of a withdrawal"
	}
	return directory.Errorf(directory.Refused, "staff", "%s is a %s, and %q%s needs an %s: ask %s", m.Name, m.Role, d, about, roles[0], directory.OneOf(o.with(roles...)))
}

// roleAt returns the role that the staff member had at the moment; "" before they were added.
func (o office) roleAt(name string, at directory.Instant) (role directory.Role) {
	for _, c := range o.trace {
		if c.Name == name && c.At <= at {
			role = c.Role
		}
	}
	return role
}
