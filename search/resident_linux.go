package search

import "syscall"

// letGo gives back the memory in which pages of a mapped file stand. Whoever reads them again gets them from the
// file, or from what the system still has of it.
func letGo(mapped []byte) {
	if len(mapped) > 0 {
		_ = syscall.Madvise(mapped, syscall.MADV_DONTNEED) // what is not given back stays where it is
	}
}
