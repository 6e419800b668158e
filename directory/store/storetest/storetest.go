// Package storetest starts a PostgreSQL server for tests, so that the store is held to the same suite on
// both databases.
package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Postgres returns the address of a fresh, empty database, dropped when the test ends. The server is that
// of KAPDIR_TEST_DSN, or one that the first caller starts on a private socket and that lives as long as
// the test binary. Without either, the test is skipped; with KAPDIR_REQUIRE set it fails instead, so that
// continuous integration cannot lose the second database without noticing.
func Postgres(t testing.TB) (dsn string) {
	t.Helper()
	server, err := startOnce()
	if err != nil {
		if os.Getenv("KAPDIR_REQUIRE") != "" {
			t.Fatalf("PostgreSQL is required and not available: %v", err)
		}
		t.Skipf("PostgreSQL is not available: %v", err)
	}
	name := fmt.Sprintf("kapdir_%d_%d", os.Getpid(), databases.Add(1))
	if err := run(server, `CREATE DATABASE `+name+` TEMPLATE template0 ENCODING 'UTF8'`); err != nil {
		t.Fatalf("making a database: %v", err)
	}
	t.Cleanup(func() {
		if err := run(server, `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Logf("dropping %s: %v", name, err)
		}
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

var databases atomic.Int64

func run(dsn, statement string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(statement)
	return err
}

// startOnce gives the address of the server's database postgres.
var startOnce = sync.OnceValues(func() (string, error) {
	if dsn := os.Getenv("KAPDIR_TEST_DSN"); dsn != "" {
		return dsn, nil
	}
	if runtime.GOOS != "linux" {
		return "", errors.New("set KAPDIR_TEST_DSN: a server is started on Linux alone")
	}
	bin, err := binaries()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "kapdir-pg-")
	if err != nil {
		return "", err
	}
	dsn, err := start(bin, dir)
	if err != nil {
		_ = os.RemoveAll(dir)
	}
	return dsn, err
})

// start runs a server in dir, for as long as this program lives.
func start(bin, dir string) (string, error) {
	owner, err := unprivileged()
	if err != nil {
		return "", err
	}
	if owner != nil {
		if err := os.Chown(dir, int(owner.Uid), int(owner.Gid)); err != nil {
			return "", err
		}
	}
	command := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(name, args...)
		c.Dir = dir
		c.SysProcAttr = &syscall.SysProcAttr{Credential: owner}
		return c
	}
	data := filepath.Join(dir, "data")
	initdb := command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w: %s", err, out)
	}
	// The shell reads until this program ends, in whatever way; then it stops the server and tidies up.
	server := command("/bin/sh", "-c", `dir=$1; shift; "$@" </dev/null >"$dir/log" 2>&1 & read _; kill -INT $!; wait; cd /; rm -rf "$dir"`, "sh", dir,
		filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "synchronous_commit=off",
		"-c", "full_page_writes=off", "-c", "max_connections=200")
	if _, err := server.StdinPipe(); err != nil {
		return "", err
	}
	if err := server.Start(); err != nil {
		return "", err
	}
	running = append(running, server)
	dsn := "postgres://postgres@/postgres?host=" + url.QueryEscape(dir)
	deadline := time.Now().Add(30 * time.Second)
	for {
		if err = ping(dsn); err == nil {
			return dsn, nil
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(filepath.Join(dir, "log"))
			return "", fmt.Errorf("the server does not answer: %w: %s", err, text)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// running keeps the pipes of the servers open: they close when this program ends.
var running []*exec.Cmd

func ping(dsn string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return db.PingContext(ctx)
}

// binaries finds the programs of the newest PostgreSQL that is installed.
func binaries() (string, error) {
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	dirs = slices.DeleteFunc(dirs, func(d string) bool {
		_, err := os.Stat(filepath.Join(d, "initdb"))
		return err != nil
	})
	if len(dirs) == 0 {
		return "", errors.New("no PostgreSQL in /usr/lib/postgresql")
	}
	version := func(d string) int {
		n, _ := strconv.Atoi(strings.Split(d, "/")[4])
		return n
	}
	return slices.MaxFunc(dirs, func(a, b string) int { return version(a) - version(b) }), nil
}

// unprivileged returns whom the server runs as: PostgreSQL refuses to run as root. It is nil for the
// user who runs the tests.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
