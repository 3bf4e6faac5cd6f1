package provider_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/provider/providertest"
)

func FuzzWords(f *testing.F) {
	f.Add("Error: no\n", "", "error: ")
	f.Add("\xff\xfe\n", "out", "")
	f.Fuzz(func(t *testing.T, stderr, stdout, mark string) {
		if s := (provider.Result{Code: 1, Stderr: stderr, Stdout: stdout}).Words(mark); strings.TrimSpace(s) == "" || len(s) > provider.MaxWords {
			t.Errorf("%d bytes: %q", len(s), s)
		}
		if s := provider.Calm(stderr, 50); provider.Calm(s, 50) != s || len(s) > 50 {
			t.Errorf("not calm: %q", s)
		}
	})
}

func TestWordsOfAFailure(t *testing.T) {
	r := provider.Result{Code: 3, Stderr: "warning: odd\nERROR: the first\nerror: the second\n", Stdout: "out\n"}
	if s := r.Words("error: "); s != "the first; the second" {
		t.Errorf("%q", s)
	}
	r.Stderr = "\n\n"
	if s := r.Words("error: "); s != "out" {
		t.Errorf("%q", s)
	}
	signs := []provider.Sign{{Kind: provider.ErrBusy, Words: []string{"locked"}}, {Kind: provider.ErrRefused, Words: []string{"locked", "no"}}}
	if err := provider.Failure("it", "locked", signs); !errors.Is(err, provider.ErrBusy) {
		t.Error(err)
	}
	if err := provider.Failure("it", "odd", signs); errors.Is(err, provider.ErrBusy) || errors.Is(err, provider.ErrRefused) || err.Error() != "it failed: odd" {
		t.Error(err)
	}
}

// TestChangesTellItemsApart: one name of two users, or in two branches, is two items.
func TestChangesTellItemsApart(t *testing.T) {
	before := []patch.Item{{Name: "a", Version: "1"}, {Name: "a", Scope: "mia", Version: "1"}, {Name: "b", Instance: "x", Version: "1"}, {Name: "gone", Version: "1"}}
	after := []patch.Item{{Name: "a", Version: "1"}, {Name: "a", Scope: "mia", Version: "2"}, {Name: "b", Instance: "x", Version: "1"}, {Name: "b", Instance: "y", Version: "1"}}
	got := provider.Changes(before, after, []patch.Update{{Name: "a", Scope: "mia"}})
	want := []provider.Change{
		{Name: "a", Scope: "mia", From: "1", To: "2", Asked: true},
		{Name: "b", Instance: "y", To: "1"},
		{Name: "gone", From: "1"},
	}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
}

func TestRecordsThatCannotBeReadBeginAnew(t *testing.T) {
	env := provider.Env{Log: slog.New(slog.DiscardHandler)}
	var n int
	if env.ReadRecord("x", &n); n != 0 || env.WriteRecord("x", 7) != nil {
		t.Error("without records there is something, or an error")
	}
	env.Records = providertest.Records{}
	if err := env.WriteRecord("x", 7); err != nil {
		t.Fatal(err)
	}
	if env.ReadRecord("x", &n); n != 7 {
		t.Errorf("read %d", n)
	}
	env.Records.(providertest.Records)["x"] = []byte("{")
	m := map[string]int{}
	if env.ReadRecord("x", &m); len(m) != 0 {
		t.Errorf("read %v", m)
	}
}
