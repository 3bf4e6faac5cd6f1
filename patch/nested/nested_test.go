package nested

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"
)

type entry struct {
	name, text string
	change     func(*zip.FileHeader)
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		if e.change != nil {
			e.change(h)
		}
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = io.WriteString(f, e.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unpack(b []byte, name string) (string, error) {
	f, length, err := Open(bytes.NewReader(b), int64(len(b)), name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err == nil && int64(len(text)) != length {
		return "", io.ErrUnexpectedEOF
	}
	return string(text), err
}

func TestOneFileIsFoundOrNone(t *testing.T) {
	link := func(h *zip.FileHeader) { h.SetMode(0o777 | 1<<27) }
	for _, c := range []struct {
		name, says string
		entries    []entry
	}{
		{"setup.exe", "", []entry{{"other.exe", "x", nil}, {"setup.exe", "right", nil}}},
		{"in/Setup.exe", "", []entry{{`IN\setup.EXE`, "right", nil}, {"../setup.exe", "wrong", nil}}},
		{"setup.exe", "no file", []entry{{"in/setup.exe", "x", nil}}},
		{"setup.exe", "twice", []entry{{"setup.exe", "a", nil}, {"SETUP.exe", "b", nil}}},
		{"setup.exe", "bytes", []entry{{"setup.exe", "", nil}}},
		{"setup.exe", "encrypted", []entry{{"setup.exe", "x", func(h *zip.FileHeader) { h.Flags |= 1 }}}},
		{"setup.exe", "plain", []entry{{"setup.exe", "x", link}}},
	} {
		got, err := unpack(archive(t, c.entries...), c.name)
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) || err == nil && got != "right" {
			t.Errorf("%s of %v: %q, %v; want %q", c.name, c.entries, got, err, c.says)
		}
	}
	if _, err := unpack([]byte("PK no archive"), "x"); err == nil {
		t.Error("what is no archive was read")
	}
}

// A file never gives more than its archive says, nor other bytes than were packed.
func FuzzOpen(f *testing.F) {
	whole := archive(f, entry{"setup.exe", strings.Repeat("right", 100), nil})
	f.Add(whole)
	f.Fuzz(func(t *testing.T, b []byte) {
		file, length, err := Open(bytes.NewReader(b), int64(len(b)), "setup.exe")
		if err != nil {
			return
		}
		defer file.Close()
		if n, _ := io.Copy(io.Discard, io.LimitReader(file, 1<<20)); n > length {
			t.Errorf("%d bytes of %d", n, length)
		}
	})
}
