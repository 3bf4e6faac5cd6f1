package providertest_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"patchbay/provider"
	"patchbay/provider/providertest"
)

func TestWhatIsRecordedIsPlayedBack(t *testing.T) {
	first := provider.Result{Stdout: "one\n\n two\n", Stderr: "W: odd\n", Code: 100}
	second := provider.Result{Stdout: "later\n"}
	args := []string{"tool", "-o", "a b", ""}
	text := "# a remark\n" + providertest.Write(args, first) + providertest.Write(args, second)
	h, err := providertest.New(strings.NewReader(text), fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for i, want := range []provider.Result{first, second, second} {
		got, err := h.Run(context.Background(), provider.Command{Args: args, Line: func(l string) { lines = append(lines, l) }})
		if err != nil || got != want {
			t.Errorf("run %d: got %+v, %v; want %+v", i, got, err, want)
		}
	}
	if len(lines) != 6 || lines[3] != "W: odd" {
		t.Errorf("the lines were %q", lines)
	}
	if _, err := h.Run(context.Background(), provider.Command{Args: []string{"other"}}); err == nil {
		t.Error("a command that was never recorded was answered")
	}
	if ran := h.Ran(); len(ran) != 4 || ran[0] != `tool -o "a b" ""` {
		t.Errorf("ran %q", ran)
	}
}

func TestRecorderWritesWhatAHostCanRead(t *testing.T) {
	inner, err := providertest.New(strings.NewReader("$ a b\n| x\n= 3\n"), fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	var to strings.Builder
	r := &providertest.Recorder{Host: inner, To: &to}
	if _, err := r.Run(context.Background(), provider.Command{Args: []string{"a", "b"}}); err != nil {
		t.Fatal(err)
	}
	if to.String() != "$ a b\n| x\n= 3\n\n" {
		t.Errorf("wrote %q", to.String())
	}
}

func TestBadRecordingIsRefused(t *testing.T) {
	for _, text := range []string{"= 0\n", "$ a\n= x\n", "? what\n"} {
		if _, err := providertest.New(strings.NewReader(text), fstest.MapFS{}); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}
