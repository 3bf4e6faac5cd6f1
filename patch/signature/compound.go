package signature

import (
	"bytes"
	"cmp"
	"crypto"
	"encoding/binary"
	"hash"
	"io"
	"slices"
	"unicode/utf16"
)

// compound is a file of files, which a Windows Installer database is.
type compound struct {
	r          io.ReaderAt
	size       int64
	sector     int64    // bytes
	next       []uint32 // after each sector, the one that follows
	nextSmall  []uint32 // after each small sector
	smallBelow int64    // streams shorter than that lie in small sectors
	small      []uint32 // the sectors in which the small ones lie
	entries    []entry
}

// entry is a stream or a folder.
type entry struct {
	raw                []byte // as it stands in the file
	kind               byte
	left, right, child uint32
	start              uint32
	length             int64
}

var compoundMagic = []byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}

const (
	endOfChain  = 0xfffffffe
	noEntry     = 0xffffffff
	highest     = 0xfffffff9 // number of a sector
	entrySize   = 128
	smallSector = 64
	maxEntries  = 100_000

	kindFolder = 1
	kindStream = 2
	kindRoot   = 5

	nameSignature = "\x05DigitalSignature"
	nameExtended  = "\x05MsiDigitalSignatureEx"
)

func damaged() error { return invalid("the database is damaged") }

func readCompound(r io.ReaderAt, size int64) (*compound, error) {
	var b [512]byte
	if size < int64(len(b)) {
		return nil, ErrKind
	}
	if _, err := r.ReadAt(b[:], 0); err != nil {
		return nil, err
	}
	u := func(at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
	shift := binary.LittleEndian.Uint16(b[30:])
	if shift != 9 && shift != 12 || binary.LittleEndian.Uint16(b[32:]) != 6 {
		return nil, ErrKind
	}
	c := &compound{r: r, size: size, sector: 1 << shift, smallBelow: int64(u(56))}
	tables := make([]uint32, 0, 109)
	for i := range 109 {
		tables = append(tables, u(76+4*i))
	}
	if err := c.readTables(tables, u(68)); err != nil {
		return nil, err
	}
	if err := c.readEntries(u(48)); err != nil {
		return nil, err
	}
	small, err := c.chain(u(60), c.next)
	if err != nil {
		return nil, err
	}
	for _, s := range small {
		if c.nextSmall, err = c.appendSector(c.nextSmall, s); err != nil {
			return nil, err
		}
	}
	root := c.entries[0]
	if root.kind != kindRoot {
		return nil, damaged()
	}
	if c.small, err = c.chain(root.start, c.next); err != nil {
		return nil, err
	}
	return c, nil
}

// sectors is how many the file can have.
func (c *compound) sectors() int64 { return c.size/c.sector + 1 }

func (c *compound) place(s uint32) int64 { return (int64(s) + 1) * c.sector }

// appendSector reads a sector of numbers.
func (c *compound) appendSector(to []uint32, s uint32) ([]uint32, error) {
	b := make([]byte, c.sector)
	if s > highest || c.place(s)+c.sector > c.size {
		return nil, damaged()
	}
	if _, err := c.r.ReadAt(b, c.place(s)); err != nil {
		return nil, err
	}
	for i := 0; i < len(b); i += 4 {
		to = append(to, binary.LittleEndian.Uint32(b[i:]))
	}
	return to, nil
}

// readTables reads what follows each sector. The list of the tables goes on in a chain of its
// own where it is long.
func (c *compound) readTables(tables []uint32, more uint32) error {
	for n := int64(0); more <= highest; n++ {
		if n > c.sectors() {
			return damaged()
		}
		list, err := c.appendSector(nil, more)
		if err != nil {
			return err
		}
		tables, more = append(tables, list[:len(list)-1]...), list[len(list)-1]
	}
	for _, t := range tables {
		if t > highest {
			continue
		}
		var err error
		if c.next, err = c.appendSector(c.next, t); err != nil {
			return err
		}
		if int64(len(c.next)) > c.sectors()+c.sector {
			return damaged() // more than the file has
		}
	}
	return nil
}

// chain lists sectors one after the other.
func (c *compound) chain(s uint32, next []uint32) ([]uint32, error) {
	var all []uint32
	for ; s <= highest; s = next[s] {
		if int64(s) >= int64(len(next)) || len(all) >= len(next) {
			return nil, damaged()
		}
		all = append(all, s)
	}
	return all, nil
}

func (c *compound) readEntries(start uint32) error {
	sectors, err := c.chain(start, c.next)
	if err != nil {
		return err
	}
	if int64(len(sectors))*c.sector/entrySize > maxEntries {
		return damaged()
	}
	for _, s := range sectors {
		b := make([]byte, c.sector)
		if c.place(s)+c.sector > c.size {
			return damaged()
		}
		if _, err := c.r.ReadAt(b, c.place(s)); err != nil {
			return err
		}
		for ; len(b) > 0; b = b[entrySize:] {
			u := func(at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
			c.entries = append(c.entries, entry{raw: b[:entrySize], kind: b[66], left: u(68), right: u(72), child: u(76), start: u(116), length: int64(u(120))})
		}
	}
	if len(c.entries) == 0 {
		return damaged()
	}
	return nil
}

// name is the entry's name in bytes, with the zero that ends it.
func (e entry) name() []byte {
	n := int(binary.LittleEndian.Uint16(e.raw[64:]))
	if n < 2 || n > 64 || n%2 != 0 {
		return nil
	}
	return e.raw[:n]
}

func (e entry) called(name string) bool {
	var b []byte
	for _, u := range utf16.Encode([]rune(name + "\x00")) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return bytes.Equal(e.name(), b)
}

// below lists what is in a folder, in the order in which it is signed.
func (c *compound) below(folder entry) ([]entry, error) {
	var all []entry
	seen := map[uint32]bool{}
	open := []uint32{folder.child}
	for len(open) > 0 {
		i := open[len(open)-1]
		open = open[:len(open)-1]
		if i == noEntry {
			continue
		}
		if int64(i) >= int64(len(c.entries)) || seen[i] || c.entries[i].name() == nil {
			return nil, damaged()
		}
		seen[i] = true
		e := c.entries[i]
		all, open = append(all, e), append(open, e.left, e.right)
	}
	slices.SortFunc(all, func(a, b entry) int {
		x, y := a.name(), b.name()
		n := min(len(x), len(y))
		return cmp.Or(bytes.Compare(x[:n], y[:n]), cmp.Compare(len(y), len(x)))
	})
	return all, nil
}

// stream gives a stream to f, a stretch at a time.
func (c *compound) stream(e entry, f func([]byte) error) error {
	next, unit := c.next, c.sector
	if e.length < c.smallBelow {
		next, unit = c.nextSmall, smallSector
	}
	if e.length == 0 {
		return nil
	}
	sectors, err := c.chain(e.start, next)
	if err != nil {
		return err
	}
	if int64(len(sectors)) < (e.length+unit-1)/unit || e.length > c.size {
		return damaged()
	}
	left, b := e.length, make([]byte, min(e.length, 1<<20))
	for i := 0; i < len(sectors) && left > 0; {
		run := 1 // sectors that lie one behind the other are read at once
		for unit == c.sector && i+run < len(sectors) && sectors[i+run] == sectors[i]+uint32(run) && int64(run+1)*unit <= int64(len(b)) {
			run++
		}
		n := min(left, int64(run)*unit, int64(len(b)))
		at := c.place(sectors[i])
		if unit == smallSector {
			per := c.sector / smallSector
			in := int64(sectors[i]) / per
			if in >= int64(len(c.small)) {
				return damaged()
			}
			at = c.place(c.small[in]) + int64(sectors[i])%per*smallSector
		}
		if at+n > c.size {
			return damaged()
		}
		if _, err := c.r.ReadAt(b[:n], at); err != nil {
			return err
		}
		if err := f(b[:n]); err != nil {
			return err
		}
		left -= n
		i += run
	}
	if left > 0 {
		return damaged()
	}
	return nil
}

// whole reads a short stream of the root by its name, nil when there is none.
func (c *compound) whole(name string) ([]byte, error) {
	all, err := c.below(c.entries[0])
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if e.kind != kindStream || !e.called(name) {
			continue
		}
		if e.length > maxMessage {
			return nil, invalid("it is larger than any that is read")
		}
		var b []byte
		err := c.stream(e, func(part []byte) error { b = append(b, part...); return nil })
		return b, err
	}
	return nil, nil
}

func (c *compound) messages() ([]message, error) {
	der, err := c.whole(nameSignature)
	if err != nil || len(der) == 0 {
		return nil, err
	}
	return parse(der, 0)
}

// digest hashes all streams, folder by folder. A database that has an extended signature
// covers names, sizes and times too.
func (c *compound) digest(with crypto.Hash) ([]byte, error) {
	extended, err := c.whole(nameExtended)
	if err != nil {
		return nil, err
	}
	h := with.New()
	if extended != nil {
		first := with.New()
		if err := c.all(func(e entry) error { return describe(first, e) }, nil); err != nil {
			return nil, err
		}
		sum := first.Sum(nil)
		if !bytes.Equal(sum, extended) {
			return nil, invalid("names or times in it were changed after it was signed")
		}
		h.Write(sum)
	}
	left := c.size // streams that share their sectors would be read for ever
	content := func(e entry) error {
		if e.kind != kindStream {
			return nil
		}
		if left -= e.length; left < 0 {
			return damaged()
		}
		return c.stream(e, func(b []byte) error { h.Write(b); return nil })
	}
	if err := c.all(content, func(folder entry) { h.Write(folder.raw[80:96]) }); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

const maxFolders = 50 // in one another

// all visits the root and all that is below it, each once, without the signatures themselves.
func (c *compound) all(visit func(entry) error, leave func(entry)) error {
	left := len(c.entries)
	return c.walk(c.entries[0], 0, &left, visit, leave)
}

func (c *compound) walk(folder entry, depth int, left *int, visit func(entry) error, leave func(entry)) error {
	if depth > maxFolders {
		return damaged()
	}
	if err := visit(folder); err != nil {
		return err
	}
	all, err := c.below(folder)
	if err != nil {
		return err
	}
	if *left -= len(all); *left < 0 {
		return damaged() // a folder is in two others
	}
	for _, e := range all {
		switch {
		case e.called(nameSignature) || e.called(nameExtended):
			continue
		case e.kind == kindStream:
			err = visit(e)
		case e.kind == kindFolder:
			err = c.walk(e, depth+1, left, visit, leave)
		}
		if err != nil {
			return err
		}
	}
	if leave != nil {
		leave(folder)
	}
	return nil
}

// describe hashes what an extended signature says of a stream or a folder.
func describe(h hash.Hash, e entry) error {
	name := e.name()
	if name == nil {
		return damaged()
	}
	if e.kind != kindRoot {
		h.Write(name[:len(name)-2])
	}
	if e.kind != kindStream {
		h.Write(e.raw[80:96])
	} else {
		h.Write(e.raw[120:124])
	}
	h.Write(e.raw[96:100])
	if e.kind != kindRoot {
		h.Write(e.raw[100:116])
	}
	return nil
}
