package cli

import "testing"

func TestANameIsNotSaidTwice(t *testing.T) {
	for _, c := range [][3]string{
		{"openssl", "", "openssl"},
		{"KB5044285 (b90749ba)", "2024-10 Cumulative Update (KB5044285) (22631.4317)", "KB5044285 (b90749ba) (2024-10 Cumulative Update (22631.4317))"},
		{"Intel - Display (0a1b2c3d)", "Intel - Display", "Intel - Display (0a1b2c3d)"},
	} {
		if got := called(c[0], c[1]); got != c[2] {
			t.Errorf("%q, %q: %q", c[0], c[1], got)
		}
	}
}
