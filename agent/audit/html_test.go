package audit_test

import (
	"errors"
	"strings"
	"testing"

	"patchbay/agent/audit"
	"patchbay/patch"
)

func pageOf(t *testing.T, in audit.Input) string {
	t.Helper()
	var page strings.Builder
	if err := audit.WriteHTML(&page, audit.New(in)); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

// A zero is only shown where somebody could have found more.
func TestPageShowsNoZeroWhereNothingIsKnown(t *testing.T) {
	const none, unknown, some = "<b>0</b><span>security updates missing", "<b>?</b><span>security updates missing", "<b>1&#43;</b><span>security updates missing"
	if page := pageOf(t, clean()); !strings.Contains(page, none) {
		t.Error("a machine on which nothing is missing does not say so")
	}
	in := clean()
	in.Parts[0].Blind = "There is no signed catalogue."
	if page := pageOf(t, in); strings.Contains(page, none) || !strings.Contains(page, unknown) {
		t.Error("nobody knows what is newer, and the page shows a number")
	}
	in = clean()
	in.Parts[0].OfferErr = errors.New("one list is missing")
	in.Parts[0].Offer.Updates = []patch.Update{update("a", "", patch.Security)}
	if page := pageOf(t, in); !strings.Contains(page, some) {
		t.Error("one was found and more may be missing, and the page shows an exact number")
	}
}

// What waits for the next start is told apart from what asks for one.
func TestPageTellsWhatAsksForARestart(t *testing.T) {
	in := clean()
	in.Facts.OS, in.Facts.Restart.Machine = "windows", true
	in.Facts.Restart.Reasons = []string{"3 files to be replaced or removed at the next start (weak)", "Windows Update"}
	in.Facts.Patchers = []string{"Intune"}
	page := pageOf(t, in)
	for _, says := range []string{"<li>Windows Update</li>", "at the next start; that asks for none", "<li>Intune</li>"} {
		if !strings.Contains(page, says) {
			t.Errorf("the page does not say %q", says)
		}
	}
}
