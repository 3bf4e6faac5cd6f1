package patch_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"patchbay/patch"
)

// TestCommitOrder is the law: the moment orders, the hash makes equal, and of two commits of
// one second nobody says which is newer.
func TestCommitOrder(t *testing.T) {
	moment := rapid.SampledFrom([]string{"20260101.000000", "20260101.000001", "20261231.235959", "19700101.000000"})
	hash := rapid.SampledFrom([]string{strings.Repeat("a", 64), strings.Repeat("0", 64)})
	rapid.Check(t, func(t *rapid.T) {
		ma, mb, ha, hb := moment.Draw(t, "ma"), moment.Draw(t, "mb"), hash.Draw(t, "ha"), hash.Draw(t, "hb")
		c, err := patch.CompareVersions(patch.SchemeCommit, ma+"-"+ha, mb+"-"+hb)
		switch {
		case ma == mb && ha != hb:
			if err == nil {
				t.Fatal("two commits of one second were ordered")
			}
		case err != nil || c != strings.Compare(ma, mb):
			t.Fatalf("%d, %v", c, err)
		}
	})
}

func TestCommitRefuses(t *testing.T) {
	good := "20260101.000000-" + strings.Repeat("a", 64)
	for _, v := range []string{"", "1", "20260101.000000", "20260101.000000-", "20261301.000000-" + strings.Repeat("a", 64), "20260101.000000-" + strings.Repeat("A", 64),
		good + "a", " " + good, "2026-01-01-" + strings.Repeat("a", 64), "20260101.000000.5-" + strings.Repeat("a", 64), "unknown"} {
		if _, err := patch.CompareVersions(patch.SchemeCommit, good, v); err == nil {
			t.Errorf("%q was ordered", v)
		}
		if _, err := patch.CompareVersions(patch.SchemeCommit, v, good); err == nil {
			t.Errorf("%q was ordered", v)
		}
	}
}
