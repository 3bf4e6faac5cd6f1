package inventory

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// source is a provider that says what it is told to.
type source struct {
	items   []patch.Item
	offer   patch.Offer
	err     error
	offErr  error
	openErr error
	opened  int
}

func (s *source) Installed(context.Context) ([]patch.Item, error) { return s.items, s.err }
func (s *source) Available(context.Context) (patch.Offer, error)  { return s.offer, s.offErr }
func (s *source) Apply(context.Context, provider.Request) (provider.Outcome, error) {
	return provider.Outcome{}, nil
}

func scanner(s *source) *Scanner {
	return &Scanner{
		Kinds: []provider.Kind{{Name: "apt", Open: func(context.Context, provider.Env) (provider.Provider, error) {
			s.opened++
			return s, s.openErr
		}}},
		Env:   func(string) provider.Env { return provider.Env{} },
		Facts: func(context.Context) (wire.Facts, error) { return wire.Facts{Hostname: "a"}, nil },
		Log:   slog.New(slog.DiscardHandler), Text: func(s string) string { return s },
	}
}

func scan(t *testing.T, s *Scanner, at time.Time) Report {
	t.Helper()
	r, err := s.Scan(context.Background(), at)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func names(r Report) string {
	var b strings.Builder
	for _, s := range r.Sections {
		b.WriteString(s.Name + "=" + string(s.State) + " ")
	}
	return strings.TrimSpace(b.String())
}

func TestSameContentIsTheSameSection(t *testing.T) {
	a := []patch.Item{{Name: "a", Version: "1"}, {Name: "b", Version: "2"}, {Name: "b", Architecture: "i386", Version: "2"}}
	first := scan(t, scanner(&source{items: a}), now)
	for range 10 {
		b := append([]patch.Item{}, a...)
		rand.Shuffle(len(b), func(i, j int) { b[i], b[j] = b[j], b[i] })
		if again := scan(t, scanner(&source{items: b}), now.Add(time.Hour)); again.Digest() != first.Digest() {
			t.Fatalf("another order gave another section: %v", b)
		}
	}
	if names(first) != "apt/installed=ok apt/offered=ok apt/sources=ok host=ok" {
		t.Errorf("sections %s", names(first))
	}
}

func TestEmptyListIsAListAndNotNothing(t *testing.T) {
	r := scan(t, scanner(&source{}), now)
	for _, s := range r.Sections[:3] {
		if string(s.Body) != "[]" {
			t.Errorf("%s is %s", s.Name, s.Body)
		}
	}
}

func TestFailedSectionKeepsItsBodyAndItsTime(t *testing.T) {
	src := &source{items: []patch.Item{{Name: "a", Version: "1"}}}
	s := scanner(src)
	good := scan(t, s, now)
	src.err = errors.New("the status file is torn")
	bad := scan(t, s, now.Add(time.Hour))
	was, is := good.Sections[0], bad.Sections[0]
	if is.State != wire.SectionFailed || is.Error == "" || is.Hash != was.Hash || string(is.Body) != string(was.Body) || !is.ScannedAt.Equal(now) {
		t.Errorf("was %+v, is %+v", was, is)
	}
	if !bad.ScannedAt.Equal(now) || bad.Digest() == good.Digest() || bad.Read("apt") || len(bad.Installed) > 0 {
		t.Errorf("report %+v", bad)
	}
	src.err = nil
	if again := scan(t, s, now.Add(2*time.Hour)); again.Digest() != good.Digest() || !again.ScannedAt.Equal(now.Add(2*time.Hour)) {
		t.Errorf("after recovery %+v", again)
	}
}

func TestNeverReadIsNeverComplete(t *testing.T) {
	r := scan(t, scanner(&source{err: errors.New("no")}), now)
	if !r.ScannedAt.IsZero() || r.Sections[0].Hash != "" {
		t.Errorf("report %+v", r)
	}
}

func TestAbsentProviderHasNoSectionsUnlessItWasThere(t *testing.T) {
	src := &source{openErr: provider.ErrAbsent}
	s := scanner(src)
	if r := scan(t, s, now); names(r) != "host=ok" {
		t.Errorf("sections %s", names(r))
	}
	src.openErr = nil
	if r := scan(t, s, now); !r.Read("apt") || len(r.Facts.Providers) != 1 {
		t.Errorf("it was installed meanwhile; sections %s", names(r))
	}
	src.err, src.offErr = provider.ErrAbsent, provider.ErrAbsent
	r := scan(t, s, now)
	if names(r) != "apt/installed=absent apt/offered=absent apt/sources=absent host=ok" || r.Sections[0].Hash != "" {
		t.Errorf("sections %s", names(r))
	}
}

func TestStoppedScanNeverHappened(t *testing.T) {
	src := &source{items: []patch.Item{{Name: "a", Version: "1"}}}
	s := scanner(src)
	good := scan(t, s, now)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	src.err = errors.New("killed")
	if _, err := s.Scan(ctx, now); err == nil {
		t.Error("no word of it")
	}
	src.err = nil
	if again := scan(t, s, now); again.Digest() != good.Digest() {
		t.Errorf("sections %s", names(again))
	}
}

// told is a source whose manager has a record of what it did.
type told struct {
	source
	events  []patch.Event
	histErr error
}

func (t *told) History(context.Context) ([]patch.Event, error) { return t.events, t.histErr }

func TestHistoryIsASectionAndDecidesNothing(t *testing.T) {
	src := &told{events: []patch.Event{{Name: "KB1", Result: patch.EventFailed}}}
	s := scanner(&src.source)
	s.Kinds[0].Open = func(context.Context, provider.Env) (provider.Provider, error) { return src, src.openErr }
	good := scan(t, s, now)
	if names(good) != "apt/history=ok apt/installed=ok apt/offered=ok apt/sources=ok host=ok" || len(good.Installed) != 0 {
		t.Fatalf("sections %s", names(good))
	}
	src.histErr = errors.New("its record is damaged")
	later := now.Add(time.Hour)
	bad := scan(t, s, later)
	if h := bad.Sections[0]; h.State != wire.SectionFailed || h.Hash != good.Sections[0].Hash || !h.ScannedAt.Equal(now) || h.Error == "" {
		t.Errorf("the record that cannot be read is %+v", h)
	}
	if !bad.ScannedAt.Equal(later) || !bad.Read("apt") {
		t.Errorf("without it the scan counts as of %s", bad.ScannedAt)
	}
	src.histErr, src.events = nil, nil
	if h := scan(t, s, later).Sections[0]; string(h.Body) != "[]" {
		t.Errorf("an empty record is %s", h.Body)
	}
}
