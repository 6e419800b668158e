package directory

import (
	"errors"
	"fmt"
	"strings"
)

// ErrorKind says what a caller can do about an error. It is itself an error, so
// errors.Is(err, directory.NotFound) works through any number of wraps.
type ErrorKind string

// The kinds of error. The web layer maps each to one HTTP status, the command line to one exit status.
const (
	Invalid     ErrorKind = "invalid"     // the input is wrong: Field and Detail say how to mend it
	NotFound    ErrorKind = "not found"   // we looked, and there is no such thing
	Gone        ErrorKind = "gone"        // it existed and was withdrawn
	Conflict    ErrorKind = "conflict"    // somebody else changed it first, or it is done already
	Refused     ErrorKind = "refused"     // a rule forbids it
	Unavailable ErrorKind = "unavailable" // could not look: a source, the store or the index did not answer
	Internal    ErrorKind = "internal"    // a fault of ours
)

func (k ErrorKind) Error() string { return string(k) }

// Error is the program's one error type. Detail is written for the person who can act on it and is
// safe to show; Cause is for the log and is never shown to the public.
type Error struct {
	Kind   ErrorKind
	Op     string // the operation and its key argument, "store.Provider prv_…"
	Field  string // the parameter, column or JSON pointer at fault, if one is
	Detail string
	Hint   string // which command goes on from here: for whoever works at a terminal
	Cause  error
}

func (e *Error) Error() string {
	s := e.Detail
	if s == "" {
		s = string(e.Kind)
	}
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Op != "" {
		s = e.Op + ": " + s
	}
	if e.Cause != nil && !strings.Contains(e.Detail, e.Cause.Error()) { // as Errorf with %w has it said already
		s += ": " + e.Cause.Error()
	}
	return s
}

// Unwrap gives errors.Is both the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// Errorf makes an Error of the kind; a %w operand becomes its cause as well as part of the detail.
func Errorf(kind ErrorKind, field, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Field: field, Detail: err.Error(), Cause: nilIfSame(errors.Unwrap(err))}
}

// Try names the command with which somebody at a terminal goes on; pages leave it out.
func (e *Error) Try(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// nilIfSame keeps a kind that was wrapped from being printed twice.
func nilIfSame(err error) error {
	var k ErrorKind
	if errors.As(err, &k) && err == error(k) {
		return nil
	}
	if err != nil {
		return quiet{err}
	}
	return nil
}

// quiet keeps a cause reachable for errors.Is while its text already stands in the detail.
type quiet struct{ error }

func (q quiet) Unwrap() error { return q.error }

// KindOf returns the kind of err, Internal for an error of another type, and "" for nil.
func KindOf(err error) ErrorKind {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	var k ErrorKind
	if errors.As(err, &k) {
		return k
	}
	return Internal
}
