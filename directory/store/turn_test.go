package store

import (
	"context"
	"testing"
	"time"

	"kapdir/directory"
)

// testTurn lets somebody write while another process writes without a pause: they come in before its next transaction,
// each time, and its transactions are short while somebody works a case.
func testTurn(t *testing.T, c Config) {
	clk := newClock()
	c.Now = clk.now
	job, desk := open(t, c), open(t, c)
	hire(t, desk)
	x := &trial{t: t, s: desk}
	id, _ := x.person(directory.SeenActive, false)
	q := x.theCase(id)
	const each = 40 * time.Millisecond
	stop, ended, done := make(chan struct{}), make(chan error, 1), 0
	go func() {
		for {
			select {
			case <-stop:
				ended <- nil
				return
			default:
			}
			if err := job.writeBehind(ctx, "test", func(*work) error { time.Sleep(each); return nil }); err != nil {
				ended <- err
				return
			}
			done++
		}
	}()
	for i := range 20 {
		start := time.Now()
		if _, err := desk.Take(ctx, q.ID, "kim", false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(each / 4) // or the job has no turn
		if took := time.Since(start); took > 20*each {
			t.Errorf("the %d. time somebody waited %v behind transactions of %v", i+1, took, each)
		}
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if done < 10 {
		t.Errorf("the job had %d turns of its own", done)
	}
	look := func() time.Duration {
		job.desks.seen.Store(0)
		if err := job.writeBehind(ctx, "test", func(*work) error { return nil }); err != nil {
			t.Fatal(err)
		}
		return job.pace()
	}
	if p := look(); p != deskPace {
		t.Errorf("somebody works a case, and a transaction takes %v", p)
	}
	clk.set(noon.Add(directory.HoldTime + time.Minute))
	if p := look(); p != pace {
		t.Errorf("nobody does any more, and a transaction takes %v", p)
	}
	if _, err := desk.Assign(ctx, q.ID, "lee", "pat", ""); err != nil {
		t.Fatal(err)
	}
	if p := look(); p != pace {
		t.Errorf("a case that was given waits, and a transaction takes %v", p)
	}
	// Who cannot wait is told so in time.
	in, out := make(chan struct{}), make(chan struct{})
	go func() {
		ended <- job.write(ctx, "test", func(*work) error { close(in); <-out; return nil })
	}()
	<-in
	start := time.Now()
	if tx, err := desk.begin(ctx, false, 30*time.Millisecond); err == nil || directory.KindOf(desk.fault("x", err)) != directory.Unavailable {
		t.Errorf("begun beside another writer: %v", err)
		tx.Rollback()
	}
	short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	if err := desk.write(short, "test", func(*work) error { return nil }); directory.KindOf(err) != directory.Unavailable {
		t.Errorf("written beside another writer: %v", err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("that took %v", took)
	}
	close(out)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	whole(t, desk)
}
