package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"kapdir/directory"
)

const (
	keptExports   = 3
	exportLook    = time.Second
	exportSlots   = 16 // downloads under way
	exportTime    = 15 * time.Minute
	exportsPrefix = "/api/v1/exports/"
)

// exports are the exports that lie in a folder, as the server gives them out. One is given out only as long as nothing
// that it holds was taken back: somebody who is removed is gone from here at once, and another export is written.
type exports struct {
	dir   string
	slots chan struct{}

	mu   sync.Mutex
	list []*export // the newest first
}

type export struct {
	*Manifest
	dir   string
	made  time.Time // by the machine's clock: a demonstration's stands still
	sound int64     // nothing was taken back up to this number
	files map[string]exported
	gone  atomic.Bool // it is given out no more: what is under way ends
}

// exported is a file of an export as it is sent.
type exported struct {
	path, contentType, tag, digest string
	size                           int64
}

func newExports(dir string) *exports {
	x := &exports{dir: dir, slots: make(chan struct{}, exportSlots)}
	if dir != "" {
		x.load()
	}
	return x
}

// load finds what an earlier process left. What is not whole is not given out.
func (x *exports) load() {
	entries, err := os.ReadDir(x.dir)
	if err != nil {
		return // there is none yet
	}
	for _, e := range entries {
		if _, err := strconv.ParseInt(e.Name(), 10, 64); err == nil && e.IsDir() {
			x.add(filepath.Join(x.dir, e.Name()))
		}
	}
}

// add gives out the export of a folder, in place of one of the same number.
func (x *exports) add(dir string) {
	m, err := ReadManifest(dir)
	if err != nil {
		return
	}
	info, err := os.Stat(filepath.Join(dir, manifestName))
	raw, err2 := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil || err2 != nil {
		return
	}
	e := &export{Manifest: m, dir: dir, made: info.ModTime(), sound: m.Seq, files: map[string]exported{}}
	file := func(name, contentType string, size int64, sum []byte) {
		e.files[name] = exported{filepath.Join(dir, name), contentType, `"` + hex.EncodeToString(sum[:16]) + `"`, "sha-256=:" + base64.StdEncoding.EncodeToString(sum) + ":", size}
	}
	for _, f := range m.Files {
		if sum, err := hex.DecodeString(f.SHA256); err == nil && len(sum) == sha256.Size && filepath.Base(f.Name) == f.Name {
			file(f.Name, "application/gzip", f.Bytes, sum)
		}
	}
	sum := sha256.Sum256(raw)
	file(manifestName, fiber.MIMEApplicationJSONCharsetUTF8, int64(len(raw)), sum[:])
	x.mu.Lock()
	defer x.mu.Unlock()
	x.list = slices.DeleteFunc(x.list, func(o *export) bool { return o.Seq == m.Seq })
	x.list = append(x.list, e)
	slices.SortFunc(x.list, func(a, b *export) int { return int(b.Seq - a.Seq) })
}

// given returns the exports that may be given out now, the newest first.
func (s *Server) givenExports(ctx context.Context) ([]*export, error) {
	x := s.exports
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.list) == 0 {
		return nil, nil
	}
	head, err := s.heads.look(ctx)
	if err != nil {
		return nil, err
	}
	var out []*export
	for _, e := range x.list {
		back := e.Seq > head.Public // of another store, or of this one before it was restored
		if !back && e.sound < head.Public {
			if back, err = s.cfg.Reader.TakenBack(ctx, e.sound); err != nil {
				return nil, err
			}
			e.sound = head.Public
		}
		if back {
			e.gone.Store(true)
			continue
		}
		out = append(out, e)
	}
	x.list = out
	return slices.Clone(out), nil
}

// RunExports writes an export when there is none to give out, when the newest is older than every, and when one is
// asked for: asked returns how often that was. It keeps the newest few and deletes the others. It returns with ctx, or
// with an error, after which it may be run again.
func (s *Server) RunExports(ctx context.Context, every time.Duration, asked func(context.Context) (int64, error)) error {
	if s.exports.dir == "" {
		return nil
	}
	if err := s.exports.clean(); err != nil {
		return err
	}
	done, err := asked(ctx)
	if err != nil {
		return err
	}
	var next time.Time // not before
	look := time.NewTicker(exportLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
		list, err := s.givenExports(ctx)
		if err != nil {
			return err
		}
		n, err := asked(ctx)
		if err != nil {
			return err
		}
		head, err := s.heads.look(ctx)
		if err != nil {
			return err
		}
		due := n > done || len(list) == 0 || time.Since(list[0].made) >= every
		if !due || head.Public == 0 || time.Now().Before(next) {
			continue
		}
		begun := time.Now()
		m, err := WriteExport(ctx, s.cfg, s.exports.dir)
		if err != nil {
			return err
		}
		s.exports.add(filepath.Join(s.exports.dir, strconv.FormatInt(m.Seq, 10)))
		if err := s.exports.clean(); err != nil {
			return err
		}
		done, next = n, time.Now().Add(3*time.Since(begun)) // whatever is taken back, the machine is not kept busy with it
		s.log.Info("an export was written", "number", m.Seq, "providers", m.Providers, "took", bucket(time.Since(begun)))
	}
}

// clean deletes what is given out no more, and what was never finished.
func (x *exports) clean() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.list = x.list[:min(len(x.list), keptExports)]
	entries, err := os.ReadDir(x.dir)
	if os.IsNotExist(err) {
		return nil
	}
	for _, e := range entries {
		path := filepath.Join(x.dir, e.Name())
		_, number := strconv.ParseInt(e.Name(), 10, 64)
		ours := strings.HasPrefix(e.Name(), unfinished) || number == nil && !slices.ContainsFunc(x.list, func(o *export) bool { return o.dir == path })
		if ours && e.IsDir() {
			if rm := os.RemoveAll(path); rm != nil && err == nil {
				err = rm
			}
		}
	}
	return err
}

// exportsAnswer lists the exports that there are.
type exportsAnswer struct {
	Exports []exportInfo `json:"exports"`
	Demo    *demo        `json:"demo"`
}

type exportInfo struct {
	Seq       int64             `json:"seq"`
	AsOf      directory.Instant `json:"as_of"`
	Providers int               `json:"providers"`
	Bytes     int64             `json:"bytes"` // of all files
	Manifest  string            `json:"manifest"`
	Changes   string            `json:"changes"`
}

// apiExports answers GET /api/v1/exports.
func (s *Server) apiExports(c *fiber.Ctx) error {
	if _, bad := parse(rawQuery(c), nil, false); len(bad) > 0 {
		return bad
	}
	ctx, cancel := s.deadline(pageDeadline)
	defer cancel()
	list, err := s.givenExports(ctx)
	if err != nil {
		return err
	}
	out := exportsAnswer{Exports: []exportInfo{}, Demo: s.demo()}
	for _, e := range list {
		info := exportInfo{Seq: e.Seq, AsOf: e.AsOf, Providers: e.Providers, Manifest: exportsPrefix + strconv.FormatInt(e.Seq, 10) + "/" + manifestName, Changes: e.Changes}
		for _, f := range e.Files {
			info.Bytes += f.Bytes
		}
		out.Exports = append(out.Exports, info)
	}
	c.Set(fiber.HeaderCacheControl, "no-store") // one that is taken back is gone at once
	return s.sendJSON(c, fiber.MIMEApplicationJSONCharsetUTF8, out)
}

// apiExportFile answers GET /api/v1/exports/:seq/:file, or a part of it.
func (s *Server) apiExportFile(name string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if _, bad := parse(rawQuery(c), nil, false); len(bad) > 0 {
			return bad
		}
		seq, err := strconv.ParseInt(c.Params("seq"), 10, 64)
		if err != nil || strconv.FormatInt(seq, 10) != c.Params("seq") {
			return directory.NotFound
		}
		ctx, cancel := s.deadline(pageDeadline)
		defer cancel()
		list, err := s.givenExports(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(e *export) bool { return e.Seq == seq })
		if i < 0 {
			return directory.NotFound
		}
		f, ok := list[i].files[strings.Clone(c.Params("file", name))]
		if !ok {
			return directory.NotFound
		}
		return s.sendFile(c, f, &list[i].gone)
	}
}

// sendFile sends a file whole or in part (RFC 9110 §14), by a tag that is of its bytes, so that whoever was cut off may
// go on. Of several ranges at once none is taken: the whole is sent. When gone becomes true, what is being sent breaks
// off.
func (s *Server) sendFile(c *fiber.Ctx, f exported, gone *atomic.Bool) error {
	c.Set(fiber.HeaderETag, f.tag)
	c.Set(fiber.HeaderCacheControl, "public, max-age="+strconv.Itoa(int(longestCache/time.Second)))
	c.Set(fiber.HeaderAcceptRanges, "bytes")
	if matches(c.Get(fiber.HeaderIfNoneMatch), f.tag) {
		return notModified(c)
	}
	from, length := int64(0), f.size
	if want := c.Get(fiber.HeaderRange); want != "" && c.Method() == fiber.MethodGet {
		if cond := strings.TrimSpace(c.Get(fiber.HeaderIfRange)); cond == "" || cond == f.tag {
			start, n, ok := byteRange(want, f.size)
			if ok && n <= 0 {
				c.Set(fiber.HeaderContentRange, "bytes */"+strconv.FormatInt(f.size, 10))
				return fiber.ErrRequestedRangeNotSatisfiable
			}
			if ok {
				from, length = start, n
				c.Status(http.StatusPartialContent)
				c.Set(fiber.HeaderContentRange, "bytes "+strconv.FormatInt(from, 10)+"-"+strconv.FormatInt(from+length-1, 10)+"/"+strconv.FormatInt(f.size, 10))
			}
		}
	}
	c.Set("Repr-Digest", f.digest) // of the whole, whatever part is sent (RFC 9530)
	c.Set(fiber.HeaderContentType, f.contentType)
	if c.Method() == fiber.MethodHead {
		c.Response().SkipBody = true
		c.Response().Header.SetContentLength(int(length))
		return nil
	}
	select {
	case s.exports.slots <- struct{}{}:
	default:
		return busy
	}
	body := &download{gone: gone, leave: sync.OnceFunc(func() { <-s.exports.slots })}
	file, err := os.Open(f.path)
	if err != nil {
		body.leave()
		return directory.NotFound // it was replaced or taken back a moment ago
	}
	body.file, body.part = file, io.NewSectionReader(file, from, length)
	c.Context().SetBodyStream(body, int(length))
	return nil
}

// download is the body of an answer that is read from a file while it is sent.
type download struct {
	file  *os.File
	part  io.Reader
	gone  *atomic.Bool
	leave func()
}

func (d *download) Read(b []byte) (int, error) {
	if d.gone.Load() {
		return 0, io.ErrUnexpectedEOF
	}
	return d.part.Read(b)
}

func (d *download) Close() error {
	d.leave()
	return d.file.Close()
}

// byteRange reads a Range of bytes: one range, whose start or end may be left out. ok is false for what is to be
// ignored, another unit or several ranges; n is 0 for what cannot be had.
func byteRange(header string, size int64) (from, n int64, ok bool) {
	spec, found := strings.CutPrefix(strings.TrimSpace(header), "bytes=")
	first, last, dash := strings.Cut(strings.TrimSpace(spec), "-")
	if !found || !dash || strings.Contains(spec, ",") {
		return 0, 0, false
	}
	number := func(s string) (int64, bool) {
		if s == "" || strings.Trim(s, "0123456789") != "" {
			return 0, false
		}
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil { // more than there can be
			v = size
		}
		return v, true
	}
	end := size - 1
	if first == "" { // the last so many
		tail, ok := number(last)
		if !ok {
			return 0, 0, false
		}
		tail = min(tail, size)
		return size - tail, tail, true
	}
	from, ok = number(first)
	if !ok {
		return 0, 0, false
	}
	if last != "" {
		if end, ok = number(last); !ok || end < from {
			return 0, 0, false
		}
		end = min(end, size-1)
	}
	if from >= size {
		return 0, 0, true
	}
	return from, end - from + 1, true
}

var beneathExports = []byte(exportsPrefix)

// perRequest gives the few requests that need it more room or time than all others have.
func (s *Server) perRequest(h *fasthttp.RequestHeader) (c fasthttp.RequestConfig) {
	if s.cfg.SignIn != nil {
		c = roomForPapers(h)
	}
	if bytes.HasPrefix(h.RequestURI(), beneathExports) {
		c.WriteTimeout = exportTime
	}
	return c
}
