package winget

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"patchbay/patch"
	"patchbay/provider"
)

// quiet is what every installer of a kind is told: no questions, no window, no reboot of its
// own. What else it needs is in the catalogue.
var quiet = map[patch.InstallerKind][]string{
	patch.MSI:  {"/qn", "/norestart", "REBOOT=ReallySuppress"},
	patch.WiX:  {"/qn", "/norestart", "REBOOT=ReallySuppress"},
	patch.Burn: {"/quiet", "/norestart"},
	patch.Inno: {"/VERYSILENT", "/SUPPRESSMSGBOXES", "/NORESTART", "/SP-"},
	patch.NSIS: {"/S"},
	patch.EXE:  {},
}

// isMSI reports whether msiexec runs the file; all others are programs.
func isMSI(k patch.InstallerKind) bool { return k == patch.MSI || k == patch.WiX }

// runs is the kind of what is run in the end: of the file in the archive, where it is one.
func runs(i patch.Installer) patch.InstallerKind {
	if i.Kind == patch.ZIP {
		return i.NestedKind
	}
	return i.Kind
}

// installs reports whether anything here installs a kind.
func installs(k patch.InstallerKind) bool {
	_, ok := quiet[k]
	return ok
}

// installation is the command that installs a file that lies at a path.
func installation(i patch.Installer, path, scope string) ([]string, error) {
	kind := runs(i)
	if !installs(kind) {
		return nil, fmt.Errorf("%w: installers of the kind %.20q are not installed by Patchbay yet", provider.ErrRefused, kind)
	}
	var args []string
	if isMSI(kind) {
		args = []string{"msiexec", "/i", path}
		if scope == "" {
			args = append(args, "ALLUSERS=1")
		}
	} else {
		args = []string{path}
	}
	args = append(args, quiet[kind]...)
	for _, s := range i.Switches {
		if err := checkSwitch(kind, s); err != nil {
			return nil, err
		}
		if !containsFold(args[1:], s) {
			args = append(args, s)
		}
	}
	return args, nil
}

// msiProperty is what may stand behind the options of msiexec: a public property. An option
// in its place could name another package or write a file.
var msiProperty = regexp.MustCompile(`^[A-Z_][A-Z0-9_.]*=[^"\s]*$`)

// msiOptions are those that say nothing but how quiet it is.
var msiOptions = []string{"/qn", "/quiet", "/passive", "/norestart", "/qb", "/qb!", "/qn+"}

// checkSwitch refuses what would not reach the installer as the one argument that was signed.
func checkSwitch(kind patch.InstallerKind, s string) error {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r == '"' || unicode.IsControl(r) }) {
		return fmt.Errorf("%w: the switch %.80q is empty or has characters that Windows does not hand on unchanged", provider.ErrRefused, s)
	}
	if isMSI(kind) && !msiProperty.MatchString(s) && !containsFold(msiOptions, s) {
		return fmt.Errorf("%w: the switch %.80q is not a property of Windows Installer: NAME=value without spaces", provider.ErrRefused, s)
	}
	return nil
}

func containsFold(list []string, s string) bool {
	for _, l := range list {
		if strings.EqualFold(l, s) {
			return true
		}
	}
	return false
}

// productCode is how Windows Installer names a product.
var productCode = regexp.MustCompile(`^\{[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\}$`)

// msiRemoval is the command that removes a product of Windows Installer.
func msiRemoval(code string) ([]string, error) {
	if !productCode.MatchString(code) {
		return nil, fmt.Errorf("%w: %.80q is not a product of Windows Installer", provider.ErrRefused, code)
	}
	return append([]string{"msiexec", "/x", code}, quiet[patch.MSI]...), nil
}
