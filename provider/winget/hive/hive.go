// Package hive reads a file that holds a part of a Windows registry, such as the NTUSER.DAT
// of a person who is logged off. The format, regf, is known from public descriptions of it,
// chiefly Maxim Suhanov's "Windows registry file format specification".
//
// Such a file belongs to its user, and the reader runs with all rights: every offset, count
// and length in it is taken for hostile. Nothing here follows a list into itself, and no
// number of the file decides alone how much memory is taken.
package hive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"patchbay/provider"
)

// The bounds of what is read. A registry of Windows itself keeps far below them.
const (
	maxKeys   = 20_000   // below one key
	maxValues = 2_000    // of one key
	maxData   = 16 << 10 // bytes of one value; longer ones are kept elsewhere and are left out
	maxName   = 1 << 10  // bytes of a name
	maxLists  = 512      // lists that one key's index is spread over
	maxCells  = 200_000  // read of one file in all, so that whoever made it cannot keep a reader busy
)

// base is where the first bin begins; all offsets in the file count from there.
const base = 4096

// none is the offset of nothing.
const none = 0xFFFF_FFFF

// errDamaged means that the file does not follow its own format.
var errDamaged = errors.New("it is damaged")

// Hive is a file that is being read. It may be used by one reader at a time.
type Hive struct {
	r    io.ReaderAt
	size int64
	root uint32
	read int // cells so far
	// Dirty says that the last changes may be missing: Windows was writing them when it
	// ended, and they are in a log beside the file.
	Dirty bool
}

// Open reads the head of a hive of a size in bytes.
func Open(r io.ReaderAt, size int64) (*Hive, error) {
	head := make([]byte, 512)
	if _, err := r.ReadAt(head, 0); err != nil {
		return nil, fmt.Errorf("reading a registry file's head: %w", err)
	}
	var sum uint32
	for i := 0; i < 508; i += 4 {
		sum ^= binary.LittleEndian.Uint32(head[i:])
	}
	switch sum {
	case 0:
		sum = 1
	case none:
		sum = none - 1
	}
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(head[at:]) }
	switch {
	case string(head[:4]) != "regf":
		return nil, errors.New("it is not a registry file")
	case sum != u32(508):
		return nil, fmt.Errorf("the head of the registry file does not have its own sum: %w", errDamaged)
	case u32(20) != 1 || u32(24) > 6:
		return nil, fmt.Errorf("registry files of version %d.%d are not known here", u32(20), u32(24))
	}
	return &Hive{r: r, size: size, root: u32(36), Dirty: u32(4) != u32(8)}, nil
}

// Below reads the keys right below one, by their names. They have their values, and not the
// names of what is below them in turn.
func (h *Hive) Below(path string) (map[string]provider.RegistryKey, error) {
	k, err := h.find(path)
	if err != nil {
		return nil, err
	}
	all := map[string]provider.RegistryKey{}
	var failed error
	err = h.each(k, func(sub node) bool {
		values, err := h.values(sub)
		if err != nil {
			failed = fmt.Errorf("reading values of %.200s: %w", sub.name, err)
		}
		all[sub.name] = provider.RegistryKey{Values: values, Changed: sub.changed}
		return failed == nil
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, fmt.Errorf("reading below %.200s: %w", path, err)
	}
	return all, nil
}

// find walks down a path.
func (h *Hive) find(path string) (node, error) {
	k, err := h.key(h.root)
	for _, part := range strings.Split(path, `\`) {
		if err == nil && part != "" {
			k, err = h.below(k, part)
		}
	}
	if err != nil {
		return node{}, fmt.Errorf("reading %.200s: %w", path, err)
	}
	return k, nil
}

// node is a key as it lies in the file.
type node struct {
	name             string
	changed          time.Time
	keys, keyList    uint32
	values, valueLst uint32
}

// below finds a key below another, without regard to case.
func (h *Hive) below(k node, name string) (found node, err error) {
	ok := false
	err = h.each(k, func(sub node) bool {
		if ok = strings.EqualFold(sub.name, name); ok {
			found = sub
		}
		return !ok
	})
	if err == nil && !ok {
		err = fs.ErrNotExist
	}
	return found, err
}

// key reads the key at an offset.
func (h *Hive) key(at uint32) (node, error) {
	b, err := h.cell(at, 76, 76+maxName)
	if err != nil {
		return node{}, err
	}
	if string(b[:2]) != "nk" {
		return node{}, fmt.Errorf("where a key should be there is none: %w", errDamaged)
	}
	u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
	length := int(binary.LittleEndian.Uint16(b[72:]))
	if 76+length > len(b) {
		return node{}, fmt.Errorf("a key's name is longer than the key: %w", errDamaged)
	}
	return node{name: text(b[76:76+length], b[2]&0x20 != 0), changed: fileTime(b[4:]),
		keys: u32(20), keyList: u32(28), values: u32(36), valueLst: u32(40)}, nil
}

// each calls f with every key below k, until it says false.
func (h *Hive) each(k node, f func(node) bool) error {
	if k.keys == 0 || k.keyList == none {
		return nil
	}
	lists, err := h.lists(k.keyList)
	if err != nil {
		return err
	}
	seen := 0
	for _, list := range lists {
		for _, at := range list {
			if seen++; seen > maxKeys {
				return fmt.Errorf("there are more than %d keys: %w", maxKeys, errDamaged)
			}
			sub, err := h.key(at)
			if err != nil {
				return err
			}
			if !f(sub) {
				return nil
			}
		}
	}
	return nil
}

// lists gives the keys' offsets, from one list or from the lists that an index names. An
// index that names another index is not one.
func (h *Hive) lists(at uint32) ([][]uint32, error) {
	list, index, err := h.list(at)
	if err != nil || !index {
		return [][]uint32{list}, err
	}
	if len(list) > maxLists {
		return nil, fmt.Errorf("an index names %d lists: %w", len(list), errDamaged)
	}
	var all [][]uint32
	for _, at := range list {
		part, index, err := h.list(at)
		if err == nil && index {
			err = fmt.Errorf("an index names an index: %w", errDamaged)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, part)
	}
	return all, nil
}

// list reads one list of offsets; index says that they are of lists.
func (h *Hive) list(at uint32) (offsets []uint32, index bool, err error) {
	b, err := h.cell(at, 4, 4+8*maxKeys)
	if err != nil {
		return nil, false, err
	}
	step := 4
	switch string(b[:2]) {
	case "lf", "lh":
		step = 8 // with a hash behind each offset
	case "li":
	case "ri":
		index = true
	default:
		return nil, false, fmt.Errorf("where a list of keys should be there is none: %w", errDamaged)
	}
	n := int(binary.LittleEndian.Uint16(b[2:]))
	if 4+n*step > len(b) {
		return nil, false, fmt.Errorf("a list of keys is longer than its place: %w", errDamaged)
	}
	for i := range n {
		offsets = append(offsets, binary.LittleEndian.Uint32(b[4+i*step:]))
	}
	return offsets, index, nil
}

func (h *Hive) values(k node) (map[string]provider.RegistryValue, error) {
	if k.values == 0 {
		return nil, nil
	}
	if k.values > maxValues {
		return nil, fmt.Errorf("there are %d values: %w", k.values, errDamaged)
	}
	b, err := h.cell(k.valueLst, int(k.values)*4, int(k.values)*4)
	if err != nil {
		return nil, err
	}
	all := map[string]provider.RegistryValue{}
	for i := range int(k.values) {
		name, v, err := h.value(binary.LittleEndian.Uint32(b[4*i:]))
		if err != nil {
			return nil, err
		}
		all[name] = v
	}
	return all, nil
}

func (h *Hive) value(at uint32) (name string, v provider.RegistryValue, err error) {
	b, err := h.cell(at, 20, 20+maxName)
	if err != nil {
		return "", v, err
	}
	if string(b[:2]) != "vk" {
		return "", v, fmt.Errorf("where a value should be there is none: %w", errDamaged)
	}
	length := int(binary.LittleEndian.Uint16(b[2:]))
	if 20+length > len(b) {
		return "", v, fmt.Errorf("a value's name is longer than the value: %w", errDamaged)
	}
	name = text(b[20:20+length], b[16]&1 != 0)
	size := binary.LittleEndian.Uint32(b[4:])
	var data []byte
	switch {
	case size&0x8000_0000 != 0: // it lies in the place of its offset
		data = b[8 : 8+min(size&^0x8000_0000, 4)]
	case size > maxData:
		return name, v, nil
	case size > 0:
		if data, err = h.cell(binary.LittleEndian.Uint32(b[8:]), int(size), int(size)); err != nil {
			return "", v, err
		}
	}
	return name, provider.DecodeRegistry(binary.LittleEndian.Uint32(b[12:]), data), nil
}

// cell reads what lies at an offset: at least and at most so many bytes of it.
func (h *Hive) cell(at uint32, least, most int) ([]byte, error) {
	if h.read++; h.read > maxCells {
		return nil, fmt.Errorf("reading it does not end: %w", errDamaged)
	}
	where := int64(base) + int64(at)
	var head [4]byte
	if at == none || where+4 > h.size {
		return nil, fmt.Errorf("it points beyond its end: %w", errDamaged)
	}
	if _, err := h.r.ReadAt(head[:], where); err != nil {
		return nil, fmt.Errorf("reading a registry file: %w", err)
	}
	size := -int64(int32(binary.LittleEndian.Uint32(head[:]))) - 4 // a cell in use has a negative size
	if size < int64(least) || where+4+size > h.size {
		return nil, fmt.Errorf("it points at what is not in use or too short: %w", errDamaged)
	}
	b := make([]byte, min(size, int64(most)))
	if _, err := h.r.ReadAt(b, where+4); err != nil {
		return nil, fmt.Errorf("reading a registry file: %w", err)
	}
	return b, nil
}

// text reads UTF-16, or Latin-1 where the file says that it was shortened to that.
func text(b []byte, latin bool) string {
	if latin {
		runes := make([]rune, len(b))
		for i, c := range b {
			runes[i] = rune(c)
		}
		return string(runes)
	}
	return provider.DecodeUTF16(b)
}

// fileTime reads a count of 100 ns since 1601.
func fileTime(b []byte) time.Time {
	const toUnix = 116_444_736_000_000_000
	n := binary.LittleEndian.Uint64(b)
	if n < toUnix || n > toUnix+1<<60 {
		return time.Time{}
	}
	n -= toUnix
	return time.Unix(int64(n/10_000_000), int64(n%10_000_000)*100).UTC()
}
