package feeds

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"patchbay/wire"
)

var (
	publisherKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	strangerKey  = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, ed25519.SeedSize))
)

func trusted(e *wire.Envelope) error {
	return e.SignedBy(wire.FeedsDocument, wire.Role{Keys: [][]byte{publisherKey.Public().(ed25519.PublicKey)}, Threshold: 1})
}

func noted(Manifest) error { return nil }

// bundle is a bundle of two feeds that a world has, signed with a key.
func bundle(t testing.TB, key ed25519.PrivateKey, one, two string) []byte {
	t.Helper()
	w := newWorld(t)
	w.options.Feeds = []Feed{{Name: "one", Kind: "lines", From: []string{w.source(one)}, Every: time.Hour}, {Name: "two", Kind: "lines", From: []string{w.source(two)}, Every: time.Hour}}
	w.begin()
	w.pass(-time.Hour)
	for _, name := range []string{"one", "two"} {
		w.keeper.attempt(context.Background(), w.keeper.all[name])
	}
	var draft, out bytes.Buffer
	m, err := Export(t.Context(), w.options.Path, nil, w.time(), &draft)
	ok(t, err)
	if len(m.Feeds) != 2 || m.Size() != int64(len(one)+len(two)) {
		t.Fatalf("%+v", m)
	}
	if key == nil {
		return draft.Bytes()
	}
	ok(t, Resign(t.Context(), &draft, &out, func(m Manifest, e *wire.Envelope) error { return e.Sign(key) }))
	return out.Bytes()
}

func (w *world) imports(b []byte) ([]Imported, error) {
	return w.keeper.Import(context.Background(), bytes.NewReader(b), trusted, noted)
}

func TestABundleBringsWhatItsMakerHad(t *testing.T) {
	one, two := text(0, 100, "a"), text(0, 50, "b")
	w := newWorld(t)
	got, err := w.imports(bundle(t, publisherKey, one, two))
	ok(t, err)
	if len(got) != 2 || got[0].Outcome != Taken || got[1].Version.Records != 50 || w.reads("one") != one || w.reads("two") != two {
		t.Fatalf("%+v", got)
	}
	s := w.keeper.Status()[0]
	if !s.FreshAt.Equal(w.time().Add(-time.Hour)) || !s.Current.Imported || !s.Next.IsZero() || s.Standing(w.time()) != Fresh || s.Standing(w.time().Add(8*24*time.Hour)) != Old {
		t.Errorf("%+v", s)
	}
	w.begin()
	got, err = w.imports(bundle(t, publisherKey, one, text(0, 30, "b")))
	ok(t, err)
	if got[0].Outcome != Unchanged || got[1].Outcome != Waits || w.reads("two") != two {
		t.Errorf("%+v", got)
	}
	w.nothingElse()
}

func TestABundleNeverBringsWhatIsOlder(t *testing.T) {
	w := newWorld(t)
	old, now := text(0, 100, "a"), text(0, 101, "a")
	w.options.Feeds = []Feed{{Name: "one", Kind: "lines", From: []string{w.source(now)}, Every: time.Hour}}
	w.begin()
	w.attempt()
	got, err := w.imports(bundle(t, publisherKey, old, old))
	ok(t, err)
	if got[0].Outcome != Older || got[1].Outcome != Taken || w.reads("one") != now {
		t.Errorf("%+v", got)
	}
}

// What a feed's own source sent before an import does not come back after it.
func TestAnImportIsNotUndoneByWhatIsUnchanged(t *testing.T) {
	p := newPublisher(t, text(0, 100, "a"))
	w := p.begin(t)
	w.pass(-48 * time.Hour)
	w.attempt()
	w.pass(48 * time.Hour)
	_, err := w.imports(bundle(t, publisherKey, text(0, 110, "a"), text(0, 1, "a")))
	ok(t, err)
	p.has(text(0, 120, "a"), `"1"`) // an old mark that would say unchanged
	if s := w.attempt(); s.Trouble != nil || w.reads("one") != text(0, 120, "a") {
		t.Errorf("%+v", s.Trouble)
	}
}

func TestOnlyWhatIsSignedByTheTrustedIsLookedAt(t *testing.T) {
	one, two := text(0, 100, "a"), text(0, 50, "b")
	for what, b := range map[string][]byte{"nobody": bundle(t, nil, one, two), "a stranger": bundle(t, strangerKey, one, two)} {
		w := newWorld(t)
		if got, err := w.imports(b); !errors.Is(err, wire.ErrSignature) || len(got) > 0 {
			t.Errorf("signed by %s: %+v, %v", what, got, err)
		}
		if all, _ := os.ReadDir(w.options.Path); len(all) > 0 {
			t.Errorf("signed by %s: something was written", what)
		}
	}
}

// A bundle that is cut off anywhere brings whole feeds only.
func TestABundleThatBreaksOffBringsNoHalf(t *testing.T) {
	one, two := text(0, 100, "a"), text(0, 50, "b")
	b := bundle(t, publisherKey, one, two)
	for n := 0; n < bytes.LastIndex(b, []byte("end\n"))+4; n += 211 { // behind that is its end, and empty
		w := newWorld(t)
		if _, err := w.imports(b[:n]); err == nil {
			t.Errorf("cut at %d of %d is no error", n, len(b))
		}
		w.whole("", one)
		for _, f := range w.keeper.Current() {
			if got := w.reads(f.Name); f.Name == "two" && got != two {
				t.Errorf("cut at %d: %q", n, got)
			}
		}
	}
}

// again writes a bundle anew with other files or another manifest, under the same signatures.
func again(t testing.TB, b []byte, change func(h *tar.Header, data []byte) []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	r, w := tar.NewReader(bytes.NewReader(b)), tar.NewWriter(&out)
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		ok(t, err)
		data, err := io.ReadAll(r)
		ok(t, err)
		if data = change(h, data); data == nil {
			continue
		}
		h.Size = int64(len(data))
		ok(t, w.WriteHeader(h))
		_, err = w.Write(data)
		ok(t, err)
	}
	ok(t, w.Close())
	return out.Bytes()
}

func TestHostileBundles(t *testing.T) {
	one, two := text(0, 100, "a"), text(0, 50, "b")
	b := bundle(t, publisherKey, one, two)
	first := func(h *tar.Header) bool { return strings.HasPrefix(h.Name, "one/") }
	for what, hostile := range map[string][]byte{
		"another name": again(t, b, func(h *tar.Header, data []byte) []byte {
			if first(h) {
				h.Name = "one/../../x"
			}
			return data
		}),
		"a link": again(t, b, func(h *tar.Header, data []byte) []byte {
			if first(h) {
				h.Typeflag, h.Linkname = tar.TypeSymlink, "/etc/passwd"
				return []byte{}
			}
			return data
		}),
		"another size": again(t, b, func(h *tar.Header, data []byte) []byte {
			if first(h) {
				return append(data, 'x')
			}
			return data
		}),
		"a file too few": again(t, b, func(h *tar.Header, data []byte) []byte {
			if first(h) {
				return nil
			}
			return data
		}),
		"another manifest": again(t, b, func(h *tar.Header, data []byte) []byte {
			if h.Name != manifestName {
				return data
			}
			var e wire.Envelope
			ok(t, json.Unmarshal(data, &e))
			e.Payload = bytes.Replace(e.Payload, []byte(`"records":100`), []byte(`"records":101`), 1)
			data, err := json.Marshal(e)
			ok(t, err)
			return data
		}),
	} {
		w := newWorld(t)
		if _, err := w.imports(hostile); err == nil {
			t.Errorf("%s is no error", what)
		}
		if w.reads("one") != "" {
			t.Errorf("%s: it is taken", what)
		}
	}
	w := newWorld(t)
	got, err := w.imports(again(t, b, func(h *tar.Header, data []byte) []byte {
		if first(h) {
			data[0]++
		}
		return data
	}))
	if err != nil || got[0].Outcome != Failed || !strings.Contains(got[0].Why, "another hash") || got[1].Outcome != Taken || w.reads("one") != "" {
		t.Errorf("another hash: %+v, %v", got, err)
	}
}

func TestAManifestIsHeldToItsForm(t *testing.T) {
	file := File{Name: "a", SHA256: strings.Repeat("a", 64), Size: 1}
	good := Bundled{Name: "one", Kind: "lines", Files: []File{file}}
	for what, m := range map[string]Manifest{
		"nothing": {}, "no files": {Feeds: []Bundled{{Name: "one"}}}, "twice": {Feeds: []Bundled{good, good}},
		"a name that leads away": {Feeds: []Bundled{{Name: "../one", Files: []File{file}}}},
		"a file that leads away": {Feeds: []Bundled{{Name: "one", Files: []File{{"../a", file.SHA256, 1}}}}},
		"no hash":                {Feeds: []Bundled{{Name: "one", Files: []File{{"a", "", 1}}}}},
		"less than nothing":      {Feeds: []Bundled{{Name: "one", Files: []File{{"a", file.SHA256, -1}}}}},
	} {
		if m.check() == nil {
			t.Errorf("%s passes", what)
		}
	}
	ok(t, Manifest{Feeds: []Bundled{good}}.check())
}

func FuzzImport(f *testing.F) {
	f.Add(bundle(f, publisherKey, text(0, 3, "a"), text(0, 2, "b")))
	f.Fuzz(func(t *testing.T, b []byte) {
		w := newWorld(t)
		_, err := w.keeper.Import(context.Background(), bytes.NewReader(b), func(*wire.Envelope) error { return nil }, noted)
		for _, c := range w.keeper.Current() {
			if !strings.HasSuffix(w.reads(c.Name), "end\n") {
				t.Errorf("%s is taken as %q, %v", c.Name, w.reads(c.Name), err)
			}
		}
	})
}
