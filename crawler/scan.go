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
	at    int64 // of a plain file
	first bool  // the header stands in it
	buf   []byte
	data  []byte // the lines; the last one of the file may lack its line break
	err   error  // instead of lines behind data
	lines int
	keep  []mark           // the lines to be read in full
	codes map[[10]byte]int // the others, by what they are
	odd   bool             // a line to be read holds half a pair of quotation marks: a value may go on in the next line
	done  chan struct{}
}

// mark is a line in a piece.
type mark struct {
	from, to int // with its line break
	line     int // from 0
	told     *told
}

var errLongLine = errors.New("longer than a line may be")

// scan looks at a file in pieces.
type scan struct {
	order chan *piece // in the order of the file; wait for done
	todo  chan *piece
	free  chan []byte
	stop  chan struct{}
	wg    sync.WaitGroup
	size  int   // of a piece
	taken int64 // bytes given out
}

// startScan begins to look at a file. Whoever begins it closes it, before the file.
func startScan(r io.Reader, total int64, size int, look func(*piece)) *scan {
	workers := max(2, runtime.GOMAXPROCS(0))
	s := &scan{order: make(chan *piece, 2*workers), todo: make(chan *piece, 2*workers), free: make(chan []byte, 4*workers), stop: make(chan struct{}), size: size}
	at, plain := r.(io.ReaderAt)
	s.wg.Add(1 + workers)
	go func() {
		defer s.wg.Done()
		defer close(s.order)
		defer close(s.todo)
		if !plain {
			s.stream(r)
			return
		}
		for from := int64(0); from < total; from += int64(size) {
			if !s.give(&piece{at: from, first: from == 0}) {
				return
			}
		}
	}()
	for range workers {
		go func() {
			defer s.wg.Done()
			for p := range s.todo {
				if plain {
					s.fill(p, at)
				}
				look(p)
				close(p.done)
			}
		}()
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
		s.taken += int64(len(p.data))
	}
	return p
}

// back takes a piece whose lines are not needed any more.
func (s *scan) back(p *piece) {
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

func (s *scan) give(p *piece) bool {
	p.done = make(chan struct{})
	for _, c := range []chan *piece{s.order, s.todo} {
		select {
		case c <- p:
		case <-s.stop:
			return false
		}
	}
	return true
}

// fill reads the lines that begin in the piece's stretch of the file, the last of them to its end.
func (s *scan) fill(p *piece, r io.ReaderAt) {
	p.buf = s.buffer()
	before := 0 // the byte before the stretch says whether a line begins with it
	if p.at > 0 {
		before = 1
	}
	from := p.at - int64(before)
	stretch := before + s.size // its end in the buffer
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
	start := 0
	if before > 0 {
		i := bytes.IndexByte(p.buf[:min(len(p.buf), stretch)], '\n')
		if i < 0 || i+1 >= min(len(p.buf), stretch) {
			return // no line begins here
		}
		start = i + 1
	}
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
		more(s.size)
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
	for first := true; ; first = false {
		p := &piece{first: first, buf: append(s.buffer(), rest...)}
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
		if !s.give(p) {
			return
		}
	}
}

// lines reads pieces one behind the other, for what does not end with its line.
type lines struct {
	s    *scan
	p    *piece
	left []byte

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
	n := copy(b, j.left)
	j.left = j.left[n:]
	return n, nil
}
