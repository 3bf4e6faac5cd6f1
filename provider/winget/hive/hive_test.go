package hive

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

// anna.dat was made by hivexsh, which writes such files without Windows, of programs that a
// person installed for herself.
func anna(t testing.TB) []byte {
	b, err := os.ReadFile("testdata/anna.dat")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const uninstall = `Software\Microsoft\Windows\CurrentVersion\Uninstall`

func TestReadsWhatAnotherProgramWrote(t *testing.T) {
	b := anna(t)
	h, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil || h.Dirty {
		t.Fatal(err, h.Dirty)
	}
	keys, err := h.Below(strings.ToUpper(uninstall)) // no regard to case
	if err != nil || len(keys) != 3 || keys["Spotify"].Values["Publisher"].Text != "Spotify AB" {
		t.Errorf("got %+v, %v", keys, err)
	}
	code := keys["{771FD6B0-FA20-440A-A002-3B3BAC16DC50}_is1"]
	if code.Values["DisplayVersion"].Text != "1.104.2" || code.Values["EstimatedSize"].Number != 0x5a3c1 ||
		code.Values["NoModify"].Number != 1 || code.Values["QuietUninstallString"].Text != `"%LOCALAPPDATA%\Programs\Microsoft VS Code\unins000.exe" /SILENT` {
		t.Errorf("got %+v", code)
	}
	if other := keys["Rechner"]; other.Values["DisplayName"].Text != "Größenrechner für Zöllner 📐" || !slices.Equal(other.Values["Tags"].List, []string{"eins", "zwei"}) {
		t.Errorf("got %+v", other)
	}
	for _, path := range []string{`Software\Nobody`, `Software\Microsoft\Windows\CurrentVersion\Run`} {
		if _, err := h.Below(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestSaysWhenTheLastChangesMayBeMissing(t *testing.T) {
	b := anna(t)
	binary.LittleEndian.PutUint32(b[4:], binary.LittleEndian.Uint32(b[4:])+1)
	sum(b)
	h, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil || !h.Dirty {
		t.Errorf("%v", err)
	}
}

// sum makes the head agree with itself.
func sum(b []byte) {
	var s uint32
	for i := 0; i < 508; i += 4 {
		s ^= binary.LittleEndian.Uint32(b[i:])
	}
	binary.LittleEndian.PutUint32(b[508:], s)
}

// A list that names itself, an index that names itself, counts beyond the file: each is told
// as damage, and none takes long.
func TestDamageIsTold(t *testing.T) {
	for _, sig := range []string{"ri", "li", "lf", "xx"} {
		b := anna(t)
		root := base + int(binary.LittleEndian.Uint32(b[36:])) + 4
		list := binary.LittleEndian.Uint32(b[root+28:])
		at := base + int(list) + 4
		copy(b[at:], sig)
		binary.LittleEndian.PutUint32(b[at+4:], list) // itself
		h, err := Open(bytes.NewReader(b), int64(len(b)))
		if err == nil {
			_, err = h.Below("")
		}
		if sig == "lf" && err == nil {
			continue
		}
		if !errors.Is(err, errDamaged) {
			t.Errorf("%s: %v", sig, err)
		}
	}
	b := anna(t)
	for _, size := range []int{0, 100, 511, 4096, 4200, 6000} {
		h, err := Open(bytes.NewReader(b[:size]), int64(size))
		if err == nil {
			_, err = h.Below(uninstall)
		}
		if err == nil {
			t.Errorf("cut at %d it reads as if it were whole", size)
		}
	}
}

func FuzzHive(f *testing.F) {
	b := anna(f)
	f.Add(b)
	f.Add(b[:5000])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 512 {
			b = slices.Clone(b)
			sum(b) // so that what is behind it is looked at
		}
		h, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, path := range []string{"", "Software", uninstall} {
			_, _ = h.Below(path)
		}
		if h.read > maxCells+len([]string{"", "Software", uninstall})*2*8 {
			t.Errorf("it read %d cells", h.read)
		}
	})
}
