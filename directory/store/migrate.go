package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/pressly/goose/v3"

	"kapdir/directory"
)

// The migrations are forward only and never edited once released (a test pins their hashes). The tables
// are one text for both databases; only the triggers have a file for each.
//
//go:embed migrations
var migrationFiles embed.FS

// migrate brings the database to this program's schema. It refuses one that a newer program has changed.
func migrate(ctx context.Context, d dialect, db *sql.DB) error {
	name, own := d.goose()
	shared, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return err
	}
	special, err := fs.Sub(migrationFiles, "migrations/"+own)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(name, db, folders{shared, special}, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	switch {
	case current > target:
		return directory.Errorf(directory.Refused, "", "the database has schema %d and this program knows %d: "+
			"use the newer kapdir that changed it, or restore the backup made before that", current, target)
	case current == target:
		return nil
	}
	release, err := waitLock(ctx, d, db, "migrate")
	if err != nil {
		return err
	}
	defer release()
	_, err = p.Up(ctx) // what another process did meanwhile is not done again
	return err
}

// waitLock waits for a job's lock for as long as a migration may take.
func waitLock(ctx context.Context, d dialect, db *sql.DB, job string) (release func(), err error) {
	for range 300 {
		release, ok, err := d.lock(ctx, db, job)
		if ok || err != nil {
			return release, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil, directory.Errorf(directory.Unavailable, "", "another process has been migrating the database for 30 seconds")
}

// folders shows several folders as one.
type folders []fs.FS

// Open opens the first file of the name.
func (f folders) Open(name string) (fs.File, error) {
	for _, dir := range f {
		if file, err := dir.Open(name); !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// Glob lists the files of all the folders.
func (f folders) Glob(pattern string) ([]string, error) {
	var all []string
	for _, dir := range f {
		names, err := fs.Glob(dir, pattern)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	slices.Sort(all)
	return all, nil
}
