package patch_test

import (
	"testing"

	"pgregory.net/rapid"

	"patchbay/patch"
)

func TestBeyond(t *testing.T) {
	for _, c := range []struct {
		scheme, version, pin string
		beyond               bool
	}{
		{patch.SchemeWinget, "8.7", "", false},
		{patch.SchemeWinget, "8.6", "8.6", false},
		{patch.SchemeWinget, "8.6.0", "8.6", false},
		{patch.SchemeWinget, "8.6.1", "8.6", true},
		{patch.SchemeWinget, "8.6", "8.6.", false},
		{patch.SchemeWinget, "8.6.9", "8.6.", false},
		{patch.SchemeWinget, "8.60", "8.6.", true},
		{patch.SchemeWinget, "8.5", "8.6.", false},
		{patch.SchemeWinget, "8.7", "8.6.", true},
		{patch.SchemeWinget, "latest", "8.6.", true},
		{patch.SchemeDeb, "115.3-1", "115.", false},
		{patch.SchemeDeb, "116.0-1", "115.", true},
		{patch.SchemeDeb, "1:115.3-1", "115.", true},
		{patch.SchemeDeb, "1:115.3-1", "1:115.", false},
		{patch.SchemeDeb, "no version", "115.", true},
		{"no scheme", "1", "2", true},
		{"no scheme", "2", "2", false},
	} {
		if got := patch.Beyond(c.scheme, c.version, c.pin); got != c.beyond {
			t.Errorf("%s is beyond %q: %v, want %v", c.version, c.pin, got, c.beyond)
		}
	}
}

// What is older than something within a pin is within it too, and what is within the version
// of a pin is within its line.
func TestAPinIsAnEnd(t *testing.T) {
	versions := rapid.StringMatching(`[0-9]{1,2}(\.[0-9]{1,2}){0,2}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, pin := versions.Draw(t, "a"), versions.Draw(t, "b"), versions.Draw(t, "pin")
		for _, pin := range []string{pin, pin + "."} {
			if order, err := patch.CompareVersions(patch.SchemeWinget, a, b); err == nil && order < 0 &&
				patch.Beyond(patch.SchemeWinget, a, pin) && !patch.Beyond(patch.SchemeWinget, b, pin) {
				t.Fatalf("%s is beyond %s, and %s is not", a, pin, b)
			}
		}
		if patch.Beyond(patch.SchemeWinget, a, pin+".") && !patch.Beyond(patch.SchemeWinget, a, pin) {
			t.Fatalf("%s is within %s and beyond its line", a, pin)
		}
	})
}
