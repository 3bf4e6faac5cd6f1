package winget

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"patchbay/patch"
	"patchbay/provider"
)

// Available lists what the catalogue has for the programs that are here.
func (w *Winget) Available(ctx context.Context) (patch.Offer, error) {
	if err := ctx.Err(); err != nil {
		return patch.Offer{}, err
	}
	programs, notes, err := w.look()
	if err != nil {
		return patch.Offer{}, err
	}
	c := w.catalog()
	offer := patch.Offer{Notes: notes}
	if c.Version > 0 {
		s := patch.Source{Provider: providerName, Name: fmt.Sprintf("catalogue %d", c.Version), SignedAt: &c.SignedAt, ValidUntil: &c.Expires}
		if !c.Expires.IsZero() && !w.env.Now().Before(c.Expires) {
			s.Error = fmt.Sprintf("Catalogue %d ended on %s: sign a newer one.", c.Version, c.Expires.UTC().Format("2006-01-02"))
			c.Packages = nil
		}
		offer.Sources = []patch.Source{s}
	}
	for _, p := range programs {
		if note := lagging(p, w.env.Now()); note != "" && len(c.Packages) > 0 {
			offer.Notes = append(offer.Notes, note)
		}
		if u, ok := w.update(p); ok && len(c.Packages) > 0 {
			offer.Updates = append(offer.Updates, w.keptBack(u, programs, p))
		}
	}
	if len(c.Packages) > 0 {
		wanted, notes := w.wanted(programs, c)
		offer.Updates, offer.Notes = append(offer.Updates, wanted...), append(offer.Notes, notes...)
	}
	return offer, nil
}

// update is the newest release of a program's package that is newer than what is here.
func (w *Winget) update(p program) (patch.Update, bool) {
	r, i, ok := newest(p)
	if !ok || !p.takes(shown(r, i)) {
		return patch.Update{}, false
	}
	u := patch.Update{
		Provider: providerName, Scope: p.item.Scope, Name: p.item.Name, Architecture: p.item.Architecture, Instance: p.item.Instance,
		Installed: p.item.Version, Available: shown(r, i), Source: p.of.ID, Origin: p.of.Publisher, Suite: "catalogue",
		Classes: []patch.Class{patch.Other}, Size: i.Size, SHA256: i.SHA256, ReleasedAt: r.ReleasedAt,
	}
	if r.Security == patch.Yes {
		u.Classes = []patch.Class{patch.Security}
	}
	if r.ReleasedAt != nil {
		u.ReleasedBy = "index"
	}
	if p.absent {
		u.Reversibility, u.ReversibilityWhy = patch.NotAtAll, "It is not here now. Only its removal would take it back, and Patchbay removes no programs."
	} else if _, ok := back(p, p.item.Version); ok {
		u.Reversibility = patch.ByKept
		u.ReversibilityWhy = fmt.Sprintf("The catalogue has the installer of %s, which is fetched before the update.", p.item.Version)
	} else {
		u.Reversibility = patch.NotAtAll
		u.ReversibilityWhy = fmt.Sprintf("The catalogue has no installer of %s, which is here now.", p.item.Version)
	}
	if p.item.Version == unknownVersion {
		u.Block, u.BlockWhy = patch.KeptBack, "The program does not show its version, so whether an update took hold could not be seen."
	}
	return u, true
}

// shown is the version that a device shows after an installer.
func shown(r patch.Release, i patch.Installer) string { return cmp.Or(i.Shown, r.Version) }

// takes reports whether a program would go to a version.
func (p program) takes(version string) bool {
	return p.absent || p.item.Broken != "" || newer(version, p.item.Version)
}

// newest is the newest release that may be installed where the program is: within its pin, or
// where that has none, beyond it. The latter is to be seen, and held where the pin was set.
func newest(p program) (best patch.Release, with patch.Installer, ok bool) {
	best, with, ok = newestOf(p, func(version string) bool {
		return p.takes(version) && !patch.Beyond(patch.SchemeWinget, version, p.pin)
	})
	if !ok {
		best, with, ok = newestOf(p, func(string) bool { return true })
	}
	return best, with, ok
}

func newestOf(p program, may func(version string) bool) (best patch.Release, with patch.Installer, ok bool) {
	if p.of == nil {
		return best, with, false
	}
	for _, r := range p.of.Releases {
		i, fits := fitting(r, p)
		if fits && r.Recalled == "" && may(shown(r, i)) && (!ok || newer(shown(r, i), shown(best, with))) {
			best, with, ok = r, i, true
		}
	}
	return best, with, ok
}

// exactly is the release that shows a version where the program is, recalled or not.
func exactly(p program, version string) (patch.Release, patch.Installer, bool) {
	if p.of != nil {
		for _, r := range p.of.Releases {
			if i, ok := fitting(r, p); ok && same(shown(r, i), version) {
				return r, i, true
			}
		}
	}
	return patch.Release{}, patch.Installer{}, false
}

// back is the installer that would bring a version back where the program is. What was
// recalled is not brought back, and its file may be nowhere any more.
func back(p program, version string) (patch.Installer, bool) {
	r, i, ok := exactly(p, version)
	return i, ok && r.Recalled == ""
}

// fitting is the installer of a release for the place where a program is: of its scope and
// architecture, and of the kind that installed it, because Windows Installer and other
// installers do not take over from each other. Where there is none yet, any kind will do that
// can be run.
func fitting(r patch.Release, p program) (patch.Installer, bool) {
	fits := slices.DeleteFunc(slices.Clone(r.Installers), func(i patch.Installer) bool {
		return !slices.Contains(scopes(p.entry.User), i.Scope) || architecture(p, i) < 0 || !installs(runs(i)) ||
			!p.absent && isMSI(runs(i)) != p.entry.MSI ||
			i.RemoveFirst && !p.entry.MSI && !p.absent || // how others are removed is their own text, which is not run
			i.MinimumOS != "" && p.here.system != "" && newer(i.MinimumOS, p.here.system) ||
			i.UpgradeCode != "" && p.entry.UpgradeCode != "" && !sameFold(i.UpgradeCode, p.entry.UpgradeCode)
	})
	if len(fits) == 0 {
		return patch.Installer{}, false
	}
	return slices.MinFunc(fits, func(a, b patch.Installer) int {
		return cmp.Or(cmp.Compare(architecture(p, a), architecture(p, b)), cmp.Compare(locale(a), locale(b)))
	}), true
}

func scopes(user string) []string {
	if user == "" {
		return []string{"machine", ""}
	}
	return []string{"user", ""}
}

// architecture ranks an installer for a program, 0 the best and -1 not at all.
func architecture(p program, i patch.Installer) int {
	order := map[string][]string{"arm64": {"arm64", "x64", "neutral", "x86"}, "x86": {"x86", "neutral"}}[p.here.native]
	if order == nil {
		order = []string{"x64", "neutral", "x86"}
	}
	if is := p.item.Architecture; is != "" {
		order = []string{is, "neutral"}
	} else if p.entry.View == int(provider.View64) && p.here.native != "x86" {
		order = order[:len(order)-1]
	}
	return slices.Index(order, i.Architecture)
}

func locale(i patch.Installer) int {
	if i.Locale == "" || sameFold(i.Locale, "en-US") {
		return 0
	}
	return 1
}

func newer(a, b string) bool {
	c, err := patch.CompareVersions(patch.SchemeWinget, a, b)
	return err == nil && c > 0
}

func same(a, b string) bool {
	c, err := patch.CompareVersions(patch.SchemeWinget, a, b)
	return err == nil && c == 0
}

func sameFold(a, b string) bool { return compareText(a, b) == 0 }
