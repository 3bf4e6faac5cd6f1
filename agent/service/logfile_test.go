package service

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The log keeps its newest lines, in order, and stays below its bound.
func TestLogIsBounded(t *testing.T) {
	dir := t.TempDir()
	w, err := Log(dir)
	if err != nil {
		t.Fatal(err)
	}
	l := w.(*logFile)
	l.most = 100
	for i := range 50 {
		if _, err := fmt.Fprintf(l, "line %d\n", i); err != nil {
			t.Fatal(err)
		}
		if i == 25 { // a service that was started anew goes on
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if err := l.open(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var all string
	for _, name := range []string{logName + ".1", logName} {
		text, err := os.ReadFile(dir + "/" + name)
		if err != nil || len(text) > 100 {
			t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
		all += string(text)
	}
	lines := strings.Split(strings.TrimSpace(all), "\n")
	for i, line := range lines {
		if line != fmt.Sprintf("line %d", 50-len(lines)+i) {
			t.Errorf("line %d of %d is %q", i, len(lines), line)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("%v, %v", entries, err)
	}
}
