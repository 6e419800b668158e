package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestHeapRoom(t *testing.T) {
	for live, want := range map[uint64]int{0: 10000, heapRoom / 100: 10000, heapRoom / 4: 400, heapRoom: 100, 8 * heapRoom: 100} {
		if got := gcPercent(live); got != want {
			t.Errorf("%d bytes alive: %d, want %d", live, got, want)
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	afterCollection()
	percent := func() uint64 {
		now := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		metrics.Read(now)
		return now[0].Value.Uint64()
	}
	if percent() <= 100 {
		t.Fatalf("%d percent of a small heap", percent())
	}
	kept := make([]byte, heapRoom) // what was room for a small heap is none beside a large one
	for deadline := time.Now().Add(10 * time.Second); percent() != 100; time.Sleep(time.Millisecond) {
		if runtime.GC(); time.Now().After(deadline) {
			t.Fatalf("%d percent of a heap of %d MB", percent(), len(kept)>>20)
		}
	}
	runtime.KeepAlive(kept)
}
