package engine

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/server/catalog/kinds"
	"patchbay/server/knowledge"
	"patchbay/server/store"
)

// TestWhenSomethingWasMendedIsKept: the day is that of the scan, whoever installed it, and a
// step more adds nothing.
func TestWhenSomethingWasMendedIsKept(t *testing.T) {
	r := newRig(t, store.SitePolicy{Auto: store.ByHand})
	r.distro, r.release = "debian", "12"
	const cve = "CVE-2026-0001"
	text := fmt.Sprintf(`{"id":%q,"published":"2026-01-02T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12","name":"lib"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.1"}]}]}]}`, cve)
	known, err := knowledge.Load([]knowledge.Source{{Name: "osv", Kind: kinds.OSV, Each: func(f func(string, io.Reader) error) error { return f("x", strings.NewReader(text)) }}}, []string{"debian:12"}, r.now)
	r.must(err)
	r.Knowledge = func() *knowledge.Snapshot { return known }
	mended := func() []store.Mended {
		t.Helper()
		list, err := r.Store.MSP(store.Who{ID: "per_test", Name: "Ann"}).Mended(t.Context(), cve, "", 0)
		r.must(err)
		return list
	}
	r.says("1.0", []patch.Update{lib}, nil)
	r.says("1.0", []patch.Update{lib}, nil)
	if list := mended(); len(list) > 0 {
		t.Fatalf("nothing changed, and %+v was mended", list)
	}
	r.now = r.now.Add(48 * time.Hour)
	r.says("1.1", nil, nil)
	at := r.now
	r.now = r.now.Add(time.Hour)
	r.says("1.1", nil, nil)
	r.must(r.Step(t.Context(), r.device))
	if list := mended(); len(list) != 1 || list[0].Device != r.device || list[0].From != "1.0" || list[0].To != "1.1" || !list[0].At.Equal(at) {
		t.Errorf("%+v", list)
	}
}
