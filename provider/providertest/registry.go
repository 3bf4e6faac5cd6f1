package providertest

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"patchbay/provider"
)

// Export is a recorded Windows registry, as `reg export` writes one. A remark
// "; changed 2026-01-02T03:04:05Z" below a key's name says when that key was last written,
// which exports do not.
type Export struct {
	keys map[string]*recordedKey // by path, in lower case, beginning with hklm or hku
}

type recordedKey struct {
	provider.RegistryKey
	name string // as it is written
}

// WindowsHost is a recorded Windows: commands, files and the registry.
type WindowsHost struct {
	*Host
	*Export
}

var _ provider.RegistryHost = WindowsHost{}

// OpenWindows reads the recording of a Windows: commands.txt (may be missing), registry.reg
// and the folder files below dir.
func OpenWindows(t testing.TB, dir string) WindowsHost {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "registry.reg"))
	if err != nil {
		t.Fatal(err)
	}
	registry, err := ParseExport(text)
	if err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "commands.txt")); err == nil {
		return WindowsHost{Open(t, dir), registry}
	}
	host, err := New(strings.NewReader(""), os.DirFS(filepath.Join(dir, "files")))
	if err != nil {
		t.Fatal(err)
	}
	return WindowsHost{host, registry}
}

// maxExport is the longest export that is read.
const maxExport = 64 << 20

// ParseExport reads an export, in UTF-8 or as Windows writes it, in UTF-16. Several may
// stand one after the other.
func ParseExport(text []byte) (*Export, error) {
	if len(text) > maxExport {
		return nil, errors.New("the export is too long")
	}
	r := &Export{keys: map[string]*recordedKey{}}
	var at *recordedKey
	for n, line := range joined(decode(text)) {
		var err error
		switch {
		case line == "" || line == "REGEDIT4" || strings.HasPrefix(line, "Windows Registry Editor"):
		case strings.HasPrefix(line, ";"):
			err = at.remark(line)
		case strings.HasPrefix(line, "["):
			at, err = r.enter(line)
		case at == nil:
			err = errors.New("a value stands before the first key")
		default:
			err = at.value(line)
		}
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", n+1, err)
		}
	}
	return r, nil
}

// decode gives the text of an export.
func decode(text []byte) string {
	if len(text) < 2 || text[0] != 0xff || text[1] != 0xfe {
		return strings.TrimPrefix(string(text), "\ufeff")
	}
	return provider.DecodeUTF16(text[2:])
}

// joined gives the lines, those together that a backslash at the end ties together. A string
// may hold line ends of its own: it goes on until its quote.
func joined(text string) []string {
	var all []string
	open := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if open {
			last := &all[len(all)-1]
			if rest, tied := strings.CutSuffix(*last, `\`); tied {
				*last = rest + strings.TrimSpace(line)
			} else {
				*last += "\n" + line
			}
		} else {
			all = append(all, strings.TrimSpace(line))
		}
		last := all[len(all)-1]
		open = !strings.HasPrefix(last, ";") && !strings.HasPrefix(last, "[") && (unquoted(last) || strings.Contains(last, "=hex") && strings.HasSuffix(last, `\`))
	}
	return all
}

// unquoted reports whether a quote that was opened is not closed.
func unquoted(line string) bool {
	open := false
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '\\' && open:
			i++
		case line[i] == '"':
			open = !open
		}
	}
	return open
}

// short writes the two roots as providers do.
func short(path string) string {
	root, rest, below := strings.Cut(path, `\`)
	switch strings.ToUpper(root) {
	case "HKEY_LOCAL_MACHINE":
		root = "HKLM"
	case "HKEY_USERS":
		root = "HKU"
	}
	if !below {
		return root
	}
	return root + `\` + rest
}

// enter begins a key and makes those above it.
func (r *Export) enter(line string) (*recordedKey, error) {
	path, ok := strings.CutSuffix(strings.TrimPrefix(line, "["), "]")
	if !ok || path == "" || strings.HasPrefix(path, "-") {
		return nil, fmt.Errorf("%.80q is not the name of a key", line)
	}
	path = short(path)
	parts := strings.Split(path, `\`)
	if len(parts) > 512 {
		return nil, errors.New("a key lies too deep")
	}
	var above *recordedKey
	for i, name := range parts {
		full := strings.ToLower(strings.Join(parts[:i+1], `\`))
		k := r.keys[full]
		if k == nil {
			k = &recordedKey{provider.RegistryKey{Values: map[string]provider.RegistryValue{}}, name}
			r.keys[full] = k
			if above != nil {
				above.Keys = append(above.Keys, name)
			}
		}
		above = k
	}
	return above, nil
}

// remark takes what a remark says of the key it is in.
func (k *recordedKey) remark(line string) error {
	when, ok := strings.CutPrefix(line, "; changed ")
	if !ok {
		return nil
	}
	if k == nil {
		return errors.New("a time stands before the first key")
	}
	var err error
	k.Changed, err = time.Parse(time.RFC3339, when)
	return err
}

// value takes one value: "name"=data, or @=data for the key's own.
func (k *recordedKey) value(line string) error {
	name, rest := "", ""
	switch {
	case strings.HasPrefix(line, "@="):
		rest = line[2:]
	case strings.HasPrefix(line, `"`):
		var err error
		if name, rest, err = quoted(line); err != nil {
			return err
		}
		var ok bool
		if rest, ok = strings.CutPrefix(rest, "="); !ok {
			return fmt.Errorf("%.80q has no value", line)
		}
	default:
		return fmt.Errorf("%.80q is not a value", line)
	}
	v, err := parseData(rest)
	if err != nil {
		return fmt.Errorf("%.80q: %w", name, err)
	}
	k.Values[name] = v
	return nil
}

// quoted reads a quoted string at the beginning and gives what follows it.
func quoted(line string) (text, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(line); i++ {
		switch c := line[i]; c {
		case '"':
			return b.String(), line[i+1:], nil
		case '\\':
			if i++; i >= len(line) {
				return "", "", errors.New("a string ends in the middle")
			}
			b.WriteByte(line[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", errors.New("a string has no end")
}

// parseData reads what stands behind the equals sign.
func parseData(text string) (provider.RegistryValue, error) {
	if strings.HasPrefix(text, `"`) {
		s, rest, err := quoted(text)
		if err == nil && strings.TrimSpace(rest) != "" {
			err = errors.New("something stands behind the string")
		}
		return provider.RegistryValue{Text: s}, err
	}
	kind, digits, ok := strings.Cut(text, ":")
	if !ok {
		return provider.RegistryValue{}, errors.New("the kind of value is not known")
	}
	if kind == "dword" {
		n, err := strconv.ParseUint(strings.TrimSpace(digits), 16, 32)
		return provider.RegistryValue{Number: n}, err
	}
	b, err := hex.DecodeString(strings.NewReplacer(",", "", " ", "", "\t", "").Replace(digits))
	if err != nil {
		return provider.RegistryValue{}, err
	}
	switch kind {
	case "hex(1)", "hex(2)": // a string, and one with variables in it
		return provider.RegistryValue{Text: strings.TrimRight(provider.DecodeUTF16(b), "\x00")}, nil
	case "hex(7)":
		list := strings.Split(strings.TrimRight(provider.DecodeUTF16(b), "\x00"), "\x00")
		return provider.RegistryValue{List: slices.DeleteFunc(list, func(s string) bool { return s == "" })}, nil
	case "hex(4)", "hex(b)":
		if len(b) != 4 && len(b) != 8 {
			return provider.RegistryValue{}, errors.New("a number has another size")
		}
		return provider.RegistryValue{Number: binary.LittleEndian.Uint64(append(b, 0, 0, 0, 0)[:8])}, nil
	}
	if kind != "hex" && !(strings.HasPrefix(kind, "hex(") && strings.HasSuffix(kind, ")")) {
		return provider.RegistryValue{}, errors.New("the kind of value is not known")
	}
	return provider.RegistryValue{Bytes: b}, nil
}

// Registry gives one key. The view of 32-bit programs is below WOW6432Node, as on Windows.
func (r *Export) Registry(path string, view provider.View) (provider.RegistryKey, error) {
	full := strings.ToLower(short(path))
	const software, node = `hklm\software`, `hklm\software\wow6432node`
	if rest, ok := strings.CutPrefix(full, software); ok && view == provider.View32 && (rest == "" || rest[0] == '\\') && !strings.HasPrefix(full, node) {
		full = node + rest
	}
	k := r.keys[full]
	if k == nil {
		return provider.RegistryKey{}, fmt.Errorf("%s: %w", path, fs.ErrNotExist)
	}
	return k.RegistryKey, nil
}

// With is the same registry with the values of another over its own.
func (r *Export) With(over *Export) *Export {
	sum := &Export{keys: map[string]*recordedKey{}}
	for _, from := range []*Export{r, over} {
		for path, k := range from.keys {
			at := sum.keys[path]
			if at == nil {
				at = &recordedKey{provider.RegistryKey{Values: map[string]provider.RegistryValue{}}, k.name}
				sum.keys[path] = at
			}
			for name, v := range k.Values {
				at.Values[name] = v
			}
			for _, name := range k.Keys {
				if !slices.ContainsFunc(at.Keys, func(n string) bool { return strings.EqualFold(n, name) }) {
					at.Keys = append(at.Keys, name)
				}
			}
			if !k.Changed.IsZero() {
				at.Changed = k.Changed
			}
		}
	}
	return sum
}
