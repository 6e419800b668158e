package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"kapdir/directory"
)

func (a *app) sourcesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "sources",
		Short: "List the sources and which release of each is in force",
		Args:  args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			st, err := a.lookAtStore()
			if err != nil {
				return err
			}
			defer st.Close()
			held, err := st.Sources(a.ctx)
			if err != nil {
				return err
			}
			byID := map[string]directory.SourceState{}
			for _, h := range held {
				byID[h.Source.ID] = h
			}
			type row struct {
				ID      string         `json:"id"`
				Name    string         `json:"name"`
				Kind    string         `json:"kind"`
				Terms   string         `json:"terms"`
				Loaded  bool           `json:"loaded"`
				Release string         `json:"release,omitempty"`
				AsOf    directory.Date `json:"as_of,omitempty"`
				Held    int            `json:"held,omitempty"`
				Run     int64          `json:"run,omitempty"`
			}
			var rows []row
			for _, s := range directory.Tables().Sources() {
				r := row{ID: s.ID, Name: s.Name, Kind: s.Kind, Terms: s.Terms}
				if h, ok := byID[s.ID]; ok && h.Run.Number > 0 {
					r.Loaded, r.Release, r.AsOf, r.Held, r.Run = true, h.Run.Release.Name, h.Run.Release.AsOf, h.Held, h.Run.Number
				}
				rows = append(rows, r)
			}
			return a.answer(rows, func(w io.Writer) {
				t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
				fmt.Fprintln(t, "SOURCE\tKIND\tRELEASE\tDATA OF\tRECORDS\tRUN\tNAME")
				for _, r := range rows {
					if r.Loaded {
						fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t%d\t%s\n", r.ID, r.Kind, r.Release, r.AsOf, r.Held, r.Run, r.Name)
					} else {
						fmt.Fprintf(t, "%s\t%s\t-\t-\t-\t-\t%s\n", r.ID, r.Kind, r.Name)
					}
				}
				_ = t.Flush()
			})
		},
	}
}
