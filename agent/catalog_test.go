package agent

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// A provider that installs from a catalogue gets what the publisher signed for it, and nothing
// of other providers; the agent says that it reads one. An agent without such a provider does
// not say so.
func TestAProviderGetsWhatThePublisherSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffline(t)
		w := limited(t, o)
		defer w.end()
		var env provider.Env
		options := w.options()
		kind := w.machine.kind()
		kind.Traits.Catalog = true
		kind.Open = func(_ context.Context, e provider.Env) (provider.Provider, error) { env = e; return w.machine, nil }
		options.Kinds = []provider.Kind{kind}
		w.startWith(options)
		pass(time.Hour)
		if c := env.Catalog(); c.Version != 0 || c.Packages != nil {
			t.Errorf("before there is one: %+v", c)
		}
		made, end := time.Now().UTC().Truncate(time.Second), time.Now().Add(dayLong).UTC().Truncate(time.Second)
		mark := []patch.Mark{{ProductCode: "x"}}
		w.server.publish(wire.CatalogDocument, wire.Catalog{Version: 7, Root: 1, IssuedAt: made, Expires: end, Packages: []patch.Package{
			{Provider: "apt", ID: "A.B", Name: "A", Marks: mark}, {Provider: "other", ID: "C.D", Name: "C", Marks: mark}}}, o.publisher)
		published := time.Now()
		pass(3 * time.Minute) // a check-in to hear of it and one to say what it changed, long before the next scan is due
		if all := w.server.heard(); !all[len(all)-1].Devices[0].ScannedAt.After(published) {
			t.Error("the device was not read again when something else was on offer")
		}
		pass(time.Hour)
		if c := env.Catalog(); c.Version != 7 || !c.SignedAt.Equal(made) || !c.Expires.Equal(end) || len(c.Packages) != 1 || c.Packages[0].ID != "A.B" {
			t.Errorf("%+v", c)
		}
		heard := w.server.heard()
		last := heard[len(heard)-1]
		if last.Documents.Catalog != 7 || !slices.Contains(last.Capabilities, wire.CanCatalog) || !slices.IsSorted(last.Capabilities) {
			t.Errorf("the agent says %+v, %v", last.Documents, last.Capabilities)
		}
		// Whoever reads the device without the agent reads the same.
		if c := CatalogOnDisk(w.disk)("apt"); c.Version != 7 || len(c.Packages) != 1 {
			t.Errorf("%+v", c)
		}
		w.server.publish(wire.CatalogDocument, wire.Catalog{Version: 8, Root: 1, IssuedAt: made, Expires: end}, newEd25519(t))
		pass(time.Hour)
		if c := env.Catalog(); c.Version != 7 {
			t.Errorf("a stranger's is believed: %+v", c)
		}
	})
}

func TestOnlyAgentsWithSuchAProviderAskForACatalogue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		w.start()
		pass(time.Hour)
		for _, in := range w.server.heard() {
			if slices.Contains(in.Capabilities, wire.CanCatalog) {
				t.Fatalf("%v", in.Capabilities)
			}
		}
	})
}
