package homebrew

import (
	"encoding/json"
	"errors"
	"log/slog"
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

func recorded(t testing.TB) (*Brew, *providertest.Host) {
	t.Helper()
	h := providertest.Open(t, recording)
	p, err := open(t.Context(), provider.Env{Host: h, Log: slog.New(slog.DiscardHandler), Records: providertest.Records{}, Now: func() time.Time { return time.Unix(1_795_000_000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	return p.(*Brew), h
}

// brew is the whole command line of a brew command.
func brew(args ...string) []string {
	return slices.Concat([]string{"sudo", "-n", "-H", "-u", "mia", "--", "/usr/bin/env"}, environment, []string{"/opt/homebrew/bin/brew"}, args)
}

func TestItems(t *testing.T) {
	b, _ := recorded(t)
	items, err := b.Installed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]patch.Item{}
	for _, i := range items {
		by[i.Name] = i
	}
	for name, want := range map[string]patch.Item{
		"curl":              {Version: "8.16.0", Origin: "Homebrew"},
		"openssl@3":         {Version: "3.5.4", Origin: "Homebrew", Auto: true},
		"jq":                {Version: "1.8.1", Origin: "Homebrew"},
		"tree":              {Version: "2.2.1", Origin: "Homebrew"},
		"node":              {Version: "24.1.0", Origin: "Homebrew", Held: true},
		"acme/tools/widget": {Version: "1.9", Origin: "acme/tools"},
		"firefox":           {Instance: Cask, Version: "145.0.1", Origin: "Homebrew", Updater: "Mozilla Firefox"},
		"docker-desktop":    {Instance: Cask, Version: "4.50.0,209931", Origin: "Homebrew", Updater: "Docker Desktop"},
		"vlc":               {Instance: Cask, Version: "3.0.21", Origin: "Homebrew"},
		"sample-latest":     {Instance: Cask, Version: "latest", Origin: "Homebrew", Orphan: true},
	} {
		want.Provider, want.Name = Name, name
		if by[name] != want {
			t.Errorf("got %+v, want %+v", by[name], want)
		}
	}
}

func TestOffer(t *testing.T) {
	b, _ := recorded(t)
	offer, err := b.Available(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]patch.Block{}
	for _, u := range offer.Updates {
		got[u.Name+" "+u.Available] = u.Block
		if (u.Block != "") != (u.BlockWhy != "") || u.Reversibility != patch.NotAtAll {
			t.Errorf("%+v", u)
		}
	}
	want := map[string]patch.Block{"curl 8.17.0": "", "openssl@3 3.6.0": "", "python@3.12 3.12.12": "", "node 25.2.1": patch.Held,
		"acme/tools/widget 2.0": patch.Pinned, "vlc 3.0.22": "", "printer-driver 5.2": patch.Pinned}
	if len(got) != len(want) {
		t.Errorf("on offer is %v", got)
	}
	for name, block := range want {
		if b, ok := got[name]; !ok || b != block {
			t.Errorf("%s: %q, %v", name, b, ok)
		}
	}
	if offer.Sources[0].RefreshedAt == nil {
		t.Error("that brew itself asked is not seen")
	}
	if len(offer.Sources) != 3 || offer.Sources[0].Name != "acme/tools" || len(offer.Notes) != 1 {
		t.Errorf("%+v, %q", offer.Sources, offer.Notes)
	}
}

// TestNeverAsRoot is the law: whatever is run, it is run as the owner of the prefix, and when
// that is root nothing is run.
func TestNeverAsRoot(t *testing.T) {
	b, h := recorded(t)
	if _, err := b.Available(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, line := range h.Ran() {
		if strings.Contains(line, "brew") && !strings.HasPrefix(line, "sudo -n -H -u mia -- ") && !strings.HasPrefix(line, "stat ") {
			t.Errorf("ran %s", line)
		}
	}
	for _, owner := range []string{"root\n", "", "-u\n", "a b\n", "\x00"} {
		b, h := recorded(t)
		h.Answer(provider.Result{Stdout: owner}, "stat", "-f", "%Su", "/opt/homebrew/Cellar")
		_, err := b.Installed(t.Context())
		if err == nil || len(h.Ran()) != 1 || (owner == "root\n") != errors.Is(err, provider.ErrRefused) {
			t.Errorf("owned by %q: %v, ran %q", owner, err, h.Ran())
		}
	}
}

func request(name, instance, to string) provider.Request {
	return provider.Request{Updates: []patch.Update{{Provider: Name, Name: name, Instance: instance, Available: to}}}
}

func TestOnlyWhatBrewWouldInstallIsApplied(t *testing.T) {
	b, h := recorded(t)
	after := h.Ran
	if _, err := b.Apply(t.Context(), request("curl", "", "8.17.0")); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(after(), providertest.Line(brew("upgrade", "--formula", "--", "curl"))) {
		t.Errorf("ran %q", after())
	}
	for name, r := range map[string]provider.Request{
		"a version brew does not know": request("curl", "", "8.18.0"),
		"pinned":                       request("node", "", "25.2.1"),
		"of a tap nobody signs":        request("acme/tools/widget", "", "2.0"),
		"held to no hash":              request("printer-driver", Cask, "5.2"),
		"updates itself":               request("firefox", Cask, "146.0"),
		"not installed":                request("wget", "", "1.25"),
		"an option":                    request("--force", "", "1"),
		"a formula of a cask's name":   request("vlc", "", "3.0.22"),
	} {
		b, h := recorded(t)
		_, err := b.Apply(t.Context(), r)
		if !errors.Is(err, provider.ErrRefused) || slices.ContainsFunc(h.Ran(), func(line string) bool { return strings.Contains(line, " upgrade ") }) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b, h = recorded(t) // what is there already, or newer, stays
	if _, err := b.Apply(t.Context(), request("jq", "", "1.7.1")); err != nil || slices.ContainsFunc(h.Ran(), func(line string) bool { return strings.Contains(line, " upgrade ") }) {
		t.Errorf("%v, ran %q", err, h.Ran())
	}
}

func TestRefreshThatFailsIsTold(t *testing.T) {
	b, h := recorded(t)
	sources, err := b.Refresh(t.Context())
	if err != nil || sources[0].Error != "" || sources[0].RefreshedAt == nil {
		t.Fatalf("%v, %+v", err, sources)
	}
	h.Answer(provider.Result{Code: 1, Stderr: "Error: Fetching /opt/homebrew/Library/Taps/acme failed!\n"}, brew("update", "--quiet")...)
	sources, err = b.Refresh(t.Context())
	if err != nil || sources[0].Error == "" || sources[0].RefreshedAt == nil {
		t.Errorf("%v, %+v", err, sources)
	}
}

func TestOddAnswersAreErrors(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "garbage": "\x00", "no lists": "{}", "a list only": "[]", "null": `{"formulae":null,"casks":null}`,
		"option as name":  `{"formulae":[{"name":"--x","installed":[{"version":"1"}],"current_version":"1"}],"casks":[]}`,
		"hostile version": `{"formulae":[{"name":"x","installed":[{"version":"1\u001b[31m"}],"current_version":"1\u001b"}],"casks":[]}`,
		"no version":      `{"formulae":[{"name":"x"}],"casks":[]}`,
	} {
		for _, command := range [][]string{brew("info", "--json=v2", "--installed"), brew("outdated", "--json=v2")} {
			b, h := recorded(t)
			h.Answer(provider.Result{Stdout: text}, command...)
			if _, err := b.Available(t.Context()); err == nil {
				t.Errorf("%s as an answer to %s is no error", name, command[len(command)-2])
			}
		}
	}
}

func TestWordsOfFailures(t *testing.T) {
	for said, want := range map[string]error{
		"Error: Another active Homebrew update process is already in progress.":           provider.ErrBusy,
		"Error: Running Homebrew as root is extremely dangerous and no longer supported.": provider.ErrRefused,
		"sudo: a password is required": provider.ErrRefused,
		"curl: (6) Could not resolve host: formulae.brew.sh\nError: Failed to download resource \"x\"": provider.ErrOffline,
		"Error: odd": nil,
	} {
		err := failure(provider.Result{Code: 1, Stderr: said})
		for _, kind := range []error{provider.ErrOffline, provider.ErrRefused, provider.ErrBusy} {
			if errors.Is(err, kind) != (kind == want) {
				t.Errorf("%q is %v", said, err)
			}
		}
	}
}

func TestAbsentWhereItIsNot(t *testing.T) {
	h, err := providertest.New(strings.NewReader(""), fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open(t.Context(), provider.Env{Host: h}); !errors.Is(err, provider.ErrAbsent) {
		t.Error(err)
	}
}

func FuzzInfo(f *testing.F) {
	_, h := recorded(f)
	res, err := h.Run(f.Context(), provider.Command{Args: brew("info", "--json=v2", "--installed")})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(res.Stdout)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseInfo(text)
		if err != nil {
			return
		}
		for _, i := range c.items() {
			if !validName.MatchString(i.Name) || !validVersion(i.Version) || len(i.Updater) > 100 {
				t.Errorf("%+v", i)
			}
			if b, err := json.Marshal(i); err != nil || !json.Valid(b) {
				t.Error(err)
			}
		}
	})
}

func FuzzOutdated(f *testing.F) {
	f.Add(`{"formulae":[{"name":"a","current_version":"1"}],"casks":[]}`)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := parseOutdated(text)
		if err != nil {
			return
		}
		for _, u := range slices.Concat(o.Formulae, o.Casks) {
			if !validName.MatchString(u.Name) || !validVersion(u.Current) {
				t.Errorf("%+v", u)
			}
		}
	})
}
