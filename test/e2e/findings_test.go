package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"patchbay/server/assess"
	"patchbay/server/view"
	"patchbay/test/bed"
)

// A bulletin comes out for something that a real device has installed. Before anybody asks, the
// device has a need that says so, and it is known who is exposed; when the publisher takes the
// bulletin back, both are gone.
func TestABulletinTellsWhomItTouches(t *testing.T) {
	t.Parallel()
	feed := filepath.Join(t.TempDir(), "debian.ndjson")
	publish := func(records ...string) {
		t.Helper()
		if err := os.WriteFile(feed+".new", []byte(strings.Join(records, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(feed+".new", feed); err != nil {
			t.Fatal(err)
		}
	}
	// A hundred that touch nothing, so that one more is no flood.
	var other []string
	for i := range 100 {
		other = append(other, bulletin(fmt.Sprintf("CVE-2026-1%04d", i), "nothing-like-it", "1.0"))
	}
	publish(other...)
	feeds := filepath.Join(t.TempDir(), "feeds.json")
	if err := os.WriteFile(feeds, fmt.Appendf(nil, `{"feeds":[{"name":"debian","kind":"osv","every":"10m","from":[%q]}]}`, feed), 0o600); err != nil {
		t.Fatal(err)
	}
	in := install(t, "--feeds", feeds)
	archive := bed.NewArchive(t)
	archive.Publish(t, bed.Stable, "1.0")
	site := in.site(in.customer("Acme"), "HQ", byHand())
	e := in.enrol(in.bed.Device(t, bed.Options{Name: "till", Origin: in.bed.Serve(t, archive)}), site)
	release := e.findings().Providers
	e.waitFor("until what it has was compared with the first feed", func() bool { release = e.findings().Providers; return len(release) == 1 })
	if _, open := e.needs()["bash"]; open {
		t.Fatal("bash is a need before anything was said of it")
	}

	const cve = "CVE-2026-99999"
	publish(append(other, strings.ReplaceAll(bulletin(cve, "bash", "99:1.0"), "Debian:12", release[0].Release))...)
	call[object](in, "POST", "/feeds/debian/fetch", nil)
	says(t, e.expect("bash", "NO_FIX"), cve, "99:1.0")
	exposure := call[view.Exposure](in, "GET", "/findings/"+cve, nil)
	if exposure.Devices != 1 || exposure.Enrolled != 1 || exposure.Unoffered != 1 || exposure.Unread != 0 || len(exposure.Customers) != 1 || exposure.Customers[0].Devices[0].Item.Name != "bash" {
		t.Errorf("%+v", exposure)
	}
	if list := call[view.Page[view.ExposedTo]](in, "GET", "/findings", nil); list.Total != 1 || list.Items[0].ID != cve || list.Items[0].Why == "" {
		t.Errorf("%+v", list)
	}
	if f := e.findings().Items; len(f) != 1 || f[0].Item.Name != "bash" || f[0].Findings[0].Status != assess.Affected || f[0].Need != e.needs()["bash"].ID {
		t.Errorf("%+v", f)
	}

	// It is told as news before anybody asks for it, with the device that it touches; the hundred
	// that stood there when the feed was first read are none.
	var news view.Page[view.Bulletin]
	e.waitFor("until the bulletin is told", func() bool {
		news = call[view.Page[view.Bulletin]](in, "GET", "/bulletins", nil)
		return news.Total > 0
	})
	if b := news.Items[0]; news.Total != 1 || b.Name != cve || b.Kind != "new" || b.Devices != 1 || b.Mendable != 1 || b.Enrolled != 1 {
		t.Errorf("%+v", news)
	}
	publish(other...)
	call[object](in, "POST", "/feeds/debian/fetch", nil)
	e.waitFor("until nothing is open any more", func() bool { _, open := e.needs()["bash"]; return !open })
	if exposure := call[view.Exposure](in, "GET", "/findings/"+cve, nil); exposure.Devices != 0 || exposure.Enrolled != 1 {
		t.Errorf("%+v", exposure)
	}
}

// bulletin is an advisory for a source package of Debian, in the form of OSV.
func bulletin(id, source, fixed string) string {
	return fmt.Sprintf(`{"id":%q,"published":"2026-01-02T00:00:00Z","affected":[{"package":{"ecosystem":"Debian:12","name":%q},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":%q}]}]}]}`, id, source, fixed)
}

func (e *endpoint) findings() view.DeviceFindings {
	e.in.t.Helper()
	return call[view.DeviceFindings](e.in, "GET", "/devices/"+e.id+"/findings", nil)
}
