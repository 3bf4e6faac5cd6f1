// Package homebrew is the provider for Homebrew: formulae and casks on a Mac.
//
// Homebrew belongs to a user and refuses to run as root, so it is always run as the owner of
// its prefix. It installs the newest version that it knows and no other: a version that was
// approved is installed only while it is that one. Only Homebrew's own two taps are signed;
// what others' taps would run, nobody has vouched for.
package homebrew

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"patchbay/patch"
	"patchbay/provider"
)

// Name is the provider's name. It is stored with every item.
const Name = "homebrew"

// Cask is the instance of items that are casks: a formula may have the same name.
const Cask = "cask"

// Kind is Homebrew, where a prefix of it is.
func Kind() provider.Kind {
	return provider.Kind{
		Name:   Name,
		Traits: provider.Traits{Versions: patch.SchemeBrew, Phase: provider.Apps},
		Open:   open,
	}
}

// Brew speaks for one prefix.
type Brew struct {
	env    provider.Env
	prefix string // from the root, without a slash before it
}

var (
	_ provider.Provider  = (*Brew)(nil)
	_ provider.Refresher = (*Brew)(nil)
	_ provider.Stager    = (*Brew)(nil)
)

// prefixes are where Homebrew puts itself, the first that is there counts.
var prefixes = []string{"opt/homebrew", "usr/local", "home/linuxbrew/.linuxbrew"}

func open(_ context.Context, env provider.Env) (provider.Provider, error) {
	for _, p := range prefixes {
		if _, err := fs.Lstat(env.Host.Files(), p+"/bin/brew"); err == nil {
			return &Brew{env: env, prefix: p}, nil
		}
	}
	return nil, fmt.Errorf("there is no Homebrew here: %w", provider.ErrAbsent)
}

// The names that go into arguments. None can be taken for an option.
var validName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9@+._-]{0,127}(/[A-Za-z0-9][A-Za-z0-9@+._-]{0,127}){0,2}$`)

// formula and cask are what brew says of each, as far as it is used here.
type formula struct {
	Name       string `json:"name"`
	FullName   string `json:"full_name"`
	Tap        string `json:"tap"`
	Revision   int    `json:"revision"`
	Pinned     bool   `json:"pinned"`
	LinkedKeg  string `json:"linked_keg"`
	Deprecated bool   `json:"deprecated"`
	Disabled   bool   `json:"disabled"`
	Versions   struct {
		Stable string `json:"stable"`
	} `json:"versions"`
	Installed []struct {
		Version   string `json:"version"`
		OnRequest *bool  `json:"installed_on_request"`
	} `json:"installed"`
}

type cask struct {
	Token       string   `json:"token"`
	FullToken   string   `json:"full_token"`
	Tap         string   `json:"tap"`
	Names       []string `json:"name"`
	Version     string   `json:"version"`
	Installed   string   `json:"installed"`
	Shown       string   `json:"bundle_short_version"`
	SHA256      string   `json:"sha256"`
	AutoUpdates bool     `json:"auto_updates"`
	Pinned      bool     `json:"pinned"`
	Deprecated  bool     `json:"deprecated"`
	Disabled    bool     `json:"disabled"`
}

// catalog is what brew info says.
type catalog struct {
	Formulae []formula `json:"formulae"`
	Casks    []cask    `json:"casks"`
}

func parseInfo(text string) (catalog, error) {
	var c catalog
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return catalog{}, fmt.Errorf("what brew says cannot be read: %w", err)
	}
	if c.Formulae == nil || c.Casks == nil {
		return catalog{}, errors.New("what brew says has no formulae or no casks in it")
	}
	for _, f := range c.Formulae {
		if !validName.MatchString(f.full()) {
			return catalog{}, fmt.Errorf("brew speaks of a formula called %.80q", f.full())
		}
		if !validVersion(f.version()) {
			return catalog{}, fmt.Errorf("brew says that %s is version %.80q", f.full(), f.version())
		}
	}
	for _, k := range c.Casks {
		if !validName.MatchString(k.full()) {
			return catalog{}, fmt.Errorf("brew speaks of a cask called %.80q", k.full())
		}
		if !validVersion(k.version()) {
			return catalog{}, fmt.Errorf("brew says that %s is version %.80q", k.full(), k.version())
		}
	}
	return c, nil
}

func validVersion(v string) bool {
	_, err := patch.CompareVersions(patch.SchemeBrew, v, v)
	return err == nil
}

func (f formula) full() string { return cmp.Or(f.FullName, f.Name) }

// version is the one in use: the linked one, or else the last that was installed.
func (f formula) version() string {
	if f.LinkedKeg != "" || len(f.Installed) == 0 {
		return f.LinkedKeg
	}
	return f.Installed[len(f.Installed)-1].Version
}

func (k cask) full() string { return cmp.Or(k.FullToken, k.Token) }

// version is what is there: what updates itself is by now something else than what brew put
// there, which newer versions of brew look up.
func (k cask) version() string {
	if k.AutoUpdates && k.Shown != "" {
		return k.Shown
	}
	return k.Installed
}

// own reports whether a tap is one of Homebrew's own, which are signed.
func own(tap string) bool { return tap == "homebrew/core" || tap == "homebrew/cask" }

func origin(tap string) string {
	switch {
	case own(tap):
		return "Homebrew"
	case validName.MatchString(tap):
		return tap
	}
	return ""
}

func (f formula) item() patch.Item {
	i := patch.Item{Provider: Name, Name: f.full(), Version: f.version(), Origin: origin(f.Tap), Held: f.Pinned, Orphan: f.Tap == "" || f.Disabled}
	for _, in := range f.Installed {
		if in.Version == f.version() && in.OnRequest != nil {
			i.Auto = !*in.OnRequest
		}
	}
	return i
}

func (k cask) item() patch.Item {
	i := patch.Item{Provider: Name, Name: k.full(), Instance: Cask, Version: k.version(), Origin: origin(k.Tap), Held: k.Pinned}
	i.Orphan = k.Tap == "" || k.Disabled || k.Version == "latest"
	if k.AutoUpdates {
		i.Updater, i.Orphan = k.called(), false
	}
	return i
}

// called is the app's own name.
func (k cask) called() string {
	for _, n := range k.Names {
		if n = calm(n); n != "" {
			return n
		}
	}
	return k.Token
}

// calm makes a short text of one that anybody may have written.
func calm(s string) string { return provider.Calm(s, 100) }

// info asks brew what is installed.
func (b *Brew) info(ctx context.Context) (catalog, error) {
	res, err := b.run(ctx, "info", "--json=v2", "--installed")
	if err != nil {
		return catalog{}, fmt.Errorf("asking Homebrew what is installed: %w", err)
	}
	return parseInfo(res.Stdout)
}

func (c catalog) items() []patch.Item {
	items := []patch.Item{}
	for _, f := range c.Formulae {
		items = append(items, f.item())
	}
	for _, k := range c.Casks {
		items = append(items, k.item())
	}
	slices.SortFunc(items, func(a, b patch.Item) int { return a.Key().Compare(b.Key()) })
	return items
}

// Installed lists formulae and casks.
func (b *Brew) Installed(ctx context.Context) ([]patch.Item, error) {
	c, err := b.info(ctx)
	if err != nil {
		return nil, err
	}
	return c.items(), nil
}

// outdated is what brew outdated says: the newest version it knows, by name.
type outdated struct {
	Formulae []offered `json:"formulae"`
	Casks    []offered `json:"casks"`
}

type offered struct {
	Name    string `json:"name"`
	Current string `json:"current_version"`
	Pinned  bool   `json:"pinned"`
}

func parseOutdated(text string) (outdated, error) {
	var o outdated
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		return outdated{}, fmt.Errorf("what brew says is outdated cannot be read: %w", err)
	}
	if o.Formulae == nil || o.Casks == nil {
		return outdated{}, errors.New("what brew says is outdated has no formulae or no casks in it")
	}
	for _, u := range slices.Concat(o.Formulae, o.Casks) {
		if !validName.MatchString(u.Name) || !validVersion(u.Current) {
			return outdated{}, fmt.Errorf("brew says that %.80q is outdated by %.80q", u.Name, u.Current)
		}
	}
	return o, nil
}

// Available lists what brew knows to be outdated. What updates itself is not among it: brew
// leaves that alone, and so does Patchbay.
func (b *Brew) Available(ctx context.Context) (patch.Offer, error) {
	c, err := b.info(ctx)
	if err != nil {
		return patch.Offer{}, err
	}
	res, err := b.run(ctx, "outdated", "--json=v2")
	if err != nil {
		return patch.Offer{}, fmt.Errorf("asking Homebrew what is outdated: %w", err)
	}
	o, err := parseOutdated(res.Stdout)
	if err != nil {
		return patch.Offer{}, err
	}
	offer := patch.Offer{Updates: []patch.Update{}, Sources: b.sources(ctx, c)}
	for _, u := range o.Formulae {
		i := slices.IndexFunc(c.Formulae, func(f formula) bool { return f.Name == u.Name || f.full() == u.Name })
		if i < 0 {
			return patch.Offer{}, fmt.Errorf("brew says that %s is outdated, and not that it is installed", u.Name)
		}
		f := c.Formulae[i]
		item := f.item()
		item.Held = item.Held || u.Pinned
		offer.Updates = append(offer.Updates, update(item, u.Current, refusal(f.Tap, "")))
	}
	for _, u := range o.Casks {
		i := slices.IndexFunc(c.Casks, func(k cask) bool { return k.Token == u.Name || k.full() == u.Name })
		if i < 0 {
			return patch.Offer{}, fmt.Errorf("brew says that %s is outdated, and not that it is installed", u.Name)
		}
		if k := c.Casks[i]; !k.AutoUpdates && u.Current != "latest" {
			offer.Updates = append(offer.Updates, update(k.item(), u.Current, refusal(k.Tap, k.SHA256)))
		}
	}
	offer.Notes = c.notes()
	slices.SortFunc(offer.Updates, func(a, b patch.Update) int { return a.Key().Compare(b.Key()) })
	return offer, nil
}

// update is an item with the version that brew would install.
func update(i patch.Item, current, refused string) patch.Update {
	u := patch.Update{
		Provider: Name, Name: i.Name, Instance: i.Instance, Installed: i.Version, Available: current, Origin: i.Origin,
		Classes: []patch.Class{patch.Other}, Reboot: patch.No,
		Reversibility: patch.NotAtAll, ReversibilityWhy: "Homebrew installs only the newest version that it knows.",
	}
	c, err := patch.CompareVersions(patch.SchemeBrew, current, i.Version)
	switch {
	case i.Held:
		u.Block, u.BlockWhy = patch.Held, "Somebody pinned it on this device (brew pin)."
	case refused != "":
		u.Block, u.BlockWhy = patch.Pinned, refused
	case err != nil || c <= 0:
		u.Block, u.BlockWhy = patch.KeptBack, "Homebrew counts "+current+" as newer than "+i.Version+", which the numbers do not say; a person must upgrade it."
	}
	return u
}

// refusal says why nothing of a tap is installed, "" when it is.
func refusal(tap, sha256 string) string {
	switch {
	case !own(tap):
		return "It comes from the tap " + cmp.Or(calm(tap), "of a file") + ", which nobody signs, so Patchbay does not install it."
	case sha256 == "no_check":
		return "Homebrew holds this cask's file to no hash, so Patchbay does not install it."
	}
	return ""
}

func (c catalog) notes() []string {
	var notes []string
	say := func(name string, deprecated, disabled bool) {
		switch {
		case disabled:
			notes = append(notes, "Homebrew no longer has "+name+" on offer.")
		case deprecated:
			notes = append(notes, "Homebrew is going to take "+name+" off its list.")
		}
	}
	for _, f := range c.Formulae {
		say(f.full(), f.Deprecated, f.Disabled)
	}
	for _, k := range c.Casks {
		say(k.full(), k.Deprecated, k.Disabled)
	}
	slices.Sort(notes)
	return notes
}

// recordsFile is the agent's own record of its refreshes, in Env.Records.
const recordsFile = "homebrew-refreshed.json"

type record struct {
	RefreshedAt time.Time `json:"refreshed_at,omitzero"`
	Error       string    `json:"error,omitempty"`
}

// heardAt is when brew itself last asked, by the time of the list that it keeps in its owner's
// home; zero when that is not to be seen.
func (b *Brew) heardAt(ctx context.Context) time.Time {
	owner, err := b.owner(ctx)
	if err != nil {
		return time.Time{}
	}
	info, err := fs.Stat(b.env.Host.Files(), path.Join("Users", owner, "Library/Caches/Homebrew/api/formula.jws.json"))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime().UTC()
}

// sources are the taps in use. brew asks all of them at once, so they have one age: of this
// agent's last refresh, or else of brew's own.
func (b *Brew) sources(ctx context.Context, c catalog) []patch.Source {
	taps := map[string]bool{"homebrew/core": true, "homebrew/cask": true}
	for _, f := range c.Formulae {
		taps[f.Tap] = true
	}
	for _, k := range c.Casks {
		taps[k.Tap] = true
	}
	rec := b.record()
	if rec.RefreshedAt.IsZero() {
		rec.RefreshedAt = b.heardAt(ctx)
	}
	list := []patch.Source{}
	for tap := range taps {
		if !validName.MatchString(tap) {
			continue // installed from a file
		}
		s := patch.Source{Provider: Name, Name: tap, Origin: origin(tap), ThirdParty: true, Error: rec.Error}
		if !rec.RefreshedAt.IsZero() {
			s.RefreshedAt = &rec.RefreshedAt
		}
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b patch.Source) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func (b *Brew) record() record {
	var rec record
	b.env.ReadRecord(recordsFile, &rec)
	return rec
}

// Refresh lets brew fetch what its taps have.
func (b *Brew) Refresh(ctx context.Context) ([]patch.Source, error) {
	_, err := b.run(ctx, "update", "--quiet")
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	rec := b.record()
	if rec.Error = ""; err != nil {
		rec.Error = provider.Clip(err.Error(), provider.MaxWords)
	} else {
		rec.RefreshedAt = b.env.Now().UTC()
	}
	if err := b.env.WriteRecord(recordsFile, rec); err != nil {
		return nil, err
	}
	c, err := b.info(ctx)
	if err != nil {
		return nil, err
	}
	return b.sources(ctx, c), nil
}

// owner is the user to whom the prefix belongs.
func (b *Brew) owner(ctx context.Context) (string, error) {
	args := []string{"stat", "-f", "%Su", "/" + path.Join(b.prefix, "Cellar")}
	if strings.Contains(b.prefix, "linuxbrew") {
		args = []string{"stat", "-c", "%U", "/" + path.Join(b.prefix, "Cellar")}
	}
	res, err := b.env.Host.Run(ctx, provider.Command{Args: args})
	if err != nil {
		return "", fmt.Errorf("asking to whom Homebrew belongs: %w", err)
	}
	name := strings.TrimSpace(res.Stdout)
	switch {
	case res.Code != 0:
		return "", fmt.Errorf("asking to whom Homebrew belongs: %s", res.Words(""))
	case name == "root":
		return "", fmt.Errorf("%w: Homebrew in /%s belongs to root and never runs as root; give it to the user who is to own it", provider.ErrRefused, b.prefix)
	case !validUser.MatchString(name):
		return "", fmt.Errorf("the Homebrew in /%s belongs to %.40q, which is no user's name", b.prefix, name)
	}
	return name, nil
}

var validUser = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,63}$`)

// environment keeps brew to what it is told: no update of itself, no clean-up, no questions.
var environment = []string{
	"HOMEBREW_NO_ANALYTICS=1", "HOMEBREW_NO_AUTO_UPDATE=1", "HOMEBREW_NO_COLOR=1", "HOMEBREW_NO_ENV_HINTS=1", "HOMEBREW_NO_INSTALL_CLEANUP=1", "NONINTERACTIVE=1",
}

// run runs brew as its owner, with a clean environment.
func (b *Brew) run(ctx context.Context, args ...string) (provider.Result, error) {
	owner, err := b.owner(ctx)
	if err != nil {
		return provider.Result{}, err
	}
	as := []string{"sudo", "-n", "-H", "-u", owner, "--", "/usr/bin/env"}
	res, err := b.env.Host.Run(ctx, provider.Command{Args: slices.Concat(as, environment, []string{"/" + b.prefix + "/bin/brew"}, args)})
	if err != nil {
		return res, fmt.Errorf("running brew %s as %s: %w", args[0], owner, err)
	}
	if res.Code != 0 {
		return res, failure(res)
	}
	return res, nil
}
