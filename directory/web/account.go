package web

import (
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"kapdir/directory"
)

// What people change about how they sign in themselves, and what admins do about others.

// accountView is a person's own page: where they are signed in, with what, and what was done about it.
type accountView struct {
	staffPage
	Sessions []directory.StaffSession
	Login    directory.StaffLogin
	Acts     []directory.StaffAct
	Passkeys bool
	Error    string
	Done     string
	Least    int
}

func (s *Server) accountView(c *fiber.Ctx, who *staffSession, title string) (v accountView, err error) {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	v = accountView{staffPage: s.staffPage(c, who, title), Passkeys: s.desk.passkeys != nil, Least: passwordLeast}
	if v.Sessions, err = s.cfg.SignIn.Sessions(ctx, who.Name, s.staffNow()); err != nil {
		return v, err
	}
	if v.Login, err = s.cfg.SignIn.Login(ctx, who.Name); err != nil {
		return v, err
	}
	v.Acts, err = s.cfg.SignIn.StaffAudit(ctx, who.Name, 20)
	return v, err
}

// accountPage answers GET /staff/account.
func (s *Server) accountPage(c *fiber.Ctx, who *staffSession) error {
	v, err := s.accountView(c, who, "Your account")
	if err != nil {
		return err
	}
	return s.sendStaff(c, "account", v)
}

// endSessions answers POST /staff/account/sessions: one of the person's own, or all the others.
func (s *Server) endSessions(c *fiber.Ctx, who *staffSession) error {
	form, err := staffForm(c)
	if err != nil {
		return err
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	if form.Get("id") == "others" {
		_, err = s.cfg.SignIn.EndSessions(ctx, who.Name, who.ID, who.Name, s.staffNow())
	} else {
		err = s.cfg.SignIn.EndSession(ctx, who.Name, directory.ID(form.Get("id")), who.Name, s.staffNow())
	}
	if err != nil {
		return err
	}
	return seeOther(c, "/staff/account")
}

// changesPage answers GET /staff/account/sign-in: what the person signs in with, to be changed.
func (s *Server) changesPage(c *fiber.Ctx, who *staffSession) error {
	v, err := s.accountView(c, who, "How you sign in")
	if err != nil {
		return err
	}
	return s.sendStaff(c, "changes", v)
}

// askAccount answers POST /staff/account/passkey with what a browser is to make a passkey of.
func (s *Server) askAccount(c *fiber.Ctx, who *staffSession) error {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	x, err := s.beginPasskey(ctx, who.Name, "add "+string(who.ID))
	if err != nil {
		return err
	}
	return s.sendCeremony(c, x)
}

// takeChanges answers POST /staff/account/sign-in. Whatever changes ends the person's other sessions.
func (s *Server) takeChanges(c *fiber.Ctx, who *staffSession) error {
	form, err := staffForm(c)
	if err != nil {
		return err
	}
	ctx, cancel := s.deadline(pageDeadline + hashWait)
	defer cancel()
	wrong, at := "", s.staffNow()
	switch form.Get("do") {
	case "password":
		known, err := s.hasPassword(ctx, who.Name, form.Get("current"))
		if err != nil {
			return err
		}
		switch wrong = badPassword(form.Get("new"), who.Name); {
		case !known:
			wrong = "The present password is another."
		case wrong == "" && form.Get("new") != form.Get("again"):
			wrong = "The two passwords differ."
		}
		if wrong == "" {
			hash, err := s.hashPassword(form.Get("new"))
			if err != nil {
				return err
			}
			if err := s.cfg.SignIn.SetPassword(ctx, who.Name, hash, who.ID, at); err != nil {
				return err
			}
		}
	case "add":
		label := strings.Join(strings.Fields(plainLines(form.Get("label"))), " ")
		if label == "" || len(label) > 60 {
			wrong = "Give the passkey a name, so that you know it again: at most 60 characters."
			break
		}
		k, err := s.newPasskey(who.Name, "add "+string(who.ID), form.Get("state"), form.Get("passkey"), label)
		if err != nil {
			return err
		}
		if err := s.cfg.SignIn.AddPasskey(ctx, who.Name, k, who.ID, at); err != nil {
			return err
		}
	case "remove":
		if err := s.cfg.SignIn.RemovePasskey(ctx, who.Name, form.Get("id"), who.ID, at); err != nil {
			return err
		}
	default:
		return directory.Errorf(directory.Invalid, "do", "what is to be done is missing")
	}
	v, err := s.accountView(c, who, "How you sign in")
	if err != nil {
		return err
	}
	if v.Error = wrong; wrong != "" {
		c.Status(http.StatusBadRequest)
	} else {
		v.Done = "It is changed. Where else you were signed in, you are no more."
	}
	return s.sendStaff(c, "changes", v)
}

// peopleView is the page of those who may come in.
type peopleView struct {
	staffPage
	People []personRow
	Roles  []directory.Role
	Acts   []directory.StaffAct
	Code   string // just made, shown this once
	For    string // whom
	Until  directory.Instant
	Done   string
}

type personRow struct {
	directory.StaffMember
	Sessions int
	Enrolled bool
	Self     bool
}

// peoplePage answers GET /staff/people.
func (s *Server) peoplePage(c *fiber.Ctx, who *staffSession) error {
	v, err := s.peopleView(c, who)
	if err != nil {
		return err
	}
	return s.sendStaff(c, "people", v)
}

func (s *Server) peopleView(c *fiber.Ctx, who *staffSession) (v peopleView, err error) {
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	v = peopleView{staffPage: s.staffPage(c, who, "People")}
	for _, r := range directory.Roles {
		v.Roles = append(v.Roles, r.Role)
	}
	all, err := s.cfg.SignIn.Staff(ctx)
	if err != nil {
		return v, err
	}
	sessions, err := s.cfg.SignIn.Sessions(ctx, "", s.staffNow())
	if err != nil {
		return v, err
	}
	for _, m := range all {
		row := personRow{StaffMember: m, Self: m.Name == who.Name}
		for _, x := range sessions {
			if x.Name == m.Name {
				row.Sessions++
			}
		}
		l, err := s.cfg.SignIn.Login(ctx, m.Name)
		if err != nil {
			return v, err
		}
		row.Enrolled = l.Password != "" || len(l.Passkeys) > 0
		v.People = append(v.People, row)
	}
	v.Acts, err = s.cfg.SignIn.StaffAudit(ctx, "", 50)
	return v, err
}

// takePeople answers POST /staff/people. Nobody does it about themself: an admin who could, could shut everybody out
// by mistake, and there is always the command line.
func (s *Server) takePeople(c *fiber.Ctx, who *staffSession) error {
	form, err := staffForm(c)
	if err != nil {
		return err
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	name, at := strings.TrimSpace(form.Get("name")), s.staffNow()
	if name == who.Name {
		return directory.Errorf(directory.Refused, "name", "another admin does that about you, or whoever holds the state directory")
	}
	if _, err := directory.ParseRole(form.Get("role")); form.Get("do") == "add" && err != nil {
		return err
	}
	var code, done string
	var until directory.Instant
	change := directory.StaffChange{Name: name, Do: form.Get("do"), Role: directory.Role(form.Get("role")), By: who.Name, Auth: who.How}
	switch change.Do {
	case "add":
		if _, err = s.cfg.SignIn.ChangeStaff(ctx, change); err == nil {
			done = name + " is " + string(change.Role) + " now."
		}
	case "disable":
		if _, err = s.cfg.SignIn.ChangeStaff(ctx, change); err == nil {
			done = name + " does not come in any more."
		}
	case "invite", "reset":
		code, until, err = s.cfg.SignIn.Invite(ctx, name, change.Do == "reset", who.Name, at)
	case "end":
		_, err = s.cfg.SignIn.EndSessions(ctx, name, "", who.Name, at)
		done = "Where " + name + " was signed in, they are no more."
	default:
		err = directory.Errorf(directory.Invalid, "do", "what is to be done is missing")
	}
	if err != nil {
		return err
	}
	v, err := s.peopleView(c, who)
	if err != nil {
		return err
	}
	v.Code, v.For, v.Until, v.Done = code, name, until, done
	return s.sendStaff(c, "people", v)
}
