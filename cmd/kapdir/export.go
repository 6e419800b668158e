package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"kapdir/directory"
	"kapdir/directory/web"
)

// exportEvery is how old a server lets its newest export become.
const exportEvery = 24 * time.Hour

// exportsDir is where a server keeps its exports.
func (c Config) exportsDir() string { return filepath.Join(c.State, "exports") }

func (a *app) exportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "export [DIR]",
		Short: "Write everything public as files, at one change number",
		Long: `Write everything public at one change number as JSON lines and as tables, gzipped, into a folder of DIR that
is named by the number; manifest.json in it names the files with their sizes and sums. It holds what the
change feed tells up to that number, so whoever begins with it goes on there. What a source's terms do not
let be passed on is left out, and so is whatever no page shows.

Without DIR a running server is asked to write one; it does so every day by itself, and gives its exports
out at /api/v1/exports.`,
		Example: "  kapdir export ./exports\n  kapdir export --state /var/lib/kapdir",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, argv []string) error {
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			if len(argv) == 0 {
				if err := st.RequestExport(a.ctx); err != nil {
					return err
				}
				return a.answer(struct {
					Asked bool `json:"asked"`
				}{true}, func(w io.Writer) {
					fmt.Fprintln(w, "A running server was asked for an export. It will stand at /api/v1/exports.")
				})
			}
			demo, err := a.demoHeld(st)
			if err != nil {
				return err
			}
			if demo != nil && a.cfg.Now != "" {
				demo.Now, _ = directory.ParseInstant(a.cfg.Now)
			}
			m, err := web.WriteExport(a.ctx, web.Config{Reader: st, Policies: st.Policies(), Now: a.clock(), Demo: demo, Version: version}, argv[0])
			if err != nil {
				return err
			}
			return a.answer(m, func(w io.Writer) {
				fmt.Fprintf(w, "%d providers at number %d are in %s\n", m.Providers, m.Seq, filepath.Join(argv[0], strconv.FormatInt(m.Seq, 10)))
				for _, f := range m.Files {
					fmt.Fprintf(w, "  %-22s %9d rows %12d bytes\n", f.Name, f.Rows, f.Bytes)
				}
			})
		},
	}
}
