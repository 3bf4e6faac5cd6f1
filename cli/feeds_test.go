package cli

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"patchbay/server/catalog/feeds"
	"patchbay/server/catalog/kinds"
	"patchbay/sign"
	"patchbay/wire"
)

// keeps makes the folder of a server's data with one feed in it.
func (o *offline) keeps() {
	o.t.Helper()
	o.write("eol.ndjson", `{"name":"a","label":"A","releases":[{"name":"1","isEol":false,"eolFrom":"2030-01-01"}]}`+"\n")
	k, err := feeds.Open(feeds.Options{Path: filepath.Join(o.dir, "data", "feeds"), Kinds: kinds.All(), Now: func() time.Time { return o.now }, Log: slog.New(slog.DiscardHandler),
		Feeds: []feeds.Feed{{Name: "endoflife", Kind: kinds.EndOfLife, From: []string{filepath.Join(o.dir, "eol.ndjson")}, Every: time.Hour}}})
	if err != nil {
		o.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(o.t.Context(), time.Minute)
	defer cancel()
	over := make(chan struct{})
	go func() { defer close(over); k.Run(ctx) }()
	for k.Status()[0].FreshAt.IsZero() { // it is noted after the version that came
		if ctx.Err() != nil {
			o.t.Fatalf("%+v", k.Status()[0].Trouble)
		}
		runtime.Gosched()
	}
	cancel()
	<-over
}

// A bundle goes from the server's machine to the one with the key, and from there to another
// server, byte for byte.
func TestFeedsGoFromOneServerToAnother(t *testing.T) {
	o := newOffline(t)
	o.keeps()
	o.do("key new publisher.key --name publisher --passphrase-file pass")
	if text := o.do("catalog status --data data"); !strings.Contains(text, "endoflife") || !strings.Contains(text, "fresh") {
		t.Error(text)
	}
	if _, err := o.try("", "catalog export feeds.tar kev --data data"); err == nil || !strings.Contains(err.Error(), "kev") {
		t.Error(err)
	}
	if _, err := os.Stat("feeds.tar"); err == nil {
		t.Error("a file is left although nothing was written")
	}
	o.do("catalog export feeds.tar --data data")
	if _, err := o.try("", "catalog export feeds.tar --data data"); err == nil {
		t.Error("a bundle was written over")
	}
	before := o.read("feeds.tar")
	if text := o.do("catalog seal feeds.tar"); !strings.Contains(text, "endoflife (endoflife): 1 records") || o.read("feeds.tar") != before {
		t.Error(text)
	}
	if _, err := o.try("no\n", "catalog seal feeds.tar --with publisher.key --passphrase-file pass"); err == nil || o.read("feeds.tar") != before {
		t.Error("it was signed without a yes", err)
	}
	o.do("catalog seal feeds.tar --with publisher.key --passphrase-file pass --yes")
	f, err := sign.ParseFile([]byte(o.read("publisher.key")))
	if err != nil {
		t.Fatal(err)
	}
	role := wire.Role{Keys: [][]byte{ed25519.PublicKey(f.Public.Key)}, Threshold: 1}
	to, err := feeds.Open(feeds.Options{Path: filepath.Join(o.dir, "other"), Kinds: kinds.All(), Now: func() time.Time { return o.now }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := to.Import(t.Context(), strings.NewReader(o.read("feeds.tar")), func(e *wire.Envelope) error { return e.SignedBy(wire.FeedsDocument, role) },
		func(feeds.Manifest) error { return nil })
	if err != nil || len(got) != 1 || got[0].Outcome != feeds.Taken {
		t.Fatalf("%+v, %v", got, err)
	}
	r, err := to.Open("endoflife")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b bytes.Buffer
	if err := r.Each(func(_ string, in io.Reader) error { _, err := b.ReadFrom(in); return err }); err != nil || b.String() != o.read("eol.ndjson") {
		t.Errorf("%q, %v", b.String(), err)
	}
	var v struct {
		Items []struct{ Name, Standing string }
	}
	if err := json.Unmarshal([]byte(o.do("catalog status --data data --json")), &v); err != nil || len(v.Items) != 1 || v.Items[0].Standing != feeds.Fresh {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestFeedsAreListedAcceptedAndImported(t *testing.T) {
	home(t)
	f := newFakeServer(t)
	t.Setenv("PATCHBAY_SERVER", f.URL)
	t.Setenv("PATCHBAY_KEY", "pbk_x")
	out, err := run(t, "", "catalog", "status")
	for _, want := range []string{"osv-suse", "held", "+3 -40 ~0", "Of 100 records 40 vanished", "It is away."} {
		if err != nil || !strings.Contains(out, want) || strings.Contains(out, "\x1b") {
			t.Errorf("%q is not in\n%s %v", want, out, err)
		}
	}
	accepted := func() string { return f.bodies["POST /api/v1/feeds/osv-suse/accept"] }
	if _, err := run(t, "no\n", "catalog", "accept", "osv-suse"); err == nil || accepted() != "" {
		t.Error("it was let in without a yes")
	}
	if _, err := run(t, "", "catalog", "accept", "kev"); err == nil || !strings.Contains(err.Error(), "waits for anybody") {
		t.Error(err)
	}
	if out, err := run(t, "yes\n", "catalog", "accept", "osv-suse"); err != nil || accepted() != `{"sha256":"abcd"}` || !strings.Contains(out, "Of 100 records 40 vanished") {
		t.Errorf("%s %v %q", out, err, accepted())
	}
	bundle := filepath.Join(t.TempDir(), "feeds.tar")
	if err := os.WriteFile(bundle, []byte("a bundle"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err = run(t, "", "catalog", "import", bundle)
	if err == nil || err.Error() != "It breaks off." || !strings.Contains(out, "taken") || f.bodies["PUT /api/v1/feeds/bundle"] != "a bundle" {
		t.Errorf("%s %v", out, err)
	}
}
