package provider

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// profileList is where a Windows keeps who has a profile.
const profileList = `HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList`

// Person is whoever has a profile on a Windows and may have programs of their own.
type Person struct {
	SID    string
	Name   string // of the folder of the profile, which is unique on a device
	Folder string // of the profile, as the registry writes it
}

// account is how Windows names the accounts of people, of the machine or of a domain.
var account = regexp.MustCompile(`^S-1-(5-21|12-1)-[0-9-]+$`)

// People lists whoever has a profile or is logged on, sorted.
func People(host RegistryHost) ([]Person, error) {
	list, err := host.Registry(profileList, View64)
	if errors.Is(err, fs.ErrNotExist) {
		list, err = RegistryKey{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading who has a profile: %w", err)
	}
	loaded, err := host.Registry("HKU", View64)
	if err != nil {
		return nil, fmt.Errorf("reading who is logged on: %w", err)
	}
	found := map[string]Person{}
	for _, sid := range slices.Concat(list.Keys, loaded.Keys) {
		if !account.MatchString(sid) {
			continue
		}
		p := Person{SID: sid, Name: sid}
		key, err := host.Registry(profileList+`\`+sid, View64)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("reading a profile: %w", err)
		}
		if folder := key.Value("ProfileImagePath").Text; folder != "" {
			p.Folder, p.Name = folder, folder[strings.LastIndexByte(folder, '\\')+1:]
		}
		found[sid] = p
	}
	return slices.SortedFunc(maps.Values(found), func(a, b Person) int {
		return strings.Compare(strings.ToLower(a.Name+a.SID), strings.ToLower(b.Name+b.SID))
	}), nil
}

// Home is the folder of the profile below the root of the system's drive, with slashes; ok is
// false where it lies elsewhere.
func (p Person) Home() (path string, ok bool) {
	rest, ok := cutFold(p.Folder, "%SystemDrive%")
	if !ok {
		rest, ok = cutFold(p.Folder, "C:")
	}
	path = strings.ReplaceAll(strings.Trim(rest, `\`), `\`, "/")
	return path, ok && path != "" && fs.ValidPath(path)
}

func cutFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
