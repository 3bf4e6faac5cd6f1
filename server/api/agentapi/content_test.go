package agentapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"patchbay/server/store"
	"patchbay/wire"
)

// folder is content without more: files by their names.
type folder struct {
	dir  string
	mu   sync.Mutex
	used []string
}

func (f *folder) Read(hash string) (*os.File, int64, error) {
	file, err := os.Open(filepath.Join(f.dir, hash))
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	return file, info.Size(), err
}

func (f *folder) Used(hash string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.used = append(f.used, hash)
}

func (f *folder) put(t testing.TB, data []byte) string {
	t.Helper()
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	if err := os.WriteFile(filepath.Join(f.dir, hash), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return hash
}

// contentScene is one with a file that the catalogue names.
func contentScene(t testing.TB, data []byte) (s *scene, files *folder, hash string) {
	s, files = newScene(t), &folder{dir: t.TempDir()}
	hash = files.put(t, data)
	s.api.Content, s.api.Named = files, func(h string) string { return map[string]string{hash: "Tool 2"}[h] }
	return s, files, hash
}

func (s *scene) get(t testing.TB, c *http.Client, hash, part string) (*http.Response, []byte, error) {
	t.Helper()
	r, err := http.NewRequest("GET", s.server.URL+"/agent/v1/content/"+hash, nil)
	if err != nil {
		t.Fatal(err)
	}
	if part != "" {
		r.Header.Set("Range", part)
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, body, err
}

func TestAnAgentGetsAFileOrAPartOfIt(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 40_000) // more than two pieces
	s, files, hash := contentScene(t, data)
	a := s.enrol(t)
	n := len(data)
	for _, c := range []struct {
		part   string
		status int
		want   []byte
	}{
		{"", 200, data}, {"bytes=0-", 206, data}, {"bytes=7-", 206, data[7:]}, {fmt.Sprintf("bytes=%d-", n-1), 206, data[n-1:]},
		{"bytes=5-9", 206, data[5:10]}, {"bytes=5-999999999", 206, data[5:]}, {fmt.Sprintf("bytes=%d-", n), 416, nil}, {"bytes=999999999999999-", 416, nil},
		// What asks for anything else gets all of it.
		{"bytes=-5", 200, data}, {"bytes=9-5", 200, data}, {"bytes=0-1,3-4", 200, data}, {"bytes=+1-", 200, data}, {"bytes=1", 200, data}, {"lines=1-", 200, data},
		{"bytes=99999999999999999999999-", 200, data}, {"bytes=0x1-", 200, data}, {"bytes= 1-", 200, data},
	} {
		answer, body, err := s.get(t, a.client, hash, c.part)
		if err != nil || answer.StatusCode != c.status || c.want != nil && !bytes.Equal(body, c.want) {
			t.Errorf("%q: %d with %d bytes, %v", c.part, answer.StatusCode, len(body), err)
		}
		if c.status != 416 && answer.Header.Get("ETag") != `"`+hash+`"` {
			t.Errorf("%q: %v", c.part, answer.Header)
		}
	}
	if len(files.used) == 0 || files.used[0] != hash {
		t.Error("the use is not noted")
	}
}

// What an agent is not meant to read is not there, and says no more than what is not.
func TestAnAgentReadsOnlyWhatIsMeantForIt(t *testing.T) {
	s, files, named := contentScene(t, []byte("named"))
	job, other := files.put(t, []byte("of a job")), files.put(t, []byte("of nobody"))
	a, b := s.enrol(t), s.enrol(t)
	w := store.Who{ID: "engine", Name: "engine"}
	wanted := store.Job{Job: wire.Job{ID: "job_1", Verb: wire.VerbInstall, Target: wire.Target{Provider: "p", Name: "n", To: "2", SHA256: job}}}
	if _, err := s.store.Customer(w, s.customer).SaveJobs(t.Context(), time.Now(), []store.Wish{{Device: a.Device, Wanted: []store.Job{wanted}}}); err != nil {
		t.Fatal(err)
	}
	_, absent, _ := s.get(t, a.client, strings.Repeat("0", 64), "")
	for _, c := range []struct {
		who    string
		client *http.Client
		hash   string
		status int
	}{
		{"whose job it is", a.client, job, 200}, {"another agent", b.client, job, 404}, {"any agent", b.client, named, 200}, {"any agent", a.client, other, 404},
		{"nobody", s.client(nil), named, 401},
		{"upper case", a.client, strings.ToUpper(named), 404}, {"short", a.client, named[:63], 404}, {"elsewhere", a.client, "..%2f" + named[5:], 404},
		{"NUL", a.client, named[:61] + "%00", 404}, {"empty", a.client, "", 404},
	} {
		answer, body, err := s.get(t, c.client, c.hash, "")
		if err != nil || answer.StatusCode != c.status {
			t.Errorf("%s, %.10s: %d %s, %v", c.who, c.hash, answer.StatusCode, body, err)
		}
		if c.hash == other && !bytes.Equal(body, absent) {
			t.Errorf("what is there and not meant for it says %s, what is not says %s", body, absent)
		}
	}
	if err := s.store.Customer(w, s.customer).RetireDevice(t.Context(), time.Now(), b.Device); err != nil {
		t.Fatal(err)
	}
	s.api.Forget(b.Agent)
	if answer, body, _ := s.get(t, b.client, named, ""); answer.StatusCode != 403 {
		t.Errorf("a retired one: %d %s", answer.StatusCode, body)
	}
}

// An agent that is retired while it reads gets no more.
func TestAnAgentThatIsRetiredGetsNoMore(t *testing.T) {
	data := bytes.Repeat([]byte("x"), 64<<20)
	s, _, hash := contentScene(t, data)
	a := s.enrol(t)
	r, err := a.client.Get(s.server.URL + "/agent/v1/content/" + hash)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	io.ReadFull(r.Body, make([]byte, 1000))
	s.api.Forget(a.Agent)
	if n, err := io.Copy(io.Discard, r.Body); err == nil || n > int64(len(data))/2 {
		t.Errorf("it got %d bytes more, %v", n, err)
	}
}

func TestTooManyFilesAtOnceAreSentAwayWithATime(t *testing.T) {
	s, _, hash := contentScene(t, bytes.Repeat([]byte("x"), 8<<20))
	s.api.gates.content = newGate(1, 0, 10*time.Millisecond)
	a, b := s.enrol(t), s.enrol(t)
	slow, err := a.client.Get(s.server.URL + "/agent/v1/content/" + hash)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Body.Close()
	answer, body, _ := s.get(t, b.client, hash, "")
	if answer.StatusCode != 503 || answer.Header.Get("Retry-After") == "" || !strings.Contains(string(body), "stays good") {
		t.Errorf("%d %v %s", answer.StatusCode, answer.Header, body)
	}
	if status, _, text := s.checkIn(t, b, b.says()); status != 200 {
		t.Errorf("a check-in meanwhile: %d %s", status, text)
	}
	if _, err := io.Copy(io.Discard, slow.Body); err != nil {
		t.Error(err)
	}
	s.api.gates.content = newGate(100, 100, time.Second)
	var open []*http.Response
	for range perAgent {
		r, err := a.client.Get(s.server.URL + "/agent/v1/content/" + hash)
		if err != nil || r.StatusCode != 200 {
			t.Fatal(r, err)
		}
		open = append(open, r)
	}
	if answer, _, _ := s.get(t, a.client, hash, ""); answer.StatusCode != 503 {
		t.Errorf("one agent gets more than %d at once: %d", perAgent, answer.StatusCode)
	}
	if answer, _, _ := s.get(t, b.client, hash, ""); answer.StatusCode != 200 {
		t.Errorf("and another none: %d", answer.StatusCode)
	}
	for _, r := range open {
		r.Body.Close()
	}
}

// broken is content whose disk fails in the middle.
type broken struct{ *folder }

func (b broken) Read(hash string) (*os.File, int64, error) {
	f, size, err := b.folder.Read(hash)
	return f, size * 2, err // there is less than it says
}

// A file that cannot be read to its end breaks the answer off: it is never taken for whole.
func TestAFileThatBreaksOffIsNotTakenForWhole(t *testing.T) {
	s, files, hash := contentScene(t, bytes.Repeat([]byte("x"), 300_000))
	s.api.Content = broken{files}
	a := s.enrol(t)
	if _, body, err := s.get(t, a.client, hash, ""); err == nil {
		t.Errorf("%d bytes came as all there is", len(body))
	}
	s.api.Content = gone{}
	if answer, _, _ := s.get(t, a.client, hash, ""); answer.StatusCode != 404 {
		t.Errorf("a row without its file: %d", answer.StatusCode)
	}
}

type gone struct{}

func (gone) Read(string) (*os.File, int64, error) { return nil, 0, fs.ErrNotExist }
func (gone) Used(string)                          {}

func FuzzParseRange(f *testing.F) {
	for _, s := range []string{"", "bytes=0-", "bytes=1-2", "bytes=-1", "bytes=5-1", "bytes=999999999999999999-", "bytes=0-999999999999999999"} {
		f.Add(s, int64(10))
	}
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		from, until, part := parseRange(header, size)
		if from < 0 || until > size || !part && (from != 0 || until != size) || part && from < size && until <= from {
			t.Errorf("%q of %d: %d to %d, %v", header, size, from, until, part)
		}
	})
}
