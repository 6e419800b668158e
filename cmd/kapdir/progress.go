package main

import (
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"kapdir/crawler"
)

// meter shows how far an import is, how fast it goes and how long it will still take: a bar on a terminal, a
// plain line every ten seconds elsewhere, nothing with --quiet or --json.
type meter struct {
	a     *app
	name  string
	bar   *progressbar.ProgressBar
	stage string
	begun time.Time // of the stage
	last  time.Time
	now   func() time.Time
	tty   bool
}

func (a *app) progress(name string) *meter {
	f, ok := a.err.(*os.File)
	return &meter{a: a, name: name, tty: ok && term.IsTerminal(int(f.Fd())), last: time.Now(), now: time.Now}
}

func (m *meter) show(p crawler.Progress) {
	if m.a.cfg.Quiet || m.a.cfg.JSON {
		return
	}
	if m.stage != p.Stage {
		m.done()
		m.stage, m.begun = p.Stage, m.now()
	}
	if !m.tty {
		if m.now().Sub(m.last) >= 10*time.Second {
			m.last = m.now()
			fmt.Fprintf(m.a.err, "%s: %s %s, %d rows, %s\n", m.name, p.Stage, p.File, p.Counts.Read, pace(p, m.now().Sub(m.begun)))
		}
		return
	}
	if m.bar == nil {
		opts := []progressbar.Option{progressbar.OptionSetWriter(m.a.err), progressbar.OptionSetDescription(m.name + " " + p.Stage),
			progressbar.OptionThrottle(100 * time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true)}
		if p.Stage == "fetching" {
			opts = append(opts, progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("pages"))
		} else {
			opts = append(opts, progressbar.OptionShowBytes(true))
		}
		m.bar = progressbar.NewOptions64(p.Total, opts...)
	}
	if p.Total > 0 && m.bar.GetMax64() != p.Total { // a site's pages are known as they are found
		m.bar.ChangeMax64(p.Total)
	}
	_ = m.bar.Set64(p.Read)
}

// pace says how much is done, how fast it goes, and how long the rest takes at that speed.
func pace(p crawler.Progress, took time.Duration) string {
	amount := megabytes
	if p.Stage == "fetching" {
		amount = func(n int64) string { return fmt.Sprintf("%d pages", n) }
	}
	out := amount(p.Read)
	if p.Total > 0 {
		out += " of " + amount(p.Total)
	}
	if took <= 0 || p.Read <= 0 {
		return out
	}
	rate := float64(p.Read) / took.Seconds()
	if p.Stage == "fetching" {
		out += fmt.Sprintf(", %.1f pages/s", rate)
	} else {
		out += ", " + megabytes(int64(rate)) + "/s"
	}
	if p.Total > p.Read {
		left := time.Duration(float64(p.Total-p.Read) / rate * float64(time.Second))
		out += ", about " + left.Round(time.Second).String() + " left"
	}
	return out
}

func (m *meter) done() {
	if m.bar != nil {
		_ = m.bar.Finish()
		m.bar = nil
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
