package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// logPause is how long a line about a request may wait for others: one write for each request costs as much as
// answering from memory does. What warns of something is written at once.
const logPause = 100 * time.Millisecond

// gathered is a handler that writes lines below a warning together. A crash that runs no more code loses at
// most those of the last tenth of a second.
type gathered struct {
	slog.Handler
	out *gather
}

type gather struct {
	mu      sync.Mutex
	w       *bufio.Writer
	waiting bool
}

// gatherLog returns a handler of lines in JSON to w, and what writes out whatever waits.
func gatherLog(w io.Writer) (slog.Handler, func()) {
	g := &gather{w: bufio.NewWriterSize(w, 64<<10)}
	return gathered{slog.NewJSONHandler(g, &slog.HandlerOptions{Level: slog.LevelInfo}), g}, g.flush
}

func (h gathered) Handle(ctx context.Context, r slog.Record) error {
	err := h.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		h.out.flush()
	}
	return err
}

func (h gathered) WithAttrs(list []slog.Attr) slog.Handler {
	return gathered{h.Handler.WithAttrs(list), h.out}
}
func (h gathered) WithGroup(name string) slog.Handler {
	return gathered{h.Handler.WithGroup(name), h.out}
}

// Write takes a line.
func (g *gather) Write(line []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.waiting {
		g.waiting = true
		time.AfterFunc(logPause, g.flush)
	}
	return g.w.Write(line)
}

func (g *gather) flush() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = false
	_ = g.w.Flush() // there is nowhere to tell of it
}
