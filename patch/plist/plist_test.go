package plist_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"patchbay/patch/plist"
)

const head = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
`

const info = head + `<dict>
	<key>CFBundleName</key><string>Café &amp; Co</string>
	<key>CFBundleDocumentTypes</key><array><dict><key>CFBundleName</key><string>not this one</string></dict></array>
	<key>Number</key><integer>7</integer>
	<key>Yes</key><true/>
	<key>No</key><false/>
	<key>Empty</key><string/>
	<key>When</key><date>2026-01-02T03:04:05Z</date>
	<key>Bytes</key><data>AAAA</data>
</dict>
</plist>
`

var want = map[string]string{"CFBundleName": "Café & Co", "Number": "7", "Yes": "true", "No": "false", "Empty": "", "When": "2026-01-02T03:04:05Z"}

// binaryForm is a property list as Python's plistlib writes it in binary.
func binaryForm(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".bplist"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBothFormsSayTheSame(t *testing.T) {
	for name, b := range map[string][]byte{"xml": []byte(info), "binary": binaryForm(t, "info")} {
		m, err := plist.Dict(b)
		if err != nil || !maps.Equal(m, want) {
			t.Errorf("%s: %v, %q", name, err, m)
		}
		if _, err := plist.Dicts(b); err == nil {
			t.Errorf("%s: a dictionary was taken for a list", name)
		}
	}
}

func TestLists(t *testing.T) {
	text := head + "<array><dict><key>a</key><string>1</string></dict><dict><key>a</key><string>2</string></dict></array></plist>"
	for name, b := range map[string][]byte{"xml": []byte(text), "binary": binaryForm(t, "list")} {
		list, err := plist.Dicts(b)
		if err != nil || len(list) != 2 || list[0]["a"] != "1" || list[1]["a"] != "2" {
			t.Errorf("%s: %v, %q", name, err, list)
		}
		if _, err := plist.Dict(b); err == nil {
			t.Errorf("%s: a list was taken for a dictionary", name)
		}
	}
}

// TestWhatIsCutIsAnError is the law: a file of which a part is missing is never taken for whole.
func TestWhatIsCutIsAnError(t *testing.T) {
	for name, b := range map[string][]byte{"xml": []byte(strings.TrimSpace(info)), "binary": binaryForm(t, "info")} {
		for n := range b {
			if m, err := plist.Dict(b[:n]); err == nil {
				t.Fatalf("%s: %d bytes of %d are %q", name, n, len(b), m)
			}
		}
	}
}

// bomb is a small binary file whose objects share each other, so that it stands for a huge one.
func bomb(objects, refs int) []byte {
	var b bytes.Buffer
	b.WriteString("bplist00")
	at := b.Len()
	b.WriteByte(0xdf)
	b.WriteByte(0x12)
	_ = binary.Write(&b, binary.BigEndian, uint32(refs))
	for range 2 * refs {
		b.Write([]byte{0, 1})
	}
	text := b.Len()
	b.WriteByte(0x5f)
	b.WriteByte(0x12)
	_ = binary.Write(&b, binary.BigEndian, uint32(2*refs))
	b.Write(bytes.Repeat([]byte("x"), 2*refs))
	table := b.Len()
	for i := range objects {
		o := at
		if i == 1 {
			o = text
		}
		_ = binary.Write(&b, binary.BigEndian, uint32(o))
	}
	b.Write([]byte{0, 0, 0, 0, 0, 0, 4, 2})
	for _, n := range []uint64{uint64(objects), 0, uint64(table)} {
		_ = binary.Write(&b, binary.BigEndian, n)
	}
	return b.Bytes()
}

func TestSharedPartsEndlessly(t *testing.T) {
	began := time.Now()
	b := bomb(1000, 100_000)
	if m, err := plist.Dict(b); err == nil {
		t.Errorf("it became %d entries", len(m))
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	deep := head + "<dict><key>a</key>" + strings.Repeat("<array>", 10_000)
	if _, err := plist.Dict([]byte(deep)); err == nil {
		t.Error("endless depth was read")
	}
	many := head + "<dict>" + strings.Repeat("<key>a</key><true/>", 300_000) + "</dict></plist>"
	if _, err := plist.Dict([]byte(many)); err == nil {
		t.Error("endless entries were read")
	}
}

func FuzzPlist(f *testing.F) {
	f.Add([]byte(info))
	f.Add(binaryForm(f, "info"))
	f.Add(bomb(3, 3))
	f.Add([]byte(head + "<array><dict/></array></plist>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := plist.Dict(b); err == nil && m == nil {
			t.Error("no error and no dictionary")
		}
		if list, err := plist.Dicts(b); err == nil {
			_ = fmt.Sprint(len(list))
		}
	})
}
