//go:build unix

package search

import (
	"os"
	"syscall"
)

// hold takes the lock on the file for this process. The system lets it go when the process ends,
// however it ends, so a file left behind by a dead process holds nothing.
func hold(f *os.File) (held bool, err error) {
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
	case nil:
		return true, nil
	case syscall.EWOULDBLOCK:
		return false, nil
	default:
		return false, err
	}
}
