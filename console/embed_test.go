package console

import (
	"io/fs"
	"strings"
	"testing"
)

// There is a page to show whether or not Node was there to build the console.
func TestThereIsAlwaysAPage(t *testing.T) {
	page, err := fs.ReadFile(Files(), "index.html")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), "Patchbay") {
		t.Errorf("index.html does not say what it is: %.200s", page)
	}
}

// The page loads nothing from elsewhere: an installation may have no internet.
func TestThePageLoadsNothingFromElsewhere(t *testing.T) {
	err := fs.WalkDir(Files(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !(strings.HasSuffix(path, ".html") || strings.HasSuffix(path, ".css")) {
			return err
		}
		text, err := fs.ReadFile(Files(), path)
		for _, loads := range []string{`src="http`, `href="http`, `src="//`, `href="//`, "url(http", "url(//", "@import"} {
			if strings.Contains(string(text), loads) {
				t.Errorf("%s loads something from elsewhere: %s", path, loads)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
