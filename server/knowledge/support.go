package knowledge

import (
	"io"

	"patchbay/patch"
	"patchbay/server/catalog/advisory"
	"patchbay/server/catalog/endoflife"
	"patchbay/server/catalog/support"
	"patchbay/wire"
)

// Products are what holds of end of support; it knows none where no feed of it does.
func (s *Snapshot) Products() *support.Products {
	if s == nil {
		return nil
	}
	return s.products
}

// ends reads a file of the feed on ends of support.
func (l *loading) ends(in io.Reader) error {
	_, err := endoflife.Read(in, func(p endoflife.Product) error {
		l.ending = append(l.ending, p)
		return nil
	})
	return err
}

// SystemOf names the system of a device.
func SystemOf(f wire.Facts) (support.Named, bool) {
	return support.Of(support.Machine{Distro: f.Distro, Release: f.Release, Name: f.OSName, Kernel: f.Kernel, Edition: f.Edition, Table: f.SupportEnds})
}

// ByWhom says who answers for an item: the distribution that it is of, or else, where the
// table names its product, that product's own publisher.
type ByWhom struct {
	Distribution bool // it is the distribution's own, and is supported as long as that is
	Publisher    bool // the table knows its product
}

// Namer names the products of a provider's items. What a distribution made itself is of that
// distribution, whatever its upstream says of its own builds.
func Namer(t *support.Table, f wire.Facts, provider string) func(patch.Item) (support.Named, ByWhom) {
	r, ok := release(f, provider)
	e, _ := advisory.EcosystemOf(r)
	if !ok {
		return func(it patch.Item) (support.Named, ByWhom) {
			n, ok := t.Item("", "", it)
			return n, ByWhom{Publisher: ok}
		}
	}
	return func(it patch.Item) (support.Named, ByWhom) {
		m := itemOf(f, it)
		if m.Foreign == "" {
			return support.Named{}, ByWhom{Distribution: !it.Orphan}
		}
		n, named := t.Item(e.Scheme, m.Foreign, it)
		return n, ByWhom{Publisher: named}
	}
}
