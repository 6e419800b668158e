package main

import (
	"os"
	"strconv"
	"syscall"
)

// standBack leaves the processor to whoever answers people on the same machine, where both want it: an import takes
// minutes, and a page should not wait for it. Alone it is as fast as ever. Linux gives each thread its own share, and
// those to come have that of whoever begins them.
func standBack() {
	const nice = 10
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return // it is a courtesy
	}
	for _, t := range threads {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			_ = syscall.Setpriority(syscall.PRIO_PROCESS, id, nice)
		}
	}
}
