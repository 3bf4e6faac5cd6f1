package winupdate

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"patchbay/provider"
)

// TestCodesSayWhatTheyMean is the law: every number that is known has a sentence, something to
// do unless it goes away by itself, and keeps its number; its kind is one the agent acts on.
func TestCodesSayWhatTheyMean(t *testing.T) {
	if len(codes) < 60 {
		t.Errorf("only %d are known", len(codes))
	}
	for n, c := range codes {
		if n&0x8000_0000 == 0 {
			t.Errorf("0x%08X is no failure", n)
		}
		if len(c.why) < 15 || strings.HasSuffix(c.why, ".") || strings.ToUpper(c.why[:1]) != c.why[:1] {
			t.Errorf("0x%08X: %q is no sentence to go on from", n, c.why)
		}
		if c.next != "" && !strings.HasSuffix(c.next, ".") {
			t.Errorf("0x%08X: %q is no sentence", n, c.next)
		}
		if c.mend != actNone && (c.next == "" || c.mend.words() == "") {
			t.Errorf("0x%08X is mended and says nobody how", n)
		}
		if c.mend.done() && (c.kind == provider.ErrBusy || c.kind == provider.ErrOffline) {
			t.Errorf("0x%08X goes away by itself, and is mended", n)
		}
		err := c.err("installing KB1", n)
		if !strings.Contains(err.Error(), fmt.Sprintf("0x%08X", n)) || !strings.Contains(err.Error(), "installing KB1: "+c.why) {
			t.Errorf("0x%08X is told as %q", n, err)
		}
		if c.kind != nil && !errors.Is(err, c.kind) || len(numbers(err)) != 1 || numbers(err)[0] != n {
			t.Errorf("0x%08X: %v, %x", n, c.kind, numbers(err))
		}
	}
}

func TestWellKnownCodes(t *testing.T) {
	for n, want := range map[uint32]code{
		0x80240016: {kind: provider.ErrBusy}, 0x80070652: {kind: provider.ErrBusy}, 0x80242014: {kind: provider.ErrBusy}, 0x80240009: {kind: provider.ErrBusy},
		0x8024402C: {kind: provider.ErrOffline}, 0x80072EE2: {kind: provider.ErrOffline}, 0x80072EFD: {kind: provider.ErrOffline}, 0x80244022: {kind: provider.ErrOffline},
		0x8024002E: {kind: provider.ErrRefused}, 0x80240017: {kind: provider.ErrRefused}, 0x80070070: {kind: provider.ErrRefused, mend: actSpace}, 0x80240023: {kind: provider.ErrRefused},
		0x80240022: {}, 0x80070643: {}, 0x800F0922: {}, 0x80070422: {mend: actStart}, 0x80246002: {mend: actCache}, 0x80073712: {mend: actStore}, 0x800F081F: {mend: actStore}, 0x800F0831: {mend: actStore},
	} {
		if got := meaning(n); got.kind != want.kind || got.mend != want.mend || got.why == meaning(0x8FFFFFFF).why {
			t.Errorf("0x%08X: %+v", n, got)
		}
	}
}

// TestUnknownCodesKeepTheirNumber: what nobody here knows can still be looked up.
func TestUnknownCodesKeepTheirNumber(t *testing.T) {
	for _, n := range []uint32{0x80240123, 0x8FFFFFFF, 0x80000000} {
		err := explained("searching", &provider.EngineError{What: "search", HResult: n})
		if !strings.Contains(err.Error(), fmt.Sprintf("0x%08X", n)) || meaning(n).mend != actNone || meaning(n).kind != nil {
			t.Errorf("0x%08X: %v", n, err)
		}
	}
}

// TestOnlySuccessIsSuccess is the law over all results: one that is not plain success, or comes
// with the number of a failure, or is of an update that is not there any more, is an error.
func TestOnlySuccessIsSuccess(t *testing.T) {
	for r := provider.EngineCode(-1); r <= 7; r++ {
		for _, n := range []uint32{0, 0x00240005, 0x80070643} {
			for _, missing := range []bool{false, true} {
				err := result("installing KB1", provider.EngineResult{Result: r, HResult: n, NotFound: missing})
				if want := r == provider.EngineSucceeded && n&0x8000_0000 == 0 && !missing; want != (err == nil) {
					t.Errorf("result %d, 0x%08X, missing %t: %v", r, n, missing, err)
				}
			}
		}
	}
	if err := result("x", provider.EngineResult{Result: provider.EngineSucceededWithErrors}); err == nil || !strings.Contains(err.Error(), "no success") {
		t.Error(err)
	}
}

// TestActsAreAFixedFew: whatever number comes, what is run is one of these lines.
func TestActsAreAFixedFew(t *testing.T) {
	ran := map[string]bool{}
	for _, c := range codes {
		if !c.mend.done() {
			continue
		}
		steps, err := c.mend.steps(`C:\Windows`)
		if err != nil || len(steps) == 0 {
			t.Fatal(c.mend, err)
		}
		for _, s := range steps {
			ran[strings.Join(s.args, " ")] = true
		}
	}
	want := []string{"sc.exe start cryptsvc", "sc.exe start bits", "sc.exe start wuauserv", "net.exe stop wuauserv /y", "net.exe stop bits /y",
		`robocopy.exe C:\Windows\SoftwareDistribution\Download C:\Windows\SoftwareDistribution\Download.patchbay /E /MOVE /PURGE /XJ /R:1 /W:1 /NFL /NDL /NP`,
		"dism.exe /online /cleanup-image /restorehealth /norestart"}
	for _, line := range want {
		if !ran[line] {
			t.Errorf("nothing runs %s", line)
		}
		delete(ran, line)
	}
	for line := range ran {
		t.Errorf("something runs %s", line)
	}
	for _, folder := range []string{"", `C:\`, `\\server\share`, `C:\Windows\..`, `C:\a b" /MIR`, `/etc`} {
		if _, err := actCache.steps(folder); !errors.Is(err, provider.ErrRefused) {
			t.Errorf("%q: %v", folder, err)
		}
	}
	for _, a := range []act{actNone, actSpace, "format"} {
		if _, err := a.steps(`C:\Windows`); err == nil || a.done() {
			t.Errorf("%q is done", a)
		}
	}
}
