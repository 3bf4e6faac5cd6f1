package cli

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// theHash is that of "there".
const theHash = "e244f187f696561d5fd7e00f618e7ba641dc52e3c137380f6fa23a854b773aac"

func TestFilesAreSentUnderTheirHashWhereTheServerLacksThem(t *testing.T) {
	home(t)
	f := newFakeServer(t)
	t.Setenv("PATCHBAY_SERVER", f.URL)
	t.Setenv("PATCHBAY_KEY", "pbk_x")
	dir := t.TempDir()
	for name, text := range map[string]string{"there.msi": "there", "new.msi": "other"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := run(t, "", "content", "add", filepath.Join(dir, "there.msi"), filepath.Join(dir, "new.msi"))
	sent := slices.DeleteFunc(slices.Clone(f.asked), func(a string) bool { return !strings.HasPrefix(a, "PUT ") })
	const hash = "d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa" // of "other"
	if err != nil || len(sent) != 1 || sent[0] != "PUT /api/v1/content/"+hash+" Bearer pbk_x" || f.bodies["PUT /api/v1/content/"+hash] != "other" {
		t.Errorf("%v, sent %q", err, f.asked)
	}
	if !strings.Contains(out, theHash) || !strings.Contains(out, "new.msi") {
		t.Error(out)
	}
}

func TestContentIsListedWithWhatIsMissingAndNeeded(t *testing.T) {
	home(t)
	f := newFakeServer(t)
	t.Setenv("PATCHBAY_SERVER", f.URL)
	t.Setenv("PATCHBAY_KEY", "pbk_x")
	out, err := run(t, "", "content")
	if err != nil || strings.Contains(out, "\x1b") {
		t.Errorf("%q, %v", out, err)
	}
	for _, want := range []string{theHash, "not here", "A job that is not over", "It broke off.", "3.0 MiB of 1.0 GiB"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if _, err := run(t, "", "content", "remove", theHash); err == nil || !strings.Contains(err.Error(), "needed") {
		t.Error(err)
	}
	if _, err := run(t, "", "content", "fetch", "https://example.test/x", strings.ToUpper(theHash)); err == nil || err.Error() != "It broke off." {
		t.Error(err)
	}
	if out, err := run(t, "", "content", "fetch", "--no-wait", "https://example.test/x", theHash); err != nil || !strings.Contains(out, "waiting") {
		t.Errorf("%q, %v", out, err)
	}
}
