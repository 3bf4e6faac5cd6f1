package provider

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"

	"patchbay/patch"
)

// RegistryHost is a Host with a Windows registry, or a recording of one.
type RegistryHost interface {
	Host
	// Registry reads one key. Its path begins with HKLM or HKU, such as
	// `HKLM\SOFTWARE\Microsoft`; a key that is not there is fs.ErrNotExist.
	Registry(path string, view View) (RegistryKey, error)
}

// RegistryTreeHost is a RegistryHost that reads many keys for less than each alone costs.
type RegistryTreeHost interface {
	RegistryHost
	// RegistryBelow reads the keys right below one, sorted by name without regard to case.
	RegistryBelow(path string, view View) ([]NamedKey, error)
}

// NamedKey is a key with its own name.
type NamedKey struct {
	Name string
	RegistryKey
	Err error // why it could not be read, nil when it could
}

// RegistryBelow reads the keys right below one, sorted by name without regard to case. What
// is removed meanwhile is left out.
func RegistryBelow(host RegistryHost, path string, view View) ([]NamedKey, error) {
	if h, ok := host.(RegistryTreeHost); ok {
		return h.RegistryBelow(path, view)
	}
	list, err := host.Registry(path, view)
	if err != nil {
		return nil, err
	}
	var all []NamedKey
	for _, name := range list.Keys {
		key, err := host.Registry(path+`\`+name, view)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		all = append(all, NamedKey{name, key, err})
	}
	return all, nil
}

// View is which of the two registries of a 64-bit Windows a program sees.
type View int

// The views.
const (
	View64 View = 64
	View32 View = 32
)

// RegistryKey is what a key holds. Names are as they are written there; they are compared
// without regard to case.
type RegistryKey struct {
	Values  map[string]RegistryValue
	Keys    []string  // names of the keys below it
	Changed time.Time // when it was last written; zero when not known
}

// Find gives a value by its name, in whatever case, and whether there is one.
func (k RegistryKey) Find(name string) (RegistryValue, bool) {
	if v, ok := k.Values[name]; ok {
		return v, true
	}
	for n, v := range k.Values {
		if strings.EqualFold(n, name) {
			return v, true
		}
	}
	return RegistryValue{}, false
}

// Value gives a value by its name, in whatever case; an empty one where there is none.
func (k RegistryKey) Value(name string) RegistryValue {
	v, _ := k.Find(name)
	return v
}

// RegistryValue is one value. Text is of strings, Number of numbers, List of lists of
// strings; other kinds have their bytes.
type RegistryValue struct {
	Text   string
	Number uint64
	List   []string
	Bytes  []byte
}

// SigningHost is a Host whose own system checks signatures of programs.
type SigningHost interface {
	Host
	// Trusted asks the system whether it accepts the signature of an open file. The error
	// says in the system's words why it does not.
	Trusted(context.Context, File) error
}

// Content gives files by their hash, from the store of the installation's server. What it
// gives was hashed on the very handle that is given, and cannot be changed while that is open.
type Content interface {
	// Open gives the file, and fetches it first where it is not here. It is ErrOffline when it
	// cannot be fetched now, and ErrRefused when what was fetched has another hash.
	Open(ctx context.Context, sha256 string, size int64) (File, error)
	// Fetch gets the file here ahead of its use.
	Fetch(ctx context.Context, sha256 string, size int64) error
	// Unpack gives the one file of an open archive that has a name, with slashes, and gives it
	// as Open does. It is ErrRefused when there is no such file, or more than one.
	Unpack(ctx context.Context, archive File, name string) (File, error)
	// Holds reports whether the file is here already. It changes nothing and is quick.
	Holds(sha256 string) bool
}

// File is an open file that nobody can change while it is open.
type File interface {
	io.ReaderAt
	io.Closer
	Path() string // where it lies, for a program that is to be told
	Size() int64
	Fd() uintptr // the system's handle, for its own checks; 0 where there is none
}

// Catalog is what the publisher signed for, as far as one provider is concerned. The zero
// value is none.
type Catalog struct {
	Version  int64           // counts up
	SignedAt time.Time       // when it was made, as the publisher says
	Expires  time.Time       // from then on nothing of it is installed
	Packages []patch.Package // sorted by ID
}
