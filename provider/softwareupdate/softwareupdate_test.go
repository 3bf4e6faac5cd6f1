package softwareupdate

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"patchbay/patch"
	"patchbay/provider"
	"patchbay/provider/providertest"
)

// The recording is made by hand: see its head.
const recording = "testdata/mac"

var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// recorded opens the provider on the recording, with the files changed as told: nil takes a
// file away.
func recorded(t testing.TB, change map[string][]byte) (*Mac, *providertest.Host) {
	t.Helper()
	files := fstest.MapFS{}
	root := os.DirFS(recording + "/files")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(root, name)
		files[name] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range change {
		if delete(files, name); b != nil {
			files[name] = &fstest.MapFile{Data: b}
		}
	}
	f, err := os.Open(recording + "/commands.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, err := providertest.New(f, files)
	if err != nil {
		t.Fatal(err)
	}
	p, err := open(t.Context(), provider.Env{Host: h, Log: slog.New(slog.DiscardHandler), Records: providertest.Records{}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return p.(*Mac), h
}

func TestItems(t *testing.T) {
	m, _ := recorded(t, nil)
	items, err := m.Installed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]patch.Item{}
	for _, i := range items {
		by[i.Name] = i
	}
	for name, want := range map[string]patch.Item{
		"macOS":                        {Version: "26.4-25E246"},
		"Command Line Tools for Xcode": {Version: "26.4"},
		"XProtectPlistConfigData":      {Version: "5330", Updater: "macOS"},
	} {
		want.Provider, want.Name, want.Origin = Name, name, "Apple"
		if by[name] != want {
			t.Errorf("got %+v, want %+v", by[name], want)
		}
	}
	if by["Zoom"].Name != "" || by["Rosetta 2"].Name != "" {
		t.Errorf("what others installed, or has no version, is among %v", by)
	}
}

func TestOffer(t *testing.T) {
	m, h := recorded(t, nil)
	offer, err := m.Available(t.Context())
	if err != nil || len(offer.Updates) != 2 {
		t.Fatalf("%v, %+v", err, offer)
	}
	tools, system := offer.Updates[0], offer.Updates[1]
	if tools.Installed != "26.4" || tools.Available != "26.5" || tools.Reboot != patch.No || tools.Size != 920416<<10 {
		t.Errorf("%+v", tools)
	}
	if system.Installed != "26.4-25E246" || system.Available != "26.5-25F71" || system.Reboot != patch.Yes || system.Is(patch.Feature) {
		t.Errorf("%+v", system)
	}
	if len(offer.Notes) != 1 || !strings.Contains(offer.Notes[0], "27.0-26A100") {
		t.Errorf("the next macOS is not told of: %q", offer.Notes)
	}
	if s := offer.Sources[0]; s.RefreshedAt == nil || s.RefreshedAt.Format(time.DateOnly) != "2026-05-26" {
		t.Errorf("the source is %+v", s)
	}
	if slices.Contains(h.Ran(), "softwareupdate --list") {
		t.Error("looking asked Apple")
	}
	if sources, err := m.Refresh(t.Context()); err != nil || !sources[0].RefreshedAt.Equal(now) {
		t.Errorf("%v, %+v", err, sources)
	}
}

func TestNeverAskedIsNotNothing(t *testing.T) {
	m, h := recorded(t, map[string][]byte{settings: nil})
	h.Answer(provider.Result{Stderr: "No new software available.\n"}, "softwareupdate", "--list", "--no-scan")
	if offer, err := m.Available(t.Context()); err == nil || offer.Sources[0].Error == "" {
		t.Errorf("%v, %+v", err, offer)
	}
	m, h = recorded(t, nil)
	h.Answer(provider.Result{Stderr: "No new software available.\n"}, "softwareupdate", "--list", "--no-scan")
	if offer, err := m.Available(t.Context()); err != nil || len(offer.Updates) != 0 {
		t.Errorf("%v, %+v", err, offer)
	}
}

// TestOddAnswersAreErrors is the law: what cannot be read is never taken for "nothing is missing".
func TestOddAnswersAreErrors(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":        "",
		"only a head":    foundHeader + "\n",
		"no description": foundHeader + "\n* Label: a-1\n* Label: b-1\n\tTitle: b, Version: 1, Size: 1KiB\n",
		"cut short":      foundHeader + "\n* Label: a-1\n",
		"no version":     foundHeader + "\n* Label: a-1\n\tTitle: a, Size: 1KiB\n",
		"old form":       foundHeader + "\n* Security Update 2017-001-10.12.6\n\tSecurity Update (10.12.6), 700000K [recommended] [restart]\n",
		"no label":       foundHeader + "\n\tTitle: a, Version: 1, Size: 1KiB\n",
		"an option":      foundHeader + "\n* Label: --all\n\tTitle: a, Version: 1, Size: 1KiB\n",
		"hostile":        foundHeader + "\n* Label: a\x1b[2J\n\tTitle: a, Version: 1, Size: 1KiB\n",
		"an error":       "Can’t connect to the Apple Software Update server.\n",
	} {
		m, h := recorded(t, nil)
		h.Answer(provider.Result{Stdout: text}, "softwareupdate", "--list", "--no-scan")
		if offer, err := m.Available(t.Context()); err == nil {
			t.Errorf("%s: no error, %+v", name, offer.Updates)
		}
	}
	for file, b := range map[string][]byte{systemFile: []byte("<plist>"), historyFile: []byte("bplist00garbage")} {
		m, _ := recorded(t, map[string][]byte{file: b})
		if _, err := m.Installed(t.Context()); err == nil {
			t.Errorf("%s is damaged, and nobody says so", file)
		}
	}
}

func request(name, to string) provider.Request {
	return provider.Request{Updates: []patch.Update{{Provider: Name, Name: name, Available: to}}}
}

func ranInstall(h *providertest.Host) bool {
	return slices.ContainsFunc(h.Ran(), func(line string) bool {
		return strings.Contains(line, "--install") || strings.Contains(line, "--download")
	})
}

// TestSystemNeedsAUser: on Apple silicon nothing is tried that needs an owner's password.
func TestSystemNeedsAUser(t *testing.T) {
	m, h := recorded(t, nil)
	r := request("macOS", "26.5-25F71")
	_, err := m.Apply(t.Context(), r)
	if !errors.Is(err, provider.ErrRefused) || !strings.Contains(err.Error(), "needs a user") || ranInstall(h) {
		t.Errorf("%v, ran %q", err, h.Ran())
	}
	if err := m.Stage(t.Context(), r); !errors.Is(err, provider.ErrRefused) {
		t.Error(err)
	}
	h.Answer(provider.Result{Code: 1, Stderr: "sysctl: something else\n"}, "sysctl", "-n", "hw.optional.arm64")
	if _, err := m.Apply(t.Context(), r); !errors.Is(err, provider.ErrRefused) || ranInstall(h) {
		t.Errorf("a Mac of no known kind: %v", err)
	}
	h.Answer(provider.Result{Code: 1, Stderr: "sysctl: unknown oid 'hw.optional.arm64'\n"}, "sysctl", "-n", "hw.optional.arm64")
	h.Answer(provider.Result{Stdout: "Done.\n"}, "softwareupdate", "--install", "--no-scan", "--agree-to-license", "macOS Tahoe 26.5-25F71")
	if out, err := m.Apply(t.Context(), r); err != nil || out.Reboot != patch.Yes || !ranInstall(h) {
		t.Errorf("on a Mac with Intel: %v, %+v", err, out)
	}
}

func TestOnlyWhatWasApprovedIsInstalled(t *testing.T) {
	m, h := recorded(t, nil)
	out, err := m.Apply(t.Context(), request("Command Line Tools for Xcode", "26.5"))
	if err != nil || out.Reboot != patch.No || !slices.Contains(h.Ran(), `softwareupdate --install --no-scan --agree-to-license "Command Line Tools for Xcode 26.5-26.5"`) {
		t.Errorf("%v, %+v, ran %q", err, out, h.Ran())
	}
	for name, r := range map[string]provider.Request{
		"of no known version": request("Command Line Tools for Xcode", "26.6"),
		"not installed":       request("Safari", "26.5"),
		"an option":           request("--all", "1"),
	} {
		m, h := recorded(t, nil)
		if _, err := m.Apply(t.Context(), r); !errors.Is(err, provider.ErrRefused) || ranInstall(h) {
			t.Errorf("%s: %v", name, err)
		}
	}
	m, h = recorded(t, nil) // what is there already, or newer, stays
	if _, err := m.Apply(t.Context(), request("macOS", "26.3-25D10")); err != nil || ranInstall(h) {
		t.Errorf("%v, ran %q", err, h.Ran())
	}
}

// TestFailureWithCodeZero: its code says nothing.
func TestFailureWithCodeZero(t *testing.T) {
	m, h := recorded(t, nil)
	h.Answer(provider.Result{Stdout: "Software Update Tool\n\nCommand Line Tools for Xcode 26.5-26.5: No such update\nNo updates are available.\n"},
		"softwareupdate", "--install", "--no-scan", "--agree-to-license", "Command Line Tools for Xcode 26.5-26.5")
	if _, err := m.Apply(t.Context(), request("Command Line Tools for Xcode", "26.5")); !errors.Is(err, provider.ErrRefused) {
		t.Error(err)
	}
}

// TestOnOfferAndNeverInstalled: what has no item would be nobody's need.
func TestOnOfferAndNeverInstalled(t *testing.T) {
	list := provider.Result{Stdout: foundHeader + "\n* Label: Safari26.5Auto-26.5\n\tTitle: Safari, Version: 26.5, Size: 1KiB, Recommended: YES,\n"}
	m, h := recorded(t, nil)
	h.Answer(list, "softwareupdate", "--list")
	h.Answer(list, "softwareupdate", "--list", "--no-scan")
	if _, err := m.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	items, err := m.Installed(t.Context())
	if i := find(items, "Safari"); err != nil || i < 0 || items[i].Version != unknown {
		t.Fatalf("%v, %+v", err, items)
	}
	offer, err := m.Available(t.Context())
	if err != nil || len(offer.Updates) != 1 || offer.Updates[0].Installed != unknown || offer.Updates[0].Available != "26.5" {
		t.Errorf("%v, %+v", err, offer.Updates)
	}
	if c, err := patch.CompareVersions(patch.SchemeBrew, unknown, "0.1"); err != nil || c >= 0 {
		t.Errorf("what is unknown is not before all others: %d, %v", c, err)
	}
}

func FuzzList(f *testing.F) {
	_, h := recorded(f, nil)
	res, err := h.Run(f.Context(), provider.Command{Args: []string{"softwareupdate", "--list"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(res.Stdout, "")
	f.Add("", noneFound)
	f.Fuzz(func(t *testing.T, stdout, stderr string) {
		list, err := parseList(provider.Result{Stdout: stdout, Stderr: stderr})
		if err != nil {
			return
		}
		for _, e := range list {
			if !validLabel.MatchString(e.label) || !validName.MatchString(e.name) || !validVersion(e.version) || e.size < 0 {
				t.Errorf("%+v", e)
			}
		}
		ups, _ := updates(list, nil)
		for _, u := range ups {
			if u.Available == "" || u.Installed != unknown {
				t.Errorf("%+v", u)
			}
		}
	})
}

func FuzzHistory(f *testing.F) {
	b, err := os.ReadFile(recording + "/files/" + historyFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	b, err = os.ReadFile(recording + "/files/" + systemFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if i, err := parseSystem(b); err == nil && !validVersion(i.Version) {
			t.Errorf("%+v", i)
		}
		items, err := parseHistory(b)
		for _, i := range items {
			if err != nil || !validName.MatchString(i.Name) || !validVersion(i.Version) {
				t.Errorf("%+v", i)
			}
		}
	})
}
