package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// heapRoom is how much a server allocates at least before it collects what is free: a heap that is small is collected
// again and again otherwise, which took a tenth of what a search costs.
const heapRoom = 256 << 20

// giveHeapRoom has each collection set when the next one comes, from now on. Who sets GOGC knows better.
func giveHeapRoom() {
	if os.Getenv("GOGC") == "" {
		afterCollection()
	}
}

func afterCollection() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	debug.SetGCPercent(gcPercent(live[0].Value.Uint64()))
	runtime.AddCleanup(new([16]byte), func(int) { afterCollection() }, 0) // it is free at once, and found so by the next
}

// gcPercent is Go's own 100 for a heap of heapRoom and more.
func gcPercent(live uint64) int { return int(max(100, heapRoom*100/max(live, heapRoom/100))) }
