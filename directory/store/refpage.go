package store

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/s2"

	"kapdir/directory"
)

// Records of references lie packed in pages: pageRows records of one source, one behind the other and
// compressed, which are never changed. A record is named by its ordinal: the number of its page and its
// place there. Beside the page stand the heads of its rows, by which an import knows what is held without
// reading it. Which rows a release has is written by span of pages, and what finds them is a sorted index
// of hashes (reference.go).
//
// Whatever is read back is checked against its sum first: a flipped bit is an error, never an answer.
const (
	pageRows  = 128
	spanPages = 16
	spanRows  = spanPages * pageRows
)

var sums = crc32.MakeTable(crc32.Castagnoli)

// mostUnpacked and mostColumns bound what a damaged length can ask for.
const (
	mostUnpacked = 256 << 20
	mostColumns  = 1 << 16
)

// seal compresses and puts the sum before it.
func seal(plain []byte) []byte {
	out := make([]byte, 4+s2.MaxEncodedLen(len(plain)))
	packed := s2.Encode(out[4:], plain)
	binary.LittleEndian.PutUint32(out, crc32.Checksum(packed, sums))
	return slices.Clip(out[:4+len(packed)])
}

func unseal(sealed []byte) ([]byte, error) {
	if len(sealed) < 4 || crc32.Checksum(sealed[4:], sums) != binary.LittleEndian.Uint32(sealed) {
		return nil, errDamaged
	}
	if n, err := s2.DecodedLen(sealed[4:]); err != nil || n > mostUnpacked {
		return nil, errDamaged
	}
	plain, err := s2.Decode(nil, sealed[4:])
	if err != nil {
		return nil, errDamaged
	}
	return plain, nil
}

var errDamaged = directory.Errorf(directory.Internal, "", "it is damaged")

// cursor reads what was written one behind the other; after the first fault all it reads is nothing.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) number() uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.b, c.bad = nil, true
		return 0
	}
	c.b = c.b[n:]
	return v
}

// small reads a number of things that follow, each of at least one byte.
func (c *cursor) small() int {
	n := c.number()
	if n > uint64(len(c.b)) {
		c.b, c.bad = nil, true
		return 0
	}
	return int(n)
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.b, c.bad = nil, true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) bytes() []byte { return c.take(c.small()) }

func appendBytes[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// head is what an import knows of a row that is held: hashes of its key and of its whole content, the bytes
// it was read from, and the part of the source to which it belongs.
type head struct {
	key, content uint64
	print        [16]byte
	part         string
}

// appendHeads writes the heads of a page, and which reading of the source made them.
func appendHeads(reading uint64, heads []head) []byte {
	var parts []string
	b := binary.LittleEndian.AppendUint64(nil, reading)
	b = binary.AppendUvarint(b, uint64(len(heads)))
	for _, h := range heads {
		if !slices.Contains(parts, h.part) {
			parts = append(parts, h.part)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(parts)))
	for _, p := range parts {
		b = appendBytes(b, p)
	}
	for _, h := range heads {
		b = binary.LittleEndian.AppendUint64(b, h.key)
		b = binary.LittleEndian.AppendUint64(b, h.content)
		b = append(b, h.print[:]...)
		b = append(b, byte(slices.Index(parts, h.part)))
	}
	return seal(b)
}

const headSize = 8 + 8 + 16 + 1

func readHeads(sealed []byte) (reading uint64, heads []head, err error) {
	plain, err := unseal(sealed)
	if err != nil || len(plain) < 8 {
		return 0, nil, errDamaged
	}
	c := cursor{b: plain[8:]}
	n := c.small()
	parts := make([]string, min(c.small(), pageRows))
	for i := range parts {
		parts[i] = string(c.bytes())
	}
	if c.bad || n > pageRows || len(c.b) != n*headSize {
		return 0, nil, errDamaged
	}
	heads = make([]head, n)
	for i := range heads {
		b := c.take(headSize)
		h := &heads[i]
		h.key, h.content = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		copy(h.print[:], b[16:])
		if int(b[32]) >= len(parts) {
			return 0, nil, errDamaged
		}
		h.part = parts[b[32]]
	}
	return binary.LittleEndian.Uint64(plain), heads, nil
}

// recordCoding writes the parts of a record by their names in JSON. Text of any bytes comes back as it was.
var recordCoding = sync.OnceValue(func() (c struct {
	cbor.EncMode
	cbor.DecMode
}) {
	var err error
	if c.EncMode, err = (cbor.EncOptions{OmitEmpty: cbor.OmitEmptyGoValue}).EncMode(); err == nil {
		c.DecMode, err = (cbor.DecOptions{UTF8: cbor.UTF8DecodeInvalid, MaxArrayElements: 1 << 20}).DecMode()
	}
	if err != nil {
		panic(err) // the options are right
	}
	return c
})

// packedRecord is a record as a page holds it. What it was read from stands beside it, column by column.
type packedRecord struct {
	Identity   *directory.IdentityRecord   `cbor:"1,keyasint,omitempty"`
	Licence    *directory.LicenceRecord    `cbor:"2,keyasint,omitempty"`
	Exclusion  *directory.ExclusionRecord  `cbor:"3,keyasint,omitempty"`
	Delegation *directory.DelegationRecord `cbor:"4,keyasint,omitempty"`
}

func packRecord(r directory.Record) ([]byte, error) {
	return recordCoding().Marshal(packedRecord{r.Identity, r.Licence, r.Exclusion, r.Delegation})
}

// pageBuilder takes the rows of a page that is not written yet.
type pageBuilder struct {
	number  int64
	columns []string
	at      map[string]bool
	rows    []byte
	heads   []head
}

// add packs a row behind the others.
func (p *pageBuilder) add(r *row) {
	b := appendBytes(make([]byte, 0, 2*len(r.packed)+len(r.key)+256), r.key)
	b = appendBytes(b, r.packed)
	left := len(r.record.Fields)
	for _, name := range p.columns {
		if _, ok := r.record.Fields[name]; ok {
			left--
		}
	}
	if left > 0 { // columns that no row of the page had so far
		for _, name := range slices.Sorted(maps.Keys(r.record.Fields)) {
			if !p.at[name] {
				if p.at == nil {
					p.at = map[string]bool{}
				}
				p.at[name] = true
				p.columns = append(p.columns, name)
			}
		}
	}
	b = binary.AppendUvarint(b, uint64(len(p.columns)))
	for _, name := range p.columns {
		v, ok := r.record.Fields[name]
		if !ok {
			b = append(b, 0)
			continue
		}
		b = append(binary.AppendUvarint(b, uint64(len(v))+1), v...)
	}
	p.rows = appendBytes(p.rows, b)
	p.heads = append(p.heads, head{r.name, r.content, r.record.Fingerprint, r.kind + "/" + r.part})
}

// body is the page as it is written.
func (p *pageBuilder) body() []byte {
	b := binary.AppendUvarint(make([]byte, 0, len(p.rows)+1024), uint64(len(p.columns)))
	for _, name := range p.columns {
		b = appendBytes(b, name)
	}
	b = binary.AppendUvarint(b, uint64(len(p.heads)))
	return seal(append(b, p.rows...))
}

// packedPage is a page in memory: its rows are taken apart as they are asked for.
type packedPage struct {
	columns []string
	rows    [][]byte
}

func readPage(sealed []byte) (*packedPage, error) {
	plain, err := unseal(sealed)
	if err != nil {
		return nil, err
	}
	c := cursor{b: plain}
	p := &packedPage{columns: make([]string, min(c.small(), mostColumns))}
	for i := range p.columns {
		p.columns[i] = string(c.bytes())
	}
	n := c.small()
	if n > pageRows {
		return nil, errDamaged
	}
	p.rows = make([][]byte, n)
	for i := range p.rows {
		p.rows[i] = c.bytes()
	}
	if c.bad || len(c.b) > 0 {
		return nil, errDamaged
	}
	return p, nil
}

// key returns the key of the row in a place.
func (p *packedPage) key(place int) (string, error) {
	if place >= len(p.rows) {
		return "", errDamaged
	}
	c := cursor{b: p.rows[place]}
	key := string(c.bytes())
	if c.bad {
		return "", errDamaged
	}
	return key, nil
}

// record takes the row in a place apart.
func (p *packedPage) record(place int) (r directory.Record, err error) {
	if place >= len(p.rows) {
		return r, errDamaged
	}
	c := cursor{b: p.rows[place]}
	r.Key = string(c.bytes())
	packed := c.bytes()
	n := c.small()
	if c.bad || n > len(p.columns) {
		return r, errDamaged
	}
	var parts packedRecord
	if err := recordCoding().Unmarshal(packed, &parts); err != nil {
		return r, errDamaged
	}
	r.Identity, r.Licence, r.Exclusion, r.Delegation = parts.Identity, parts.Licence, parts.Exclusion, parts.Delegation
	for _, name := range p.columns[:n] {
		long := c.number()
		if long == 0 {
			continue
		}
		if r.Fields == nil {
			r.Fields = make(map[string]string, n)
		}
		r.Fields[name] = string(c.take(int(min(long-1, math.MaxInt32))))
	}
	if c.bad || len(c.b) > 0 || r.Identity == nil && r.Licence == nil && r.Exclusion == nil && r.Delegation == nil {
		return r, errDamaged
	}
	return r, nil
}

// entered is where a row of a release stands: its ordinal, the line in the file, and the run that brought it.
type entered struct {
	ordinal uint32
	line    uint32
	run     int64
}

// appendSpan writes the rows of one span that a release has, in order of ordinals.
func appendSpan(rows []entered) []byte {
	b := binary.AppendUvarint(nil, uint64(len(rows)))
	var last entered
	for _, r := range rows {
		b = binary.AppendUvarint(b, uint64(r.ordinal-last.ordinal))
		b = binary.AppendVarint(b, int64(r.line)-int64(last.line))
		b = binary.AppendVarint(b, r.run-last.run)
		last = r
	}
	return seal(b)
}

func readSpan(sealed []byte) ([]entered, error) {
	plain, err := unseal(sealed)
	if err != nil {
		return nil, err
	}
	c := cursor{b: plain}
	rows := make([]entered, min(c.small(), spanRows))
	var last entered
	for i := range rows {
		last.ordinal += uint32(c.number())
		last.line = uint32(int64(last.line) + c.signed())
		last.run += c.signed()
		rows[i] = last
	}
	if c.bad || len(c.b) > 0 {
		return nil, errDamaged
	}
	return rows, nil
}

func (c *cursor) signed() int64 {
	v, n := binary.Varint(c.b)
	if n <= 0 {
		c.b, c.bad = nil, true
		return 0
	}
	c.b = c.b[n:]
	return v
}

// indexEntry says that something with a hash stands in a row: its key, or a block under which it is looked up.
// Different things may have one hash, so that who finds a row looks at the row.
type indexEntry struct {
	hash    uint64
	ordinal uint32
}

const entrySize = 8 + 4

// appendEntries writes a page of an index, sorted by hash.
func appendEntries(list []indexEntry) []byte {
	b := make([]byte, 4, 4+len(list)*entrySize)
	for _, e := range list {
		b = binary.BigEndian.AppendUint64(b, e.hash)
		b = binary.BigEndian.AppendUint32(b, e.ordinal)
	}
	binary.LittleEndian.PutUint32(b, crc32.Checksum(b[4:], sums))
	return b
}

// indexPage is a page of an index as it was read.
type indexPage []byte

func readEntries(sealed []byte) (indexPage, error) {
	if len(sealed) < 4 || (len(sealed)-4)%entrySize != 0 || crc32.Checksum(sealed[4:], sums) != binary.LittleEndian.Uint32(sealed) {
		return nil, errDamaged
	}
	return indexPage(sealed[4:]), nil
}

func (e indexPage) len() int { return len(e) / entrySize }

func (e indexPage) at(i int) indexEntry {
	b := e[i*entrySize:]
	return indexEntry{binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])}
}

// of returns the ordinals that stand under the hash.
func (e indexPage) of(hash uint64) (out []uint32) {
	low, high := 0, e.len()
	if high > 0 { // hashes are spread evenly: where one must stand is known within a little
		first, last := e.at(0).hash, e.at(high-1).hash
		if hash < first || hash > last {
			return nil
		}
		at := int(float64(hash-first) / (float64(last-first) + 1) * float64(high))
		within := 2*int(math.Sqrt(float64(high))) + 8
		if a := at - within; a > 0 && e.at(a).hash < hash {
			low = a
		}
		if b := at + within; b < high && e.at(b).hash >= hash {
			high = b
		}
	}
	for low < high {
		if mid := (low + high) / 2; e.at(mid).hash < hash {
			low = mid + 1
		} else {
			high = mid
		}
	}
	for ; low < e.len() && e.at(low).hash == hash; low++ {
		out = append(out, e.at(low).ordinal)
	}
	return out
}

// bloom says of a hash that it may stand in a segment of an index, or that it does not: a Bloom filter with
// filterBits bits for each entry, which is wrong once in two hundred.
type bloom []byte

const (
	filterBits   = 12
	filterProbes = 6
)

func newBloom(n int) bloom { return make(bloom, max(8, (n*filterBits+7)/8)) }

// sealed is the filter with its sum.
func (f bloom) sealed() []byte {
	return append(binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(f)), crc32.Checksum(f, sums)), f...)
}

func readBloom(sealed []byte) (bloom, error) {
	if len(sealed) < 12 || crc32.Checksum(sealed[4:], sums) != binary.LittleEndian.Uint32(sealed) {
		return nil, errDamaged
	}
	return bloom(sealed[4:]), nil
}

func (f bloom) probe(hash uint64, each func(i uint64) bool) bool {
	step := hash>>32 | 1
	for range filterProbes {
		hash += step
		if !each(hash % (uint64(len(f)) * 8)) {
			return false
		}
	}
	return true
}

func (f bloom) add(hash uint64) {
	f.probe(hash, func(i uint64) bool { f[i/8] |= 1 << (i % 8); return true })
}

func (f bloom) has(hash uint64) bool {
	return f.probe(hash, func(i uint64) bool { return f[i/8]&(1<<(i%8)) != 0 })
}

// keyName is the name under which an index holds a key; a block never begins so.
func keyName(key string) string { return "key " + key }

// hash64 hashes what is looked up; tests make it collide.
var hash64 = func(s string) uint64 {
	h := sha256.Sum256([]byte(s))
	return binary.BigEndian.Uint64(h[:])
}
