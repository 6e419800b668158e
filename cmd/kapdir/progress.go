package main

import (
	"fmt"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"kapdir/crawler"
)

// meter shows how far an import is: a bar on a terminal, a plain line every ten seconds elsewhere,
// nothing with --quiet or --json.
type meter struct {
	a     *app
	name  string
	bar   *progressbar.ProgressBar
	stage string
	last  time.Time
	tty   bool
}

func (a *app) progress(name string) *meter {
	f, ok := a.err.(*os.File)
	return &meter{a: a, name: name, tty: ok && term.IsTerminal(int(f.Fd())), last: time.Now()}
}

func (m *meter) show(p crawler.Progress) {
	if m.a.cfg.Quiet || m.a.cfg.JSON {
		return
	}
	if !m.tty {
		if time.Since(m.last) >= 10*time.Second {
			m.last = time.Now()
			fmt.Fprintf(m.a.err, "%s: %s %s, %d rows, %s of %s\n", m.name, p.Stage, p.File, p.Counts.Read, megabytes(p.Read), megabytes(p.Total))
		}
		return
	}
	if m.bar == nil || m.stage != p.Stage {
		m.done()
		m.stage = p.Stage
		m.bar = progressbar.NewOptions64(p.Total, progressbar.OptionSetWriter(m.a.err), progressbar.OptionSetDescription(m.name+" "+p.Stage),
			progressbar.OptionShowBytes(p.Stage != "fetching"), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true))
	}
	_ = m.bar.Set64(p.Read)
}

func (m *meter) done() {
	if m.bar != nil {
		_ = m.bar.Finish()
		m.bar = nil
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
