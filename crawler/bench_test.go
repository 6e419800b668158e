package crawler

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"strings"
	"testing"

	"kapdir/directory"
)

// nppesBytes is a file of which, as in the national one, about one row in seven is of ours.
func nppesBytes() []byte {
	h := nppesHeader(false)
	others := []string{"207RC0000X", "225100000X", "1223G0001X", "183500000X", "163W00000X", "235Z00000X"}
	var b bytes.Buffer
	b.WriteString(quoteRow(h) + "\n")
	for i := range 3500 {
		code := others[i%len(others)]
		if i%7 == 0 {
			code = "1041C0700X"
		}
		b.WriteString(nppesRow(h, "code", code, "street", itoa(i)+" PEARL STREET", "last", "NAME"+itoa(i)) + "\n")
	}
	return b.Bytes()
}

// discard is a sink that keeps nothing.
type discard struct{ memory }

func (*discard) Put(context.Context, directory.ID, directory.Batch) (directory.Counts, error) {
	return directory.Counts{}, nil
}

func benchNPPES(b *testing.B, data []byte) {
	f := packedFile("npidata_pfile_20050523-20261108.csv", data)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		o := Options{Now: day}.complete()
		w, err := openNPPES(context.Background(), &material{files: []file{f}}, o)
		if err != nil {
			b.Fatal(err)
		}
		if err := w.read(context.Background(), &out{ctx: context.Background(), sink: &discard{}, opts: o}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNPPES is the whole pass: rows of ours are read into records, the others are counted.
func BenchmarkNPPES(b *testing.B) { benchNPPES(b, nppesBytes()) }

// BenchmarkNPPESOutside is the pass over rows of other trades alone.
func BenchmarkNPPESOutside(b *testing.B) {
	benchNPPES(b, []byte(strings.ReplaceAll(string(nppesBytes()), "1041C0700X", "225100000X")))
}

// BenchmarkBareCSV reads the same bytes with encoding/csv and does nothing with them.
func BenchmarkBareCSV(b *testing.B) {
	data := nppesBytes()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		r := csv.NewReader(bytes.NewReader(data))
		r.ReuseRecord = true
		for {
			if _, err := r.Read(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}
