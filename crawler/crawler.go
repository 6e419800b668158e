// Package crawler reads what publishers publish: the national registers, the boards' rosters, the
// exclusion lists and the listing sites. An adapter turns a publisher's words into ours and nothing
// else; what it cannot read it puts in quarantine row by row, and what must not be held it drops before
// anybody can write it down.
//
// Everything comes in through Run. The crawler knows no database: it hands batches to a Sink.
package crawler

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"kapdir/crawler/safehttp"
	"kapdir/directory"
)

// BatchSize is the most records that one Put carries, so that staff never wait behind an import.
const BatchSize = 500

// Sink takes what an import reads. The store implements it; the interface is here because the crawler
// needs it.
type Sink interface {
	// Held says what of the release's source is in force before it is imported, and changes nothing. Of a release
	// whose bytes are not hashed yet, which has no SHA256, it cannot say that they were imported before.
	Held(ctx context.Context, rel directory.Release) (directory.Held, error)
	// Begin opens a run. With Run.Already these bytes were imported before and there is nothing to do.
	Begin(ctx context.Context, rel directory.Release) (directory.Run, error)
	// Put takes at most BatchSize records.
	Put(ctx context.Context, run directory.ID, batch directory.Batch) (directory.Counts, error)
	// End closes the run. A nil failure says that the source was read whole and plausibly: its release
	// comes into force. With a failure it does not.
	End(ctx context.Context, run directory.ID, failure error) (directory.Run, error)
}

// carrier is a sink that knows the rows of the release before by the bytes they were read from, so that a
// row which says nothing new is neither parsed nor put.
type carrier interface {
	// Carried reports that the row is held as it would be read now and speaks of nobody who has a page: it is
	// then taken as part of the run, at this line, and must not be put. The fingerprint is of the row's raw
	// bytes, of all rows of which one record is made, and of whatever of the file and the options reads the
	// same bytes differently, such as its header; that another program reads them is seen to. A row is put with
	// its fingerprint (directory.Record) where it was not carried. It counts as read and unchanged: in the
	// answer to the next Put and in the run that End returns. It may be called while a Put goes on.
	Carried(run directory.ID, fingerprint [16]byte, line int) bool
}

// Input is where an import reads from: a file or a directory of this machine, or a web address.
type Input struct {
	Path   string
	More   []string // further files of the same release, where a publisher splits it
	URL    string
	Client *safehttp.Client // for a URL or a question to a service; needed then
}

// InputAt reads a command's arguments: what begins with http:// or https:// is a web address, and further
// arguments are further files of the same release.
func InputAt(arg string, client *safehttp.Client, more ...string) Input {
	if strings.HasPrefix(arg, "http://") || strings.HasPrefix(arg, "https://") {
		return Input{URL: arg, Client: client, More: more}
	}
	return Input{Path: arg, Client: client, More: more}
}

// Options are what an import may be told. The zero value is useful but for Now.
type Options struct {
	All      bool             // NPPES: rows outside the taxonomy table are kept too
	Whole    bool             // listings: the input is all that the site holds; see directory.Release
	AsOf     directory.Date   // how old the source's data are; else its file name says so, else it is today, but for exclusion lists and rosters, which are refused
	Release  string           // the publisher's name of the release, 2026-10 say; else its file name says so, else it is the day
	Now      func() time.Time // the clock of the run; time.Now if nil
	Progress func(Progress)   // called at most ten times a second, from the calling goroutine
	Again    bool             // bytes that were imported before are read once more
	Report   *Report          // filled with what the counts of the run do not hold
	Log      *slog.Logger     // discarded if nil
	MaxPages int              // of a listing site; 0 is 2,000
	Pace     rate.Limit       // requests a second to one host; 0 is 1. A site's own Crawl-delay is longer or nothing

	AcceptUnconfirmed bool   // read a format that nobody has seen in the publisher's own hand: see Source.Unconfirmed
	AcceptSmaller     bool   // let a list replace one that is much longer
	AcceptChanged     bool   // a person has looked at what a changed site yields now, and takes it
	Cache             *Cache // of a listing site: what is remembered of its last import; nil remembers nothing

	tick  func() time.Time                           // paces Progress
	sleep func(context.Context, time.Duration) error // waits where a server asks for it
}

// Progress says how far a run is.
type Progress struct {
	Stage  string // hashing, reading, fetching
	File   string // the one that is read now
	Read   int64  // bytes, or pages when fetching
	Total  int64  // bytes; 0 if that is not known
	Counts directory.Counts
}

// Report is what an import has to say beyond its counts.
type Report struct {
	Outside map[string]int // rows left out, by the taxonomy code or licence type that is not in our tables
	Pages   int            // pages read of a listing site
	Refused []string       // pages that robots.txt asked us not to read

	Endpoints int      // NPPES: endpoints of rows that are kept, which are counted and not held
	Larger    []string // NPI Registry: queries with more answers than the service gives
	Warnings  []string // the first of what a person should look at, though the rows went in
	Warned    int      // how many there were

	Fates  []Fate // what became of the listings of the last import, but for those that read as before
	Yield  Yield  // what a listing site gave now
	Before Yield  // and at the last import that came into force, as far as it is remembered
}

// maxOutside bounds the report's memory: the national table has fewer than a thousand codes.
const maxOutside = 2000

// Top returns the n most frequent codes left out, the most frequent first.
func (r *Report) Top(n int) []string {
	codes := slices.Collect(maps.Keys(r.Outside))
	sort.Slice(codes, func(i, j int) bool {
		a, b := r.Outside[codes[i]], r.Outside[codes[j]]
		return a > b || a == b && codes[i] < codes[j]
	})
	return codes[:min(n, len(codes))]
}

// work is an input that was looked at and can be read: its header is right, its archive opens.
type work struct {
	asOf directory.Date // from the publisher's file name; "" if that does not say
	name string         // the publisher's own name of the release; "" if there is none
	read func(context.Context, *out) error

	// survey, if it is not nil, reads the whole input once before the run begins, so that a file which is cut off
	// or empty changes nothing. It may hash what it reads.
	survey func(context.Context, Sink) error

	partial bool // it holds changes alone: see directory.Release.Partial
	rows    int  // of an exclusion list, good and bad; 0 where they were not counted
	// fits holds the release to what is in force, and may correct it. It is asked only where something is.
	fits func(rel *directory.Release, held directory.Held) error
	done func() error // nil, or called once the release is in force
}

// Run imports one input of a source. Bytes that were imported before change nothing and give the earlier
// run with Already set. An input that cannot be right is refused before the sink hears of it, with one
// error that names the file, the line, the field and what to do. A failure later on ends the run with
// that failure: rows already put stay, and the release does not come into force.
func Run(ctx context.Context, src Source, in Input, sink Sink, opts Options) (directory.Run, error) {
	opts = opts.complete()
	if src.open == nil {
		return directory.Run{}, directory.Errorf(directory.Invalid, "source", "%q is not a source that can be imported: %s", src.ID, strings.Join(sourceIDs(), ", "))
	}
	info := src.Info()
	if info.ID == "" {
		return directory.Run{}, directory.Errorf(directory.Invalid, "source", "%q is not in data/sources.csv", src.ID)
	}
	if info.Terms == "forbidden" {
		return directory.Run{}, directory.Errorf(directory.Refused, "source", "the terms of %s forbid collecting its pages", info.Name)
	}
	if src.Unconfirmed != "" && !opts.AcceptUnconfirmed {
		return directory.Run{}, directory.Errorf(directory.Refused, "format", "the format of %s is not confirmed: %s. To read it all the same, say --accept-unconfirmed", src.ID, src.Unconfirmed)
	}
	m, err := gather(ctx, src, info, in, opts)
	if err != nil {
		return directory.Run{}, err
	}
	w, err := src.open(ctx, m, opts)
	if err != nil {
		return directory.Run{}, err
	}
	now := directory.At(opts.Now())
	rel := directory.Release{Source: src.ID, Name: opts.Release, AsOf: opts.AsOf, File: m.name, URL: m.url, Size: m.size, Read: now, All: opts.All, Partial: w.partial, Again: opts.Again, Whole: info.Kind == "listing" && opts.Whole, Unconfirmed: src.Unconfirmed != ""}
	if rel.AsOf == "" {
		rel.AsOf = w.asOf
	}
	if rel.AsOf == "" && (info.Kind == "exclusion" || info.Kind == "roster") {
		return directory.Run{}, directory.Errorf(directory.Invalid, "as_of", "%s does not say how old its data are, and how long they count depends on it: say so with --as-of YYYY-MM-DD", m.name)
	}
	if rel.AsOf == "" {
		rel.AsOf = now.Date()
	}
	if rel.AsOf > now.Date() {
		return directory.Run{}, directory.Errorf(directory.Invalid, "as_of", "%s: the data are dated %s, which is after today, %s: check the file's name or the clock", m.name, rel.AsOf, now.Date())
	}
	if rel.Name == "" {
		rel.Name = w.name
	}
	if rel.Name == "" {
		rel.Name = string(rel.AsOf)
	}
	surveyed, err := w.prepare(ctx, m, &rel, sink, opts)
	if err != nil {
		return directory.Run{}, err
	}
	if err := w.compare(ctx, &rel, sink, opts); err != nil {
		return directory.Run{}, err
	}
	run, err := sink.Begin(ctx, rel)
	if err == nil && run.Already {
		return run, w.finish()
	}
	if err != nil {
		return run, err
	}
	o := &out{ctx: ctx, sink: sink, run: run.ID, rel: rel, opts: opts, total: m.size}
	var failure error
	if !surveyed { // what was in force a moment ago was these bytes, and is not now
		failure = w.survey(ctx, sink)
	}
	if failure == nil {
		failure = w.read(ctx, o)
	}
	if !o.stuck { // after a failure too: the quarantine says what was wrong
		if err := o.flush(); failure == nil {
			failure = err
		}
	}
	if failure == nil {
		failure = o.plausible(m.name)
	}
	if failure == nil {
		failure = m.same()
	}
	o.progress(true)
	ended, err := sink.End(context.WithoutCancel(ctx), run.ID, failure)
	if failure != nil {
		if err != nil {
			opts.Log.Error("the failed run could not be closed", "run", run.ID, "error", err)
			ended = run
		}
		return ended, failure
	}
	if len(opts.Report.Outside) > 0 {
		for _, c := range opts.Report.Top(10) {
			opts.Log.Info("left out", "source", src.ID, "type", c, "rows", opts.Report.Outside[c])
		}
	}
	if err == nil {
		err = w.finish()
	}
	return ended, err
}

// prepare hashes and surveys the input. A file of the same length as what is in force is hashed first, since it may
// be the same bytes: there is then nothing to survey. Any other is hashed while it is surveyed.
func (w *work) prepare(ctx context.Context, m *material, rel *directory.Release, sink Sink, opts Options) (surveyed bool, err error) {
	already := false
	if w.survey != nil {
		held, err := sink.Held(ctx, *rel)
		if err != nil {
			return false, err
		}
		if held.Found && held.Newest.Release.Size == rel.Size && !rel.Again {
			if err := m.hash(ctx, opts); err != nil {
				return false, err
			}
			rel.SHA256 = m.sha
			if held, err = sink.Held(ctx, *rel); err != nil {
				return false, err
			}
			already = held.Already
		}
	}
	if w.survey != nil && !already {
		if err := w.survey(ctx, sink); err != nil {
			return false, err
		}
	}
	if err := m.hash(ctx, opts); err != nil {
		return false, err
	}
	rel.SHA256 = m.sha
	return w.survey == nil || !already, nil
}

// compare refuses a list that cannot be the successor of the one in force, before the sink hears of it: a
// run that begins and fails would leave who arrives meanwhile unanswered.
func (w *work) compare(ctx context.Context, rel *directory.Release, sink Sink, opts Options) error {
	if w.rows == 0 {
		return nil
	}
	held, err := sink.Held(ctx, *rel)
	if err != nil || !held.Found || held.Already {
		return err
	}
	if w.fits != nil {
		return w.fits(rel, held)
	}
	if in := held.Newest.Release.AsOf; rel.AsOf < in {
		return directory.Errorf(directory.Conflict, "as_of", "%s is of %s and is older than what is in force (%s, run %d): an older list would clear whoever was excluded since", rel.File, rel.AsOf, in, held.Newest.Number)
	}
	if before := held.Whole.Counts.Read; tooSmall(w.rows, before) && !opts.AcceptSmaller {
		return directory.Errorf(directory.Invalid, "rows", "%s holds %d rows, and the release in force %d (%s, run %d): no list loses so many from one release to the next, and a part of it would clear people. Fetch it again; if the publisher really shortened it, say --accept-smaller",
			rel.File, w.rows, before, held.Whole.Release.AsOf, held.Whole.Number)
	}
	return nil
}

// tooSmall reports a list that lost more than a tenth of its rows, and more than a few. The LEIE loses
// fewer than one in a thousand in a month. A cut that falls between two rows shows by nothing else.
func tooSmall(rows, before int) bool { return before-rows > fewRows && rows*10 < before*9 }

// fewRows is how many rows more or less say nothing yet.
const fewRows = 20

func (w *work) finish() error {
	if w.done == nil {
		return nil
	}
	return w.done()
}

func (o Options) complete() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.tick == nil {
		o.tick = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Report == nil {
		o.Report = &Report{}
	}
	if o.Report.Outside == nil {
		o.Report.Outside = map[string]int{}
	}
	if o.MaxPages == 0 {
		o.MaxPages = 2000
	}
	if o.Pace == 0 {
		o.Pace = 1
	}
	if o.sleep == nil {
		o.sleep = directory.Pause
	}
	return o
}

// out gathers what an adapter yields into batches and hands them to the sink.
type out struct {
	ctx    context.Context
	sink   Sink
	run    directory.ID
	rel    directory.Release
	opts   Options
	batch  directory.Batch
	counts directory.Counts
	kept   int
	bad    int
	beyond int
	stuck  bool // the sink failed

	part func(*licence) error // of a roster: takes a row of a licence that has several

	file  string
	bytes func() int64
	total int64
	told  time.Time
}

// record yields a row. One that would hold a number shaped like a Social Security number, in whatever
// column it came, is put in quarantine without its value.
func (o *out) record(r directory.Record) error {
	if x := unheld(r); x != nil {
		return o.reject(*x)
	}
	return o.searched(r)
}

// unheld rejects a row that would hold such a number.
func unheld(r directory.Record) *directory.Reject {
	if field, found := fieldsHoldSSN(r.Fields); found || recordHoldsSSN(r) {
		return &directory.Reject{Line: r.Line, Field: field, Reason: ssnReason}
	}
	return nil
}

// searched yields a row of which the adapter has looked for such numbers in every column.
func (o *out) searched(r directory.Record) error {
	r.Source = o.rel.Source
	o.batch.Records = append(o.batch.Records, r)
	o.kept++
	return o.due()
}

// reject yields a row that was not taken.
func (o *out) reject(r directory.Reject) error {
	if r.File == "" {
		r.File = o.file
	}
	r.Text = scrubText(r.Text)
	r.Reason = scrubReason(r.Reason)
	o.batch.Rejects = append(o.batch.Rejects, r)
	o.bad++
	return o.due()
}

// partly yields a field that was not taken of a row that was.
func (o *out) partly(r directory.Reject) error {
	o.bad--
	r.Partial = true
	return o.reject(r)
}

// outside counts a valid row of a type that the directory does not cover.
func (o *out) outside(kind string) error {
	o.outsideMany(kind, 1)
	if o.beyond&1023 == 0 {
		return o.pause()
	}
	return nil
}

func (o *out) outsideMany(kind string, n int) {
	o.outsideRows(n)
	o.outsideKind(kind, n)
}

func (o *out) outsideRows(n int) {
	o.batch.Outside += n
	o.beyond += n
}

func (o *out) outsideKind(kind string, n int) {
	m := o.opts.Report.Outside
	if _, ok := m[kind]; ok || len(m) < maxOutside {
		m[kind] += n
	}
}

// gone yields the listings that the site itself took away.
func (o *out) gone(list []directory.Departure) error {
	for _, g := range list {
		o.batch.Gone = append(o.batch.Gone, g)
		if len(o.batch.Gone) >= BatchSize {
			if err := o.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *out) due() error {
	if len(o.batch.Records) >= BatchSize || len(o.batch.Rejects) >= BatchSize {
		return o.flush()
	}
	return nil
}

// pause lets a long stretch of rows outside be cancelled and seen.
func (o *out) pause() error {
	o.progress(false)
	return o.stopped()
}

func (o *out) stopped() error {
	if err := o.ctx.Err(); err != nil {
		return stopped(err)
	}
	return nil
}

func stopped(cause error) error {
	return &directory.Error{Kind: directory.Unavailable, Op: "crawler.Run", Detail: "the import was stopped", Cause: cause}
}

func (o *out) flush() error {
	if err := o.stopped(); err != nil {
		return err
	}
	if len(o.batch.Records) == 0 && len(o.batch.Rejects) == 0 && len(o.batch.Gone) == 0 && o.batch.Outside == 0 {
		return nil
	}
	c, err := o.sink.Put(o.ctx, o.run, o.batch)
	if err != nil {
		o.stuck = true
		return err
	}
	o.counts.Add(c)
	o.batch = directory.Batch{}
	o.progress(false)
	return nil
}

// plausible refuses a file of which most cannot be read: it is not what it seems, however good its header.
func (o *out) plausible(name string) error {
	read := o.kept + o.bad + o.beyond
	if o.bad > 0 && o.kept == 0 && o.beyond == 0 {
		return directory.Errorf(directory.Invalid, "", "%s: none of its %d rows could be read, see the quarantine of this run", name, read)
	}
	if read >= 20 && o.bad*2 > read {
		return directory.Errorf(directory.Invalid, "", "%s: %d of its %d rows could not be read: the file is damaged or of another kind, see the quarantine of this run", name, o.bad, read)
	}
	return nil
}

func (o *out) progress(last bool) {
	if o.opts.Progress == nil {
		return
	}
	if now := o.opts.tick(); last || now.Sub(o.told) >= 100*time.Millisecond {
		o.told = now
		p := Progress{Stage: "reading", File: o.file, Total: o.total, Counts: o.counts}
		if o.bytes != nil {
			p.Read = o.bytes()
		}
		if last && p.Read == 0 {
			p.Read = o.total
		}
		o.opts.Progress(p)
	}
}

// invalid is the one error of an input that cannot be right.
func invalid(file string, line int, field, format string, args ...any) error {
	e := directory.Errorf(directory.Invalid, field, format, args...)
	e.Op = file
	if line > 0 {
		e.Op += ", line " + itoa(line)
	}
	return e
}

// unreadable wraps an error of the disk or of an archive.
func unreadable(file string, err error) error {
	var own *directory.Error
	if errors.As(err, &own) {
		return err
	}
	return &directory.Error{Kind: directory.Unavailable, Op: file, Detail: "could not be read", Cause: err}
}
