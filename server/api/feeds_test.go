package api

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"patchbay/server/catalog/feed"
	"patchbay/server/catalog/feeds"
	"patchbay/server/store"
	"patchbay/server/view"
	"patchbay/wire"
)

// lines is a kind of feed with a record in each line.
func lines() feeds.Kind {
	return feeds.Kind{Name: "lines", Read: func(files []string, each func(feeds.Record) error) (feed.Report, error) {
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				return feed.Report{}, err
			}
			for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
				if err := each(feeds.Record{ID: s.Text(), Says: []byte("x")}); err != nil {
					return feed.Report{}, err
				}
			}
		}
		return feed.Report{}, nil
	}}
}

// brings has the feed's source have so many records, and waits until that is known.
func (w *world) brings(records int, known func(view.Feed) bool) view.Feed {
	w.t.Helper()
	var b strings.Builder
	for i := range records {
		fmt.Fprintf(&b, "record %d\n", i)
	}
	if err := os.WriteFile(w.source, []byte(b.String()), 0o600); err != nil {
		w.t.Fatal(err)
	}
	do[view.Feed](w, 202, "POST", "/feeds/one/fetch", nil)
	ctx, stop := context.WithCancel(w.t.Context())
	over := make(chan struct{})
	go func() {
		defer close(over)
		w.feeds.Run(ctx)
	}()
	defer func() { stop(); <-over }()
	for {
		v := do[view.Page[view.Feed]](w, 200, "GET", "/feeds", nil).Items[0]
		if known(v) {
			return v
		}
		if w.t.Context().Err() != nil {
			w.t.Fatalf("%+v", v)
		}
	}
}

func TestAHeldFeedIsLetInByAPersonWhoIsNamed(t *testing.T) {
	w := newWorld(t, false).signedIn()
	if v := do[view.Page[view.Feed]](w, 200, "GET", "/feeds", nil); len(v.Items) != 1 || v.Items[0].Standing != feeds.Missing || v.Items[0].Version != nil || v.Items[0].Can.Accept == "" {
		t.Fatalf("%+v", v)
	}
	w.brings(100, func(v view.Feed) bool { return v.Generation == 1 && !v.Busy })
	v := w.brings(50, func(v view.Feed) bool { return v.Held != nil && !v.Busy })
	if v.Standing != feeds.Held || v.Can.Accept != "" || v.Held.Removed != 50 || v.Version.Records != 100 || !strings.Contains(v.Why, "50 vanished") {
		t.Errorf("%+v", v)
	}
	type version struct {
		SHA256 string `json:"sha256"`
	}
	do[Problem](w, 409, "POST", "/feeds/one/accept", version{v.Version.SHA256})
	do[Problem](w, 404, "POST", "/feeds/two/accept", version{v.Held.SHA256})
	do[Problem](w, 404, "POST", "/feeds/two/fetch", nil)
	do[Problem](w, 422, "POST", "/feeds/one/accept", version{"../x"})
	v = do[view.Feed](w, 200, "POST", "/feeds/one/accept", version{v.Held.SHA256})
	if v.Held != nil || v.Generation != 2 || v.Version.Records != 50 {
		t.Errorf("%+v", v)
	}
	acts, err := w.store.MSP(store.Who{ID: "per_test"}).Audit(t.Context(), store.AuditFilter{Act: "feed.accept"})
	if err != nil || len(acts) != 1 || acts[0].ActorName != "Mia" || acts[0].Object != "one" {
		t.Errorf("%+v, %v", acts, err)
	}
}

// bundle is what another server has, signed with a key.
func bundle(t *testing.T, w *world, key ed25519.PrivateKey) []byte {
	t.Helper()
	w.brings(10, func(v view.Feed) bool { return v.Generation == 1 })
	var draft, out bytes.Buffer
	if _, err := feeds.Export(t.Context(), w.feeds.Path, nil, w.now, &draft); err != nil {
		t.Fatal(err)
	}
	if err := feeds.Resign(t.Context(), &draft, &out, func(_ feeds.Manifest, e *wire.Envelope) error { return e.Sign(key) }); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestABundleIsTakenFromThoseWhoMaySignOne(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	b := bundle(t, newWorld(t, false).signedIn(), key)
	w := newWorld(t, false).signedIn()
	put := func(body io.Reader) (int, FeedImports, string) {
		r, err := http.NewRequest("PUT", w.server.URL+base+"/feeds/bundle", body)
		if err != nil {
			t.Fatal(err)
		}
		answer := w.send(r)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		var v FeedImports
		json.Unmarshal(text, &v) // a problem is none, and is looked at as text
		return answer.StatusCode, v, string(text)
	}
	if status, _, text := put(bytes.NewReader(b)); status != 409 || !strings.Contains(text, "no root") {
		t.Fatalf("without anybody who may sign: %d %s", status, text)
	}
	w.options.FeedKeys = [][]byte{key.Public().(ed25519.PublicKey)}
	s, err := New(w.options)
	if err != nil {
		t.Fatal(err)
	}
	w.server.Config.Handler = s
	if status, _, text := put(strings.NewReader("no bundle")); status != 422 {
		t.Errorf("no bundle: %d %s", status, text)
	}
	if status, _, text := put(bytes.NewReader(bytes.Replace(b, []byte(`"signatures":[{`), []byte(`"signatures":[],"x":[{`), 1))); status < 400 {
		t.Errorf("without its signature: %d %s", status, text)
	}
	status, v, text := put(bytes.NewReader(b))
	if status != 200 || len(v.Items) != 1 || v.Items[0] != (view.FeedImport{Name: "one", Outcome: "taken", Records: 10}) {
		t.Fatalf("%d %s", status, text)
	}
	acts, err := w.store.MSP(store.Who{ID: "per_test"}).Audit(t.Context(), store.AuditFilter{Act: "feed.import"})
	if err != nil || len(acts) != 1 || acts[0].ActorName != "Mia" {
		t.Errorf("%+v, %v", acts, err)
	}
	if _, err := os.Stat(filepath.Join(w.feeds.Path, "one", "state.json")); err != nil {
		t.Error(err)
	}
}
