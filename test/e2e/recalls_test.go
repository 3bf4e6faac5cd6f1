package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"patchbay/server/view"
	"patchbay/test/bed"
)

// published is a file that a server gets a feed from.
type published struct {
	t    *testing.T
	path string
}

// publish replaces the file in one step.
func (p published) publish(text string) {
	p.t.Helper()
	if err := os.WriteFile(p.path+".new", []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(p.path+".new", p.path); err != nil {
		p.t.Fatal(err)
	}
}

// recalled is a list with one recall of a version.
func recalled(name, version string) string {
	return fmt.Sprintf(`{"recalls":[{"id":"OWN-1","kind":"trouble","publisher":"Acme's engineers","owner":"msp","provider":"apt","name":%q,"versions":[%q],
		"trouble":"The till does not print.","since":"2026-01-02T00:00:00Z","source":"https://wiki.acme.example/till"}]}`, name, version)
}

// The MSP writes an update into its list of recalls while it waits, approved, on a real device.
// It is withdrawn there and says why; it stays so over a restart of the server and although a
// person forces it; once the list says nothing of it any more it goes on by itself. Written
// there again, what is installed now is told, and taken back. The news is told once.
func TestARecallHoldsAnUpdateUntilItIsOver(t *testing.T) {
	t.Parallel()
	list := published{t, filepath.Join(t.TempDir(), "recalls.json")}
	list.publish(`{"recalls":[]}`)
	feeds := filepath.Join(t.TempDir(), "feeds.json")
	if err := os.WriteFile(feeds, fmt.Appendf(nil, `{"feeds":[{"name":"own","kind":"recalls","every":"10m","from":[%q]}]}`, list.path), 0o600); err != nil {
		t.Fatal(err)
	}
	in := install(t, "--feeds", feeds)
	archive := bed.NewArchive(t)
	archive.Publish(t, bed.Stable, "1.0")
	site := in.site(in.customer("Acme"), "HQ", byHand())
	d := in.bed.Device(t, bed.Options{Name: "till", Origin: in.bed.Serve(t, archive), Install: []string{"bed-conf"}})
	archive.Publish(t, bed.Security, "bed-conf=1.1")
	d.Must(t, "apt-get", "update")
	e := in.enrol(d, site)
	e.expect("bed-conf", "WAITS_DECISION")
	e.approve("bed-conf", false)
	e.expect("bed-conf", "WAITS_WINDOW")

	news := func() view.Page[view.Bulletin] { return call[view.Page[view.Bulletin]](in, "GET", "/bulletins", nil) }
	publish := func(text string) {
		t.Helper()
		list.publish(text)
		call[object](in, "POST", "/feeds/own/fetch", nil)
	}
	began := time.Now()
	publish(recalled("bed-conf", "1.1"))
	says(t, e.expect("bed-conf", "HELD"), "Acme's engineers", "does not print", "https://wiki.acme.example/till")
	fmt.Printf("FIGURE recall_published_to_held %.1f s - - - <=30\n", time.Since(began).Seconds())
	e.waitFor("until the job is withdrawn", func() bool { return e.needs()["bed-conf"].Job == nil })
	e.waitFor("until the news is told", func() bool { return news().Total == 1 })
	if b := news().Items[0]; b.Name != "OWN-1" || b.Kind != "trouble" || b.Devices != 1 || b.Held != 1 {
		t.Errorf("%+v", b)
	}

	in.restart(false)
	e.expect("bed-conf", "HELD") // decided anew, and nothing was let go meanwhile
	e.approve("bed-conf", true)  // a hold goes before a person
	e.scan()
	e.expect("bed-conf", "HELD")
	e.stays("bed-conf", "1.0")
	if n := news().Total; n != 1 {
		t.Errorf("%d bulletins after a restart", n)
	}

	publish(`{"recalls":[]}`)
	e.expect("bed-conf", "VERIFIED")
	e.stays("bed-conf", "1.1")

	publish(recalled("bed-conf", "1.1"))
	n := e.expect("bed-conf", "RECALLED")
	if n.Can.Undo != "" {
		t.Fatalf("it cannot be taken back: %s", n.Can.Undo)
	}
	if n := news(); n.Total != 1 || n.Items[0].Installed != 1 {
		t.Errorf("%+v", n.Items)
	}
	call[object](in, "POST", "/approvals", object{"level": "device", "target": e.id, "what": object{"need": n.ID}, "answer": "undo", "reason": "the till does not print", "now": true})
	e.expect("bed-conf", "ROLLED_BACK")
	e.stays("bed-conf", "1.0")
}
