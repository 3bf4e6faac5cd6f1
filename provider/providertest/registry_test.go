package providertest

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"patchbay/provider"
)

const export = "Windows Registry Editor Version 5.00\r\n\r\n" +
	`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{AB}]` + "\r\n" +
	"; changed 2026-01-02T03:04:05Z\r\n" +
	`@="own"` + "\r\n" +
	`"DisplayName"="A \"quoted\" \\ name"` + "\r\n" +
	`"Lines"="one` + "\r\n" + `two"` + "\r\n" +
	`"Number"=dword:000000ff` + "\r\n" +
	`"Wide"=hex(b):01,00,00,00,01,00,00,00` + "\r\n" +
	`"Path"=hex(2):25,00,57,00,\` + "\r\n" + `  25,00,00,00` + "\r\n" +
	`"List"=hex(7):61,00,00,00,62,00,00,00,00,00` + "\r\n" +
	`"Bytes"=hex:de,ad` + "\r\n\r\n" +
	`[HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\Old]` + "\r\n" + `"x"="32"` + "\r\n" +
	`[HKEY_USERS\S-1-5-18]` + "\r\n"

func utf16le(text string) []byte {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func TestExportIsReadAsWindowsWritesIt(t *testing.T) {
	for name, text := range map[string][]byte{"UTF-8": []byte(export), "UTF-16": utf16le(export)} {
		r, err := ParseExport(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		k, err := r.Registry(`hklm\software\microsoft\windows\currentversion\uninstall\{ab}`, provider.View64)
		want := provider.RegistryKey{Changed: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Values: map[string]provider.RegistryValue{
			"": {Text: "own"}, "DisplayName": {Text: `A "quoted" \ name`}, "Lines": {Text: "one\ntwo"}, "Number": {Number: 255},
			"Wide": {Number: 1<<32 | 1}, "Path": {Text: "%W%"}, "List": {List: []string{"a", "b"}}, "Bytes": {Bytes: []byte{0xde, 0xad}},
		}}
		if err != nil || !reflect.DeepEqual(k, want) {
			t.Errorf("%s: %+v, %v", name, k, err)
		}
		if up, err := r.Registry(`HKLM\SOFTWARE`, provider.View64); err != nil || strings.Join(up.Keys, " ") != "Microsoft WOW6432Node" {
			t.Errorf("%s: %v, %v", name, up.Keys, err)
		}
		if old, err := r.Registry(`HKLM\SOFTWARE\Old`, provider.View32); err != nil || old.Values["x"].Text != "32" {
			t.Errorf("%s: %+v, %v", name, old, err)
		}
		if _, err := r.Registry(`HKLM\SOFTWARE\Old`, provider.View64); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a key of the other view: %v", name, err)
		}
		if _, err := r.Registry(`HKU\S-1-5-18`, provider.View64); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBrokenExportIsRefused(t *testing.T) {
	for _, text := range []string{`"x"="y"`, "[HKEY_LOCAL_MACHINE\n", "[-HKEY_LOCAL_MACHINE\\x]", "[HKLM]\n\"x\"", "[HKLM]\n\"x\"=what:1",
		"[HKLM]\n\"x\"=dword:zz", "[HKLM]\n\"x\"=hex:0", "[HKLM]\n\"x\"=hex(b):00", "[HKLM]\n\"x\"=\"y\" z", "[HKLM]\n; changed now", "; changed 2026-01-02T03:04:05Z", "[HKLM]\nx"} {
		if _, err := ParseExport([]byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func FuzzExport(f *testing.F) {
	f.Add([]byte(export))
	f.Add(utf16le(export))
	f.Add([]byte("[HKLM\\a\\b]\n\"x\"=hex(7):\\\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ParseExport(text)
		if err != nil {
			return
		}
		for path := range r.keys { // each key is found where the one above it says
			if up, name := path[:max(0, strings.LastIndex(path, `\`))], path[strings.LastIndex(path, `\`)+1:]; up != "" {
				above := r.keys[up]
				if above == nil {
					t.Fatalf("nothing is above %q", path)
				}
				found := false
				for _, k := range above.Keys {
					found = found || strings.ToLower(k) == name
				}
				if !found {
					t.Errorf("%q does not name %q", up, name)
				}
			}
		}
	})
}
