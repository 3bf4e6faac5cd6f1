package audit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"patchbay/agent/audit"
	"patchbay/patch"
	"patchbay/provider/all"
	"patchbay/provider/providertest"
	"patchbay/wire"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) *time.Time { t := now.Add(-d); return &t }

// clean is a machine with nothing wrong.
func clean() audit.Input {
	return audit.Input{
		Now:   now,
		Facts: wire.Facts{Hostname: "web1", OS: "linux", Distro: "debian", Release: "12", OSName: "Debian GNU/Linux 12 (bookworm)", SupportEnds: "2028-06-30"},
		Parts: []audit.Part{{
			Provider: "apt",
			Items:    []patch.Item{{Provider: "apt", Name: "bash", Version: "1", Origin: "Debian"}},
			Offer: patch.Offer{Sources: []patch.Source{
				{Provider: "apt", Name: "http://mirror.example.org/debian-security bookworm-security", Origin: "Debian", Suite: "bookworm-security", SignedAt: ago(time.Hour)},
			}},
		}},
	}
}

func update(name string, block patch.Block, classes ...patch.Class) patch.Update {
	u := patch.Update{Provider: "apt", Name: name, Architecture: "amd64", Installed: "1", Available: "2", Classes: classes, Block: block, Size: 1000, Origin: "Debian", Suite: "bookworm"}
	if block != "" {
		u.BlockWhy = "Because of " + string(block) + "."
	}
	return u
}

func codes(r audit.Report) []string {
	var list []string
	for _, f := range r.Findings {
		list = append(list, f.Code)
	}
	return list
}

func TestCleanMachine(t *testing.T) {
	r := audit.New(clean())
	if r.ExitCode() != audit.ExitClean || len(r.Findings) != 0 || r.Headline() != "Nothing is missing on web1." {
		t.Errorf("exit %d, %q, %+v", r.ExitCode(), r.Headline(), r.Findings)
	}
}

func TestEachFaultIsFound(t *testing.T) {
	offer := func(in *audit.Input) *patch.Offer { return &in.Parts[0].Offer }
	for code, spoil := range map[string]func(*audit.Input){
		"security_updates":    func(in *audit.Input) { offer(in).Updates = []patch.Update{update("a", "", patch.Security)} },
		"updates":             func(in *audit.Input) { offer(in).Updates = []patch.Update{update("a", "", patch.BugFix)} },
		"held_security":       func(in *audit.Input) { offer(in).Updates = []patch.Update{update("a", patch.Held, patch.Security)} },
		"held":                func(in *audit.Input) { offer(in).Updates = []patch.Update{update("a", patch.Held, patch.Other)} },
		"pinned":              func(in *audit.Input) { offer(in).Updates = []patch.Update{update("a", patch.Pinned)} },
		"kept_back":           func(in *audit.Input) { offer(in).Updates = []patch.Update{update("a", patch.KeptBack)} },
		"unsupported_release": func(in *audit.Input) { in.Facts.SupportEnds = "2026-11-21" },
		"support_ends":        func(in *audit.Input) { in.Facts.SupportEnds = "2026-12-01" },
		"source_failing":      func(in *audit.Input) { offer(in).Sources[0].Error = "GPG error" },
		"lists_expired":       func(in *audit.Input) { offer(in).Sources[0].ValidUntil = ago(time.Minute) },
		"third_party_sources": func(in *audit.Input) { offer(in).Sources[0].ThirdParty = true },
		"no_security_source":  func(in *audit.Input) { offer(in).Sources[0].Suite = "bookworm" },
		"lists_old":           func(in *audit.Input) { offer(in).Sources[0].SignedAt = ago(20 * 24 * time.Hour) },
		"broken":              func(in *audit.Input) { in.Parts[0].Items[0].Broken = "half-configured" },
		"orphans":             func(in *audit.Input) { in.Parts[0].Items[0].Orphan = true },
		"other_patcher":       func(in *audit.Input) { in.Facts.Patchers = []string{"unattended-upgrades"} },
		"reboot":              func(in *audit.Input) { in.Facts.Restart.Machine = true },
		"source_stuck": func(in *audit.Input) {
			offer(in).Sources[0].Repair = &patch.Repair{Turn: patch.TurnPerson, Why: "A policy switches it off"}
		},
		"services_old": func(in *audit.Input) { in.Facts.Restart.Services = []string{"ssh.service"} },
	} {
		in := clean()
		spoil(&in)
		r := audit.New(in)
		if !slices.Contains(codes(r), code) || r.ExitCode() != audit.ExitFindings {
			t.Errorf("%s: found %q, exit %d", code, codes(r), r.ExitCode())
		}
	}
	in := clean()
	in.Parts[0].Offer.Updates = []patch.Update{update("a", patch.Phased)}
	if r := audit.New(in); r.ExitCode() != audit.ExitClean || !slices.Contains(codes(r), "phased") {
		t.Errorf("an update that is phased is no fault: %q, exit %d", codes(r), r.ExitCode())
	}
}

// TestWhatUpdatesItselfIsNoOrphan is the law: every item that no source updates is either
// among those that nobody updates or has the name of who does, never both and never neither.
func TestWhatUpdatesItselfIsNoOrphan(t *testing.T) {
	in := clean()
	in.Parts[0].Items = append(in.Parts[0].Items,
		patch.Item{Provider: "apt", Name: "left", Version: "1", Orphan: true},
		patch.Item{Provider: "apt", Name: "browser", Version: "2", Orphan: true, Updater: "Browser Update"},
		patch.Item{Provider: "apt", Name: "office", Version: "3", Updater: "Office"})
	r := audit.New(in)
	if len(r.Orphans) != 1 || r.Orphans[0].Name != "left" || len(r.SelfUpdating) != 2 || r.SelfUpdating[0].Updater != "Browser Update" {
		t.Errorf("orphans %+v, updating themselves %+v", r.Orphans, r.SelfUpdating)
	}
	var text, page strings.Builder
	if err := errors.Join(audit.WriteText(&text, r, true), audit.WriteHTML(&page, r)); err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^  browser +2 +Browser Update$`).MatchString(text.String()) || !strings.Contains(page.String(), "by Browser Update") {
		t.Errorf("nobody says who updates the browser:\n%s", text.String())
	}
	in.Parts[0].Items = in.Parts[0].Items[2:] // without the one that nobody updates
	if r := audit.New(in); r.ExitCode() != audit.ExitClean || !slices.Contains(codes(r), "self_updating") {
		t.Errorf("that something updates itself is worth knowing and no fault: %q, exit %d", codes(r), r.ExitCode())
	}
}

func TestWhatCouldNotBeReadIsNeverClean(t *testing.T) {
	for name, spoil := range map[string]func(*audit.Input){
		"no package manager": func(in *audit.Input) { in.Parts = nil },
		"items":              func(in *audit.Input) { in.Parts[0].ItemsErr = errors.New("dpkg is odd") },
		"offer":              func(in *audit.Input) { in.Parts[0].OfferErr = errors.New("no lists") },
		"offer, with updates": func(in *audit.Input) {
			in.Parts[0].OfferErr = errors.New("one list is missing")
			in.Parts[0].Offer.Updates = []patch.Update{update("a", "")}
		},
		"nothing to compare with": func(in *audit.Input) { in.Parts[0].Blind = "Nobody knows." },
		"facts":                   func(in *audit.Input) { in.FactsErr = errors.New("no /proc") },
		"processes":               func(in *audit.Input) { in.Facts.Restart.Unknown = []string{"3 of 4 processes."} },
		"release":                 func(in *audit.Input) { in.Facts.SupportEnds = "" },
	} {
		in := clean()
		spoil(&in)
		r := audit.New(in)
		if r.ExitCode() != audit.ExitUnknown || len(r.CouldNotTell) == 0 {
			t.Errorf("%s: exit %d, could not tell %q", name, r.ExitCode(), r.CouldNotTell)
		}
		if in.Parts != nil && (in.Parts[0].OfferErr != nil || in.Parts[0].Blind != "") && strings.Contains(r.Headline(), "Nothing is missing") {
			t.Errorf("%s: %s", name, r.Headline())
		}
	}
}

func TestEveryUpdateIsInExactlyOnePlace(t *testing.T) {
	blocks := []patch.Block{"", patch.Held, patch.Pinned, patch.Phased, patch.KeptBack}
	rapid.Check(t, func(t *rapid.T) {
		in := clean()
		var updates []patch.Update
		for i := range rapid.IntRange(0, 30).Draw(t, "n") {
			classes := rapid.SliceOfNDistinct(rapid.SampledFrom([]patch.Class{patch.Security, patch.BugFix, patch.Other}), 0, 2, rapid.ID[patch.Class]).Draw(t, "classes")
			updates = append(updates, update(fmt.Sprintf("p%02d", i), rapid.SampledFrom(blocks).Draw(t, "block"), classes...))
		}
		in.Parts[0].Offer.Updates = updates
		r := audit.New(in)
		s := r.Summary
		if len(r.Updates)+len(r.NotOffered) != len(updates) || s.Security+s.Other+s.Held != len(r.Updates) || s.NotOffered != len(r.NotOffered) {
			t.Fatalf("%d updates became %d and %d; %+v", len(updates), len(r.Updates), len(r.NotOffered), s)
		}
		var out strings.Builder
		if err := audit.WriteText(&out, r, true); err != nil {
			t.Fatal(err)
		}
		for _, u := range updates {
			if n := strings.Count(out.String(), "  "+u.Name+" "); n != 1 {
				t.Fatalf("%s is listed %d times", u.Name, n)
			}
		}
	})
}

// recorded is the report of a real machine.
func recorded(t *testing.T) audit.Report {
	t.Helper()
	h := providertest.Open(t, "../../provider/apt/testdata/debian12")
	return audit.New(audit.Gather(t.Context(), audit.Options{Host: h, Kinds: all.Kinds(), Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}))
}

func TestJSONFollowsItsSchema(t *testing.T) {
	in := clean()
	in.Facts.BootedAt = ago(time.Hour)
	in.Parts[0].Offer.Updates = []patch.Update{update("a", patch.Held, patch.Security), update("b", patch.Pinned)}
	in.Parts[0].Items = append(in.Parts[0].Items, patch.Item{Provider: "apt", Name: "x", Version: "1", Orphan: true, Broken: "unpacked"},
		patch.Item{Provider: "apt", Name: "y", Version: "1", Updater: "Y Update"})
	for name, r := range map[string]audit.Report{"clean": audit.New(clean()), "full": audit.New(in), "nothing": audit.New(audit.Input{Now: now}), "recorded": recorded(t)} {
		var out bytes.Buffer
		if err := audit.WriteJSON(&out, r); err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(out.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		for _, problem := range readSchema(t).check(name, v) {
			t.Error(problem)
		}
	}
}

func TestRecordedMachine(t *testing.T) {
	r := recorded(t)
	if len(r.Updates) != 18 || r.Summary.Held != 1 || len(r.NotOffered) != 2 || len(r.Orphans) != 1 {
		t.Errorf("%d updates, %+v", len(r.Updates), r.Summary)
	}
	i := slices.IndexFunc(r.Updates, func(u audit.Update) bool { return u.Name == "bash" })
	if u := r.Updates[i]; !u.Held || u.HeldWhy == "" || u.Architecture != "amd64" || u.Available != "5.2.15-2+b13" {
		t.Errorf("bash is %+v", u)
	}
}

// hostile puts a device's worst into every text.
func hostile() audit.Input {
	const evil = "\x1b]0;owned\x07\x1b[2J\r\n<script>alert(1)</script>\u202e\u200b\"'>{{.}}\xff"
	in := clean()
	in.Facts.Hostname, in.Facts.OSName, in.Facts.Kernel, in.Facts.Patchers = evil, evil, evil, []string{evil}
	in.Facts.Restart = wire.Restart{Machine: true, Reasons: []string{evil}, Services: []string{evil}, Unknown: []string{evil}}
	u := update(evil, patch.Held, patch.Security)
	u.Installed, u.Available, u.Origin, u.Suite, u.BlockWhy = evil, strings.Repeat(evil, 50), evil, evil, evil
	in.Parts[0].Offer = patch.Offer{Updates: []patch.Update{u}, Notes: []string{evil}, Sources: []patch.Source{{Name: evil, Origin: evil, Error: evil,
		Repair: &patch.Repair{Turn: patch.TurnPerson, Why: evil, Next: evil, Act: evil, Most: 3, Done: []patch.RepairAct{{Act: evil, Said: evil, Code: evil}}}}}}
	in.Parts[0].Items = []patch.Item{{Name: evil, Version: evil, Orphan: true, Broken: evil}, {Name: evil, Version: evil, Updater: evil}}
	in.Parts[0].OfferErr = errors.New(evil)
	return in
}

func TestTextObeysNoDevice(t *testing.T) {
	var out strings.Builder
	if err := audit.WriteText(&out, audit.New(hostile()), true); err != nil {
		t.Fatal(err)
	}
	for _, r := range out.String() {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("the text has %U", r)
		}
	}
	if err := audit.WriteText(&out, recorded(t), false); err != nil {
		t.Fatal(err)
	}
}

func TestTextFitsEightyColumns(t *testing.T) {
	var out strings.Builder
	r := recorded(t)
	if err := audit.WriteText(&out, r, false); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestPageStandsAloneAndRunsNothing(t *testing.T) {
	for name, in := range map[string]audit.Input{"clean": clean(), "hostile": hostile(), "nothing": {Now: now}} {
		var out strings.Builder
		if err := audit.WriteHTML(&out, audit.New(in)); err != nil {
			t.Fatal(err)
		}
		page := out.String()
		if regexp.MustCompile(`(?i)<(script|link|img|iframe|object|base|form)|\son[a-z]+=|src=|href=|url\(|@import|javascript:`).MatchString(strings.ReplaceAll(page, "&lt;script", "")) {
			t.Errorf("%s: the page runs or fetches something", name)
		}
		for _, r := range page {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Fatalf("%s: the page has %U", name, r)
			}
		}
		if !strings.Contains(page, "</html>") {
			t.Errorf("%s: the page ends early", name)
		}
	}
}

func TestCommandWritesPageAndSaysCode(t *testing.T) {
	h := providertest.Open(t, "../../provider/apt/testdata/debian12")
	o := audit.Options{Host: h, Kinds: all.Kinds(), Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)}
	var out strings.Builder
	o.Out = &out
	page := filepath.Join(t.TempDir(), "audit.html")
	code, err := audit.Command{JSON: true, HTML: page}.Print(t.Context(), o)
	if err != nil || code != audit.ExitFindings || !json.Valid([]byte(out.String())) {
		t.Errorf("code %d, %v, %.100s", code, err, out.String())
	}
	info, err := os.Stat(page)
	if err != nil || info.Size() == 0 || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("the page: %v, %v", info, err)
	}
	if _, err := (audit.Command{HTML: filepath.Join(t.TempDir(), "no", "where")}).Print(t.Context(), o); err == nil {
		t.Error("a page that cannot be written is no error")
	}
}

// TestAStuckEngineIsToldInAllForms: what is wrong, what was done and how it ended, and who has to act.
func TestAStuckEngineIsToldInAllForms(t *testing.T) {
	in := clean()
	in.Parts[0].Offer.Sources[0].Repair = &patch.Repair{Turn: patch.TurnPerson, Search: true, Since: ago(9 * 24 * time.Hour), Code: "0x80070422", Why: "A service is switched off",
		Next: "Switch it on.", Act: "starting the services", Tries: 3, Most: 3,
		Done: []patch.RepairAct{{At: *ago(50 * time.Hour), Act: "starting the services", Code: "0x80070422", Try: 3, Result: patch.RepairFailed, Said: "sc.exe ended with 1058"}}}
	r := audit.New(in)
	var text, page, body strings.Builder
	if err := errors.Join(audit.WriteText(&text, r, true), audit.WriteHTML(&page, r), audit.WriteJSON(&body, r)); err != nil {
		t.Fatal(err)
	}
	said := strings.Join(strings.Fields(text.String()), " ")
	for _, want := range []string{"since 13 November 2026", "0x80070422", "was done 3 times and did not help", "A person has to act. Switch it on.", "sc.exe ended with 1058"} {
		if !strings.Contains(said, want) || !strings.Contains(page.String(), want) {
			t.Errorf("%q is not told:\n%s", want, text.String())
		}
	}
	var v any
	if err := json.Unmarshal([]byte(body.String()), &v); err != nil {
		t.Fatal(err)
	}
	if problems := readSchema(t).check("report", v); len(problems) > 0 {
		t.Errorf("the report does not follow its schema: %q", problems)
	}
	for turn, want := range map[patch.Turn]string{patch.TurnRetry: "tried again by itself", patch.TurnPatchbay: "The agent mends it by starting the services, in its next window (done 3 of 3 times)."} {
		in.Parts[0].Offer.Sources[0].Repair.Turn = turn
		text.Reset()
		if err := audit.WriteText(&text, audit.New(in), true); err != nil || !strings.Contains(strings.Join(strings.Fields(text.String()), " "), want) {
			t.Errorf("%s: %v\n%s", turn, err, text.String())
		}
	}
}
