package nvd

import (
	"slices"
	"strings"

	"patchbay/server/catalog/cpe"
)

// renamed are names of one vendor, and of one product, that records use side by side. A product
// has its vendor's newest name before the colon.
var (
	vendors  = [][]string{{"ui", "ubiquiti", "ubnt"}, {"hp", "hpe"}, {"pulsesecure", "ivanti"}}
	products = [][]string{
		{"7-zip:7-zip", "7-zip:7zip"},
		{"adobe:acrobat_reader_dc", "adobe:acrobat_reader"},
		{"adobe:acrobat_dc", "adobe:acrobat"},
		{"apple:macos", "apple:mac_os_x", "apple:mac_os"},
		{"oracle:jdk", "sun:jdk"},
		{"oracle:jre", "sun:jre"},
	}
)

// canonical is the key of a product under the first of its names.
func canonical(n cpe.Name) string {
	vendor, product := n.Vendor, n.Product
	for _, names := range vendors {
		if slices.Contains(names, vendor) {
			vendor = names[0]
		}
	}
	key := vendor + ":" + product
	for _, names := range products {
		if slices.Contains(names, key) {
			return names[0]
		}
	}
	return key
}

// same reports whether two names are of one product.
func same(a, b cpe.Name) bool {
	return (a.Part == b.Part || a.Part == cpe.Any || a.Part == "") && canonical(a) == canonical(b)
}

// covers says whether a platform that is known is one that a criterion names: microsoft:windows
// is any Windows, and windows_10_22h2 is one of them.
func covers(platform, wanted cpe.Name) tri {
	switch p, w := canonical(platform), canonical(wanted); {
	case platform.Part != wanted.Part:
		return no
	case p == w:
		return yes
	case strings.HasPrefix(p, w+"_"):
		return yes
	case strings.HasPrefix(w, p+"_"):
		return unknown // it is one of that family, and which one is not known
	}
	return no
}
