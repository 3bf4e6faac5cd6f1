package apt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"patchbay/patch"
	"patchbay/provider"
)

// recordsFile is the agent's own record of its refreshes, in Env.Records.
const recordsFile = "apt-refreshed.json"

// Refresh lets apt fetch the lists of all sources. apt's exit code says nothing of a single
// source: it is 0 also when a source it knows comes with a bad signature, and the old list
// goes on to be used. So each source counts as refreshed only when apt says that it was.
func (a *Apt) Refresh(ctx context.Context) ([]patch.Source, error) {
	sources, err := configured(ctx, a.env.Host)
	if err != nil {
		return nil, err
	}
	if err := a.dropDamaged(ctx); err != nil {
		return nil, err
	}
	res, err := a.env.Host.Run(ctx, provider.Command{Args: []string{"apt-get", "-q", "update"}})
	if err != nil {
		return nil, fmt.Errorf("refreshing apt's lists: %w", err)
	}
	answers := parseUpdate(res.Stdout, res.Stderr, sources)
	if res.Code != 0 && !anyAnswer(answers) {
		return nil, fmt.Errorf("refreshing apt's lists: %w", failure(res))
	}
	records := a.records()
	now := a.env.Now().UTC()
	for _, s := range sources {
		answer := answers[s.name]
		rec := record{RefreshedAt: records[s.name].RefreshedAt, Error: answer.err}
		switch {
		case answer.err == "" && answer.ok:
			rec.RefreshedAt = now
		case answer.err == "":
			rec.Error = "apt did not say that this source was refreshed"
		}
		records[s.name] = rec
	}
	forget(records, sources)
	if err := a.writeRecords(records); err != nil {
		return nil, err
	}
	return a.sourcesNow(ctx, sources, records), nil
}

// dropDamaged removes the lists that the last look found to be damaged, as a power cut leaves
// them, with the index that makes apt take them for good. They were not believed anyway.
func (a *Apt) dropDamaged(ctx context.Context) error {
	a.mu.Lock()
	damaged := a.last.index.damaged
	a.last.index.damaged = nil
	a.mu.Unlock()
	if len(damaged) == 0 {
		return nil
	}
	a.env.Log.Warn("damaged lists are fetched anew", "lists", damaged)
	args := []string{"rm", "-f", "--"}
	for _, name := range damaged {
		args = append(args, "/"+path.Join(listsDir, path.Base(name)))
	}
	res, err := a.env.Host.Run(ctx, provider.Command{Args: args})
	if err == nil && res.Code != 0 {
		err = errors.New(words(res))
	}
	if err != nil {
		return fmt.Errorf("removing damaged lists: %w", err)
	}
	return nil
}

// planned is plan where the lists may be older than what was approved: apt does not force
// them to the disk, and a power cut takes them back to what they were. They are then fetched
// anew, once.
func (a *Apt) planned(ctx context.Context, args []string) (plan, error) {
	p, err := a.plan(ctx, args)
	if err == nil || !strings.Contains(err.Error(), "was not found") {
		return p, err
	}
	a.env.Log.Warn("an approved version is not in apt's lists; they are fetched anew", "error", err)
	_, failed := a.Refresh(ctx)
	switch {
	case errors.Is(failed, provider.ErrOffline), errors.Is(failed, provider.ErrBusy):
		return plan{}, failed // it may be there once they can be fetched
	case failed != nil:
		return p, err
	}
	return a.plan(ctx, args)
}

// sourcesNow reads what the sources' indexes say after a refresh.
func (a *Apt) sourcesNow(ctx context.Context, sources []*source, records map[string]record) []patch.Source {
	v := view{sources: sources, distro: readDistro(a.env.Host.Files())}
	_, dir, err := a.fingerprint()
	if err == nil {
		for _, s := range sources {
			if err := a.reader.readRelease(s, dir); err != nil {
				s.problem = err.Error()
			}
		}
	}
	return v.reports(records)
}

// answer is what apt said of one source in one refresh.
type answer struct {
	ok  bool   // its index was fetched, or is as it was
	err string // apt's words on what went wrong
}

func anyAnswer(answers map[string]answer) bool {
	for _, a := range answers {
		if a.ok {
			return true
		}
	}
	return false
}

// parseUpdate goes through what apt-get update says, source by source.
func parseUpdate(stdout, stderr string, sources []*source) map[string]answer {
	answers := map[string]answer{}
	fail := func(s *source, words string) {
		if a := answers[s.name]; a.err == "" {
			a.err = provider.Clip(withoutUsers(words), maxWords)
			answers[s.name] = a
		}
	}
	var failing *source // the source whose failure the next line explains
	for line := range strings.Lines(stdout) {
		line = strings.TrimRight(line, "\r\n")
		if failing != nil && strings.HasPrefix(line, "  ") {
			fail(failing, strings.TrimSpace(line))
			failing = nil
			continue
		}
		failing = nil
		verb, what := parseFetch(line)
		s := sourceOf(what, sources)
		switch {
		case s == nil:
		case verb == "Err":
			failing = s
		case (verb == "Hit" || verb == "Get") && isIndex(what, s):
			a := answers[s.name]
			a.ok = true
			answers[s.name] = a
		}
		if failing != nil {
			a := answers[s.name]
			a.ok = false
			answers[s.name] = a
		}
	}
	for line := range strings.Lines(stderr) {
		if words, ok := complaint(line); ok {
			if s := sourceOf(words, sources); s != nil {
				fail(s, words)
			}
		}
	}
	return answers
}

// parseFetch cuts "Hit:1 http://host/debian bookworm InRelease".
func parseFetch(line string) (verb, what string) {
	head, what, ok := strings.Cut(line, " ")
	verb, number, numbered := strings.Cut(head, ":")
	if !ok || !numbered || parseCount([]byte(number)) == 0 {
		return "", ""
	}
	return verb, withoutUsers(what)
}

// isIndex reports whether a fetched file is the source's signed index.
func isIndex(what string, s *source) bool {
	rest := strings.TrimPrefix(what, s.name+" ")
	return strings.HasPrefix(rest, "InRelease") || strings.HasPrefix(rest, "Release")
}

// sourceOf finds the source that a text speaks of, by apt's name for it or by the address
// of its index. The longest match counts: "bookworm" begins "bookworm-updates" too.
func sourceOf(text string, sources []*source) *source {
	text = withoutUsers(text)
	var best *source
	for _, s := range sources {
		if !mentions(text, s.name) && !strings.Contains(text, s.base) {
			continue
		}
		if best == nil || len(s.name) > len(best.name) {
			best = s
		}
	}
	return best
}

// mentions reports whether the name stands in the text as a whole.
func mentions(text, name string) bool {
	for name != "" {
		_, after, found := strings.Cut(text, name)
		if !found {
			return false
		}
		if after == "" || strings.ContainsAny(after[:1], " /'\":,;") {
			return true
		}
		text = after
	}
	return false
}

// complaint gives what a line of errors says when it tells that a source was not
// refreshed. Other warnings, such as one about where a key is kept, change nothing.
func complaint(line string) (string, bool) {
	line = strings.TrimSpace(line)
	if words, ok := strings.CutPrefix(line, "E: "); ok {
		return words, true
	}
	words, ok := strings.CutPrefix(line, "W: ")
	if !ok {
		return "", false
	}
	for _, sign := range []string{"Failed to fetch", "GPG error", "is not updated", "not be applied", "is expired", "is not valid yet", "does not have a Release file", "is not signed", "not available", "been ignored"} {
		if strings.Contains(words, sign) {
			return words, true
		}
	}
	return "", false
}

func (a *Apt) records() map[string]record {
	records := map[string]record{}
	if a.env.Records == nil {
		return records
	}
	b, err := a.env.Records.Read(recordsFile)
	if err != nil {
		return records // never refreshed by this agent
	}
	if err := json.Unmarshal(b, &records); err != nil || records == nil {
		a.env.Log.Warn("the record of refreshes cannot be read and begins anew", "error", err)
		return map[string]record{}
	}
	return records
}

func (a *Apt) writeRecords(records map[string]record) error {
	if a.env.Records == nil {
		return nil
	}
	b, err := json.MarshalIndent(records, "", "\t")
	if err == nil {
		err = a.env.Records.Write(recordsFile, b)
	}
	if err != nil {
		return fmt.Errorf("recording the refresh: %w", err)
	}
	return nil
}

// forget drops the records of sources that are no longer set up.
func forget(records map[string]record, sources []*source) {
	keep := map[string]bool{}
	for _, s := range sources {
		keep[s.name] = true
	}
	for name := range records {
		if !keep[name] {
			delete(records, name)
		}
	}
}
