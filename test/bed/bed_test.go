package bed_test

import (
	"testing"

	"patchbay/test/bed"
)

// expect compares a package's state, as the oracle sees it, with what is claimed.
func expect(t *testing.T, d *bed.Device, name, want string) {
	t.Helper()
	p, err := d.Oracle().Package(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if p.String() != want {
		t.Errorf("%s on %s is %q, want %q", name, d.Name, p, want)
	}
}

func TestUpgradeIsSeenByTheOracle(t *testing.T) {
	b := bed.New(t)
	a := bed.NewArchive(t)
	a.Publish(t, bed.Stable, "1.0")
	d := b.Device(t, bed.Options{Origin: b.Serve(t, a), Install: []string{"bed-app"}})
	expect(t, d, "bed-lib", "1.0 installed")
	a.Publish(t, bed.Security, "1.2")
	for _, step := range []string{"update", "dist-upgrade"} {
		if r, err := d.Apt(t.Context(), step); err != nil || r.Code != 0 {
			t.Fatalf("%s: %v %+v", step, err, r)
		}
	}
	expect(t, d, "bed-app", "1.2 installed")
	expect(t, d, "bed-lib", "1.2 installed")
}
