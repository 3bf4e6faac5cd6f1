package host

import (
	"testing"

	"patchbay/patch"
)

// TestBattery goes through all that a Windows may say: only a machine that is not fed and has a
// battery runs on it.
func TestBattery(t *testing.T) {
	for line := range 256 {
		for flag := range 256 {
			got := batteryBy(byte(line), byte(flag))
			none := flag != 255 && flag&128 != 0
			want := patch.Unknown
			if line == 1 || none {
				want = patch.No
			} else if line == 0 {
				want = patch.Yes
			}
			if got != want {
				t.Errorf("line %d, flag %d: %q", line, flag, got)
			}
		}
	}
}
