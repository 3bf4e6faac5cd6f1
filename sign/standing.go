package sign

import (
	"crypto"
	"fmt"
	"slices"

	"patchbay/wire"
)

// Part is one set of keys that must sign a document, and how far it is.
type Part struct {
	Keys    string // whose keys, such as "publisher keys of root 2"
	Role    wire.Role
	Signed  []string // names of those that did
	Missing []string // and of those that did not
}

// Open is how many signatures are missing.
func (p Part) Open() int { return max(p.Role.Threshold-len(p.Signed), 0) }

// Parts says who must sign a document. root is the one before a root, and for others the
// one that holds; without it only a first root is known about in full.
func (d *Document) Parts(root *wire.Root) []Part {
	var parts []Part
	add := func(r wire.Role, format string, args ...any) {
		p := Part{Keys: fmt.Sprintf(format, args...), Role: r, Signed: d.Signers(r)}
		for _, pub := range r.Public() {
			if name, err := wire.KeyName(pub); err == nil && !slices.Contains(p.Signed, name) {
				p.Missing = append(p.Missing, name)
			}
		}
		parts = append(parts, p)
	}
	if d.Root != nil {
		add(d.Root.Root, "root keys in it")
	}
	switch {
	case root == nil:
	case d.Root != nil:
		add(root.Root, "root keys of version %d before it", root.Version)
	case d.Limits != nil || d.Catalog != nil:
		add(root.Publisher, "publisher keys of root %d", root.Version)
	default:
		add(root.Approver, "approver keys of root %d", root.Version)
	}
	return parts
}

// Known reports whether Parts names all who must sign.
func (d *Document) Known(root *wire.Root) bool {
	return root != nil || d.Root != nil && d.Root.Version == 1
}

// Has reports whether the part's role has the key.
func (p Part) Has(pub crypto.PublicKey) bool { return holds(p.Role, raw(pub)) }

// Others is how many signatures are on a document that count for none of the parts: by keys
// of no role here, or under other bytes.
func (d *Document) Others(parts []Part) int {
	n := 0
	for _, s := range d.envelope.Signatures {
		if !slices.ContainsFunc(parts, func(p Part) bool { return slices.Contains(p.Signed, s.Key) }) {
			n++
		}
	}
	return n
}
