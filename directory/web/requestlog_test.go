package web

import (
	"bytes"
	"log/slog"
	"testing"
	"time"
)

// slowly holds up whoever writes.
type slowly struct {
	begun chan struct{}
	buf   bytes.Buffer
}

func (w *slowly) Write(p []byte) (int, error) {
	close(w.begun)
	time.Sleep(50 * time.Millisecond)
	return w.buf.Write(p)
}

// Who ends the program waits for what the clock has begun to write.
func TestLastWriteWaits(t *testing.T) {
	w := &slowly{begun: make(chan struct{})}
	x := &requestLog{log: slog.New(slog.NewTextHandler(w, nil))}
	x.count(requestLine{"/livez", "GET", 200, "<10ms"})
	go x.write()
	<-w.begun
	if x.write(); w.buf.Len() == 0 {
		t.Error("the last write returned before the line was written")
	}
}
