package deliver_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"testing"
	"time"

	"kapdir/directory"
	"kapdir/directory/deliver"
	"kapdir/directory/store"
)

// child is what a process that delivers is told.
type child struct {
	Dir, DSN string
	Root     []byte
	Hosts    map[string]string
	Began    time.Time
}

// hasty is how much faster time passes for whoever waits to try again: a day is nine seconds. HookPatience is more than
// four minutes then, which is longer than this test waits for anything: a busy machine stops no webhook.
const hasty = 10000

// waits is for how long the test waits for what is to come.
const waits = 2 * time.Minute

func (c child) now() time.Time { return noon.Add(time.Since(c.Began) * hasty) }

// TestMain is the process that delivers, where the environment says so.
func TestMain(m *testing.M) {
	raw := os.Getenv("KAPDIR_TEST_DELIVERS")
	if raw == "" {
		os.Exit(m.Run())
	}
	var c child
	if err := json.Unmarshal([]byte(raw), &c); err != nil {
		panic(err)
	}
	roots := x509.NewCertPool()
	root, err := x509.ParseCertificate(c.Root)
	if err != nil {
		panic(err)
	}
	roots.AddCert(root)
	s, err := store.Open(ctx, store.Config{Dir: c.Dir, DSN: c.DSN, Now: func() time.Time { return noon }})
	if err != nil {
		panic(err)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	fmt.Println("delivers")
	d := deliver.New(deliver.Config{Store: s, Client: client(150*time.Millisecond, roots, c.Hosts), Now: c.now, BaseURL: "https://kapdir.example", Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Holder: fmt.Sprint(os.Getpid()), Pause: 10 * time.Millisecond})
	for ctx.Err() == nil {
		if err := d.Run(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err) // the database is busy, say: as the server does, again
		}
	}
	stop()
	s.Close()
}

// TestFlapping: a receiver fails in every way there is, the process that delivers is killed again and again and started
// anew, and meanwhile more happens. Nothing is lost, nothing comes out of order, and what comes twice has the same id.
func TestFlapping(t *testing.T) {
	both(t, func(t *testing.T, c store.Config) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		dice, ends := rand.New(rand.NewPCG(seed, 1)), rand.New(rand.NewPCG(seed, 2)) // of the receiver, and of the processes
		c.Now = func() time.Time { return noon }
		s := open(t, c)
		must(s.ChangeStaff(ctx, directory.StaffChange{At: directory.At(noon), Name: "lee", Do: "add", Role: directory.Approver, By: "test", Auth: "test"}))
		ways := []int{204, 204, 204, 204, 200, 500, 429, 302, hang, reset, resetAfter, resetAfter}
		failed := 0 // in a row: with more, the test would only wait
		flapping := receive(t, func(int) (way int) {
			if way = ways[dice.IntN(len(ways))]; failed == 4 {
				way = 204
			}
			if failed++; way >= 200 && way < 300 {
				failed = 0
			}
			return way
		})
		steady := receive(t, func(int) int { return 204 })
		h, even := hook(t, s, "acme", "https://flapping.example.com/"), hook(t, s, "bolt", "https://steady.example.com/")
		told := child{Dir: c.Dir, DSN: c.DSN, Root: flapping.srv.Certificate().Raw, Hosts: map[string]string{"flapping.example.com": flapping.host(), "steady.example.com": steady.host()}, Began: time.Now()}

		// What happens meanwhile: people are listed, say how they work, and go.
		remove := func(id directory.ID) {
			q := must(s.RequestRemoval(ctx, directory.Removal{Kind: "removal", Provider: id, Words: "go", Contact: "a@x.example"}))
			must(s.DecideRemoval(ctx, directory.RemovalDecision{ID: q.ID, Do: "accept", Staff: "lee", Auth: "local", Note: "n"}))
		}
		written := make(chan struct{})
		go func() {
			defer close(written)
			var people []string
			for round := 1; round <= 12; round++ {
				people = append(people, fmt.Sprintf("Ana%c Ruiz", 'a'+round), fmt.Sprintf("Ben%c Carter", 'a'+round), fmt.Sprintf("Cara%c Smith", 'a'+round))
				list(t, s, fmt.Sprint(round), people...)
				for i, id := range must(s.Listed(ctx)) {
					if (i+round)%5 == 0 {
						attest(t, s, id, noon.Add(time.Duration(-round)*time.Second))
					}
					if i == 3 && round%4 == 0 {
						remove(id)
					}
				}
			}
		}()
		start := func() *exec.Cmd {
			cmd := exec.Command(os.Args[0])
			env, _ := json.Marshal(told)
			cmd.Env = append(os.Environ(), "KAPDIR_TEST_DELIVERS="+string(env))
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if line := make([]byte, 8); must(out.Read(line)) != len(line) || string(line) != "delivers" {
				t.Fatalf("the process says %q", line)
			}
			return cmd
		}
		kills := 0
		for busy := true; busy || kills < 10; kills++ {
			cmd := start()
			time.Sleep(time.Duration(20+ends.IntN(180)) * time.Millisecond)
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			select {
			case <-written:
				busy = false
			default:
			}
		}
		cmd := start()
		defer func() { _ = cmd.Process.Signal(os.Interrupt); _ = cmd.Wait() }()
		stand := func() (out [2]directory.Hook) {
			t.Helper()
			for i, x := range []directory.Hook{h, even} {
				out[i] = must(s.Hook(ctx, x.Integrator, x.ID))
				if out[i].State == directory.HookStopped { // then nothing more is due, and nothing was lost: but nothing was tried either
					t.Fatalf("the webhook was stopped, as the test must not let it be: %+v", out[i])
				}
			}
			return out
		}
		brought := func() {
			t.Helper()
			for deadline := time.Now().Add(waits); ; time.Sleep(20 * time.Millisecond) {
				due, err := s.NoticesDue(ctx, directory.At(noon.AddDate(10, 0, 0)))
				if at := stand(); err == nil && !due {
					return
				} else if time.Now().After(deadline) {
					t.Fatalf("not all was brought: %v; %+v", err, at)
				}
			}
		}
		brought()
		ids := must(s.Listed(ctx))
		remove(ids[0])
		list(t, s, "last", "Dan Poole")
		brought()
		now := must(s.Listed(ctx))
		attest(t, s, now[slices.IndexFunc(now, func(id directory.ID) bool { return !slices.Contains(ids, id) })], noon)
		brought()
		whole := steady.taken()
		flap := flapping.taken()
		if again := len(flap) - len(once(t, flap)); again == 0 {
			t.Error("nothing came twice: the receiver was no trial")
		} else {
			t.Logf("%d notices, %d of them again, in %d requests and %d processes", len(once(t, flap)), again, flapping.asked, kills+1)
		}
		compare := func(what string, a, b []got) {
			t.Helper()
			have := map[directory.ID]bool{}
			for _, x := range a {
				have[x.Data.ID] = true
			}
			for _, x := range b {
				if have[x.Data.ID] {
					continue
				}
				t.Errorf("%s: the first lacks number %d, %s", what, x.Data.Number, x.Body)
				for _, hook := range []directory.Hook{h, even} { // what our own log says of it
					for _, d := range must(s.HookLog(ctx, hook.Integrator, hook.ID, 0, directory.MostLogged)) {
						if d.Change >= x.Data.Number-10 && d.Change <= x.Data.Number+10 {
							t.Logf("%s %+v", hook.Integrator, d)
						}
					}
				}
				for _, line := range flapping.heard() {
					t.Log(line)
				}
			}
			if len(a) != len(b) {
				t.Fatalf("%s: %d and %d notices", what, len(a), len(b))
			}
			for i := range a {
				if a[i].Data.ID != b[i].Data.ID {
					t.Fatalf("%s: number %d is %s to one and %d is %s to the other", what, a[i].Data.Number, a[i].Data.ID, b[i].Data.Number, b[i].Data.ID)
				}
			}
		}
		compare("of two receivers", once(t, flap), once(t, whole))
		if len(once(t, whole)) < 30 {
			t.Errorf("%d notices in all", len(once(t, whole)))
		}
		// Whoever follows has what the directory has.
		listed := map[directory.ID]bool{}
		types := map[string]int{}
		for _, x := range once(t, flap) {
			types[x.Type]++
			switch x.Type {
			case "provider.listed":
				listed[x.Data.Provider] = true
			case "provider.removed":
				delete(listed, x.Data.Provider)
			}
		}
		if ids := must(s.Listed(ctx)); len(ids) != len(listed) || slices.ContainsFunc(ids, func(id directory.ID) bool { return !listed[id] }) {
			t.Errorf("%d are listed, and a follower has %d", len(ids), len(listed))
		}
		for _, x := range directory.NoticeTypes {
			if types[string(x)] == 0 {
				t.Errorf("no notice of type %s: %v", x, types)
			}
		}
		// A replay of everything brings the same again, with the same ids.
		must(s.ReplayHook(ctx, "bolt", even.ID, 0, "account test", directory.At(noon)))
		for deadline := time.Now().Add(waits); len(once(t, steady.taken()[len(whole):])) < len(once(t, whole)); time.Sleep(20 * time.Millisecond) {
			if at := stand(); time.Now().After(deadline) {
				t.Fatalf("of the replay %d came of %d: %+v", len(once(t, steady.taken()[len(whole):])), len(once(t, whole)), at[1])
			}
		}
		compare("a replay", once(t, steady.taken()[len(whole):]), once(t, whole))
	})
}

// once leaves out what came again, and holds the rest to its order and each repetition to its first.
func once(t *testing.T, list []got) (out []got) {
	t.Helper()
	first := map[directory.ID]got{}
	last := int64(0)
	for _, x := range list {
		if string(x.Data.ID) != x.Header.Get("webhook-id") {
			t.Errorf("%s in the body of %s", x.Data.ID, x.Header.Get("webhook-id"))
		}
		if f, ok := first[x.Data.ID]; ok {
			if f.Data.Number != x.Data.Number || f.Type != x.Type || !bytes.Equal(f.Body, x.Body) && f.Type != "provider.status_changed" {
				t.Errorf("%s came as\n%s\nand as\n%s", x.Data.ID, f.Body, x.Body)
			}
			continue
		}
		if x.Data.Number <= last {
			t.Errorf("number %d after %d", x.Data.Number, last)
		}
		first[x.Data.ID], last = x, x.Data.Number
		out = append(out, x)
	}
	return out
}

// TestTwoServers: of two that could deliver one does, and the other goes on when the first ends.
func TestTwoServers(t *testing.T) {
	both(t, func(t *testing.T, c store.Config) {
		c.Now = func() time.Time { return noon }
		s := open(t, c)
		r := receive(t, func(int) int { return 204 })
		hook(t, s, "acme", "https://hooks.example.com/")
		cl := client(5*time.Second, rootsOf(r), map[string]string{"hooks.example.com": r.host()})
		began := time.Now()
		run := func(name string) (end func()) {
			ctx, cancel := context.WithCancel(ctx)
			ended := make(chan error, 1)
			d := deliver.New(deliver.Config{Store: s, Client: cl, Now: func() time.Time { return noon.Add(time.Since(began) * 20) }, Log: slog.New(slog.DiscardHandler), Holder: name, Pause: 10 * time.Millisecond})
			go func() { ended <- d.Run(ctx) }()
			return func() {
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}
		}
		first, second := run("one"), run("two")
		wait := func(n int) {
			t.Helper()
			for end := time.Now().Add(20 * time.Second); len(once(t, r.taken())) < n; time.Sleep(5 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%d notices of %d", len(once(t, r.taken())), n)
				}
			}
		}
		list(t, s, "1", "Ana Ruiz", "Ben Carter")
		wait(2)
		first()
		list(t, s, "2", "Ana Ruiz", "Ben Carter", "Cara Smith")
		wait(3)
		second()
		// What was under way when the first was ended comes once more.
		if seen := r.taken(); len(once(t, seen)) != 3 || len(seen) > 4 {
			t.Errorf("%d notices came", len(seen))
		}
	})
}
