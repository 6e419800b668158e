package search

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// What is let go stands in memory no more, and reads as before.
func TestLetGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mapped")
	want := bytes.Repeat([]byte("kapdir.\n"), 1<<19)
	if err := os.WriteFile(path, want, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mapped, err := syscall.Mmap(int(f.Fd()), 0, len(want), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(mapped)
	if !bytes.Equal(mapped, want) || resident(t, path) < 4000 {
		t.Fatalf("read, %d kB are resident", resident(t, path))
	}
	letGo(mapped)
	if n := resident(t, path); n > 100 {
		t.Errorf("let go, %d kB are resident", n)
	}
	if !bytes.Equal(mapped, want) {
		t.Error("let go, it reads otherwise")
	}
	letGo(nil)
}

// resident says how much of a mapped file stands in memory, in kB.
func resident(t *testing.T, path string) int {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	_, of, ok := strings.Cut(string(maps), path+"\n")
	if !ok {
		t.Fatalf("%s is not mapped", path)
	}
	_, of, _ = strings.Cut(of, "Rss:")
	n, err := strconv.Atoi(strings.Fields(of)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
