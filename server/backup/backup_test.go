package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"patchbay/server/store"
)

func TestWhatIsRestoredIsWhatWasThere(t *testing.T) {
	for name, change := range map[string]func(*Options){"encrypted": nil, "plain": plain} {
		t.Run(name, func(t *testing.T) {
			p := founded(t, 3)
			file := saved(t, p, change)
			info, err := os.Stat(file)
			ok(t, err)
			if info.Mode().Perm() != 0o600 {
				t.Errorf("others may read the backup: %v", info.Mode())
			}
			to := empty(t, file)
			r, err := Restore(t.Context(), to)
			ok(t, err)
			if was, is := lines(t, p), lines(t, to.Place); was != is {
				t.Errorf("restored is\n%s\nwas\n%s", is, was)
			}
			before, err := keyFiles(p.Data)
			ok(t, err)
			after, err := keyFiles(to.Data)
			ok(t, err)
			if len(before) != 5 || fmt.Sprint(before) != fmt.Sprint(after) {
				t.Error("the keys are others")
			}
			for _, f := range after {
				if info, err := os.Stat(filepath.Join(to.Data, f.Name)); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("%s: %v, %v", f.Name, info, err)
				}
			}
			if r.Rows["agent"] != 3 || r.Keys != 5 || r.Encrypted != (name == "encrypted") || r.Tokens != 1 || r.Epoch != to.Now().Unix() || len(r.Broken) > 0 {
				t.Errorf("%+v", r)
			}
			ok(t, Unfinished(to.Data))
		})
	}
}

func TestEncryptedBackupShowsNothing(t *testing.T) {
	text, err := os.ReadFile(saved(t, founded(t, 1), nil))
	ok(t, err)
	for _, word := range []string{"agt_", "PRIVATE KEY", "backup.json"} {
		if bytes.Contains(text, []byte(word)) {
			t.Errorf("it has %q in it", word)
		}
	}
	if bytes.HasPrefix(text, []byte(plainMark)) { // two bytes: anywhere else chance puts them too
		t.Error("it begins as one that is not encrypted")
	}
}

func TestABackupIsNeverWrittenOverAFile(t *testing.T) {
	p := founded(t, 1)
	file := filepath.Join(t.TempDir(), "there")
	ok(t, os.WriteFile(file, []byte("mine"), 0o644))
	_, err := Make(t.Context(), options(p, file))
	if text, _ := os.ReadFile(file); err == nil || string(text) != "mine" {
		t.Errorf("%v, the file holds %q", err, text)
	}
	ok(t, os.Remove(file))
	o := options(p, file) // it appears meanwhile
	o.Progress = func(what string) {
		if what == "naming the file" {
			ok(t, os.WriteFile(file, []byte("mine"), 0o644))
		}
	}
	_, err = Make(t.Context(), o)
	if text, _ := os.ReadFile(file); err == nil || string(text) != "mine" {
		t.Errorf("%v, the file holds %q", err, text)
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 1 {
		t.Errorf("it left %v", left)
	}
	o = options(p, filepath.Join(t.TempDir(), "x"))
	for name, change := range map[string]func(){"no passphrase": func() { o.Passphrase = "" }, "no keys": func() { o.Data = t.TempDir() }} {
		o = options(p, filepath.Join(t.TempDir(), "x"))
		change()
		if _, err := Make(t.Context(), o); err == nil {
			t.Errorf("%s: a backup was made", name)
		}
	}
}

// Whatever byte is another, and wherever the file ends: it is refused, or what is read is
// what was written.
func TestDamageAnywhereIsSeen(t *testing.T) {
	for name, change := range map[string]func(*Options){"encrypted": nil, "plain": plain} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(saved(t, founded(t, 1), change))
			ok(t, err)
			path := filepath.Join(t.TempDir(), "damaged")
			read := func(text []byte) (string, error) {
				ok(t, os.WriteFile(path, text, 0o600))
				f, err := os.Open(path)
				ok(t, err)
				defer f.Close()
				return everything(f, secret)
			}
			whole, err := read(text)
			ok(t, err)
			step := 1
			if testing.Short() {
				step = 7
			}
			for i := 0; i < len(text); i += step {
				flipped := bytes.Clone(text)
				flipped[i] ^= 0x10
				if got, err := read(flipped); err == nil && got != whole {
					t.Fatalf("byte %d of %d is another and nobody noticed", i, len(text))
				}
				if _, err := read(text[:i]); err == nil {
					t.Fatalf("it ends after %d of %d bytes and nobody noticed", i, len(text))
				}
			}
			if _, err := read(append(bytes.Clone(text), 0)); err == nil {
				t.Error("something follows its end and nobody noticed")
			}
		})
	}
}

func TestWrongPassphraseOpensNothing(t *testing.T) {
	to := empty(t, saved(t, founded(t, 1), nil))
	to.Passphrase = func() (string, error) { return "another passphrase", nil }
	for name, try := range map[string]func(context.Context, RestoreOptions) (Report, error){"restore": Restore, "check": Check} {
		if _, err := try(t.Context(), to); !errors.Is(err, ErrPassphrase) || strings.Contains(err.Error(), "another passphrase") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := os.Stat(to.Data); err == nil {
		t.Error("the folder was made")
	}
}

func TestCheckReadsEverythingAndTouchesNothing(t *testing.T) {
	p := founded(t, 2)
	to := empty(t, saved(t, p, nil))
	to.Place = p
	before := lines(t, p)
	r, err := Check(t.Context(), to)
	ok(t, err)
	if r.Rows["device"] != 2 || r.Keys != 5 || !r.TakenAt.Equal(day0) || r.Size == 0 || r.Epoch != 0 {
		t.Errorf("%+v", r)
	}
	if lines(t, p) != before {
		t.Error("the installation is another")
	}
}

func TestNothingIsRestoredOverWhatIsThere(t *testing.T) {
	p := founded(t, 1)
	file := saved(t, p, plain)
	over := empty(t, file)
	over.Place = p
	before := lines(t, p)
	if _, err := Restore(t.Context(), over); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("into the folder of an installation: %v", err)
	}
	over.Data = filepath.Join(t.TempDir(), "new")
	if _, err := Restore(t.Context(), over); !errors.Is(err, store.ErrExists) {
		t.Errorf("into the database of an installation: %v", err)
	}
	if entries, err := os.ReadDir(over.Data); err != nil || len(entries) > 0 {
		t.Errorf("it left %v, %v", entries, err)
	}
	if lines(t, p) != before {
		t.Error("the installation is another")
	}
	ok(t, Unfinished(p.Data))
}

func TestAClockBeforeTheBackupIsRefused(t *testing.T) {
	to := empty(t, saved(t, founded(t, 1), plain))
	to.Now = func() time.Time { return day0.Add(-time.Minute) }
	if _, err := Restore(t.Context(), to); err == nil || !strings.Contains(err.Error(), "clock") {
		t.Error(err)
	}
}

func TestNewerBackupsAreRefusedBySayingWhichVersionMadeThem(t *testing.T) {
	_, err := ParseHeader([]byte(`{"format": 2, "program": "9.1.0", "schema": 7, "taken_at": "2026-11-02T08:00:00Z", "more": {}}`))
	if !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), "9.1.0") {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "newer")
	ok(t, os.WriteFile(file, packed(t, headed(`{"format": 1, "program": "9.1.0", "schema": 4711, "taken_at": "2026-11-02T08:00:00Z"}`), member("manifest.json", "{}")), 0o600))
	to := empty(t, file)
	if _, err := Restore(t.Context(), to); !errors.Is(err, store.ErrNewerSchema) {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(to.Data, mark)); err == nil {
		t.Error("the folder is still marked")
	}
}

func headed(json string) part { return member(headerName, json) }

func member(name, text string) part {
	return part{tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(text)), Format: tar.FormatUSTAR}, text}
}

type part struct {
	tar.Header
	text string
}

// packed is a plain backup of any parts.
func packed(t testing.TB, parts ...part) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, p := range parts {
		ok(t, w.WriteHeader(&p.Header))
		_, err := io.WriteString(w, p.text)
		ok(t, err)
	}
	ok(t, w.Close())
	ok(t, z.Close())
	return b.Bytes()
}

// A backup that was made to do harm leads nowhere else and fills no memory.
func TestHostileBackupsAreRefused(t *testing.T) {
	head := headed(`{"format": 1, "program": "1", "schema": 6, "taken_at": "2026-11-02T08:00:00Z"}`)
	link := part{tar.Header{Typeflag: tar.TypeSymlink, Name: "keys/ca.key", Linkname: "/etc/shadow", Format: tar.FormatUSTAR}, ""}
	many := []part{head}
	for i := range mostFiles + 1 {
		many = append(many, member(fmt.Sprintf("keys/k%d", i), ""))
	}
	for name, parts := range map[string][]part{
		"upwards":             {head, member("keys/../../etc/passwd", "x")},
		"absolute":            {head, member("/etc/passwd", "x")},
		"hidden":              {head, member("keys/.new", "x")},
		"another folder":      {head, member("other/x", "x")},
		"deeper":              {head, member("keys/a/b", "x")},
		"a link":              {head, link},
		"a folder":            {head, {tar.Header{Typeflag: tar.TypeDir, Name: "keys/a", Format: tar.FormatUSTAR}, ""}},
		"extended attributes": {head, {tar.Header{Typeflag: tar.TypeReg, Name: "keys/a", Format: tar.FormatPAX, PAXRecords: map[string]string{"A.b": "c"}}, ""}},
		"a key twice":         {head, member("keys/a", "x"), member("keys/a", "x"), member(manifestName, "{}")},
		"too many keys":       many,
		"a large key":         {head, member("keys/a", strings.Repeat("x", mostFile+1))},
		"a large header":      {headed(strings.Repeat(" ", mostHeader) + "{}")},
		"no header":           {member("keys/a", "x")},
		"no list":             {head, member("keys/a", "x")},
		"another list":        {head, member("keys/a", "x"), member(manifestName, "{}")},
		"something after":     {head, member(manifestName, "{}"), member("keys/a", "x")},
		"rows after keys":     {head, member("keys/a", "x"), member("database/agent/000001", "[]\n")},
		"a row without end":   {head, member("database/agent/000001", "[]")},
		"a table of SQL":      {head, member(`database/a;drop/000001`, "[]\n")},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "hostile")
			ok(t, os.WriteFile(file, packed(t, parts...), 0o600))
			to := empty(t, file)
			if _, err := Restore(t.Context(), to); err == nil {
				t.Error("it was restored")
			}
			if entries, _ := os.ReadDir(to.Data); len(entries) > 0 {
				t.Errorf("it left %v", entries)
			}
			if _, err := Check(t.Context(), to); err == nil {
				t.Error("it was found good")
			}
		})
	}
	for name, text := range map[string]string{"empty": "", "a page": "<html>", "another archive": "PK\x03\x04"} {
		file := filepath.Join(t.TempDir(), "other")
		ok(t, os.WriteFile(file, []byte(text), 0o600))
		if _, err := Check(t.Context(), empty(t, file)); !errors.Is(err, ErrNotBackup) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// zeros is an endless row.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestARowWithoutEndIsCutOff(t *testing.T) {
	if testing.Short() {
		t.Skip("unpacks more than a hundred megabytes")
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	ok(t, err)
	w := tar.NewWriter(z)
	head := headed(`{"format": 1, "program": "1", "schema": 6, "taken_at": "2026-11-02T08:00:00Z"}`)
	ok(t, w.WriteHeader(&head.Header))
	_, err = io.WriteString(w, head.text)
	ok(t, err)
	ok(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "database/agent/000001", Size: mostPiece, Format: tar.FormatUSTAR}))
	_, err = io.CopyN(w, zeros{}, mostPiece)
	ok(t, err)
	ok(t, errors.Join(w.Close(), z.Close()))
	r, err := newReader(&b)
	ok(t, err)
	if _, err := r.line(); !errors.Is(err, ErrDamaged) || r.total < mostLine {
		t.Error(err)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"members":[{"name":"keys/ca.key","size":1,"sha256":"00"}],"rows":{"agent":3}}`))
	f.Add([]byte(`{"format":1,"program":"1","schema":6,"taken_at":"2026-11-02T08:00:00Z"}`))
	f.Add([]byte(`{"members":[{"name":"../../x"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if h, err := ParseHeader(data); err == nil && (h.Format != Format || h.Schema < 1 || h.TakenAt.IsZero()) {
			t.Errorf("%+v is taken for a header", h)
		}
		m, err := ParseManifest(data)
		if err != nil {
			return
		}
		for _, member := range m.Members {
			if strings.Contains(member.Name, "..") && strings.Contains(member.Name, "/../") || filepath.IsAbs(member.Name) || !filepath.IsLocal(member.Name) {
				t.Errorf("%q leads elsewhere", member.Name)
			}
		}
		if m.agrees(m.Members, m.Rows) != nil {
			t.Error("a list does not agree with itself")
		}
	})
}

// FuzzBackup reads anything as an unpacked backup.
func FuzzBackup(f *testing.F) {
	f.Add([]byte("x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(data)
		z.Close()
		r, err := newReader(&b)
		for err == nil {
			_, err = r.line()
		}
	})
}
