// Package plist reads property lists, in which a Mac keeps what its apps say of themselves:
// dictionaries of texts, in their XML and in their binary form.
//
// Only what lies flat is read: texts, numbers, dates and answers at the top of a dictionary.
// Anything may be in such a file. The binary form lets objects share parts, so that a small
// file can stand for an endless one; what is read here is bounded by what is in the file.
package plist

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// maxEntries bounds how many entries are read of one file, in all of its dictionaries.
const maxEntries = 200_000

// maxDepth bounds how deep values may lie in each other in XML.
const maxDepth = 100

var errDamaged = errors.New("the property list is damaged")

// Dict gives the flat entries of a dictionary: texts as they are, dates in RFC 3339, answers as
// true or false.
func Dict(b []byte) (map[string]string, error) {
	if bytes.HasPrefix(b, []byte("bplist00")) {
		f, err := newBinary(b)
		if err != nil {
			return nil, err
		}
		return f.dict(f.top)
	}
	list, array, err := readXML(b)
	if err != nil {
		return nil, err
	}
	if array {
		return nil, errors.New("the property list is not a dictionary")
	}
	return list[0], nil
}

// Dicts gives the flat entries of each dictionary in a list.
func Dicts(b []byte) ([]map[string]string, error) {
	if bytes.HasPrefix(b, []byte("bplist00")) {
		f, err := newBinary(b)
		if err != nil {
			return nil, err
		}
		return f.dicts()
	}
	list, array, err := readXML(b)
	if err != nil {
		return nil, err
	}
	if !array {
		return nil, errors.New("the property list is not a list")
	}
	return list, nil
}

// readXML reads <plist> with one <dict>, or with one <array> of them.
func readXML(b []byte) (list []map[string]string, array bool, err error) {
	r := &xmlReader{d: xml.NewDecoder(bytes.NewReader(b))}
	root, err := r.next()
	if err != nil || root != "plist" {
		return nil, false, orDamaged(err)
	}
	top, err := r.next()
	if err != nil {
		return nil, false, err
	}
	switch top {
	case "dict":
		var m map[string]string
		m, err = r.dict()
		list = []map[string]string{m}
	case "array":
		list, err = r.dicts()
	default:
		err = errDamaged
	}
	if err == nil {
		err = r.over()
	}
	return list, top == "array", err
}

// orDamaged is an error that says at least that.
func orDamaged(err error) error {
	if err == nil {
		err = errDamaged
	}
	return err
}

type xmlReader struct {
	d       *xml.Decoder
	entries int
}

// next gives the name of the next element that begins, "" when the one around it ends.
func (r *xmlReader) next() (string, error) {
	for {
		t, err := r.d.Token()
		if err != nil {
			return "", fmt.Errorf("%w: %w", errDamaged, err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t.Name.Local, nil
		case xml.EndElement:
			return "", nil
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return "", errDamaged
			}
		}
	}
}

// over makes sure that the file ends where the list does.
func (r *xmlReader) over() error {
	if end, err := r.next(); err != nil || end != "" {
		return orDamaged(err)
	}
	for {
		switch t, err := r.d.Token(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w", errDamaged, err)
		default:
			if c, ok := t.(xml.CharData); !ok || len(bytes.TrimSpace(c)) > 0 {
				return errDamaged
			}
		}
	}
}

func (r *xmlReader) dicts() ([]map[string]string, error) {
	list := []map[string]string{}
	for {
		switch name, err := r.next(); {
		case err != nil:
			return nil, err
		case name == "":
			return list, nil
		case name != "dict":
			return nil, errors.New("the property list has other things than dictionaries in it")
		}
		m, err := r.dict()
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
}

func (r *xmlReader) dict() (map[string]string, error) {
	m := map[string]string{}
	for {
		if r.entries++; r.entries > maxEntries {
			return nil, errors.New("the property list is too long")
		}
		switch name, err := r.next(); {
		case err != nil:
			return nil, err
		case name == "":
			return m, nil
		case name != "key":
			return nil, errDamaged
		}
		key, err := r.text()
		if err != nil {
			return nil, err
		}
		kind, err := r.next()
		if err != nil {
			return nil, err
		}
		switch kind {
		case "string", "integer", "real", "date":
			if m[key], err = r.text(); err != nil {
				return nil, err
			}
		case "true", "false":
			m[key] = kind
			err = r.skip(1)
		case "":
			return nil, errDamaged
		default:
			err = r.skip(1)
		}
		if err != nil {
			return nil, err
		}
	}
}

// text gives what stands in the element that has begun, which has no others in it.
func (r *xmlReader) text() (string, error) {
	var b strings.Builder
	for {
		t, err := r.d.Token()
		if err != nil {
			return "", fmt.Errorf("%w: %w", errDamaged, err)
		}
		switch t := t.(type) {
		case xml.CharData:
			b.Write(t)
		case xml.EndElement:
			return b.String(), nil
		case xml.StartElement:
			return "", errDamaged
		}
	}
}

// skip goes to the end of the elements that have begun.
func (r *xmlReader) skip(depth int) error {
	for depth > 0 {
		t, err := r.d.Token()
		if err != nil {
			return fmt.Errorf("%w: %w", errDamaged, err)
		}
		switch t.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return errors.New("the property list is too deep")
			}
		case xml.EndElement:
			depth--
		}
	}
	return nil
}

// binaryFile is a property list in its binary form: objects, a table of where each begins,
// and a trailer that says how wide the numbers are.
type binaryFile struct {
	b       []byte
	table   uint64 // where the table of offsets begins, and the objects end
	count   uint64 // of objects
	top     uint64
	offset  int // bytes of an offset
	ref     int // bytes of a reference
	entries int
}

func newBinary(b []byte) (*binaryFile, error) {
	const trailer = 32
	if len(b) < len("bplist00")+trailer {
		return nil, errDamaged
	}
	t := b[len(b)-trailer:]
	f := &binaryFile{b: b, offset: int(t[6]), ref: int(t[7]), count: binary.BigEndian.Uint64(t[8:]), top: binary.BigEndian.Uint64(t[16:]), table: binary.BigEndian.Uint64(t[24:])}
	end := uint64(len(b) - trailer)
	if f.offset < 1 || f.offset > 8 || f.ref < 1 || f.ref > 8 || f.table > end || f.count > (end-f.table)/uint64(f.offset) {
		return nil, errDamaged
	}
	return f, nil
}

// number reads a number without a sign.
func (f *binaryFile) number(at uint64, size int) (uint64, bool) {
	if at > uint64(len(f.b)) || uint64(size) > uint64(len(f.b))-at {
		return 0, false
	}
	var n uint64
	for _, c := range f.b[at : at+uint64(size)] {
		n = n<<8 | uint64(c)
	}
	return n, true
}

// object gives where an object's content begins, its kind, and its length or low bits.
func (f *binaryFile) object(index uint64) (at uint64, kind byte, n uint64, err error) {
	if index >= f.count {
		return 0, 0, 0, errDamaged
	}
	at, ok := f.number(f.table+index*uint64(f.offset), f.offset)
	if !ok || at < 8 || at >= f.table {
		return 0, 0, 0, errDamaged
	}
	kind, n = f.b[at]>>4, uint64(f.b[at]&0xf)
	at++
	if n == 0xf && kind >= 4 {
		marker, ok := f.number(at, 1)
		if !ok || marker>>4 != 1 || marker&0xf > 3 {
			return 0, 0, 0, errDamaged
		}
		size := 1 << (marker & 0xf)
		if n, ok = f.number(at+1, size); !ok {
			return 0, 0, 0, errDamaged
		}
		at += 1 + uint64(size)
	}
	return at, kind, n, nil
}

// within gives so many bytes of an object.
func (f *binaryFile) within(at, n uint64) ([]byte, error) {
	if at > f.table || n > f.table-at {
		return nil, errDamaged
	}
	return f.b[at : at+n], nil
}

// The kinds of objects.
const (
	kindAnswer = 0x0
	kindNumber = 0x1
	kindReal   = 0x2
	kindDate   = 0x3
	kindASCII  = 0x5
	kindUTF16  = 0x6
	kindArray  = 0xa
	kindDict   = 0xd
)

// flat gives a value as a text; none for one that does not lie flat.
func (f *binaryFile) flat(index uint64) (text string, ok bool, err error) {
	at, kind, n, err := f.object(index)
	if err != nil {
		return "", false, err
	}
	switch kind {
	case kindAnswer:
		if n == 8 || n == 9 {
			return strconv.FormatBool(n == 9), true, nil
		}
	case kindNumber:
		if n <= 3 {
			v, ok := f.number(at, 1<<n)
			return strconv.FormatInt(int64(v), 10), ok, nil // eight bytes are signed
		}
	case kindDate:
		v, ok := f.number(at, 8)
		if s := math.Float64frombits(v); ok && s > -1e10 && s < 1e11 {
			return time.Unix(int64(s)+978_307_200, 0).UTC().Format(time.RFC3339), true, nil // since 2001
		}
	case kindASCII:
		b, err := f.within(at, n)
		return strings.ToValidUTF8(string(b), "?"), err == nil, err
	case kindUTF16:
		if n > uint64(len(f.b)) {
			return "", false, errDamaged
		}
		b, err := f.within(at, 2*n)
		if err != nil {
			return "", false, err
		}
		units := make([]uint16, n)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(b[2*i:])
		}
		return string(utf16.Decode(units)), true, nil
	}
	return "", false, nil
}

// refs gives the objects that a container refers to. Containers may share them, so they count.
func (f *binaryFile) refs(at, n uint64) ([]uint64, error) {
	if n > maxEntries {
		return nil, errDamaged
	}
	if f.entries += int(n); f.entries > 2*maxEntries {
		return nil, errors.New("the property list is too long")
	}
	b, err := f.within(at, n*uint64(f.ref))
	if err != nil {
		return nil, err
	}
	list := make([]uint64, n)
	for i := range list {
		for _, c := range b[i*f.ref : (i+1)*f.ref] {
			list[i] = list[i]<<8 | uint64(c)
		}
	}
	return list, nil
}

// maxShared bounds the texts that are read in all, for these may be shared too.
const maxShared = 64 << 20

func (f *binaryFile) dict(index uint64) (map[string]string, error) {
	at, kind, n, err := f.object(index)
	if err != nil {
		return nil, err
	}
	if kind != kindDict || n > maxEntries {
		return nil, errors.New("the property list is not a dictionary")
	}
	refs, err := f.refs(at, 2*n)
	if err != nil {
		return nil, err
	}
	m, read := map[string]string{}, 0
	for i := range n {
		key, ok, err := f.flat(refs[i])
		if err != nil || !ok {
			return nil, orDamaged(err)
		}
		text, ok, err := f.flat(refs[n+i])
		if err != nil {
			return nil, err
		}
		if read += len(key) + len(text); read > maxShared {
			return nil, errors.New("the property list is too long")
		}
		if ok && utf8.ValidString(text) {
			m[key] = text
		}
	}
	return m, nil
}

func (f *binaryFile) dicts() ([]map[string]string, error) {
	at, kind, n, err := f.object(f.top)
	if err != nil {
		return nil, err
	}
	if kind != kindArray {
		return nil, errors.New("the property list is not a list")
	}
	refs, err := f.refs(at, n)
	if err != nil {
		return nil, err
	}
	list := []map[string]string{}
	for _, r := range refs {
		m, err := f.dict(r)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}
