// Command msidate gives an installer for Windows a fixed date and a fixed code, so that the
// same sources give the same bytes: wixl writes the present time and a random code.
//
//	msidate FILE SECONDS {CODE}
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "msidate: "+err.Error())
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: msidate FILE SECONDS {CODE}")
	}
	seconds, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	if err := fix(data, seconds, args[2]); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return os.WriteFile(args[0], data, 0o644)
}

// summary names the property set that describes an installer; its own description says where
// its properties lie, which is in one piece in what wixl writes.
var summary = []byte{0xe0, 0x85, 0x9f, 0xf2, 0xf9, 0x4f, 0x68, 0x10, 0xab, 0x91, 0x08, 0x00, 0x2b, 0x27, 0xb3, 0xd9}

// Properties, and the kinds of their values.
const (
	revision, created, saved = 9, 12, 13
	text, moment             = 30, 64
)

func fix(data []byte, seconds int64, code string) error {
	le := binary.LittleEndian
	at := bytes.Index(data, summary)
	if at < 28 || at+20 > len(data) {
		return errors.New("it has no summary")
	}
	start := at - 28 + int(le.Uint32(data[at+16:]))
	if start+8 > len(data) {
		return errors.New("its summary is cut off")
	}
	found := 0
	for i := range int(min(le.Uint32(data[start+4:]), 100)) {
		entry := start + 8 + 8*i
		if entry+8 > len(data) {
			return errors.New("its summary is cut off")
		}
		value := start + int(le.Uint32(data[entry+4:]))
		if value+8+len(code) > len(data) {
			return errors.New("its summary is cut off")
		}
		switch id, kind := le.Uint32(data[entry:]), le.Uint32(data[value:]); {
		case id == revision && kind == text && int(le.Uint32(data[value+4:])) == len(code)+1:
			copy(data[value+8:], code)
			found++
		case (id == created || id == saved) && kind == moment:
			const since1601 = 11644473600
			le.PutUint64(data[value+4:], uint64(seconds+since1601)*1e7)
			found++
		}
	}
	if found != 3 {
		return errors.New("its summary is not as wixl writes it")
	}
	return nil
}
