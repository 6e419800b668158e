package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// heapRoom is how much a server allocates at least before it collects what is free: a heap that is small is collected
// again and again otherwise, which took a tenth of what a search costs.
const heapRoom = 256 << 20

// giveHeapRoom has each collection set when the next one comes, from now on. Who sets GOGC knows better.
func giveHeapRoom() {
	if os.Getenv("GOGC") == "" {
		heapRoomGiven.Do(afterCollection)
	}
}

var heapRoomGiven sync.Once // a test serves again and again

func afterCollection() {
	debug.SetGCPercent(gcPercent(scanned()))
	runtime.AddCleanup(new([16]byte), func(int) { afterCollection() }, 0) // it is free at once, and found so by the next
}

// scanned is what Go's percentage is of: the heap that is alive, the global variables and the stacks.
func scanned() (n uint64) {
	of := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/globals:bytes"}, {Name: "/gc/scan/stack:bytes"}}
	metrics.Read(of)
	for _, x := range of {
		n += x.Value.Uint64()
	}
	return n
}

// smallestHeap is what Go takes the percentage of where there is less.
const smallestHeap = 4 << 20

// gcPercent is Go's own 100 for a heap of heapRoom and more.
func gcPercent(scanned uint64) int { return int(max(100, heapRoom*100/max(scanned, smallestHeap))) }
