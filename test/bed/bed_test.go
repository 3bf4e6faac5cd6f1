package bed_test

import (
	"strings"
	"testing"

	"patchbay/test/bed"
)

// scene is what nearly every test wants: a device, where its packages come from,
// and the truth about it.
type scene struct {
	*bed.Device
	bed     *bed.Bed
	archive *bed.Archive
	origin  *bed.Origin
	oracle  bed.Oracle
}

// setScene makes a device that has version 1.0 of the packages.
func setScene(t *testing.T, o bed.Options, packages ...string) scene {
	t.Helper()
	t.Parallel()
	s := scene{bed: bed.New(t), archive: bed.NewArchive(t)}
	s.archive.Publish(t, bed.Stable, "1.0")
	s.origin = s.bed.Serve(t, s.archive)
	o.Origin, o.Install = s.origin, packages
	s.Device = s.bed.Device(t, o)
	s.oracle = s.Oracle()
	return s
}

// offer publishes versions and lets the device know.
func (s scene) offer(t *testing.T, versions ...string) {
	t.Helper()
	s.archive.Publish(t, bed.Stable, versions...)
	s.apt(t, 0, "update")
}

// apt runs apt-get, compares its status and returns all it said.
func (s scene) apt(t *testing.T, status int, args ...string) string {
	t.Helper()
	r, err := s.Apt(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != status {
		t.Errorf("apt-get %s: status %d, want %d\n%s%s", strings.Join(args, " "), r.Code, status, r.Stdout, r.Stderr)
	}
	return r.Stdout + r.Stderr
}

// expect compares packages, as the oracle sees them, with what is claimed:
// name, state, name, state…
func (s scene) expect(t *testing.T, pairs ...string) {
	t.Helper()
	all, err := s.oracle.Packages(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(pairs); i += 2 {
		if got := all[pairs[i]].String(); got != pairs[i+1] {
			t.Errorf("%s is %q, want %q", pairs[i], got, pairs[i+1])
		}
	}
}

// absent is how the oracle shows a package that dpkg does not know.
const absent = "absent"

func mention(t *testing.T, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("nothing about %q in:\n%s", want, text)
	}
}
