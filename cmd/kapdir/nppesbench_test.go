package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kapdir/crawler"
	"kapdir/crawler/nppestest"
	"kapdir/directory"
	"kapdir/directory/store"
)

var nppesMB = flag.Int("nppes.mb", 32, "megabytes of the NPPES file that BenchmarkNPPESImport makes, imports and deletes")

// BenchmarkNPPESImport imports a main file of which 6 % of the rows are kept, end to end into SQLite with the
// hash of the bytes before, against wc -l of the same file. It reports the largest resident memory of the
// import.
func BenchmarkNPPESImport(b *testing.B) {
	path := filepath.Join(b.TempDir(), "npidata_pfile_20050523-20261108.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	_, ours, err := nppestest.File(f, int64(*nppesMB)<<20, 0.06)
	if err != nil {
		b.Fatal(err)
	}
	f.Close()
	count := func() time.Duration {
		start := time.Now()
		if err := exec.Command("wc", "-l", path).Run(); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
	count()
	src, _ := crawler.Find("nppes")
	var bare, took time.Duration
	peak := 0
	for b.Loop() {
		st, err := store.Open(context.Background(), store.Config{Dir: b.TempDir(), Now: time.Now})
		if err != nil {
			b.Fatal(err)
		}
		_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // forgets the peak so far
		bare += count()
		start := time.Now()
		run, err := crawler.Run(context.Background(), src, crawler.Input{Path: path}, st, crawler.Options{AsOf: directory.At(time.Now()).Date()})
		took += time.Since(start)
		if err != nil || run.Counts.Added != ours {
			b.Fatal(err, run.Counts, ours)
		}
		peak = max(peak, peakMB(b))
		st.Close()
	}
	b.ReportMetric(float64(ours*b.N)/took.Seconds(), "kept-rows/s")
	b.ReportMetric(float64(*nppesMB)*1.048576*float64(b.N)/took.Seconds(), "MB/s")
	b.ReportMetric(bare.Seconds()/took.Seconds(), "of-wc")
	b.ReportMetric(float64(peak), "peak-MB")
	b.ReportMetric(0, "ns/op")
}

// peakMB is the largest resident memory of this process, 0 where the system does not say.
func peakMB(b *testing.B) int {
	b.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for _, line := range bytes.Split(text, []byte("\n")) {
		if rest, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			kb, _ := strconv.Atoi(strings.Fields(string(rest))[0])
			return kb >> 10
		}
	}
	return 0
}
