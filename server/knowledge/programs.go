package knowledge

import (
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strings"

	"patchbay/patch"
	"patchbay/server/assess"
	"patchbay/server/catalog/match"
	"patchbay/server/catalog/nvd"
	"patchbay/server/catalog/priority"
	"patchbay/server/catalog/programs"
	"patchbay/wire"
)

// products is the release that programs are of, here: their findings are by names of products.
const products = "NVD"

// records are what NVD says of programs that are known, by product.
type records struct {
	feed string
	all  map[string]nvd.CVE
	of   map[string][]string // IDs by product, sorted
	said map[string]uint64   // a sum over all that is said of a product
}

// seed is the same for all snapshots, so that two can be compared.
var seed = maphash.MakeSeed()

// readNVD keeps what is about programs that are known, where devices have any.
func (l *loading) readNVD(src Source, in io.Reader) error {
	if !slices.ContainsFunc(l.systems, hasPrograms) {
		return nil
	}
	wanted := programs.Keys()
	l.records.feed = src.Name
	_, err := nvd.Read(in, func(c nvd.CVE) error {
		old, told := l.records.all[c.ID]
		switch {
		case told && old.Modified.After(c.Modified):
		case slices.ContainsFunc(c.Products(), func(key string) bool { return wanted[key] }):
			l.records.all[c.ID] = c
		default:
			delete(l.records.all, c.ID) // of no program any more
		}
		return nil
	})
	return err
}

// hasPrograms reports whether a system, such as windows-server:2022, is one whose programs are known.
func hasPrograms(system string) bool {
	name, _, _ := strings.Cut(system, ":")
	return slices.Contains([]string{"windows", "windows-server", "darwin", "macos"}, name)
}

// index makes records be found by product.
func (r *records) index() {
	r.of, r.said = map[string][]string{}, map[string]uint64{}
	for id, c := range r.all {
		sum := maphash.String(seed, fmt.Sprintf("%s %s %v %+v %q", id, c.Status, c.All(), c.Configurations, c.Unread))
		for _, key := range c.Products() {
			r.of[key] = append(r.of[key], id)
			r.said[key] += sum
		}
	}
	for _, ids := range r.of {
		slices.Sort(ids)
	}
}

// differs lists the products of which others say something else.
func (r *records) differs(other *records) (list []match.Subjected) {
	for key, sum := range r.said {
		if other.said[key] != sum {
			list = append(list, match.Subjected{Ecosystem: products, Name: key})
		}
	}
	for key := range other.said {
		if _, ok := r.said[key]; !ok {
			list = append(list, match.Subjected{Ecosystem: products, Name: key})
		}
	}
	return list
}

// comparePrograms gives what NVD says of the programs among items.
func (s *Snapshot) comparePrograms(f wire.Facts, provider string, items []patch.Item, on priority.Device) *Compared {
	c := &Compared{}
	if len(s.records.all) == 0 || !installs(f, provider) {
		return c
	}
	for _, it := range items {
		p, ok := programs.Of(f.OS, it)
		if !ok || it.Version == "" {
			continue
		}
		c.Release = products
		c.Items++
		c.Names = append(c.Names, p.Keys()...)
		k := key{release: products, item: match.Item{Name: p.Keys()[0], Version: it.Version, Source: it.Name}, context: f.OS + " " + strings.Join(p.Keys(), " "), on: on}
		if one := s.once(k, it, func() []scored { return s.ofProgram(p, it.Version, f.OS) }); len(one.List) > 0 {
			if c.Found == nil {
				c.Found = map[patch.Key]*assess.Found{}
			}
			c.Found[it.Key()] = one
		}
	}
	slices.Sort(c.Names)
	c.Names = slices.Compact(c.Names)
	return c
}

// installs reports whether a provider lists the programs that are installed on a system. On a
// Windows what others list, such as extensions of browsers, may have the same names.
func installs(f wire.Facts, provider string) bool {
	return f.OS == "darwin" || f.OS == "windows" && slices.ContainsFunc(f.Providers, func(p wire.ProviderFacts) bool {
		return p.Name == provider && !p.Traits.ReadOnly && p.Traits.Versions == patch.SchemeWinget
	})
}

// ofProgram asks all records about one version of a program.
func (s *Snapshot) ofProgram(p *programs.Program, version, os string) []scored {
	var ids []string
	for _, key := range p.Keys() {
		ids = append(ids, s.records.of[key]...)
	}
	slices.Sort(ids)
	var list []scored
	asked := p.Asked(version, os)
	for _, id := range slices.Compact(ids) {
		record := s.records.all[id]
		answer := nvd.Match(record, asked)
		if answer.Verdict == nvd.Not {
			continue
		}
		f := assess.Finding{Advisory: id, CVEs: []string{id}, Status: assess.Undetermined, Fixed: answer.Fixed, Source: s.records.feed, Published: record.Published, Unconfirmed: true, Note: answer.Why}
		if answer.Verdict == nvd.Affected {
			f.Status = assess.Affected
			f.Note = "By NVD's name of the product alone, which its publisher has not confirmed. " + answer.Why
			switch {
			case f.Fixed == "" && answer.Last != "":
				f.Last = answer.Last
				f.Note += " No newer version is named."
			case f.Fixed == "":
				f.Status = assess.NoFix
				f.Note += " Which version mends it is not said."
			}
		}
		s.weigh(&f, record.All(), priority.Device{})
		list = append(list, scored{f, record.All()})
	}
	return list
}
