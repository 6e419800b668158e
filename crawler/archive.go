package crawler

import (
	"archive/zip"
	"errors"
	"io"
	"os"
	"path"
	"regexp"

	"github.com/klauspost/compress/flate"

	"kapdir/directory"
)

// archive is how a publisher packs one file into a zip. A member that declares more than the bounds, or
// turns out to be more than it declared, is not what that publisher makes.
type archive struct {
	member *regexp.Regexp // the base name of the one file that is read
	limit  uint64         // bytes unpacked
	want   string         // the file's name and what to give, for the error
}

// maxRatio is the most that a member may unpack to one.
const maxRatio = 300

// open turns a zip into its one member, read as a stream: nothing is written to disk, and no name in the
// archive is used for anything but the choice. A plain file stays as it is. It returns the name of what
// is read.
func (a archive) open(f *file) (string, error) {
	plain := f.name
	head := make([]byte, 4)
	r, err := f.open()
	if err != nil {
		return "", unreadable(f.name, err)
	}
	n, _ := io.ReadFull(r, head)
	r.Close()
	if string(head[:n]) != "PK\x03\x04" && string(head[:n]) != "PK\x05\x06" {
		return plain, nil
	}
	packed := *f
	open := func() (*zip.Reader, *os.File, error) {
		z, err := os.Open(packed.path)
		if err != nil {
			return nil, nil, unreadable(plain, err)
		}
		zr, err := zip.NewReader(z, packed.size)
		if err != nil {
			z.Close()
			return nil, nil, &directory.Error{Kind: directory.Invalid, Op: plain, Detail: "the zip archive is damaged or was cut off while it was downloaded: fetch it again", Cause: err}
		}
		zr.RegisterDecompressor(zip.Deflate, flate.NewReader)
		return zr, z, nil
	}
	zr, z, err := open()
	if err != nil {
		return "", err
	}
	defer z.Close()
	chosen := ""
	var size int64
	for _, e := range zr.File {
		if !a.member.MatchString(path.Base(e.Name)) {
			continue
		}
		if chosen != "" {
			return "", invalid(plain, 0, "", "the archive holds two main files, %s and %s: give the one to import", shorten(chosen, 80), shorten(e.Name, 80))
		}
		if !e.Mode().IsRegular() {
			return "", invalid(plain, 0, "", "%s in the archive is no plain file", shorten(e.Name, 80))
		}
		chosen, size = e.Name, int64(e.UncompressedSize64)
		if e.UncompressedSize64 > a.limit || e.UncompressedSize64/(e.CompressedSize64+1) > maxRatio {
			return "", invalid(plain, 0, "", "%s in the archive claims %d bytes from %d, which the real file never does", shorten(chosen, 80), e.UncompressedSize64, e.CompressedSize64)
		}
	}
	if chosen == "" {
		return "", invalid(plain, 0, "", "the archive holds no %s", a.want)
	}
	f.name, f.size = path.Base(chosen), size
	f.open = func() (io.ReadCloser, error) {
		zr, z, err := open()
		if err != nil {
			return nil, err
		}
		for _, e := range zr.File {
			if e.Name == chosen {
				r, err := e.Open()
				if err != nil {
					z.Close()
					return nil, &directory.Error{Kind: directory.Invalid, Op: plain, Detail: shorten(chosen, 80) + " cannot be read from the archive: fetch it again", Cause: err}
				}
				return &zipMember{r: r, file: z, left: size, limit: int64(e.CompressedSize64+1) * maxRatio}, nil
			}
		}
		z.Close()
		return nil, unreadable(plain, io.ErrUnexpectedEOF)
	}
	return f.name, nil
}

// zipMember stops when a member gives more than it declared.
type zipMember struct {
	r     io.ReadCloser
	file  *os.File
	left  int64
	limit int64
}

var errZipBomb = errors.New("the member is larger than the archive says")

func (z *zipMember) Read(p []byte) (int, error) {
	n, err := z.r.Read(p)
	z.left -= int64(n)
	z.limit -= int64(n)
	if z.left < 0 || z.limit < 0 {
		return 0, errZipBomb
	}
	return n, err
}

func (z *zipMember) Close() error {
	z.r.Close()
	return z.file.Close()
}
