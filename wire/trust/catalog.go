package trust

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"patchbay/patch"
	"patchbay/wire"
)

// HeldCatalog is a catalogue as it came. What is in it is read again when it is needed: it is
// large, and a state is kept often.
type HeldCatalog struct {
	Version int64          `json:"version"`
	Signed  *wire.Envelope `json:"signed"`
}

// Read gives what is in it.
func (h *HeldCatalog) Read() (wire.Catalog, error) {
	var c wire.Catalog
	err := unmarshal(h.Signed.Payload, &c)
	return c, err
}

// CheckCatalog reads a catalogue as a root vouches for it.
func CheckCatalog(root wire.Root, e *wire.Envelope) (wire.Catalog, error) {
	var c wire.Catalog
	if root.Publisher.Empty() {
		return c, fmt.Errorf("the root names no publisher: %w", wire.ErrSignature)
	}
	if len(e.Payload) > wire.MaxCatalog {
		return c, form("it has more than %d bytes", wire.MaxCatalog)
	}
	if err := e.OpenBy(wire.CatalogDocument, &c, root.Publisher); err != nil {
		return wire.Catalog{}, err
	}
	switch err := CatalogForm(c); {
	case err != nil:
		return wire.Catalog{}, err
	case c.Root > root.Version:
		return wire.Catalog{}, ErrGap
	}
	return c, nil
}

func (s State) takeCatalog(e *wire.Envelope) (State, error) {
	if s.Root == nil {
		return s, fmt.Errorf("there is no root to vouch for it: %w", wire.ErrSignature)
	}
	c, err := CheckCatalog(*s.Root, e)
	if err != nil {
		return s, err
	}
	if s.Catalog != nil && c.Version <= s.Catalog.Version {
		return s, ErrKnown
	}
	s.Catalog = &HeldCatalog{c.Version, e}
	return s, nil
}

// recheckCatalog drops a catalogue that the root no longer vouches for, and with it its number.
func (s State) recheckCatalog() State {
	if s.Catalog != nil && (s.Root.Publisher.Empty() || s.Catalog.Signed.SignedBy(wire.CatalogDocument, s.Root.Publisher) != nil) {
		s.Catalog = nil
	}
	return s
}

// CatalogForm says what is wrong with the form of a catalogue, whoever signed it. Kinds of
// installers and architectures that are not known here are none of its business: an agent
// passes them over.
func CatalogForm(c wire.Catalog) error {
	switch {
	case c.Version < 1 || c.Version > 1<<40 || c.Root < 1:
		return form("its version is %d, for root %d", c.Version, c.Root)
	case !c.Expires.After(c.IssuedAt) || c.Expires.Sub(c.IssuedAt) > maxYears:
		return form("it ends before it begins, or never")
	case len(c.Packages) > wire.MaxPackages:
		return form("it has more than %d packages", wire.MaxPackages)
	}
	for i, p := range c.Packages {
		if err := packageForm(p); err != nil {
			return fmt.Errorf("package %.80q: %w", p.ID, err)
		}
		if i > 0 && comparePackages(c.Packages[i-1], p) >= 0 {
			return form("its packages are not sorted by provider and ID, each once: see %.80q", p.ID)
		}
	}
	return nil
}

func comparePackages(a, b patch.Package) int {
	return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.ID, b.ID))
}

func packageForm(p patch.Package) error {
	switch {
	case !word(p.Provider, 50) || !word(p.ID, 128) || !word(p.Name, 300) || p.Publisher != "" && !word(p.Publisher, 300):
		return form("it has no provider, ID or name, or one that does not show")
	case len(p.Marks) == 0 || len(p.Marks) > wire.MaxMarks:
		return form("it has %d marks; 1 to %d can be", len(p.Marks), wire.MaxMarks)
	case len(p.Releases) > wire.MaxReleases:
		return form("it has %d releases, %d are the most", len(p.Releases), wire.MaxReleases)
	}
	for _, m := range p.Marks {
		if m.ProductCode == "" && m.UpgradeCode == "" && (m.Name == "" || m.Publisher == "") {
			return form("a mark is neither a code, nor a name with its publisher")
		}
		for _, s := range []string{m.ProductCode, m.UpgradeCode, m.Name, m.Publisher, m.Architecture, m.Line} {
			if s != "" && !word(s, 300) {
				return form("a mark has a text that does not show")
			}
		}
	}
	for i, r := range p.Releases {
		if err := releaseForm(r); err != nil {
			return fmt.Errorf("release %.80q: %w", r.Version, err)
		}
		if slices.ContainsFunc(p.Releases[:i], func(o patch.Release) bool { return o.Version == r.Version }) {
			return form("it has the release %.80q twice", r.Version)
		}
	}
	return nil
}

func releaseForm(r patch.Release) error {
	switch {
	case !word(r.Version, 128):
		return form("it has no version, or one that does not show")
	case r.Recalled != "" && !word(r.Recalled, 1000):
		return form("the reason why it is recalled does not show")
	case r.Recalled == "" && len(r.Installers) == 0, len(r.Installers) > wire.MaxInstallers:
		return form("it has %d installers; 1 to %d can be", len(r.Installers), wire.MaxInstallers)
	case !slices.Contains([]patch.Answer{patch.Unknown, patch.Yes, patch.No}, r.Security):
		return form("it says %.20q of security", r.Security)
	}
	for i, n := range r.Installers {
		if err := installerForm(n); err != nil {
			return fmt.Errorf("installer %d: %w", i+1, err)
		}
	}
	return nil
}

var hash = regexp.MustCompile(`^[0-9a-f]{64}$`)

const (
	maxArguments = 50
	maxArgument  = 2000 // bytes
	maxCodes     = 100
	maxFile      = 1 << 40 // bytes
)

func installerForm(i patch.Installer) error {
	switch {
	case !hash.MatchString(i.SHA256) || i.Size < 1 || i.Size > maxFile:
		return form("its SHA-256 or its size is none")
	case !word(string(i.Kind), 30) || !word(i.Architecture, 30):
		return form("it has no kind or no architecture")
	case !slices.Contains([]string{"", "machine", "user"}, i.Scope):
		return form("its scope is %.20q", i.Scope)
	case i.Signer != nil && (!hash.MatchString(i.Signer.Certificate) || !word(i.Signer.Name, 300)):
		return form("its signer has no name, or no SHA-256 of a certificate")
	case len(i.Success) > maxCodes || len(i.Reboot) > maxCodes || len(i.Needs) > maxCodes || len(i.Asks) > maxCodes:
		return form("it has more than %d exit codes or needs", maxCodes)
	case i.File != "" && !fileName(i.File):
		return form("%.80q is not the name of a file", i.File)
	case i.Nested != "" && !nestedPath(i.Nested):
		return form("%.80q is not a file inside of an archive", i.Nested)
	case i.URL != "" && !address(i.URL):
		return form("its address is not one of http or https")
	}
	for _, s := range []string{i.Locale, i.Shown, i.ProductCode, i.UpgradeCode, i.MinimumOS, string(i.NestedKind)} {
		if s != "" && !word(s, 300) {
			return form("it has a text that does not show")
		}
	}
	for _, id := range i.Needs {
		if !word(id, 128) {
			return form("it needs a package without an ID")
		}
	}
	for _, what := range i.Asks {
		if !word(what, 300) {
			return form("it asks for something that has no name")
		}
	}
	return argumentsForm(i.Switches, i.Remove)
}

func argumentsForm(lists ...[]string) error {
	for _, list := range lists {
		if len(list) > maxArguments {
			return form("it has more than %d arguments", maxArguments)
		}
		for _, a := range list {
			if len(a) > maxArgument || !utf8.ValidString(a) || strings.ContainsFunc(a, unicode.IsControl) {
				return form("an argument has more than %d bytes, or a control character", maxArgument)
			}
		}
	}
	return nil
}

// word reports whether a text can be shown in one line, and is there.
func word(s string, most int) bool {
	return s != "" && len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) })
}

// fileName reports whether a text names a file in a folder, and nothing else, also on Windows.
func fileName(s string) bool {
	return word(s, 200) && !strings.ContainsAny(s, `/\:*?"<>|`) && strings.Trim(s, ". ") == s
}

func nestedPath(s string) bool {
	return len(s) <= 500 && !slices.ContainsFunc(strings.Split(s, "/"), func(p string) bool { return !fileName(p) })
}

func address(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && len(s) <= 2048
}
