package search

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"kapdir/directory"
)

const lockName = "lock"

// lock keeps a second process from opening the index. Its file names the process that holds it.
type lock struct{ file *os.File }

func takeLock(dir string) (*lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("search.Open: %w", err)
	}
	held, err := hold(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("search.Open: lock %s: %w", f.Name(), err)
	}
	if !held {
		text, _ := io.ReadAll(io.LimitReader(f, 32))
		f.Close()
		who := strings.TrimSpace(string(text))
		if _, err := strconv.Atoi(who); err != nil {
			who = "unknown"
		}
		return nil, directory.Errorf(directory.Conflict, "", "the search index is held by another process (pid %s): only one may open it", who)
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("search.Open: write %s: %w", f.Name(), err)
	}
	return &lock{f}, nil
}

// release lets the lock go. The file stays, empty: to remove it could take away another's lock.
func (l *lock) release() error {
	err := l.file.Truncate(0)
	if cerr := l.file.Close(); err == nil {
		err = cerr
	}
	return err
}
