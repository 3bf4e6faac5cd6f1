package signature

import (
	"crypto"
	"encoding/binary"
	"io"
)

// program is a PE file: where in it its signatures are, and what they leave out.
type program struct {
	r               io.ReaderAt
	size            int64
	checksum, entry int64 // four bytes and eight that no signature covers
	begin           int64 // of the signatures, which end the file; its size when there are none
}

const (
	peOffset      = 0x3c
	coffHeader    = 24 // with the sign before it
	magic32       = 0x10b
	magic64       = 0x20b
	securityEntry = 4
)

func readProgram(r io.ReaderAt, size int64) (program, error) {
	p := program{r: r, size: size}
	var b [256]byte
	if size < peOffset+4 {
		return p, ErrKind
	}
	if _, err := r.ReadAt(b[:4], peOffset); err != nil {
		return p, err
	}
	at := int64(binary.LittleEndian.Uint32(b[:4]))
	n := min(int64(len(b)), size-at)
	if at < peOffset+4 || n < coffHeader+2 {
		return p, ErrKind
	}
	if _, err := r.ReadAt(b[:n], at); err != nil {
		return p, err
	}
	if string(b[:4]) != "PE\x00\x00" {
		return p, ErrKind
	}
	optional := int64(binary.LittleEndian.Uint16(b[20:])) // its size
	entries := int64(0)                                   // where the number of directory entries stands
	switch binary.LittleEndian.Uint16(b[coffHeader:]) {
	case magic32:
		entries = coffHeader + 92
	case magic64:
		entries = coffHeader + 108
	default:
		return p, ErrKind
	}
	entry := entries + 4 + securityEntry*8
	if optional < entry+8-coffHeader || n < entry+8 || binary.LittleEndian.Uint32(b[entries:]) <= securityEntry {
		return p, ErrUnsigned // it has no place for one
	}
	p.checksum, p.entry = at+coffHeader+64, at+entry
	begin, length := int64(binary.LittleEndian.Uint32(b[entry:])), int64(binary.LittleEndian.Uint32(b[entry+4:]))
	if begin == 0 || length == 0 {
		return p, ErrUnsigned
	}
	if begin < p.entry+8 || begin%8 != 0 || begin+length != size {
		return p, invalid("it is not the end of the file")
	}
	p.begin = begin
	return p, nil
}

// messages are the signatures, in the order in which they stand.
func (p program) messages() ([]message, error) {
	var all []message
	for at := p.begin; at < p.size; {
		var b [8]byte
		if p.size-at < int64(len(b)) {
			return nil, invalid("it is cut off")
		}
		if _, err := p.r.ReadAt(b[:], at); err != nil {
			return nil, err
		}
		length, kind := int64(binary.LittleEndian.Uint32(b[:])), binary.LittleEndian.Uint16(b[6:])
		if length < 8 || length > p.size-at || length > maxMessage {
			return nil, invalid("it is cut off, or too large")
		}
		if kind == 2 { // PKCS #7
			der := make([]byte, length-8)
			if _, err := p.r.ReadAt(der, at+8); err != nil {
				return nil, err
			}
			found, err := parse(der, 0)
			if err != nil {
				return nil, err
			}
			if all = append(all, found...); len(all) > maxNested {
				return nil, invalid("it has more signatures than are read")
			}
		}
		at += (length + 7) / 8 * 8
	}
	return all, nil
}

// digest hashes the file without what is written into it when it is signed.
func (p program) digest(with crypto.Hash) ([]byte, error) {
	h := with.New()
	for _, s := range [][2]int64{{0, p.checksum}, {p.checksum + 4, p.entry}, {p.entry + 8, p.begin}} {
		if err := copyTo(h, p.r, s[0], s[1]); err != nil {
			return nil, err
		}
	}
	return h.Sum(nil), nil
}
