package host

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"patchbay/provider"
)

var _ provider.RegistryTreeHost = Host{}

// Bounds of one key, for a user writes what is in his own part of the registry.
const (
	maxEntries = 20_000  // values, and keys below
	maxValue   = 1 << 20 // bytes of one value; a longer one is left out
)

// Registry reads one key of this machine.
func (Host) Registry(path string, view provider.View) (found provider.RegistryKey, err error) {
	err = inKey(path, view, func(k *keyReader) error {
		found, err = k.read()
		return err
	})
	return found, err
}

// RegistryBelow reads the keys right below one, each opened from that one: asking by its whole
// path costs the system more for each.
func (Host) RegistryBelow(path string, view provider.View) (all []provider.NamedKey, err error) {
	err = inKey(path, view, func(k *keyReader) error {
		names, _, _, err := k.keys()
		if err != nil {
			return err
		}
		for _, name := range names {
			below, err := k.below(name)
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errDeleted) { // removed since
				continue
			}
			all = append(all, provider.NamedKey{Name: name, RegistryKey: below, Err: err})
		}
		return nil
	})
	return all, err
}

const errDeleted = syscall.Errno(1018) // ERROR_KEY_DELETED

// inKey opens a key and gives it to a function.
func inKey(path string, view provider.View, do func(*keyReader) error) error {
	name, rest, _ := strings.Cut(path, `\`)
	var top registry.Key
	switch strings.ToUpper(name) {
	case "HKLM":
		top = registry.LOCAL_MACHINE
	case "HKU":
		top = registry.USERS
	default:
		return fmt.Errorf("reading %s: its path begins neither with HKLM nor with HKU: %w", path, fs.ErrInvalid)
	}
	access := uint32(registry.QUERY_VALUE | registry.ENUMERATE_SUB_KEYS | registry.WOW64_64KEY)
	if view == provider.View32 {
		access = registry.QUERY_VALUE | registry.ENUMERATE_SUB_KEYS | registry.WOW64_32KEY
	}
	k, err := registry.OpenKey(top, rest, access)
	if err == nil {
		defer k.Close()
		err = do(&keyReader{key: k, access: access, name: make([]uint16, maxName), data: make([]byte, 2<<10)})
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	return nil
}

// maxName is how long the name of a value may be, by Windows' own bound.
const maxName = 16384

// keyReader reads an open key, and those below it, with one buffer for all.
type keyReader struct {
	key    registry.Key
	access uint32
	name   []uint16
	data   []byte
}

// below reads a key below this one.
func (k *keyReader) below(name string) (provider.RegistryKey, error) {
	key, err := registry.OpenKey(k.key, name, k.access)
	if err != nil {
		return provider.RegistryKey{}, err
	}
	defer key.Close()
	in := keyReader{key: key, access: k.access, name: k.name, data: k.data}
	found, err := in.read()
	k.data = in.data // it may have grown
	return found, err
}

func (k *keyReader) read() (found provider.RegistryKey, err error) {
	for range 3 { // while somebody writes, a value may be passed over
		var there, seen int
		if found.Keys, found.Changed, there, err = k.keys(); err != nil {
			return found, err
		}
		if found.Values, seen, err = k.values(); err != nil || seen == there {
			break
		}
	}
	return found, err
}

// keys lists the names of the keys below, sorted, says when the key was last written, and how
// many values it has.
func (k *keyReader) keys() (names []string, changed time.Time, values int, err error) {
	info, err := k.key.Stat()
	if err != nil {
		return nil, changed, 0, err
	}
	if info.ValueCount > maxEntries || info.SubKeyCount > maxEntries {
		return nil, changed, 0, errors.New("it holds more than anybody needs")
	}
	if at := info.ModTime().UTC(); at.Year() > 1980 { // before that it means that there is none
		changed = at
	}
	if info.SubKeyCount > 0 {
		if names, err = k.key.ReadSubKeyNames(-1); err != nil {
			return nil, changed, 0, err
		}
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return names, changed, int(info.ValueCount), nil
}

var regEnumValue = windows.NewLazySystemDLL("advapi32.dll").NewProc("RegEnumValueW")

// values reads all values of a key, each with one question to the system, and says how many
// there are. One that is too long is left out.
func (k *keyReader) values() (all map[string]provider.RegistryValue, seen int, err error) {
	all = map[string]provider.RegistryValue{}
	for ; seen <= maxEntries; seen++ {
		name, kind, data, err := k.value(uint32(seen))
		switch {
		case errors.Is(err, windows.ERROR_NO_MORE_ITEMS):
			return all, seen, nil
		case errors.Is(err, errTooLong):
			continue
		case err != nil:
			return nil, seen, err
		}
		all[name] = provider.DecodeRegistry(kind, data)
	}
	return all, seen, nil
}

var errTooLong = errors.New("the value is too long")

// value reads the nth value.
func (k *keyReader) value(n uint32) (name string, kind uint32, data []byte, err error) {
	for {
		nameLen, dataLen := uint32(len(k.name)), uint32(len(k.data))
		code, _, _ := regEnumValue.Call(uintptr(k.key), uintptr(n), uintptr(unsafe.Pointer(&k.name[0])), uintptr(unsafe.Pointer(&nameLen)), 0,
			uintptr(unsafe.Pointer(&kind)), uintptr(unsafe.Pointer(&k.data[0])), uintptr(unsafe.Pointer(&dataLen)))
		switch err := syscall.Errno(code); {
		case err == 0:
			return windows.UTF16ToString(k.name[:nameLen]), kind, k.data[:min(int(dataLen), len(k.data))], nil
		case err != windows.ERROR_MORE_DATA:
			return "", 0, nil, err
		case dataLen > maxValue || int(dataLen) <= len(k.data):
			return "", 0, nil, errTooLong
		}
		k.data = make([]byte, dataLen)
	}
}
