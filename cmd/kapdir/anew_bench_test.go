package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"kapdir/directory"
	"kapdir/directory/store"
	"kapdir/directory/web"
	"kapdir/search/searchbench"
)

// BenchmarkAnew answers each class of benchPaths through the server's handler, without a network, nothing kept.
func BenchmarkAnew(b *testing.B) {
	ctx := context.Background()
	corpus := searchbench.NewCorpus(10000)
	ours, err := searchbench.NewOurs(ctx, corpus, filepath.Join(b.TempDir(), "index"))
	if err != nil {
		b.Fatal(err)
	}
	defer ours.Index.Close()
	if err := ours.Index.Rebuild(ctx, nil); err != nil {
		b.Fatal(err)
	}
	reader := benchReader{c: corpus, at: directory.At(searchbench.Noon)}
	at := reader.at.Time()
	now := func() time.Time { return at }
	if reader.Store, err = store.Open(ctx, store.Config{Dir: filepath.Join(b.TempDir(), "state"), Now: now}); err != nil {
		b.Fatal(err)
	}
	defer reader.Store.Close()
	srv, err := web.New(web.Config{Reader: reader, Search: ours.Index, Policies: directory.StandardPolicies(), BaseURL: "http://localhost", Now: now,
		KeepAnswers: -1, AnonymousPerMinute: 1 << 40, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		b.Fatal(err)
	}
	handle := srv.App().Handler()
	paths := benchPaths(corpus, 2000)
	for class := range 5 {
		b.Run(fmt.Sprint(class), func(b *testing.B) {
			b.ReportAllocs()
			var rc fasthttp.RequestCtx
			ask := func(i int) {
				rc.Request.Reset()
				rc.Response.Reset()
				rc.Request.Header.SetMethod("GET")
				rc.Request.Header.SetHost("localhost")
				rc.Request.SetRequestURI(paths[i*5%len(paths)+class])
				handle(&rc)
				if rc.Response.StatusCode() != 200 {
					b.Fatal(rc.Response.StatusCode(), string(rc.Response.Body()))
				}
			}
			for i := range 400 {
				ask(i)
			}
			b.ResetTimer()
			n := 0
			for i := range b.N {
				ask(i)
				n += len(rc.Response.Body())
			}
			b.ReportMetric(float64(n)/float64(b.N), "bytes")
		})
	}
}
