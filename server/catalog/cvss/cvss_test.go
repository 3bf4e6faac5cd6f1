package cvss_test

import (
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/server/catalog/cvss"
)

// TestBase has vectors whose scores stand in the standards' own examples and in NVD's records.
func TestBase(t *testing.T) {
	for _, c := range []struct {
		vector  string
		score   float64
		version string
	}{
		{"AV:N/AC:L/Au:N/C:N/I:N/A:C", 7.8, "2.0"},
		{"(AV:N/AC:L/Au:N/C:C/I:C/A:C)", 10, "2.0"},
		{"AV:L/AC:H/Au:N/C:C/I:C/A:C", 6.2, "2.0"},
		{"CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, "3.0"},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8, "3.1"},
		{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10, "3.1"},
		{"CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", 8.1, "3.1"},
		{"CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H/E:P/RL:O", 6.7, "3.1"}, // what is beside the base counts for nothing
		{"CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N", 0, "3.1"},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3, "4.0"},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 10, "4.0"},
		{"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U/CR:L/MAV:P", 9.3, "4.0"},
		{"CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 8.5, "4.0"},
	} {
		score, version, err := cvss.Base(c.vector)
		if err != nil || score != c.score || version != c.version {
			t.Errorf("%s: %.1f of %s, %v; not %.1f", c.vector, score, version, err, c.score)
		}
	}
	for _, v := range []string{"", "x", "CVSS:3.1/", "CVSS:3.1/AV:N", "CVSS:9.9/AV:N", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:X", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/QQ:X", strings.Repeat("A", 1000)} {
		if score, _, err := cvss.Base(v); err == nil {
			t.Errorf("%q is %.1f", v, score)
		}
	}
}

func TestBandsAtTheirEdges(t *testing.T) {
	for score, want := range map[float64]patch.Severity{0: patch.SeverityUnknown, 0.1: patch.SeverityLow, 3.9: patch.SeverityLow, 4: patch.SeverityMedium, 6.9: patch.SeverityMedium, 7: patch.SeverityHigh, 8.9: patch.SeverityHigh, 9: patch.SeverityCritical, 10: patch.SeverityCritical} {
		if got := cvss.Band(score); got != want {
			t.Errorf("%.1f is %s, not %s", score, got, want)
		}
	}
}

func TestCommand(t *testing.T) {
	const valid = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\nx\n\nAV:N/AC:L/Au:N/C:C/I:C/A:C\r\n"
	var out strings.Builder
	if err := (&cvss.Command{}).Run(strings.NewReader(strings.Repeat("A", 300_000)+"\nAV:N/AC:L/Au:N/C:C/I:C/A:C\n"+strings.Repeat("B", 300_000)), &out); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(out.String(), "\n"); len(lines) != 4 || !strings.HasPrefix(lines[0], "error: ") || lines[1] != "10.0" || !strings.HasPrefix(lines[2], "error: ") {
		t.Errorf("a line that is too long: %.200q", lines)
	}
	out.Reset()
	if err := (&cvss.Command{}).Run(strings.NewReader(valid), &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 5 || lines[0] != "9.8" || !strings.HasPrefix(lines[1], "error: ") || !strings.HasPrefix(lines[2], "error: ") || lines[3] != "10.0" {
		t.Errorf("%q", lines)
	}
}

func FuzzBase(f *testing.F) {
	f.Add("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N")
	f.Add("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H")
	f.Add("AV:N/AC:L/Au:N/C:C/I:C/A:C")
	f.Fuzz(func(t *testing.T, v string) {
		if score, _, err := cvss.Base(v); err == nil && (score < 0 || score > 10) {
			t.Errorf("%q is %f", v, score)
		}
	})
}
