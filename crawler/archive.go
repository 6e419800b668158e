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
	member *regexp.Regexp // the base name of the file that is read
	limit  uint64         // bytes unpacked
	want   string         // the file's name and what to give, for the error
}

// maxRatio is the most that a member may unpack to one.
const maxRatio = 300

// open turns a zip into its one member, read as a stream: nothing is written to disk, and no name in the
// archive is used for anything but the choice. A plain file stays as it is. It returns the name of what
// is read.
func (a archive) open(f *file) (string, error) {
	zipped, err := isZip(*f)
	if err != nil || !zipped {
		return f.name, err
	}
	found, err := a.find(*f)
	switch {
	case err != nil:
		return "", err
	case len(found) == 0:
		return "", invalid(f.name, 0, "", "the archive holds no %s", a.want)
	case len(found) > 1:
		return "", invalid(f.name, 0, "", "the archive holds two main files, %s and %s: give the one to import", shorten(found[0].name, 80), shorten(found[1].name, 80))
	}
	*f = found[0]
	return f.name, nil
}

// isZip looks at a file's first bytes.
func isZip(f file) (bool, error) {
	r, err := f.open()
	if err != nil {
		return false, unreadable(f.name, err)
	}
	defer r.Close()
	head := make([]byte, 4)
	n, _ := io.ReadFull(r, head)
	return string(head[:n]) == "PK\x03\x04" || string(head[:n]) == "PK\x05\x06", nil
}

// directoryOf opens a zip by its table of members.
func directoryOf(f file) (*zip.Reader, *os.File, error) {
	z, err := os.Open(f.path)
	if err != nil {
		return nil, nil, unreadable(f.name, err)
	}
	zr, err := zip.NewReader(z, f.size)
	if err != nil {
		z.Close()
		return nil, nil, &directory.Error{Kind: directory.Invalid, Op: f.name, Detail: "the zip archive is damaged or was cut off while it was downloaded: fetch it again", Cause: err}
	}
	zr.RegisterDecompressor(zip.Deflate, flate.NewReader)
	return zr, z, nil
}

// find returns the members that are meant, each as a file of its own, in the order of the archive.
func (a archive) find(packed file) ([]file, error) {
	zr, z, err := directoryOf(packed)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	var found []file
	for _, e := range zr.File {
		if !a.member.MatchString(path.Base(e.Name)) {
			continue
		}
		if !e.Mode().IsRegular() {
			return nil, invalid(packed.name, 0, "", "%s in the archive is no plain file", shorten(e.Name, 80))
		}
		if e.UncompressedSize64 > a.limit || e.UncompressedSize64/(e.CompressedSize64+1) > maxRatio {
			return nil, invalid(packed.name, 0, "", "%s in the archive claims %d bytes from %d, which the real file never does", shorten(e.Name, 80), e.UncompressedSize64, e.CompressedSize64)
		}
		name, size, limit := e.Name, int64(e.UncompressedSize64), int64(e.CompressedSize64+1)*maxRatio
		found = append(found, file{name: path.Base(name), size: size, open: func() (io.ReadCloser, error) {
			zr, z, err := directoryOf(packed)
			if err != nil {
				return nil, err
			}
			for _, e := range zr.File {
				if e.Name == name {
					r, err := e.Open()
					if err != nil {
						z.Close()
						return nil, &directory.Error{Kind: directory.Invalid, Op: packed.name, Detail: shorten(name, 80) + " cannot be read from the archive: fetch it again", Cause: err}
					}
					return &zipMember{r: r, file: z, left: size, limit: limit}, nil
				}
			}
			z.Close()
			return nil, unreadable(packed.name, io.ErrUnexpectedEOF)
		}})
	}
	return found, nil
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
