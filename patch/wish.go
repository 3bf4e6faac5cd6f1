package patch

import "strings"

// Wish is what is wanted of a program on a device beyond what is on offer for what is there:
// that it is installed where it is not, and beyond which version it does not go.
type Wish struct {
	Provider string `json:"provider"`
	Package  string `json:"package"` // as the provider's catalogue calls it
	Install  bool   `json:"install,omitempty"`
	Pin      string `json:"pin,omitempty"` // as Beyond reads it; "" is none
}

// Beyond reports whether a version is further than a pin lets a program go. A pin is a
// version, or with a dot behind it a line of versions: 8.6. lets 8.6.9 in and keeps 8.7 out.
// What cannot be compared is beyond.
func Beyond(scheme, version, pin string) bool {
	if pin == "" || version == pin {
		return false
	}
	last := strings.TrimSuffix(pin, ".")
	if last != pin && strings.HasPrefix(version, pin) {
		return false
	}
	order, err := CompareVersions(scheme, version, last)
	return err != nil || order > 0
}

// Names reports whether a package's name is that of an item, or of the source package that it
// is of.
func Names(pkg, name, source string) bool {
	return strings.EqualFold(pkg, name) || strings.EqualFold(pkg, source)
}
