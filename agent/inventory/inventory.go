// Package inventory reads a device: every provider and the facts, as sections that are named
// by their hash.
//
// A section that could not be read keeps its last body and its last time: it ages, it never
// empties. What a provider says is sorted and encoded here, so equal content is equal bytes.
package inventory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"patchbay/agent/disk"
	"patchbay/patch"
	"patchbay/provider"
	"patchbay/wire"
)

// File is where the last good reading of each section is kept.
const File = "sections.json"

// limit is for one scan; what takes longer has failed.
const limit = 10 * time.Minute

// Report is a device as it was read at one time.
type Report struct {
	ScannedAt time.Time // when the last complete scan began; zero when there was none
	Sections  []wire.Section
	Facts     wire.Facts
	Installed map[patch.Key]patch.Item
	Offered   map[patch.Key]patch.Update
}

// Read reports whether the provider's installed items were read by this very scan.
func (r Report) Read(provider string) bool { return r.ok(provider + "/" + wire.InstalledSection) }

// HostRead reports whether the facts were read by this very scan.
func (r Report) HostRead() bool { return r.ok(wire.HostSection) }

func (r Report) ok(section string) bool {
	i := slices.IndexFunc(r.Sections, func(s wire.Section) bool { return s.Name == section })
	return i >= 0 && r.Sections[i].State == wire.SectionOK
}

// Digest is the hash over the heads of all sections.
func (r Report) Digest() string { return wire.Digest(r.Sections) }

// Scanner reads one device again and again.
type Scanner struct {
	Kinds []provider.Kind
	Env   func(kind string) provider.Env
	Facts func(context.Context) (wire.Facts, error)
	Disk  disk.Dir // keeps the last sections over a restart
	Log   *slog.Logger
	Text  func(string) string // limits a sentence for the wire

	open   map[string]provider.Provider
	kept   map[string]wire.Section
	saved  string // digest of what the disk holds
	loaded bool
}

// Kind gives the kind of a provider by its name.
func (s *Scanner) Kind(name string) (provider.Kind, bool) {
	i := slices.IndexFunc(s.Kinds, func(k provider.Kind) bool { return k.Name == name })
	if i < 0 {
		return provider.Kind{}, false
	}
	return s.Kinds[i], true
}

// Open gives a provider of this device, opened once.
func (s *Scanner) Open(ctx context.Context, kind provider.Kind) (provider.Provider, error) {
	if p, ok := s.open[kind.Name]; ok {
		return p, nil
	}
	p, err := kind.Open(ctx, s.Env(kind.Name))
	if err != nil {
		return nil, err
	}
	if s.open == nil {
		s.open = map[string]provider.Provider{}
	}
	s.open[kind.Name] = p
	return p, nil
}

// Scan reads the device. It always gives a report, in which what could not be read says so,
// unless the context ends: then it is as if the scan had never begun.
func (s *Scanner) Scan(ctx context.Context, now time.Time) (Report, error) {
	s.load()
	before := maps.Clone(s.kept)
	r := s.read(ctx, now)
	if err := ctx.Err(); err != nil {
		s.kept = before
		return Report{}, fmt.Errorf("scanning: %w", err)
	}
	for _, section := range s.kept {
		r.Sections = append(r.Sections, section)
	}
	slices.SortFunc(r.Sections, func(a, b wire.Section) int { return strings.Compare(a.Name, b.Name) })
	r.ScannedAt = complete(r.Sections, now)
	s.save(r.Sections)
	return r, nil
}

// read reads every provider, then the facts.
func (s *Scanner) read(ctx context.Context, now time.Time) Report {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r := Report{Installed: map[patch.Key]patch.Item{}, Offered: map[patch.Key]patch.Update{}}
	var found []wire.ProviderFacts
	for _, kind := range s.Kinds {
		p, err := s.Open(ctx, kind)
		if err == nil {
			found = append(found, wire.ProviderFacts{Name: kind.Name, Traits: kind.Traits})
			s.scanProvider(ctx, now, kind.Name, p, &r)
			continue
		}
		for _, part := range []string{wire.InstalledSection, wire.OfferedSection, wire.SourcesSection} {
			s.fail(kind.Name+"/"+part, err)
		}
		if history := kind.Name + "/" + wire.HistorySection; s.kept[history].Name != "" { // not every kind has one
			s.fail(history, err)
		}
	}
	s.scanHost(ctx, now, found, &r)
	return r
}

// complete is when the last complete scan began: now when every section was read, otherwise
// the age of the oldest; zero when one was never read. What a manager says it did decides
// nothing, so a scan is complete without it.
func complete(sections []wire.Section, now time.Time) time.Time {
	for _, s := range sections {
		history := strings.HasSuffix(s.Name, "/"+wire.HistorySection)
		if s.State == wire.SectionFailed && !history && s.ScannedAt.Before(now) {
			now = s.ScannedAt
		}
	}
	return now
}

func (s *Scanner) scanProvider(ctx context.Context, now time.Time, name string, p provider.Provider, r *Report) {
	items, err := p.Installed(ctx)
	if s.keep(name+"/"+wire.InstalledSection, now, sorted(items, patch.Item.Key), err) {
		for _, item := range items {
			r.Installed[item.Key()] = item
		}
	}
	offer, err := p.Available(ctx)
	unread := err // of the sources: none, when they are told with their errors
	if len(offer.Sources) > 0 {
		unread = nil
	}
	s.keep(name+"/"+wire.SourcesSection, now, bySource(offer.Sources), unread)
	if partly(offer) {
		err = nil
	}
	if s.keep(name+"/"+wire.OfferedSection, now, sorted(offer.Updates, patch.Update.Key), err) {
		for _, u := range offer.Updates {
			r.Offered[u.Key()] = u
		}
	}
	for _, note := range offer.Notes {
		s.Log.Info("scan: "+note, "provider", name)
	}
	if h, ok := p.(provider.Historian); ok {
		events, err := h.History(ctx)
		s.keep(name+"/"+wire.HistorySection, now, append([]patch.Event{}, events...), err)
	}
}

func (s *Scanner) scanHost(ctx context.Context, now time.Time, found []wire.ProviderFacts, r *Report) {
	facts, err := s.Facts(ctx)
	facts.Providers = found
	if s.keep(wire.HostSection, now, facts, err) {
		r.Facts = facts
		return
	}
	if body := s.kept[wire.HostSection].Body; body != nil {
		if err := json.Unmarshal(body, &r.Facts); err != nil {
			s.Log.Warn("the facts kept from the last scan could not be read", "error", err)
		}
	}
}

// partly reports whether at least one source could be read. What it offers is told then; a
// source that cannot be read says so itself, so nobody takes the offer for the whole. One
// dead source must not hide what all the others have.
func partly(o patch.Offer) bool {
	return slices.ContainsFunc(o.Sources, func(s patch.Source) bool { return s.Error == "" })
}

// bySource gives the sources in the order of their names.
func bySource(sources []patch.Source) []patch.Source {
	sources = append([]patch.Source{}, sources...)
	slices.SortStableFunc(sources, func(a, b patch.Source) int { return strings.Compare(a.Name, b.Name) })
	return sources
}

// sorted gives the list in the order of its keys, never nil: an empty list is a list.
func sorted[T any](list []T, key func(T) patch.Key) []T {
	list = append([]T{}, list...)
	slices.SortStableFunc(list, func(a, b T) int { return key(a).Compare(key(b)) })
	return list
}

// keep makes a section of what was read and reports whether it was.
func (s *Scanner) keep(name string, now time.Time, v any, err error) bool {
	var body json.RawMessage
	if err == nil {
		body, err = wire.Canonical(v)
	}
	if err != nil {
		s.fail(name, err)
		return false
	}
	s.kept[name] = wire.Section{Name: name, Hash: wire.Hash(body), State: wire.SectionOK, ScannedAt: now, Body: body}
	return true
}

// fail lets a section age. A provider that is not here has sections only if it was before.
func (s *Scanner) fail(name string, err error) {
	last, known := s.kept[name]
	switch {
	case errors.Is(err, provider.ErrAbsent) && !known:
	case errors.Is(err, provider.ErrAbsent):
		s.kept[name] = wire.Section{Name: name, State: wire.SectionAbsent, ScannedAt: last.ScannedAt}
	default:
		last.Name, last.State, last.Error = name, wire.SectionFailed, s.Text(err.Error())
		s.kept[name] = last
		s.Log.Warn("a section could not be read", "section", name, "error", err)
	}
}

// load brings back the sections of the last run, so that a first scan that fails ages them.
func (s *Scanner) load() {
	if s.loaded {
		return
	}
	s.loaded, s.kept = true, map[string]wire.Section{}
	if s.Disk == nil {
		return
	}
	data, err := s.Disk.Read(File)
	if err == nil {
		err = json.Unmarshal(data, &s.kept)
	}
	if err != nil {
		s.kept = map[string]wire.Section{}
		if !errors.Is(err, fs.ErrNotExist) {
			s.Log.Warn("the last scan could not be read back", "error", err)
		}
	}
	for name, section := range s.kept {
		if section.Body != nil && wire.Hash(section.Body) != section.Hash {
			delete(s.kept, name)
		}
	}
}

// save keeps the sections for the next start, when they changed: times that are too old by
// then make them age, never look fresher. A failure costs only that.
func (s *Scanner) save(sections []wire.Section) {
	digest := wire.Digest(sections)
	if s.Disk == nil || digest == s.saved {
		return
	}
	data, err := json.Marshal(s.kept)
	if err == nil {
		err = s.Disk.Write(File, data)
	}
	if err != nil {
		s.Log.Warn("the scan could not be kept", "error", err)
		return
	}
	s.saved = digest
}

// Refresh asks the sources of every provider that can be asked. It says what went wrong.
func (s *Scanner) Refresh(ctx context.Context) error {
	var problems []error
	for _, kind := range s.Kinds {
		p, err := s.Open(ctx, kind)
		if err != nil {
			continue // the scan says so
		}
		if r, ok := p.(provider.Refresher); ok {
			if _, err := r.Refresh(ctx); err != nil {
				problems = append(problems, fmt.Errorf("refreshing %s: %w", kind.Name, err))
			}
		}
	}
	return errors.Join(problems...)
}
