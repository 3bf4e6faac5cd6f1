package flatpak

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// data is one serialized value of GLib's GVariant form, in which flatpak and OSTree keep what
// they know. Only the types that occur there are read. Whoever wrote it may be hostile:
// every offset is checked, and nothing is copied that is not asked for.
type data []byte

var errData = errors.New("the data is damaged")

// offsetSize is how wide the offsets at the end of a container are.
func (d data) offsetSize() int {
	switch n := len(d); {
	case n == 0:
		return 0
	case n <= 0xff:
		return 1
	case n <= 0xffff:
		return 2
	case uint64(n) <= 0xffffffff:
		return 4
	}
	return 8
}

// offset reads the offset that begins at a place.
func (d data) offset(at, size int) (int, error) {
	if at < 0 || size == 0 || at+size > len(d) {
		return 0, errData
	}
	var b [8]byte
	copy(b[:], d[at:at+size])
	n := binary.LittleEndian.Uint64(b[:])
	if n > uint64(len(d)) {
		return 0, errData
	}
	return int(n), nil
}

func aligned(pos, align int) int { return (pos + align - 1) / align * align }

// array calls f for each element, of variable size and the given alignment.
func (d data) array(align int, f func(data) error) error {
	if len(d) == 0 {
		return nil
	}
	size := d.offsetSize()
	end, err := d.offset(len(d)-size, size) // of the last element, where the offsets begin
	if err != nil || (len(d)-end)%size != 0 || end > len(d)-size {
		return errData
	}
	pos := 0
	for at := end; at < len(d); at += size {
		pos = aligned(pos, align)
		to, err := d.offset(at, size)
		if err != nil || to < pos || to > end {
			return errData
		}
		if err := f(d[pos:to]); err != nil {
			return err
		}
		pos = to
	}
	return nil
}

// member is one part of a tuple: its alignment, and its size when that is fixed.
type member struct{ align, size int }

// tuple gives the parts of a tuple.
func (d data) tuple(members ...member) ([]data, error) {
	size, offsets := d.offsetSize(), 0
	for _, m := range members[:len(members)-1] {
		if m.size == 0 {
			offsets++
		}
	}
	limit := len(d) - offsets*size
	if limit < 0 {
		return nil, errData
	}
	parts := make([]data, 0, len(members))
	pos, next := 0, len(d)-size
	for i, m := range members {
		pos = aligned(pos, m.align)
		end := limit
		switch {
		case m.size > 0:
			end = pos + m.size
		case i < len(members)-1:
			var err error
			if end, err = d.offset(next, size); err != nil {
				return nil, err
			}
			next -= size
		}
		if pos > end || end > limit {
			return nil, errData
		}
		parts = append(parts, d[pos:end])
		pos = end
	}
	return parts, nil
}

// text is a string.
func (d data) text() (string, error) {
	s, ended := bytes.CutSuffix(d, []byte{0})
	if !ended || !utf8.Valid(s) || bytes.IndexByte(s, 0) >= 0 {
		return "", errData
	}
	return string(s), nil
}

// value is one value of a dictionary, with its type.
type value struct {
	kind string
	data data
}

func (v value) text() (string, bool) {
	if v.kind != "s" {
		return "", false
	}
	s, err := v.data.text()
	return s, err == nil
}

// number is a 64-bit number in the given order of bytes.
func (v value) number(order binary.ByteOrder) (uint64, bool) {
	if v.kind != "t" || len(v.data) != 8 {
		return 0, false
	}
	return order.Uint64(v.data), true
}

// dict is a dictionary from texts to values of any type.
func (d data) dict() (map[string]value, error) {
	m := map[string]value{}
	err := d.array(8, func(entry data) error {
		parts, err := entry.tuple(member{align: 1}, member{align: 8})
		if err != nil {
			return err
		}
		key, err := parts[0].text()
		if err != nil {
			return err
		}
		i := bytes.LastIndexByte(parts[1], 0)
		if i < 0 {
			return errData
		}
		m[key] = value{kind: string(parts[1][i+1:]), data: parts[1][:i]}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading a dictionary: %w", err)
	}
	return m, nil
}
