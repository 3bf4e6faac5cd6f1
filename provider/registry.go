package provider

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf16"
)

// The kinds of registry values that are read, by Windows' numbers.
const (
	regText     = 1
	regExpand   = 2 // a text with variables, which stay as they are written
	regNumber32 = 4
	regList     = 7
	regNumber64 = 11
)

// DecodeRegistry reads the bytes of a registry value of a kind, as Windows numbers kinds. What
// is of no kind that is read, or not as long as its kind, keeps its bytes.
func DecodeRegistry(kind uint32, data []byte) RegistryValue {
	switch {
	case kind == regText || kind == regExpand:
		text, _, _ := strings.Cut(DecodeUTF16(data), "\x00")
		return RegistryValue{Text: text}
	case kind == regList:
		list := strings.Split(DecodeUTF16(data), "\x00")
		return RegistryValue{List: slices.DeleteFunc(list, func(s string) bool { return s == "" })}
	case kind == regNumber32 && len(data) >= 4:
		return RegistryValue{Number: uint64(binary.LittleEndian.Uint32(data))}
	case kind == regNumber64 && len(data) >= 8:
		return RegistryValue{Number: binary.LittleEndian.Uint64(data)}
	}
	return RegistryValue{Bytes: slices.Clone(data)}
}

// DecodeUTF16 reads Windows' own text: two bytes for a unit, the low one first.
func DecodeUTF16(data []byte) string {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(data[2*i:])
	}
	return string(utf16.Decode(units))
}
