package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"patchbay/server/content"
	"patchbay/server/view"
)

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// send puts a body under a hash.
func (w *world) put(hash, name string, body io.Reader) (int, []byte) {
	w.t.Helper()
	r, err := http.NewRequest("PUT", w.server.URL+base+"/content/"+hash+"?name="+name, body)
	if err != nil {
		w.t.Fatal(err)
	}
	answer := w.send(r)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.StatusCode, text
}

func TestContentIsAddedListedAndRemoved(t *testing.T) {
	w := newWorld(t, false).signedIn()
	data := bytes.Repeat([]byte("x"), maxBody+1) // more than any other body may have
	hash := sumOf(data)
	status, text := w.put(hash, "setup.msi", bytes.NewReader(data))
	var added view.Content
	if err := json.Unmarshal(text, &added); status != 201 || err != nil || added.SHA256 != hash || added.Name != "setup.msi" || added.State != "here" ||
		added.AddedBy.Name != "Mia" || added.Size != int64(len(data)) {
		t.Fatalf("%d %s", status, text)
	}
	w.put(sumOf([]byte("b")), "B.msi", strings.NewReader("b"))
	list := do[view.Page[view.Content]](w, 200, "GET", "/content?sort=-size", nil)
	if list.Total != 2 || list.Items[0].SHA256 != hash || list.Items[1].Name != "B.msi" {
		t.Errorf("%+v", list)
	}
	if found := do[view.Page[view.Content]](w, 200, "GET", "/content?q=SETUP&needed=no&state=here", nil); found.Total != 1 {
		t.Errorf("%+v", found)
	}
	u := do[view.ContentUsage](w, 200, "GET", "/content/usage", nil)
	if u.Files != 2 || u.Used != int64(len(data))+1 || u.Budget != 1<<20 || u.Missing != 0 || u.Needed != 0 {
		t.Errorf("%+v", u)
	}
	if err := os.Remove(filepath.Join(w.content.Path, hash)); err != nil {
		t.Fatal(err)
	}
	if c := do[view.Content](w, 200, "GET", "/content/"+hash, nil); c.State != "missing" {
		t.Errorf("%+v", c)
	}
	do[struct{}](w, 204, "DELETE", "/content/"+hash, nil)
	do[Problem](w, 404, "DELETE", "/content/"+hash, nil)
	do[Problem](w, 404, "GET", "/content/"+hash, nil)
	page := do[view.Page[view.Activity]](w, 200, "GET", "/activity?q=content", nil)
	var said []string
	for _, a := range page.Items {
		said = append(said, a.Actor.Name+" "+a.Sentence)
	}
	want := fmt.Sprintf("Mia removed setup.msi (%s…) to", hash[:12])
	if len(said) != 3 || !strings.HasPrefix(said[0], strings.Replace(want, " to", " from", 1)) || !strings.Contains(said[2], "added setup.msi") {
		t.Errorf("%q", said)
	}
}

func TestContentThatIsNotWhatItIsNamedIsRefused(t *testing.T) {
	w := newWorld(t, false).signedIn()
	hash := sumOf([]byte("a"))
	refused := func(status int, got int, text []byte) {
		t.Helper()
		var p Problem
		if json.Unmarshal(text, &p); got != status || p.Detail == "" {
			t.Errorf("%d %s, want %d", got, text, status)
		}
	}
	try := func(status int, hash string, body io.Reader) {
		t.Helper()
		got, text := w.put(hash, "x", body)
		refused(status, got, text)
	}
	try(422, hash, strings.NewReader("b"))
	try(422, strings.ToUpper(hash), strings.NewReader("a"))
	try(404, "..", strings.NewReader("a"))
	try(411, hash, struct{ io.Reader }{strings.NewReader("a")}) // of no known length
	try(507, hash, bytes.NewReader(make([]byte, 1<<20+1)))
	if list := do[view.Page[view.Content]](w, 200, "GET", "/content", nil); list.Total != 0 {
		t.Errorf("%+v", list)
	}
	w.cookie = ""
	try(401, hash, strings.NewReader("a"))
}

func TestNeededContentIsNotRemovedAndSaysWhy(t *testing.T) {
	w := newWorld(t, false)
	hash := sumOf([]byte("a"))
	w.content.Named = func(h string) string { return map[string]string{hash: "Tool 2"}[h] }
	w.signedIn()
	w.put(hash, "x", strings.NewReader("a"))
	c := do[view.Content](w, 200, "GET", "/content/"+hash, nil)
	p := do[Problem](w, 409, "DELETE", "/content/"+hash, nil)
	if c.Can.Remove == "" || c.Needed.Catalog != "Tool 2" || !strings.Contains(p.Detail, c.Can.Remove) {
		t.Errorf("%+v, %+v", c, p)
	}
	if u := do[view.ContentUsage](w, 200, "GET", "/content/usage", nil); u.Needed != 1 {
		t.Errorf("%+v", u)
	}
}

// A file that comes slowly holds up nobody, and one whose sender goes leaves nothing.
func TestASlowFileHoldsUpNobody(t *testing.T) {
	w := newWorld(t, false).signedIn()
	data := bytes.Repeat([]byte("slow"), 100_000)
	out, in := io.Pipe()
	done := make(chan int, 1)
	go func() {
		r, _ := http.NewRequest("PUT", w.server.URL+base+"/content/"+sumOf(data), out)
		r.ContentLength = int64(len(data))
		answer := w.send(r)
		answer.Body.Close()
		done <- answer.StatusCode
	}()
	in.Write(data[:100_000])
	do[view.Page[view.Customer]](w, 200, "GET", "/customers", nil)
	if status, text := w.put(sumOf([]byte("a")), "a", strings.NewReader("a")); status != 201 {
		t.Errorf("%d %s", status, text)
	}
	if u := do[view.ContentUsage](w, 200, "GET", "/content/usage", nil); u.Files != 1 || u.Coming != int64(len(data)) {
		t.Errorf("half a file is counted: %+v", u)
	}
	in.Write(data[100_000:])
	in.Close()
	if status := <-done; status != 201 {
		t.Errorf("the slow one: %d", status)
	}
}

func TestFetchesAreAskedForAndShown(t *testing.T) {
	w := newWorld(t, false).signedIn()
	hash := sumOf([]byte("a"))
	f := do[view.ContentFetch](w, 202, "POST", "/content/"+hash+"/fetch", FetchIn{URL: "https://example.test/a.msi?key=s3cret", Size: 1})
	list := do[ContentFetches](w, 200, "GET", "/content/fetches", nil)
	if f.State != content.FetchWaiting || f.Name != "a.msi" || strings.Contains(f.Address, "s3cret") || len(list.Items) != 1 || list.Items[0] != f || f.AskedBy != "Mia" {
		t.Errorf("%+v, %+v", f, list)
	}
	for _, url := range []string{"http://example.test/a", "https://me:" + planted + "@example.test/", "nothing"} {
		if p := do[Problem](w, 422, "POST", "/content/"+hash+"/fetch", FetchIn{URL: url}); len(p.Errors) != 1 || p.Errors[0].Location != "body.url" || strings.Contains(fmt.Sprint(p), planted) {
			t.Errorf("%s: %+v", url, p)
		}
	}
}

// A file may take far longer than any other body, as long as it comes.
func TestAFileMayTakeItsTime(t *testing.T) {
	w := newWorld(t, false).signedIn()
	s, err := New(w.options)
	if err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewUnstartedServer(s)
	w.server.Config.ReadTimeout, w.server.Config.WriteTimeout = 100*time.Millisecond, 200*time.Millisecond
	w.server.Start()
	t.Cleanup(w.server.Close)
	data := bytes.Repeat([]byte("slow"), 10_000)
	out, in := io.Pipe()
	go func() {
		for part := range slices.Chunk(data, 4000) {
			in.Write(part)
			time.Sleep(40 * time.Millisecond)
		}
		in.Close()
	}()
	r, err := http.NewRequest("PUT", w.server.URL+base+"/content/"+sumOf(data), out)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = int64(len(data))
	answer := w.send(r)
	defer answer.Body.Close()
	if answer.StatusCode != 201 {
		t.Errorf("%d", answer.StatusCode)
	}
}
