package webbench

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// The load gets every answer whole and counts it; one that is no 200 fails the run.
func TestLoad(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bodies := [][]byte{[]byte(`{"a":1}`), make([]byte, 40_000)}
	go func() { _ = Bare(l, bodies, [][2]string{{"X-Frame-Options", "DENY"}}) }()
	defer l.Close()
	ctx := context.Background()
	got, headers, err := Fetch(ctx, l.Addr().String(), []string{"/api/v1/providers", "/api/v1/providers?q=x"})
	if err != nil || len(got) != 2 || len(got[0])+len(got[1]) != len(bodies[0])+len(bodies[1]) {
		t.Fatalf("%d bodies, %v", len(got), err)
	}
	if len(headers) != 2 {
		t.Errorf("headers: %v", headers)
	}
	x := Load{Addr: l.Addr().String(), Paths: []string{"/api/v1/providers"}, Conns: 8, Duration: 50 * time.Millisecond}.Run(ctx)
	if x.Failed != "" || x.Requests < 8 || x.Bytes < 20_000 || x.P50 <= 0 || x.P99 < x.P50 {
		t.Errorf("%+v", x)
	}
	none := httptest.NewServer(http.NotFoundHandler())
	defer none.Close()
	if x = (Load{Addr: none.Listener.Addr().String(), Paths: []string{"/nothing"}, Conns: 2, Duration: 50 * time.Millisecond}).Run(ctx); x.Failed == "" {
		t.Errorf("answers that are no 200: %+v", x)
	}
}
