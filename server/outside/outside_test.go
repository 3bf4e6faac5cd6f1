package outside_test

import (
	"testing"

	"patchbay/server/outside"
)

func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes 0-1/2", "bytes 5-9/*", "bytes */7", "bytes 9-1/2", "", "bytes 1-99999999999999999999/2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		from, whole, err := outside.Range(s)
		if err == nil && (from < 0 || whole >= 0 && from >= whole || whole < -1) {
			t.Errorf("%q: from %d of %d", s, from, whole)
		}
	})
}
