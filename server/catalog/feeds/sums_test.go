package feeds

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

func base(sum []byte) string { return base64.StdEncoding.EncodeToString(sum) }

// TestAFileThatIsNotWhatItsPublisherSaysIsNotTaken: what held holds on, and the right file is
// taken the next time.
func TestAFileThatIsNotWhatItsPublisherSaysIsNotTaken(t *testing.T) {
	first, second := text(0, 100, "a"), text(0, 120, "a")
	right, five, wrong := sha256.Sum256([]byte(second)), md5.Sum([]byte(second)), sha256.Sum256([]byte("another"))
	wrongFive := md5.Sum([]byte("another"))
	for what, c := range map[string]struct {
		header, value string
		taken         bool
	}{
		"a digest that is right":         {"Repr-Digest", "sha-256=:" + base(right[:]) + ":", true},
		"one among others":               {"Repr-Digest", "sha-512=:AAAA:, sha-256=:" + base(wrong[:]) + ":", false},
		"a digest of what is sent":       {"Content-Digest", "sha-256=:" + base(wrong[:]) + ":", false},
		"Google's that is right":         {"X-Goog-Hash", "crc32c=AAAAAA==,md5=" + base(five[:]), true},
		"Google's that is not":           {"X-Goog-Hash", "crc32c=AAAAAA==,md5=" + base(wrongFive[:]), false},
		"what is no digest says nothing": {"Repr-Digest", "sha-256=:????:", true},
		"one that is too short":          {"Repr-Digest", "sha-256=:AAAA:", true},
	} {
		p := newPublisher(t, first)
		w := p.begin(t)
		w.attempt()
		p.has(second, `"2"`)
		p.does = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			w.Header().Set(c.header, c.value)
			return false
		}
		w.pass(time.Hour)
		s := w.attempt()
		if c.taken && (s.Trouble != nil || w.reads("one") != second) {
			t.Errorf("%s: %+v", what, s.Trouble)
		}
		if !c.taken && (s.Trouble == nil || !strings.Contains(s.Trouble.Text, "another hash") || s.Generation != 1 || w.reads("one") != first) {
			t.Errorf("%s: %+v of generation %d", what, s.Trouble, s.Generation)
		}
		p.does = nil
		w.pass(time.Hour)
		if s := w.attempt(); s.Trouble != nil || w.reads("one") != second {
			t.Errorf("%s, mended: %+v", what, s.Trouble)
		}
		w.unfinished(t)
	}
}

// TestAHashThatLiesBesideTheFile is looked at where the feed says so, also of what is packed.
func TestAHashThatLiesBesideTheFile(t *testing.T) {
	first, second := text(0, 100, "a"), text(0, 120, "a")
	right, wrong := sha256.Sum256([]byte(second)), sha256.Sum256([]byte("another"))
	says := func(text string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { fmt.Fprint(w, text) }
	}
	for what, c := range map[string]struct {
		beside func(http.ResponseWriter)
		why    string
	}{
		"alone":           {says(hex.EncodeToString(right[:]) + "\n"), ""},
		"with the name":   {says(strings.ToUpper(hex.EncodeToString(right[:])) + "  feed.txt\n"), ""},
		"the NVD's way":   {says("lastModifiedDate:2026-01-01T00:00:00\r\nsize:1\r\nsha256:" + hex.EncodeToString(right[:]) + "\r\n"), ""},
		"another":         {says(hex.EncodeToString(wrong[:])), "another hash"},
		"none in it":      {says("<html>"), "no SHA-256"},
		"it is not there": {func(w http.ResponseWriter) { w.WriteHeader(404) }, "404"},
		"it does not end": {says(strings.Repeat("x", 1<<20) + hex.EncodeToString(right[:])), "no SHA-256"},
	} {
		p := newPublisher(t, first)
		w := p.begin(t)
		w.attempt()
		w.options.Feeds[0].Hash = ".sha256"
		w.begin()
		p.has(second, `"2"`)
		p.does = func(w http.ResponseWriter, r *http.Request, _ int) bool {
			if strings.HasSuffix(r.URL.Path, ".sha256") {
				c.beside(w)
				return true
			}
			return false
		}
		w.pass(time.Hour)
		s := w.attempt()
		if c.why == "" && (s.Trouble != nil || w.reads("one") != second) {
			t.Errorf("%s: %+v", what, s.Trouble)
		}
		if c.why != "" && (s.Trouble == nil || !strings.Contains(s.Trouble.Text, c.why) || strings.Contains(s.Trouble.Text, "secret") || w.reads("one") != first) {
			t.Errorf("%s: %+v", what, s.Trouble)
		}
	}
}

// TestWhereTheHashOfAFileIs: and that a packed file may be known by what is in it.
func TestWhereTheHashOfAFileIs(t *testing.T) {
	for from, want := range map[string][2]string{
		"https://a.example/x.json?key=1":    {".sha256", "https://a.example/x.json.sha256?key=1"},
		"https://a.example/x-2024.json.gz":  {".meta", "https://a.example/x-2024.meta"},
		"https://a.example/a%20b/x.json.gz": {".sha256", "https://a.example/a%20b/x.json.gz.sha256"},
	} {
		u, err := url.Parse(from)
		ok(t, err)
		if got := hashAt(u, want[0]).String(); got != want[1] {
			t.Errorf("of %s it is %s", from, got)
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(text(0, 100, "a")))
	ok(t, err)
	ok(t, z.Close())
	sum := sha256.Sum256([]byte(text(0, 100, "a")))
	p := newPublisher(t, packed.String())
	p.does = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if strings.HasSuffix(r.URL.Path, ".meta") {
			fmt.Fprintf(w, "sha256:%x\r\n", sum)
			return true
		}
		return false
	}
	w := p.begin(t)
	w.options.Feeds[0].Hash, w.options.Feeds[0].From = ".meta", []string{p.URL + "/feed.json.gz"}
	w.begin()
	if s := w.attempt(); s.Trouble != nil {
		t.Errorf("%+v", s.Trouble)
	}
}
