package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"
)

// Lines wait for a moment and come in order; a warning waits for nothing, and brings all before it along.
func TestGatheredLog(t *testing.T) {
	out := &lockedBuffer{}
	h, flush := gatherLog(out)
	log := slog.New(h).With("who", "here")
	log.Info("first")
	if strings.Contains(out.String(), "first") {
		t.Error("a line was written at once")
	}
	log.Warn("second")
	if got := out.String(); !strings.Contains(got, "first") || strings.Index(got, "first") > strings.Index(got, "second") || strings.Count(got, `"who":"here"`) != 2 {
		t.Errorf("after a warning: %s", got)
	}
	log.Info("third")
	for begun := time.Now(); !strings.Contains(out.String(), "third"); time.Sleep(time.Millisecond) {
		if time.Since(begun) > 10*time.Second {
			t.Fatal("a line was not written by itself")
		}
	}
	log.WithGroup("g").Info("fourth", "k", 1)
	flush()
	if !strings.Contains(out.String(), `"g":{"k":1}`) {
		t.Errorf("at the end: %s", out.String())
	}
}
