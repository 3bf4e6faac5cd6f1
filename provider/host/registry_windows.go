package host

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"golang.org/x/sys/windows/registry"

	"patchbay/provider"
)

var _ provider.RegistryHost = Host{}

// Bounds of one key, for a user writes what is in his own part of the registry.
const (
	maxEntries = 20_000  // values, and keys below
	maxValue   = 1 << 20 // bytes of one value; a longer one is left out
)

// Registry reads one key of this machine.
func (Host) Registry(path string, view provider.View) (provider.RegistryKey, error) {
	key, err := readKey(path, view)
	if err != nil {
		return provider.RegistryKey{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return key, nil
}

func readKey(path string, view provider.View) (found provider.RegistryKey, err error) {
	name, rest, _ := strings.Cut(path, `\`)
	var top registry.Key
	switch strings.ToUpper(name) {
	case "HKLM":
		top = registry.LOCAL_MACHINE
	case "HKU":
		top = registry.USERS
	default:
		return found, fmt.Errorf("its path begins neither with HKLM nor with HKU: %w", fs.ErrInvalid)
	}
	access := uint32(registry.QUERY_VALUE | registry.ENUMERATE_SUB_KEYS | registry.WOW64_64KEY)
	if view == provider.View32 {
		access = registry.QUERY_VALUE | registry.ENUMERATE_SUB_KEYS | registry.WOW64_32KEY
	}
	k, err := registry.OpenKey(top, rest, access)
	if err != nil {
		return found, err
	}
	defer k.Close()
	info, err := k.Stat()
	if err != nil {
		return found, err
	}
	if info.ValueCount > maxEntries || info.SubKeyCount > maxEntries {
		return found, errors.New("it holds more than anybody needs")
	}
	if at := info.ModTime().UTC(); at.Year() > 1980 { // before that it means that there is none
		found.Changed = at
	}
	if info.SubKeyCount > 0 {
		if found.Keys, err = k.ReadSubKeyNames(-1); err != nil {
			return found, err
		}
	}
	slices.SortFunc(found.Keys, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	found.Values, err = values(k)
	return found, err
}

// values reads all values of a key. One that vanishes meanwhile, or is no good, is left out.
func values(k registry.Key) (map[string]provider.RegistryValue, error) {
	names, err := k.ReadValueNames(-1)
	if err != nil {
		return nil, err
	}
	all := map[string]provider.RegistryValue{}
	buffer := make([]byte, 2<<10) // enough for nearly all, so that each is one question to the system
	for _, name := range names {
		n, kind, err := k.GetValue(name, buffer)
		data := buffer
		if errors.Is(err, registry.ErrShortBuffer) && n <= maxValue {
			data = make([]byte, n)
			n, kind, err = k.GetValue(name, data)
		}
		if err == nil {
			all[name] = provider.DecodeRegistry(kind, data[:min(n, len(data))])
		}
	}
	return all, nil
}
