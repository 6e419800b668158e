package crawler

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"runtime"
	"sync"
)

// A large file is looked at in pieces by several workers, and the pieces come back in the order of the
// file. A plain file is read by the workers themselves, each at its own place; an archive is inflated by
// one goroutine while the others look. Memory is a few pieces, whatever the file's size.
const pieceSize = 1 << 20

// piece is a stretch of whole lines.
type piece struct {
	at    int64 // of a plain file: where its stretch begins, and once it is read where its lines begin
	line  int   // lines before it; 0 in a plain file that is looked at for the first time
	first bool  // the file begins with it
	buf   []byte
	fresh []byte // of a plain file: its stretch, which is nobody else's
	data  []byte // the lines; the last one of the file may lack its line break
	err   error  // instead of lines behind data

	sorted
	leaf leaf // what came of its rows
	cut  *cut // of a file that was surveyed

	read, done, tapped chan struct{}
}

var errLongLine = errors.New("longer than a line may be")

// scan looks at a file in pieces.
type scan struct {
	order chan *piece // in the order of the file; wait for done
	todo  chan *piece
	taps  chan *piece // nil where nobody asked for the bytes
	free  chan []byte
	stop  chan struct{}
	wg    sync.WaitGroup
	size  int   // of a piece
	taken int64 // bytes given out
}

// startScan begins to look at a file. look makes what one worker does with pieces. A tap gets the bytes of a plain
// file, all of them and in their order, while others look. Whoever begins a scan closes it, before the file.
func startScan(r io.Reader, total int64, size int, tap func([]byte), look func() func(*piece)) *scan {
	at, plain := r.(io.ReaderAt)
	if !plain {
		return newScan(size, nil, look, func(s *scan) { s.stream(r) })
	}
	return newScan(size, tap, func() func(*piece) {
		look := look()
		return func(p *piece) {
			fill(p, at, size)
			close(p.read)
			look(p)
		}
	}, func(s *scan) {
		for from := int64(0); from < total; from += int64(size) {
			if !s.give(&piece{at: from, first: from == 0, buf: s.buffer()}) {
				return
			}
		}
	})
}

// newScan begins a scan whose pieces are given by give.
func newScan(size int, tap func([]byte), look func() func(*piece), give func(*scan)) *scan {
	workers := max(2, runtime.GOMAXPROCS(0))
	s := &scan{order: make(chan *piece, 2*workers), todo: make(chan *piece, 2*workers), free: make(chan []byte, 4*workers), stop: make(chan struct{}), size: size}
	s.wg.Go(func() {
		defer close(s.order)
		defer close(s.todo)
		if tap != nil {
			s.taps = make(chan *piece, 2*workers)
			defer close(s.taps)
			s.wg.Go(func() {
				for p := range s.taps {
					<-p.read
					tap(p.fresh)
					close(p.tapped)
				}
			})
		}
		give(s)
	})
	for range workers {
		s.wg.Go(func() {
			look := look()
			for p := range s.todo {
				look(p)
				close(p.done)
			}
		})
	}
	return s
}

// close ends the look, wherever it is.
func (s *scan) close() {
	close(s.stop)
	for range s.order { // whoever waits to give goes on and sees the end
	}
	s.wg.Wait()
}

// next returns the next piece, nil at the end of the file.
func (s *scan) next() *piece {
	p := <-s.order
	if p != nil {
		<-p.done
		if p.tapped != nil {
			<-p.tapped
		}
		s.taken += int64(len(p.data))
	}
	return p
}

// back takes a piece whose lines are not needed any more.
func (s *scan) back(p *piece) {
	if p.buf == nil {
		return
	}
	select {
	case s.free <- p.buf:
	default:
	}
}

func (s *scan) buffer() []byte {
	select {
	case b := <-s.free:
		return b[:0]
	default:
		return make([]byte, 0, s.size+8<<10)
	}
}

// give hands a piece to the workers. To be worked on it must be waited for, and to be tapped worked on.
func (s *scan) give(p *piece) bool {
	p.read, p.done = make(chan struct{}), make(chan struct{})
	to := []chan *piece{s.order, s.todo}
	if s.taps != nil {
		p.tapped = make(chan struct{})
		to = append(to, s.taps)
	}
	for _, c := range to {
		select {
		case c <- p:
		case <-s.stop:
			return false
		}
	}
	return true
}

// lead is how many bytes before its stretch a piece is read from. One says whether a line begins with the stretch; with
// one alone every byte would be copied to just behind where, but for the page, it comes from, which takes processors
// five times as long: they hold each for what was written there before.
const lead = 64

// fill reads the lines that begin in the piece's stretch of the file, the last of them to its end.
func fill(p *piece, r io.ReaderAt, size int) {
	before := int(min(p.at, lead))
	from := p.at - int64(before)
	stretch := before + size // its end in the buffer
	end := false
	more := func(n int) {
		have := len(p.buf)
		if cap(p.buf) < have+n {
			p.buf = append(make([]byte, 0, 2*(have+n)), p.buf...)
		}
		k, err := r.ReadAt(p.buf[have:have+n], from+int64(have))
		p.buf = p.buf[:have+k]
		end = err == io.EOF
		if err != nil && err != io.EOF {
			p.err, end = err, true
		}
	}
	more(cap(p.buf))
	if len(p.buf) <= before { // the file is shorter than it was
		p.err = cmp.Or(p.err, io.ErrUnexpectedEOF)
		return
	}
	defer func() { p.fresh = p.buf[before:min(len(p.buf), stretch)] }()
	start := 0
	if before > 0 {
		i := bytes.IndexByte(p.buf[before-1:min(len(p.buf), stretch)], '\n')
		if i < 0 || before+i >= min(len(p.buf), stretch) {
			return // no line begins here
		}
		start = before + i
	}
	p.at = from + int64(start)
	stop := -1
	for from := stretch - 1; ; {
		if from < len(p.buf) {
			if i := bytes.IndexByte(p.buf[from:], '\n'); i >= 0 {
				stop = from + i + 1
				break
			}
			from = len(p.buf)
		}
		if end {
			stop = len(p.buf)
			break
		}
		if len(p.buf)-stretch > maxLine {
			break
		}
		more(size)
	}
	if stop < 0 {
		p.data, p.err = p.buf[start:start+bytes.LastIndexByte(p.buf[start:stretch-1], '\n')+1], errLongLine
		return
	}
	p.data = p.buf[start:stop]
}

// stream cuts what it reads into pieces at the ends of lines.
func (s *scan) stream(r io.Reader) {
	var rest []byte
	line := 0
	for first := true; ; first = false {
		p := &piece{first: first, line: line, buf: append(s.buffer(), rest...)}
		from := len(rest)
		for {
			if cap(p.buf) == len(p.buf) {
				p.buf = append(make([]byte, 0, 2*cap(p.buf)), p.buf...)
			}
			n, err := io.ReadFull(r, p.buf[len(p.buf):cap(p.buf)])
			p.buf = p.buf[:len(p.buf)+n]
			if err == io.ErrUnexpectedEOF || err == io.EOF {
				if p.data = p.buf; len(p.data) > 0 {
					s.give(p)
				}
				return
			}
			if err != nil {
				p.data, p.err = p.buf[:bytes.LastIndexByte(p.buf, '\n')+1], err
				s.give(p)
				return
			}
			if i := bytes.LastIndexByte(p.buf[from:], '\n'); i >= 0 {
				p.data = p.buf[:from+i+1]
				break
			}
			if from = len(p.buf); from > maxLine {
				p.err = errLongLine
				s.give(p)
				return
			}
		}
		rest = append(rest[:0], p.buf[len(p.data):]...)
		line += bytes.Count(p.data, lineBreak)
		if !s.give(p) {
			return
		}
	}
}

var lineBreak = []byte{'\n'}

// lines reads pieces one behind the other, a line at a time, for what does not end with its line. It holds
// what it gave out until that is cut off.
type lines struct {
	s    *scan
	p    *piece
	left []byte // of the piece

	at   int64 // where what it holds begins
	text []byte
	ends []int // of the lines in it

	failure func(error) error
}

func (j *lines) Read(b []byte) (int, error) {
	for len(j.left) == 0 {
		if j.p.err != nil {
			return 0, j.failure(j.p.err)
		}
		p := j.s.next()
		if p == nil {
			return 0, io.EOF
		}
		j.s.back(j.p)
		j.p, j.left = p, p.data
	}
	n := bytes.IndexByte(j.left, '\n') + 1
	if n == 0 {
		n = len(j.left)
	}
	n = copy(b, j.left[:n])
	j.text = append(j.text, j.left[:n]...)
	if j.left[n-1] == '\n' {
		j.ends = append(j.ends, len(j.text))
	}
	j.left = j.left[n:]
	return n, nil
}

// end returns where the first n lines that it holds end.
func (j *lines) end(n int) int {
	switch {
	case n == 0:
		return 0
	case n <= len(j.ends):
		return j.ends[n-1]
	}
	return len(j.text)
}

// drop lets go of the first n lines.
func (j *lines) drop(n int) {
	k := j.end(n)
	j.at += int64(k)
	j.text = append(j.text[:0], j.text[k:]...)
	j.ends = append(j.ends[:0], j.ends[min(n, len(j.ends)):]...)
	for i := range j.ends {
		j.ends[i] -= k
	}
}
